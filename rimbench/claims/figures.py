"""Each published figure by itself: its interval, whether its n can give it, whether its hardware can."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rimbench.claims.finding import ClaimVerdict, in_points, in_time
from rimbench.claims.floors import TimeCheck
from rimbench.claims.pairs import right_counts
from rimbench.statistics.estimate import Estimate, wilson

if TYPE_CHECKING:
    from rimbench.claims.entries import AccuracyFigure, Figure, LatencyFigure


@dataclass(frozen=True, slots=True)
class FigureCheck:
    """A figure with what is known of it. `verdict` is `contradicted` where it is impossible; a possible figure

    stays unchecked until somebody measures it.
    """

    figure: "Figure"
    verdict: ClaimVerdict
    sentence: str
    estimate: Estimate | None = None
    time: TimeCheck | None = None


def check_figure(figure: "Figure", time: TimeCheck | None) -> FigureCheck:
    """What one figure says for itself."""
    if figure.kind == "accuracy":
        return _check_accuracy(figure)
    if figure.kind == "latency":
        assert time is not None  # every latency has been checked
        return _check_latency(figure, time)
    return FigureCheck(figure, "cannot be checked from this", "Only a measurement can tell.")


def _check_accuracy(figure: "AccuracyFigure") -> FigureCheck:
    known = right_counts(figure)
    if known is None or figure.n == "unstated":
        return FigureCheck(figure, "cannot be checked from this", "n is not stated, so there is no interval.")
    if not _some_count_gives(figure, figure.n):
        near = sorted({math.floor(figure.value.value * figure.n), math.ceil(figure.value.value * figure.n)})
        shares = " or ".join(f"{100 * count / figure.n:.4g} % ({count})" for count in near)
        sentence = f"No number of right answers among {figure.n} gives {figure.value}: the nearest give {shares}."
        return FigureCheck(figure, "contradicted", sentence)
    estimate = wilson(*known)
    assert estimate is not None and estimate.lo is not None and estimate.hi is not None  # n is at least 1
    sentence = (
        f"95% interval {in_points(estimate.lo)} to {in_points(estimate.hi)} %; only a measurement can tell more."
    )
    return FigureCheck(figure, "cannot be checked from this", sentence, estimate)


def _some_count_gives(figure: "AccuracyFigure", n: int) -> bool:
    """Whether some whole number of right answers rounds to the printed share.

    The GRIM test of Brown and Heathers 2017 (Social Psychological and Personality Science 8:363).
    """
    slack = 1e-9 * n
    return math.floor(figure.value.highest * n + slack) >= math.ceil(figure.value.lowest * n - slack)


def _check_latency(figure: "LatencyFigure", time: TimeCheck) -> FigureCheck:
    if time.floor_s is None:
        sentence = "Device, model or token counts are not stated, so no least time can be calculated."
        return FigureCheck(figure, "cannot be checked from this", sentence, time=time)
    if figure.value.highest < time.floor_s:
        sentence = f"Below the least time that {figure.device} allows, {in_time(time.floor_s)}."
        return FigureCheck(figure, "contradicted", sentence, time=time)
    sentence = (
        f"{time.times_floor:.2g} times the least possible {in_time(time.floor_s)}; only a measurement can tell more."
    )
    return FigureCheck(figure, "cannot be checked from this", sentence, time=time)
