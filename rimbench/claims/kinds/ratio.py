"""A ratio of two figures: arithmetic with the rounding undone, then what the hardware allows."""

from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import model_validator

from rimbench.claims.claim import SECTIONS, Claim, Published, wrong_references
from rimbench.claims.entries import Factor, Figure, LatencyFigure, Text
from rimbench.claims.finding import ClaimVerdict, Number, Ruling, in_factor, in_time, joined
from rimbench.claims.floors import TimeCheck
from rimbench.claims.held import Held, Measures, hold_factor
from rimbench.claims.quantity import PrintedFigure

MILLISECONDS = 1000


class RatioClaim(Claim):
    """One figure is `value` times another; without the two figures nothing can be checked."""

    SECTION = SECTIONS[2]
    kind: Literal["ratio"]
    value: Factor
    numerator: Text | None = None
    denominator: Text | None = None

    @model_validator(mode="after")
    def _has_both_or_none(self) -> Self:
        if (self.numerator is None) != (self.denominator is None):
            raise ValueError("give numerator and denominator, or neither where they are unpublished")
        return self

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """Two figures of one unit, the second above 0."""
        names = [name for name in (self.numerator, self.denominator) if name is not None]
        if self.value.lowest <= 0:
            yield f"{self.id}.value: {self.value}: a ratio is above 0"
        yield from wrong_references(self.id, names, figures)
        dimensions = {figures[name].value.dimension for name in names if name in figures}
        if len(dimensions) > 1:
            yield f"{self.id}: a ratio of unlike units, {' and '.join(sorted(dimensions))}"
        below = figures.get(self.denominator or "")
        if below is not None and below.value.lowest == 0:
            yield f"{self.id}: {self.denominator} may be 0 as it was printed, and nothing divides by 0"

    def judge(self, published: Published) -> Ruling:
        """Does a over b give the printed factor, and, of two times, what is that factor a factor of?"""
        if self.numerator is None or self.denominator is None:
            sentence = f"The two figures whose ratio is {self.value} are not published here."
            return Ruling("cannot be checked from this", sentence)
        checks = published.times
        a, b = published.figures[self.numerator], published.figures[self.denominator]
        ratio = a.value.value / b.value.value
        lowest, highest = a.value.lowest / b.value.highest, a.value.highest / b.value.lowest
        rounded = f"{in_factor(lowest)} to {in_factor(highest)} by rounding"
        arithmetic = f"{a.value} over {b.value} is {in_factor(ratio)} ({rounded})"
        numbers: tuple[Number, ...] = (
            Number("ratio", ratio),
            Number("ratio_lowest", lowest),
            Number("ratio_highest", highest),
            Number("claimed_ratio", self.value.value),
        )
        if not self.value.agrees_with(lowest, highest):
            return Ruling("contradicted", f"{arithmetic}, not {self.value}.", numbers)
        verdict: ClaimVerdict = "holds"
        clause = ""
        if a.kind == "latency" and b.kind == "latency":
            numbers = (*numbers, *_physics(checks[a.id], checks[b.id]))
            verdict, clause = _speed_up(self.value, a, b, checks)
        return Ruling(verdict, f"{arithmetic}, which agrees with {self.value}{clause}.", numbers)

    def hold(self, measures: Measures) -> Held | None:
        """One measured time over another."""
        if self.numerator is None or self.denominator is None:
            return None
        return hold_factor((self.numerator, self.denominator), (self.value.lowest, self.value.highest), measures)


def _speed_up(
    claimed: PrintedFigure, a: LatencyFigure, b: LatencyFigure, checks: Mapping[str, TimeCheck]
) -> tuple[ClaimVerdict, str]:
    """The verdict on a ratio of two times whose arithmetic is right, and what is to be added to it.

    Equal conditions first, then the pass counts: where every pass takes as long, the ratio is theirs.
    """
    conditions = {"device": (a.device, b.device), "dtype": (a.dtype, b.dtype), "batch": (a.batch, b.batch)}
    unlike = [name for name, (x, y) in conditions.items() if x is not None and y is not None and x != y]
    unstated = [name for name, (x, y) in conditions.items() if x is None or y is None]
    of_a, of_b = checks[a.id], checks[b.id]
    if unlike:
        return "not supported", f", but the two differ in {joined(unlike)}"
    if of_a.passes and of_b.passes and claimed.lowest > of_a.passes.most / of_b.passes.least:
        most = f"{of_a.passes.most / of_b.passes.least:.4g}"
        return "not supported", f", but the forward passes are at most {most} to one: the rest is not the method's"
    if unstated:
        return (
            "holds only as worded",
            f", but {joined(unstated)} {'is' if len(unstated) == 1 else 'are'} not stated",
        )
    if of_a.launch_bound and of_b.launch_bound:
        return "holds only as worded", _counting_passes(of_a, of_b)
    if of_a.launch_bound or of_b.launch_bound:
        side = "first" if of_a.launch_bound else "second"
        return "holds only as worded", f", but only the {side} of the two waits for launches: they were not run alike"
    return "holds", ""


def _physics(a: TimeCheck, b: TimeCheck) -> tuple[Number, ...]:
    numbers = [
        Number("numerator_ms_per_pass", None if a.pass_s is None else MILLISECONDS * a.pass_s),
        Number("denominator_ms_per_pass", None if b.pass_s is None else MILLISECONDS * b.pass_s),
        Number("numerator_floor_ms", None if a.floor_s is None else MILLISECONDS * a.floor_s),
        Number("denominator_floor_ms", None if b.floor_s is None else MILLISECONDS * b.floor_s),
    ]
    if a.saturated and b.saturated:
        numbers += [
            Number("saturated_ratio_lowest", a.saturated.overlapped_s / b.saturated.overlapped_s),
            Number("saturated_ratio_highest", a.saturated.added_s / b.saturated.added_s),
        ]
    return tuple(numbers)


def _counting_passes(a: TimeCheck, b: TimeCheck) -> str:
    assert a.pass_s and b.pass_s and a.pass_floor_s and b.pass_floor_s  # both are launch-bound
    passes_a, passes_b = a.value_s / a.pass_s, b.value_s / b.pass_s
    text = (
        f"; but a pass takes {in_time(a.pass_s)} where the hardware needs {in_time(a.pass_floor_s)} on one side, and "
        f"{in_time(b.pass_s)} where it needs {in_time(b.pass_floor_s)} on the other: this is batch-1 "
        f"launching, for which the count of passes alone ({passes_a:.4g} over {passes_b:.2g}) gives "
        f"{in_factor(passes_a / passes_b)}"
    )
    if a.saturated is None or b.saturated is None:
        return text
    least = a.saturated.overlapped_s / b.saturated.overlapped_s
    most = a.saturated.added_s / b.saturated.added_s
    return f"{text}; in a saturated batch the least times are {least:.2g} to {most:.2g} apart"


KIND = RatioClaim
