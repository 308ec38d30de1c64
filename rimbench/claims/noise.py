"""Within noise, and stable: two ways of saying that differences do not count."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rimbench.claims.comparisons import Bar, judge_tie
from rimbench.claims.finding import Judgement, Number, in_points, listed, points
from rimbench.claims.pairs import Pair, corrected, counts, tally, told
from rimbench.statistics.estimate import wilson

if TYPE_CHECKING:
    from rimbench.claims.schema import AccuracyFigure, NoiseClaim, StabilityClaim


def judge_noise(
    claim: "NoiseClaim", pairs: Sequence[Pair], figures: "Mapping[str, AccuracyFigure]", bar: Bar
) -> Judgement:
    """Whether the differences are within the stated margin, and whether that margin is what n leaves to chance."""
    named = {*claim.systems, *claim.against}
    cells = [f for f in figures.values() if f.suite == claim.suite and f.system in named and f.setting is None]
    one = [spread for figure in cells if (spread := _spread(figure)) is not None]
    error = max(spread.standard_error for spread in one)
    half, of_difference = max(s.half_width for s in one), max((p.hi - p.lo) / 2 for p in pairs)
    largest = max(pairs, key=lambda p: abs(p.delta))
    numbers = (
        *tally(pairs, bar.alpha),
        Number("claimed_margin_points", points(claim.margin.value)),
        Number("largest_difference_points", points(abs(largest.delta))),
        Number("standard_error_points", points(error)),
        Number("interval_of_an_accuracy_points", points(half)),
        Number("interval_of_a_difference_points", points(of_difference)),
    )
    margin = in_points(claim.margin.value)
    truth = (
        f"one standard error of one accuracy is {in_points(error)} points here, its 95% interval ±{in_points(half)}, "
        f"that of a difference ±{in_points(of_difference)}"
    )
    shown = [pair for pair in pairs if pair.shown(bar.alpha)]
    apart = in_points(abs(largest.delta))
    if shown:
        worst = max(shown, key=lambda p: abs(p.delta))
        return Judgement("contradicted", f"A difference is shown: {told(worst)} ({corrected(pairs)}).", numbers)
    if abs(largest.delta) > claim.margin.highest + 1e-9:
        sentence = (
            f"{largest.a} and {largest.b} are {apart} points apart, more than ±{margin}; that none of the "
            f"differences is shown ({corrected(pairs)}) is because the noise is larger than stated: {truth}."
        )
        return Judgement("contradicted", sentence, numbers)
    if claim.margin.highest < of_difference:
        sentence = (
            f"The differences are at most {apart} points and none is shown, but ±{margin} is not the noise: {truth}, "
            "so that they show no equality either."
        )
        return Judgement("holds only as worded", sentence, numbers)
    return Judgement("holds", f"The differences are at most {apart} points, none is shown, and {truth}.", numbers)


def judge_stability(claim: "StabilityClaim", pairs: Sequence[Pair], bar: Bar) -> Judgement:
    """Stable is tied over all settings."""
    if not claim.figures:
        settings = listed(claim.settings)
        sentence = f"No accuracy is published for {settings}: with one for each, and its n, this could be judged."
        return Judgement("cannot be checked from this", sentence)
    return judge_tie(pairs, bar)


@dataclass(frozen=True, slots=True)
class _Spread:
    standard_error: float
    half_width: float


def _spread(figure: "AccuracyFigure") -> _Spread | None:
    known = counts(figure)
    if known is None:
        return None
    right, n = known
    interval = wilson(right, n)
    assert interval is not None and interval.lo is not None and interval.hi is not None
    return _Spread(math.sqrt(right / n * (1 - right / n) / n), (interval.hi - interval.lo) / 2)
