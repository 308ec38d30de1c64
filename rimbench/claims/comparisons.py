"""Better, at least as good, tied: what the items behind two accuracies can show.

Not finding a difference is not a tie, so three questions are kept apart: whether a difference is shown (two-sample
test, Holm over the family), whether one above the margin is ruled out (the interval at 1 - 2 alpha), and what the
printed figures say. Ruling out needs no correction where all pairs must pass (Berger 1982, Technometrics 24:295).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

from rimbench.claims.finding import Judgement, Number, in_p, in_points, listed, points
from rimbench.claims.pairs import FigurePair, Pair, corrected, tally, told

if TYPE_CHECKING:
    from rimbench.claims.schema import AccuracyFigure, ComparisonClaim, NoiseClaim, StabilityClaim


@dataclass(frozen=True, slots=True)
class Bar:
    """What a file is judged by: the largest difference that does not matter, and the level of every test."""

    margin: float
    alpha: float

    @property
    def level(self) -> float:
        """Of the interval whose ends are one-sided bounds at alpha."""
        return 1 - 2 * self.alpha


def wanted_pairs(
    claim: "ComparisonClaim | NoiseClaim | StabilityClaim", figures: "Mapping[str, AccuracyFigure]"
) -> list[FigurePair]:
    """The pairs of figures that a claim speaks of, in its own order."""
    cells = {(figure.system, figure.suite): figure for figure in figures.values() if figure.setting is None}
    if claim.kind == "stability":
        return list(combinations([figures[name] for name in claim.figures], 2))
    if claim.kind == "comparison":
        named = product(claim.systems, claim.against, claim.suites)
        return [(cells[a, suite], cells[b, suite]) for a, b, suite in named]
    pairs = list(product(claim.systems, claim.against)) if claim.against else list(combinations(claim.systems, 2))
    return [(cells[a, claim.suite], cells[b, claim.suite]) for a, b in pairs]


def judge_comparison(claim: "ComparisonClaim", pairs: Sequence[Pair], bar: Bar) -> Judgement:
    """The claim's relation, held against all of its pairs."""
    if claim.relation == "tied":
        return judge_tie(pairs, bar)
    if claim.relation in ("at least as good", "best or tied"):
        return _judge_at_least(claim, pairs, bar)
    upward = [pair.swapped for pair in pairs] if claim.relation in ("worse", "lower") else list(pairs)
    return _judge_above(upward, bar, of_systems=claim.relation in ("better", "worse"))


def _judge_above(pairs: Sequence[Pair], bar: Bar, of_systems: bool) -> Judgement:
    """Every first system above every second: in the printed figures, or (`of_systems`) in truth."""
    lowest, highest = min(pairs, key=lambda p: p.delta), max(pairs, key=lambda p: p.delta)
    numbers = (
        *tally(pairs, bar.alpha),
        Number("least_difference_points", points(lowest.delta)),
        Number("largest_difference_points", points(highest.delta)),
    )
    if lowest.delta <= 0:
        return Judgement("contradicted", f"The printed figures say otherwise: {told(lowest)}.", numbers)
    one_duel = len({(pair.a, pair.b) for pair in pairs}) == 1
    who = f"{pairs[0].a} is printed above {pairs[0].b}" if one_duel else "The former are printed above the latter"
    span = in_points(lowest.delta) if len(pairs) == 1 else f"{in_points(lowest.delta)} to {in_points(highest.delta)}"
    shown = f"{who} by {span} points; {_count_shown(pairs, bar)}"
    if all(pair.shown(bar.alpha) for pair in pairs):
        return Judgement("holds", f"{shown}.", numbers)
    return Judgement("not supported" if of_systems else "holds only as worded", f"{shown}.", numbers)


def judge_tie(pairs: Sequence[Pair], bar: Bar) -> Judgement:
    """All equal: a difference of the margin or more is ruled out everywhere."""
    shown = [pair for pair in pairs if pair.shown(bar.alpha)]
    room = max(max(-pair.least, pair.most) for pair in pairs)
    numbers = (*tally(pairs, bar.alpha), Number("room_points", points(room)))
    if shown:
        worst = max(shown, key=lambda p: abs(p.delta))
        return Judgement("contradicted", f"A difference is shown: {told(worst)} ({corrected(pairs)}).", numbers)
    margin = in_points(bar.margin)
    if room < bar.margin:
        return Judgement("holds", f"A difference of {margin} points or more is ruled out everywhere.", numbers)
    sentence = (
        f"No difference is shown, but one of {in_points(room)} points is not ruled out either (margin {margin})."
    )
    return Judgement("not supported", sentence, numbers)


def _judge_at_least(claim: "ComparisonClaim", pairs: Sequence[Pair], bar: Bar) -> Judgement:
    """Not worse by the margin: non-inferiority, pair by pair. Several systems are judged as one entrant."""
    sound = [s for s in claim.systems if all(p.least > -bar.margin for p in pairs if p.a == s)]
    unsound = [s for s in claim.systems if s not in sound]
    weakest = min(pairs, key=lambda p: p.least)
    numbers = (
        *tally(pairs, bar.alpha),
        Number("weakest_difference_points", points(weakest.delta)),
        Number("weakest_bound_points", points(weakest.least)),
    )
    beaten = [pair for pair in pairs if pair.delta < 0 and pair.shown(bar.alpha)]
    if any({p.a for p in beaten if p.suite == suite} == set(claim.systems) for suite in claim.suites):
        worst = min(beaten, key=lambda p: p.delta)
        return Judgement(
            "contradicted", f"A rival is shown to be better: {told(worst)} ({corrected(pairs)}).", numbers
        )
    margin, shown = in_points(bar.margin), _count_shown(pairs, bar)
    weak = f"{told(weakest)}, and being {in_points(-weakest.least)} below is not ruled out"
    if not unsound:
        sentence = f"{_kept(pairs)} is ruled out everywhere (margin {margin}); {shown}."
        return Judgement("holds", sentence, numbers)
    if sound:
        kept = _kept([pair for pair in pairs if pair.a in sound])
        sentence = (
            f"It holds of {listed(sound)}: {kept[0].lower()}{kept[1:]} is ruled out everywhere "
            f"(margin {margin}); it does not hold of {listed(unsound)}: {weak}; {shown}."
        )
        return Judgement("holds only as worded", sentence, numbers)
    return Judgement("not supported", f"{weak[0].upper()}{weak[1:]} (margin {margin}); {shown}.", numbers)


def _kept(pairs: Sequence[Pair]) -> str:
    """What all of the pairs rule out."""
    loss = -min(pair.least for pair in pairs)
    return "Being below" if loss <= 0 else f"Being more than {in_points(loss)} points below"


def _count_shown(pairs: Sequence[Pair], bar: Bar) -> str:
    """How many of the differences the items support, and in which family."""
    count = sum(pair.shown(bar.alpha) for pair in pairs)
    least = in_p(min(pair.p_adjusted for pair in pairs))
    if len(pairs) == 1:
        return f"the difference is {'shown' if count else 'not shown'} (p {least}, {corrected(pairs)})"
    number = "all" if count == len(pairs) else str(count or "none")
    return f"{number} of the {len(pairs)} differences {'is' if count < 2 else 'are'} shown ({corrected(pairs)})"
