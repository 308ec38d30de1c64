"""More than chance."""

from collections.abc import Iterator, Mapping
from typing import Literal

from rimbench.claims.claim import SECTIONS, Claim, Published, wrong_references
from rimbench.claims.entries import KINDS_WITH_ACCURACY, AccuracyFigure, Figure, OptionCounts, PassFigure, Text
from rimbench.claims.finding import Number, Ruling, in_points, joined
from rimbench.claims.held import Held, Measures, Relation, hold_share
from rimbench.claims.kinds.chance_level import chance_among
from rimbench.claims.measured import MeasuredAccuracy
from rimbench.statistics.estimate import wilson
from rimbench.statistics.unpaired import right_from_published

USUAL_OPTIONS = 4


class AboveChanceClaim(Claim):
    """A pass@k, or an accuracy over `options`, is above chance."""

    SECTION = SECTIONS[1]
    kind: Literal["above chance"]
    figure: Text
    options: OptionCounts | None = None

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """A share."""
        yield from wrong_references(self.id, [self.figure], figures, KINDS_WITH_ACCURACY)

    def judge(self, published: Published) -> Ruling:
        """Is a pass@k or an accuracy above chance on the same questions?"""
        figure = published.figures[self.figure]
        assert figure.kind != "latency"  # references are checked
        options = self.options or (figure.options if figure.kind == "pass_at_k" else None)
        if options is None:
            return Ruling("cannot be checked from this", "The number of options is not stated, nor what chance is.")
        least_options, most_options = (options, options) if isinstance(options, int) else options
        k = figure.k if figure.kind == "pass_at_k" else 1
        low, high = chance_among(most_options, k), chance_among(least_options, k)
        lo, hi = _interval(figure)
        numbers = (
            Number("k", k),
            Number("chance_lowest", low),
            Number("chance_highest", high),
            Number("figure_lowest", lo),
            Number("figure_highest", hi),
        )
        chance = _say_chance(least_options, most_options, k)
        missing = [*(["the mix of option counts"] if low < high else []), *(["n"] if figure.n == "unstated" else [])]
        if figure.n != "unstated" and lo > high:
            sentence = f"{figure.value} (at least {in_points(lo)} % at 95%) is above chance, {chance}."
            return Ruling("holds", sentence, numbers)
        if figure.n != "unstated" and hi < low:
            sentence = f"{figure.value} (at most {in_points(hi)} % at 95%) is below chance, {chance}."
            return Ruling("contradicted", sentence, numbers)
        if missing:
            sentence = f"{figure.value} may be above or below chance, {chance}; {joined(missing)} would decide."
            return Ruling("cannot be checked from this", sentence, numbers)
        sentence = f"{figure.value} ({in_points(lo)} to {in_points(hi)} % at 95%) is no more than chance, {chance}."
        return Ruling("not supported", sentence, numbers)

    def hold(self, measures: Measures) -> Held | None:
        """Against chance on the very items that the run asked."""
        level, side = measures.bar.level, measures.reproduced.get(self.figure)
        if side is None or not isinstance(side.measured, MeasuredAccuracy):
            return None
        chance = side.measured.outcomes.chance
        if chance is None:
            return Held(None, "not judged: chance on these items is not known", level)
        beside = f"chance is {in_points(chance)} % on these items"
        return hold_share(side.measured, Relation(None, chance), level, beside)


def _say_chance(least: int, most: int, k: int) -> str:
    """What random choice gets with so many options; with a range, at both ends and at the usual four."""
    shown = sorted({least, most} | ({USUAL_OPTIONS} if least < USUAL_OPTIONS < most else set()), reverse=True)
    each = ", ".join(f"{in_points(chance_among(m, k))} % with {m} options" for m in shown)
    return f"whose pass@{k} is {each}" if k > 1 else each


def _interval(figure: AccuracyFigure | PassFigure) -> tuple[float, float]:
    """Wilson's, taking each question as one outcome; what rounding leaves open where n is unstated."""
    if figure.n == "unstated":
        return figure.value.lowest, figure.value.highest
    estimate = wilson(right_from_published(figure.value.value, figure.n), figure.n)
    assert estimate is not None and estimate.lo is not None and estimate.hi is not None
    return estimate.lo, estimate.hi


KIND = AboveChanceClaim
