"""Two published accuracies against each other, as independent samples, and Holm over a declared family.

The outcomes item by item are unpublished, so the pairs are too. Systems that answer the same questions are right
on much the same ones, which makes the independent test the cautious one: what it shows, the pairs would show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rimbench.claims.finding import Number, Ruling, as_points, in_points
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.unpaired import newcombe_independent, right_from_published, two_proportion_test
from rimbench.statistics.verdict import holm

if TYPE_CHECKING:
    from rimbench.claims.entries import AccuracyFigure


@dataclass(frozen=True, slots=True)
class Contrast:
    """The accuracy of `a` less that of `b`, as shares.

    `lo` and `hi` are the 95% interval; `least` and `most` the one at 1 - 2 alpha, whose ends are one-sided
    bounds at alpha. `p_adjusted` is Holm's within `family_size` pairs.
    """

    suite: str
    a: str
    b: str
    delta: float
    lo: float
    hi: float
    least: float
    most: float
    p_value: float
    p_adjusted: float
    family_size: int
    test: str
    interval: str

    @property
    def swapped(self) -> "Contrast":
        """The same pair, seen from b."""
        return replace(
            self, a=self.b, b=self.a, delta=-self.delta, lo=-self.hi, hi=-self.lo, least=-self.most, most=-self.least
        )

    def shown(self, alpha: float) -> bool:
        """Whether the two are shown to differ, all of the family considered."""
        return self.p_adjusted < alpha


@dataclass(frozen=True, slots=True)
class Bar:
    """What a file is judged by: the largest difference that does not matter, and the level of every test."""

    margin: float
    alpha: float

    @property
    def level(self) -> float:
        """Of the interval whose ends are one-sided bounds at alpha."""
        return 1 - 2 * self.alpha


FigurePair = tuple["AccuracyFigure", "AccuracyFigure"]


def tested_family(pairs: Iterable[FigurePair], alpha: float) -> Mapping[frozenset[str], Contrast]:
    """Every pair of figures once, tested and corrected for all others, by the two figures' ids.

    Pairs with an unstated n are left out.
    """
    distinct = {frozenset((a.id, b.id)): (a, b) for a, b in pairs}
    tested = {key: pair for key, (a, b) in distinct.items() if (pair := _compare(a, b, alpha)) is not None}
    adjusted = holm([pair.p_value for pair in tested.values()])
    return {
        key: replace(pair, p_adjusted=p, family_size=len(tested))
        for (key, pair), p in zip(tested.items(), adjusted, strict=True)
    }


def pick(family: Mapping[frozenset[str], Contrast], wanted: Sequence[FigurePair]) -> list[Contrast] | None:
    """The wanted pairs, each seen from its first figure; None where one could not be tested."""
    found = []
    for a, b in wanted:
        pair = family.get(frozenset((a.id, b.id)))
        if pair is None:
            return None
        found.append(pair if pair.a == figure_label(a) else pair.swapped)
    return found


def figure_label(figure: "AccuracyFigure") -> str:
    """How a pair names a figure: by its system, and by the setting that it was scored in."""
    return figure.system if figure.setting is None else f"{figure.system} ({figure.setting})"


def right_counts(figure: "AccuracyFigure") -> tuple[int, int] | None:
    """Right answers and items; None where n is unstated."""
    if figure.n == "unstated":
        return None
    return right_from_published(figure.value.value, figure.n), figure.n


def tally(pairs: Sequence[Contrast], alpha: float) -> tuple[Number, ...]:
    """How many pairs there are, how many of their differences are shown, and in which family."""
    return (
        Number("pairs", len(pairs)),
        Number("differences_shown", sum(pair.shown(alpha) for pair in pairs)),
        Number("family_size", pairs[0].family_size),
        Number("least_p_adjusted", min(pair.p_adjusted for pair in pairs)),
    )


def told(pair: Contrast) -> str:
    """A pair in words: who is how far from whom, and where."""
    if pair.delta == 0:
        return f"on {pair.suite} {pair.a} and {pair.b} are printed equal"
    side = "above" if pair.delta > 0 else "below"
    return f"on {pair.suite} {pair.a} is {in_points(abs(pair.delta))} points {side} {pair.b}"


def corrected(pairs: Sequence[Contrast]) -> str:
    """What the tests were corrected for."""
    size = pairs[0].family_size
    return "one test" if size == 1 else f"Holm over {size} pairs"


def judge_tie(pairs: Sequence[Contrast], bar: Bar) -> Ruling:
    """All equal: a difference of the margin or more is ruled out everywhere."""
    shown = [pair for pair in pairs if pair.shown(bar.alpha)]
    room = max(max(-pair.least, pair.most) for pair in pairs)
    numbers = (*tally(pairs, bar.alpha), Number("room_points", as_points(room)))
    if shown:
        worst = max(shown, key=lambda p: abs(p.delta))
        return Ruling("contradicted", f"A difference is shown: {told(worst)} ({corrected(pairs)}).", numbers)
    margin = in_points(bar.margin)
    if room < bar.margin:
        return Ruling("holds", f"A difference of {margin} points or more is ruled out everywhere.", numbers)
    sentence = (
        f"No difference is shown, but one of {in_points(room)} points is not ruled out either (margin {margin})."
    )
    return Ruling("not supported", sentence, numbers)


def _compare(a: "AccuracyFigure", b: "AccuracyFigure", alpha: float) -> Contrast | None:
    of_a, of_b = right_counts(a), right_counts(b)
    if of_a is None or of_b is None:
        return None
    test = two_proportion_test(*of_a, *of_b)
    within = newcombe_independent(*of_a, *of_b, 0.95)
    at_alpha = newcombe_independent(*of_a, *of_b, 1 - 2 * alpha)
    assert test is not None and within is not None and at_alpha is not None  # n is at least 1
    (lo, hi), (least, most) = _ends(within), _ends(at_alpha)
    return Contrast(
        suite=a.suite,
        a=figure_label(a),
        b=figure_label(b),
        delta=within.value,
        lo=lo,
        hi=hi,
        least=least,
        most=most,
        p_value=test.p_value,
        p_adjusted=test.p_value,
        family_size=1,
        test=test.method,
        interval=within.method,
    )


def _ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.lo is not None and estimate.hi is not None  # Wilson's always has both
    return estimate.lo, estimate.hi
