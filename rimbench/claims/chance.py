"""What guessing gives, and a figure that is given twice."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rimbench.claims.finding import Judgement, Number, in_points, listed
from rimbench.statistics.estimate import wilson
from rimbench.statistics.passk import uniform_pass_at_k
from rimbench.statistics.unpaired import right_from_published

if TYPE_CHECKING:
    from rimbench.claims.schema import (
        AboveChanceClaim,
        AccuracyFigure,
        ChanceLevelClaim,
        Figure,
        PassFigure,
        RestatedClaim,
    )

USUAL_OPTIONS = 4


def judge_restated(claim: "RestatedClaim", figures: "Mapping[str, Figure]") -> Judgement:
    """Does the second printing agree with the first?"""
    first = figures[claim.figure].value
    numbers = (Number("first", first.value), Number("again", claim.value.value))
    if claim.value.agrees_with(first.lowest, first.highest):
        return Judgement("holds", f"{first} rounds to {claim.value}.", numbers)
    return Judgement("contradicted", f"{claim.value} here, {first} there.", numbers)


def judge_chance_level(claim: "ChanceLevelClaim") -> Judgement:
    """Is the printed chance level the uniform guesser's?"""
    chance = _guesser(claim.options, claim.k)
    numbers = (Number("guesser", chance), Number("options", claim.options), Number("k", claim.k))
    what = f"Guessing among {claim.options} options" + (f" {claim.k} times" if claim.k > 1 else "")
    if claim.value.agrees_with(chance, chance):
        return Judgement("holds", f"{what} gives {in_points(chance)} %.", numbers)
    return Judgement("contradicted", f"{what} gives {in_points(chance)} %, not {claim.value}.", numbers)


def judge_above_chance(claim: "AboveChanceClaim", figures: "Mapping[str, Figure]") -> Judgement:
    """Is a pass@k or an accuracy above what guessing gives on the same questions?"""
    figure = figures[claim.figure]
    assert figure.kind != "latency"  # references are checked
    options = claim.options or (figure.options if figure.kind == "pass_at_k" else None)
    if options is None:
        return Judgement(
            "cannot be checked from this", "The number of options is not stated, nor what guessing gives."
        )
    least_options, most_options = (options, options) if isinstance(options, int) else options
    k = figure.k if figure.kind == "pass_at_k" else 1
    low, high = _guesser(most_options, k), _guesser(least_options, k)
    lo, hi = _interval(figure)
    numbers = (
        Number("k", k),
        Number("guesser_lowest", low),
        Number("guesser_highest", high),
        Number("figure_lowest", lo),
        Number("figure_highest", hi),
    )
    guess = _told(least_options, most_options, k)
    missing = [*(["the mix of option counts"] if low < high else []), *(["n"] if figure.n == "unstated" else [])]
    if figure.n != "unstated" and lo > high:
        sentence = f"{figure.value} (at least {in_points(lo)} % at 95%) is above guessing: {guess}."
        return Judgement("holds", sentence, numbers)
    if figure.n != "unstated" and hi < low:
        sentence = f"{figure.value} (at most {in_points(hi)} % at 95%) is below guessing: {guess}."
        return Judgement("contradicted", sentence, numbers)
    if missing:
        sentence = f"{figure.value} may be above or below guessing: {guess}; {listed(missing)} would decide."
        return Judgement("cannot be checked from this", sentence, numbers)
    sentence = f"{figure.value} ({in_points(lo)} to {in_points(hi)} % at 95%) is no more than guessing: {guess}."
    return Judgement("not supported", sentence, numbers)


def _guesser(options: int, k: int) -> float:
    chance = uniform_pass_at_k([options], k)
    assert chance is not None  # there is one item
    return chance


def _told(least: int, most: int, k: int) -> str:
    """What a guesser gets with so many options; with a range, at both ends and at the usual four."""
    shown = sorted({least, most} | ({USUAL_OPTIONS} if least < USUAL_OPTIONS < most else set()), reverse=True)
    each = ", ".join(f"{in_points(_guesser(m, k))} % with {m} options" for m in shown)
    return f"a guesser's pass@{k} is {each}" if k > 1 else f"a guesser has {each}"


def _interval(figure: "AccuracyFigure | PassFigure") -> tuple[float, float]:
    """Wilson's, taking each question as one outcome; what rounding leaves open where n is unstated."""
    if figure.n == "unstated":
        return figure.value.lowest, figure.value.highest
    estimate = wilson(right_from_published(figure.value.value, figure.n), figure.n)
    assert estimate is not None and estimate.lo is not None and estimate.hi is not None
    return estimate.lo, estimate.hi
