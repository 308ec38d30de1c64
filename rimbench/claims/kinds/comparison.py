"""Better, at least as good, tied: what the items behind two accuracies can show.

Not finding a difference is not a tie, so three questions are kept apart: whether a difference is shown (two-sample
test, Holm over the family), whether one above the margin is ruled out (the interval at 1 - 2 alpha), and what the
printed figures say. Ruling out needs no correction where all pairs must pass (Berger 1982, Technometrics 24:295).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Literal

from rimbench.claims.claim import PairsClaim, Published, absent_cells
from rimbench.claims.entries import Figure, Names
from rimbench.claims.finding import Number, Ruling, as_points, in_p, in_points, joined
from rimbench.claims.held import Relation
from rimbench.claims.measured import Key
from rimbench.claims.pairs import Bar, Contrast, corrected, judge_tie, tally, told

AT_LEAST = ("at least as good", "best or tied")


class ComparisonClaim(PairsClaim):
    """How each of `systems` stands to each of `against`, on each of `suites`.

    `higher` and `lower` speak of the printed figures, the other relations of the systems.
    """

    kind: Literal["comparison"]
    relation: Literal["better", "worse", "higher", "lower", "tied", "at least as good", "best or tied"]
    systems: Names
    against: Names
    suites: Names

    def faults(self, figures: Mapping[str, Figure]) -> Iterator[str]:
        """Every cell is published, and no system is compared with itself."""
        yield from absent_cells(self.id, [*self.systems, *self.against], self.suites, figures)
        yield from (f"{self.id}: '{a}' is compared with itself" for a in self.systems for b in self.against if a == b)

    def cells(self) -> list[tuple[Key, Key]]:
        """Each with each, suite by suite."""
        named = product(self.systems, self.against, self.suites)
        return [((a, suite, None, None), (b, suite, None, None)) for a, b, suite in named]

    def judge_pairs(self, pairs: list[Contrast], published: Published) -> Ruling:
        """The claim's relation, held against all of its pairs."""
        if self.relation == "tied":
            return judge_tie(pairs, published.bar)
        if self.relation in AT_LEAST:
            return _judge_at_least(self, pairs, published.bar)
        upward = [pair.swapped for pair in pairs] if self.relation in ("worse", "lower") else list(pairs)
        return _judge_above(upward, published.bar, of_systems=self.relation in ("better", "worse"))

    def wanted(self, margin: float) -> Relation:
        """Inside the margin, more than minus the margin, or the right side of 0."""
        if self.relation == "tied":
            return Relation(margin)
        if self.relation in AT_LEAST:
            return Relation(None, -margin)
        return Relation(None, downward=self.relation in ("worse", "lower"))

    def entrants(self) -> Mapping[str, set[str]] | None:
        """Of several systems as one entrant, each of them must be beaten."""
        return {suite: set(self.systems) for suite in self.suites} if self.relation in AT_LEAST else None


def _judge_above(pairs: Sequence[Contrast], bar: Bar, of_systems: bool) -> Ruling:
    """Every first system above every second: in the printed figures, or (`of_systems`) in truth."""
    lowest, highest = min(pairs, key=lambda p: p.delta), max(pairs, key=lambda p: p.delta)
    numbers = (
        *tally(pairs, bar.alpha),
        Number("least_difference_points", as_points(lowest.delta)),
        Number("largest_difference_points", as_points(highest.delta)),
    )
    if lowest.delta <= 0:
        return Ruling("contradicted", f"The printed figures say otherwise: {told(lowest)}.", numbers)
    one_duel = len({(pair.a, pair.b) for pair in pairs}) == 1
    who = f"{pairs[0].a} is printed above {pairs[0].b}" if one_duel else "The former are printed above the latter"
    span = in_points(lowest.delta) if len(pairs) == 1 else f"{in_points(lowest.delta)} to {in_points(highest.delta)}"
    shown = f"{who} by {span} points; {_count_shown(pairs, bar)}"
    if all(pair.shown(bar.alpha) for pair in pairs):
        return Ruling("holds", f"{shown}.", numbers)
    return Ruling("not supported" if of_systems else "holds only as worded", f"{shown}.", numbers)


def _judge_at_least(claim: ComparisonClaim, pairs: Sequence[Contrast], bar: Bar) -> Ruling:
    """Not worse by the margin: non-inferiority, pair by pair. Several systems are judged as one entrant."""
    sound = [s for s in claim.systems if all(p.least > -bar.margin for p in pairs if p.a == s)]
    unsound = [s for s in claim.systems if s not in sound]
    weakest = min(pairs, key=lambda p: p.least)
    numbers = (
        *tally(pairs, bar.alpha),
        Number("weakest_difference_points", as_points(weakest.delta)),
        Number("weakest_bound_points", as_points(weakest.least)),
    )
    beaten = [pair for pair in pairs if pair.delta < 0 and pair.shown(bar.alpha)]
    if any({p.a for p in beaten if p.suite == suite} == set(claim.systems) for suite in claim.suites):
        worst = min(beaten, key=lambda p: p.delta)
        return Ruling("contradicted", f"A rival is shown to be better: {told(worst)} ({corrected(pairs)}).", numbers)
    margin, shown = in_points(bar.margin), _count_shown(pairs, bar)
    weak = f"{told(weakest)}, and being {in_points(-weakest.least)} below is not ruled out"
    if not unsound:
        sentence = f"{_kept(pairs)} is ruled out everywhere (margin {margin}); {shown}."
        return Ruling("holds", sentence, numbers)
    if sound:
        kept = _kept([pair for pair in pairs if pair.a in sound])
        sentence = (
            f"It holds of {joined(sound)}: {kept[0].lower()}{kept[1:]} is ruled out everywhere "
            f"(margin {margin}); it does not hold of {joined(unsound)}: {weak}; {shown}."
        )
        return Ruling("holds only as worded", sentence, numbers)
    return Ruling("not supported", f"{weak[0].upper()}{weak[1:]} (margin {margin}); {shown}.", numbers)


def _kept(pairs: Sequence[Contrast]) -> str:
    """What all of the pairs rule out."""
    loss = -min(pair.least for pair in pairs)
    return "Being below" if loss <= 0 else f"Being more than {in_points(loss)} points below"


def _count_shown(pairs: Sequence[Contrast], bar: Bar) -> str:
    """How many of the differences the items support, and in which family."""
    count = sum(pair.shown(bar.alpha) for pair in pairs)
    least = in_p(min(pair.p_adjusted for pair in pairs))
    if len(pairs) == 1:
        return f"the difference is {'shown' if count else 'not shown'} (p {least}, {corrected(pairs)})"
    number = "all" if count == len(pairs) else str(count or "none")
    return f"{number} of the {len(pairs)} differences {'is' if count < 2 else 'are'} shown ({corrected(pairs)})"


KIND = ComparisonClaim
