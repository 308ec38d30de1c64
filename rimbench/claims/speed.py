"""Ratios, passes and times: arithmetic with the rounding undone, then what the hardware allows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rimbench.claims.bench import TimeCheck
from rimbench.claims.finding import Judgement, Number, Verdict, in_factor, in_time, listed
from rimbench.claims.quantity import Quantity

if TYPE_CHECKING:
    from rimbench.claims.schema import Figure, LatencyFigure, PassesClaim, RatioClaim, TimesClaim

MILLISECONDS = 1000


def judge_ratio(claim: "RatioClaim", figures: "Mapping[str, Figure]", checks: Mapping[str, TimeCheck]) -> Judgement:
    """Does a over b give the printed factor, and, of two times, what is that factor a factor of?"""
    if claim.numerator is None or claim.denominator is None:
        sentence = f"The two figures whose ratio is {claim.value} are not published here."
        return Judgement("cannot be checked from this", sentence)
    a, b = figures[claim.numerator], figures[claim.denominator]
    ratio = a.value.value / b.value.value
    lowest, highest = a.value.lowest / b.value.highest, a.value.highest / b.value.lowest
    arithmetic = (
        f"{a.value} over {b.value} is {in_factor(ratio)} ({in_factor(lowest)} to {in_factor(highest)} by rounding)"
    )
    numbers: tuple[Number, ...] = (
        Number("ratio", ratio),
        Number("ratio_lowest", lowest),
        Number("ratio_highest", highest),
        Number("claimed_ratio", claim.value.value),
    )
    if not claim.value.agrees_with(lowest, highest):
        return Judgement("contradicted", f"{arithmetic}, not {claim.value}.", numbers)
    verdict: Verdict = "holds"
    clause = ""
    if a.kind == "latency" and b.kind == "latency":
        numbers = (*numbers, *_physics(checks[a.id], checks[b.id]))
        verdict, clause = _speed_up(claim.value, a, b, checks)
    return Judgement(verdict, f"{arithmetic}, which agrees with {claim.value}{clause}.", numbers)


def _speed_up(
    claimed: Quantity, a: "LatencyFigure", b: "LatencyFigure", checks: Mapping[str, TimeCheck]
) -> tuple[Verdict, str]:
    """The verdict on a ratio of two times whose arithmetic is right, and what is to be added to it.

    Equal conditions first, then the pass counts: where every pass takes as long, the ratio is theirs.
    """
    conditions = {"device": (a.device, b.device), "dtype": (a.dtype, b.dtype), "batch": (a.batch, b.batch)}
    unlike = [name for name, (x, y) in conditions.items() if x is not None and y is not None and x != y]
    unstated = [name for name, (x, y) in conditions.items() if x is None or y is None]
    of_a, of_b = checks[a.id], checks[b.id]
    if unlike:
        return "not supported", f", but the two differ in {listed(unlike)}"
    if of_a.passes and of_b.passes and claimed.lowest > of_a.passes.most / of_b.passes.least:
        most = f"{of_a.passes.most / of_b.passes.least:.4g}"
        return "not supported", f", but the forward passes are at most {most} to one: the rest is not the method's"
    if unstated:
        return "holds only as worded", f", but {listed(unstated)} {'is' if len(unstated) == 1 else 'are'} not stated"
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


def judge_passes(claim: "PassesClaim", figures: "Mapping[str, Figure]") -> Judgement:
    """Is a time that of the stated number of passes?"""
    whole, one = figures[claim.figure].value, figures[claim.one_pass].value
    lowest, highest = whole.lowest / one.highest, whole.highest / one.lowest
    numbers = (
        Number("passes", whole.value / one.value),
        Number("passes_lowest", lowest),
        Number("passes_highest", highest),
        Number("claimed_passes", claim.value),
    )
    what = f"{whole} is the time of {whole.value / one.value:.2g} passes of {one}"
    if lowest <= claim.value <= highest:
        return Judgement("holds", f"{what}.", numbers)
    sentence = f"{what} ({lowest:.2g} to {highest:.2g} by rounding), not of {claim.value}."
    return Judgement("not supported", sentence, numbers)


def judge_times(claim: "TimesClaim", figures: "Mapping[str, Figure]", checks: Mapping[str, TimeCheck]) -> Judgement:
    """Are the times possible on their hardware, and do they tell of the method or of the launches?"""
    listed_figures = [figures[name] for name in claim.figures]
    of = [(figure, checks[figure.id]) for figure in listed_figures if figure.kind == "latency"]
    numbers = tuple(Number(f"{figure.id}_times_floor", check.times_floor) for figure, check in of)
    told = [
        f"{figure.value} is {check.times_floor:.2g} times the least possible {in_time(check.floor_s)}"
        for figure, check in of
        if check.times_floor is not None and check.floor_s is not None
    ]
    below = [figure for figure, check in of if check.floor_s is not None and figure.value.highest < check.floor_s]
    if below:
        figure = below[0]
        least = checks[figure.id].floor_s or 0.0
        sentence = f"{figure.value} is impossible on {figure.device}: it takes {in_time(least)} at the least."
        return Judgement("contradicted", sentence, numbers)
    unknown = [figure.id for figure, check in of if check.floor_s is None]
    if unknown:
        sentence = f"Device, model or token counts of {listed(unknown)} are not stated, so there is no least time."
        return Judgement("cannot be checked from this", sentence, numbers)
    if any(not isinstance(figure.batch, int) for figure, _ in of):
        sentence = f"{listed(told)}, in a batch of unstated size: which of them saturate the device cannot be told."
        return Judgement("cannot be checked from this", sentence, numbers)
    slow = [check for _, check in of if check.launch_bound]
    if slow:
        return Judgement("holds only as worded", f"Possible, but {_waiting(slow)}; {listed(told)}.", numbers)
    return Judgement("holds", f"Possible: {listed(told)}.", numbers)


def _waiting(slow: Sequence[TimeCheck]) -> str:
    passes = sorted(check.pass_s for check in slow if check.pass_s is not None)
    floors = sorted(check.pass_floor_s for check in slow if check.pass_floor_s is not None)
    took = in_time(passes[0]) if passes[0] == passes[-1] else f"{in_time(passes[0])} to {in_time(passes[-1])}"
    return (
        f"a pass takes {took} where the hardware needs {in_time(floors[0])}: at batch 1 they time "
        "the launching of kernels more than the model"
    )
