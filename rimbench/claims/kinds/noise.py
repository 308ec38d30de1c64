"""Within noise: differences that are said not to count, and whether the stated margin is what n leaves to chance."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

from pydantic import Field

from rimbench.claims.claim import PairsClaim, Published, absent_cells
from rimbench.claims.entries import AccuracyFigure, Figure, Names, Points, Text
from rimbench.claims.finding import Number, Ruling, as_points, in_points
from rimbench.claims.held import Relation
from rimbench.claims.measured import Key
from rimbench.claims.pairs import Contrast, corrected, right_counts, tally, told
from rimbench.statistics.estimate import wilson


class NoiseClaim(PairsClaim):
    """The differences between these systems on a suite are noise of plus or minus `margin`.

    Without `against`: all pairs of `systems`.
    """

    kind: Literal["noise"]
    suite: Text
    systems: Names
    against: list[Text] = Field(default_factory=list)
    margin: Points

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """Every cell is published, and there are two systems."""
        yield from absent_cells(self.id, [*self.systems, *self.against], [self.suite], figures)
        if len({*self.systems, *self.against}) < 2:
            yield f"{self.id}: a difference needs two systems"

    def cells(self) -> list[tuple[Key, Key]]:
        """Each with each, or all pairs."""
        pairs = product(self.systems, self.against) if self.against else combinations(self.systems, 2)
        return [((a, self.suite, None, None), (b, self.suite, None, None)) for a, b in pairs]

    def wanted(self, margin: float) -> Relation:
        """Inside the margin that it states."""
        return Relation(self.margin.value)

    def judge_pairs(self, pairs: list[Contrast], published: Published) -> Ruling:
        """Whether the differences are within the stated margin, and whether it is what n leaves to chance."""
        figures, bar = published.accuracies, published.bar
        named = {*self.systems, *self.against}
        cells = [f for f in figures if f.suite == self.suite and f.system in named and f.setting is None]
        one = [spread for figure in cells if (spread := _spread(figure)) is not None]
        error = max(spread.standard_error for spread in one)
        half, of_difference = max(s.half_width for s in one), max((p.hi - p.lo) / 2 for p in pairs)
        largest = max(pairs, key=lambda p: abs(p.delta))
        numbers = (
            *tally(pairs, bar.alpha),
            Number("claimed_margin_points", as_points(self.margin.value)),
            Number("largest_difference_points", as_points(abs(largest.delta))),
            Number("standard_error_points", as_points(error)),
            Number("interval_of_an_accuracy_points", as_points(half)),
            Number("interval_of_a_difference_points", as_points(of_difference)),
        )
        margin = in_points(self.margin.value)
        truth = (
            f"one standard error of one accuracy is {in_points(error)} points here, its 95% interval "
            f"±{in_points(half)}, that of a difference ±{in_points(of_difference)}"
        )
        shown = [pair for pair in pairs if pair.shown(bar.alpha)]
        apart = in_points(abs(largest.delta))
        if shown:
            worst = max(shown, key=lambda p: abs(p.delta))
            return Ruling("contradicted", f"A difference is shown: {told(worst)} ({corrected(pairs)}).", numbers)
        if abs(largest.delta) > self.margin.highest + 1e-9:
            sentence = (
                f"{largest.a} and {largest.b} are {apart} points apart, more than ±{margin}; that none of the "
                f"differences is shown ({corrected(pairs)}) is because the noise is larger than stated: {truth}."
            )
            return Ruling("contradicted", sentence, numbers)
        if self.margin.highest < of_difference:
            sentence = (
                f"The differences are at most {apart} points and none is shown, but ±{margin} is not the noise: "
                f"{truth}, so that they show no equality either."
            )
            return Ruling("holds only as worded", sentence, numbers)
        return Ruling("holds", f"The differences are at most {apart} points, none is shown, and {truth}.", numbers)


@dataclass(frozen=True, slots=True)
class _Spread:
    standard_error: float
    half_width: float


def _spread(figure: AccuracyFigure) -> _Spread | None:
    known = right_counts(figure)
    if known is None:
        return None
    right, n = known
    interval = wilson(right, n)
    assert interval is not None and interval.lo is not None and interval.hi is not None
    return _Spread(math.sqrt(right / n * (1 - right / n) / n), (interval.hi - interval.lo) / 2)


KIND = NoiseClaim
