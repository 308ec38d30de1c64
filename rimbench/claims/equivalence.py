"""Published against measured: reproduced, contradicted or undecided, by an interval against a margin.

Not finding a difference is not showing that there is none: a run of few items reproduces nothing.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rimbench.statistics.estimate import Estimate

Standing = Literal["reproduced", "contradicted", "undecided"]


def decide(lo: float, hi: float, margin: float) -> Standing:
    """What an interval says of a margin: inside it as a whole, outside it as a whole, or neither.

    With an interval at 1 - 2 alpha the first is TOST at alpha. The second is beyond the margin, not merely beside 0:
    the margin is the difference that does not matter, and no verdict may turn into its opposite as items are added.
    """
    if -margin < lo and hi < margin:
        return "reproduced"
    return "contradicted" if lo > margin or hi < -margin else "undecided"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an interval goes below and above its value, and the n that it comes from."""

    below: float
    above: float
    n: int


EXACT = Reach(0.0, 0.0, 0)
"""Of a published value whose sampling error is unknown."""


def reach_of(estimate: Estimate | None) -> Reach | None:
    """Of an estimate's interval; None where it has none."""
    if estimate is None or estimate.lo is None or estimate.hi is None:
        return None
    return Reach(estimate.value - estimate.lo, estimate.hi - estimate.value, estimate.n)


@dataclass(frozen=True, slots=True)
class Deviation:
    """OwnMeasurement less published, or over it less 1: between `lowest` and `highest`, as far as printing rounds.

    `lo` and `hi` combine both reaches by square-and-add (Zou and Donner 2008, Statistics in Medicine 27:1693).
    """

    lowest: float
    highest: float
    own: Reach
    published: Reach = EXACT

    @property
    def lo(self) -> float:
        """The lower end of the interval."""
        return self.lowest - math.hypot(self.own.below, self.published.above)

    @property
    def hi(self) -> float:
        """The upper end of the interval."""
        return self.highest + math.hypot(self.own.above, self.published.below)

    def items_needed(self, margin: float) -> int | None:
        """How many measured items would decide, if the values stayed; None where the published n is too small."""
        return _most(
            (own * own * self.own.n, room * room - published * published)
            for own, published, room in self._ends(margin)
        )

    def items_needed_on_both(self, margin: float) -> int | None:
        """The n that would decide if both sides had it; None where the deviation itself lies on the margin."""
        return _most(
            (own * own * self.own.n + published * published * self.published.n, room * room)
            for own, published, room in self._ends(margin)
        )

    def _ends(self, margin: float) -> list[tuple[float, float, float]]:
        """For each end that has to stay clear of the margin: both reaches towards it, and the room that there is."""
        below = self.own.below, self.published.above
        above = self.own.above, self.published.below
        if self.lowest > margin:
            return [(*below, self.lowest - margin)]
        if self.highest < -margin:
            return [(*above, -margin - self.highest)]
        if -margin < self.lowest and self.highest < margin:
            return [(*below, self.lowest + margin), (*above, margin - self.highest)]
        return []


def _most(ratios: Iterable[tuple[float, float]]) -> int | None:
    """The least whole number above every ratio; None where one has no room, or there is none."""
    found = [math.inf if room <= 0 else spread / room for spread, room in ratios]
    return math.floor(max(found)) + 1 if found and math.isfinite(max(found)) else None
