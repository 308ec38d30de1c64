"""How far a readout's probabilities can be trusted: ECE, Brier, reliability, risk against coverage.

In: option probabilities, shape (items, options), short items filled up with 0 (`passk.option_probabilities` makes
them), and gold column indices. Items whose answer has no probabilities (a failed engine) are left out by the
caller; `n` says how many were in. Confidence is the largest option's probability; ties between options go
to the first letter.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rimbench.statistics import estimate
from rimbench.statistics.bootstrap import ITEMWISE, KEPT, Cluster, FloatArray, Resampling, item_counts, quantile
from rimbench.statistics.estimate import Estimate, bootstrap_mean, bootstrap_share, wilson

BINS = 15
CURVE = Resampling(resamples=1000)
"""What ECE and AURC draw by default: they go through every resample item by item, so they draw fewer."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Per item: the confidence of the predicted option and whether it was right; sorted, most confident first.

    `clusters` holds their labels, as in `Resampling`, in the same order; None where items do not hang together.
    """

    confidence: FloatArray
    correct: FloatArray
    clusters: tuple[Cluster, ...] | None = None

    @property
    def units(self) -> int:
        """What varies independently: items, or clusters."""
        if self.clusters is None:
            return self.confidence.size
        return len({name for name in self.clusters if name is not None}) + self.clusters.count(None)


def predictions(probabilities: ArrayLike, gold: ArrayLike, clusters: Sequence[Cluster] | None = None) -> Predictions:
    """The predicted option's probability and whether it is gold. ValueError for rows that are not distributions."""
    table, index = _checked(probabilities, gold)
    if clusters is not None and len(clusters) != index.size:
        raise ValueError(f"{index.size} items, {len(clusters)} cluster labels")
    if table.size == 0:
        return Predictions(np.empty(0), np.empty(0))
    confidence, correct = table.max(axis=1), (table.argmax(axis=1) == index).astype(float)
    order = np.lexsort((-correct, -confidence))
    names = None if clusters is None else tuple(clusters[place] for place in order)
    return Predictions(confidence[order], correct[order], names)


def _checked(probabilities: ArrayLike, gold: ArrayLike) -> tuple[FloatArray, NDArray[np.intp]]:
    table, index = np.asarray(probabilities, dtype=float), np.asarray(gold, dtype=np.intp)
    if table.size == 0 and index.size == 0:
        return np.empty((0, 0)), index
    if table.ndim != 2 or index.shape != (len(table),):
        raise ValueError(f"probabilities {table.shape} and gold {index.shape} are not (items, options) and (items,)")
    if not (np.all(table >= 0) and np.allclose(table.sum(axis=1), 1, atol=1e-6)):
        raise ValueError("every item's probabilities are at least 0 and add up to 1")
    if index.min() < 0 or index.max() >= table.shape[1]:
        raise ValueError("gold names a column of the probabilities")
    return table, index


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The items whose confidence lies in (lower, upper]; the first bin includes its lower end."""

    lower: float
    upper: float
    n: int
    confidence: float
    accuracy: Estimate


def reliability(scored: Predictions, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """The reliability diagram's data: equal-width bins, empty ones left out.

    Guo et al. 2017 (arXiv 1706.04599), eq. 1 and section 2; each bin's accuracy has the interval of
    `estimate.accuracy`.
    """
    place = _bin_of(scored.confidence, bins)
    found = []
    for index in range(bins):
        inside = place == index
        accuracy = estimate.accuracy(scored.correct[inside], _clusters_of(scored, inside))
        if accuracy is not None:
            mean = math.fsum(scored.confidence[inside]) / accuracy.n
            found.append(ReliabilityBin(index / bins, (index + 1) / bins, accuracy.n, mean, accuracy))
    return tuple(found)


def _clusters_of(scored: Predictions, inside: NDArray[np.bool_]) -> Resampling:
    if scored.clusters is None:
        return ITEMWISE
    return Resampling(clusters=[scored.clusters[place] for place in np.flatnonzero(inside).tolist()])


def _bin_of(confidence: FloatArray, bins: int) -> NDArray[np.intp]:
    if bins < 1:
        raise ValueError(f"{bins} bins")
    # searchsorted on the very edges that are reported: confidence * bins would round 0.6 up to the next bin.
    return np.searchsorted(np.arange(1, bins) / bins, confidence, side="left")


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """ECE with its bin count, and `floor`: what a perfectly calibrated system of these confidences would show.

    `corrected` is the ECE less its bias, with the interval; `ece` has it too, unless it lies beside the value.
    """

    ece: Estimate
    bins: int
    floor: float
    corrected: Estimate


def expected_calibration_error(
    scored: Predictions, bins: int = BINS, how: Resampling = CURVE
) -> CalibrationError | None:
    """The expected calibration error of the predicted option; None for no items.

    Guo et al. 2017, eq. 3, equal-width bins. ECE is biased upwards, the more so the fewer items (Kumar et al.
    2019), and a bootstrap doubles the bias: `corrected` takes it off (Efron and Tibshirani 1993, section 10.6), with
    the basic interval (Davison and Hinkley 1997, eq. 5.6), which can lie below the ECE itself. `floor` is the mean
    ECE where outcomes are drawn from the confidences, by the half-normal mean of each bin: an ECE near it says
    nothing against the calibration (after Vaicenavicius et al. 2019).
    """
    n = scored.confidence.size
    if n == 0:
        return None
    place = _bin_of(scored.confidence, bins)
    gap = scored.correct - scored.confidence
    value = float(np.abs(np.bincount(place, gap, bins)).sum()) / n
    # Sorted by confidence, a bin's items stand together, so that a bin is one run of columns.
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    drawn = np.concatenate(
        [
            np.abs(np.add.reduceat(counts * gap, starts, axis=1)).sum(axis=1)
            / (n if scored.clusters is None else counts.sum(axis=1))
            for counts in _resamples(scored, how)
        ]
    )
    low, high = _tails(drawn, how.level)
    lo, hi = (max(0.0, 2 * value - high), max(0.0, 2 * value - low)) if scored.units > 1 else (None, None)
    corrected = Estimate(max(0.0, 2 * value - float(drawn.mean())), lo, hi, n, "basic bootstrap", how.level, how.seed)
    ece = replace(corrected, value=value)
    if lo is not None and hi is not None and not lo - 1e-12 <= value <= hi + 1e-12:
        ece = replace(ece, lo=None, hi=None)
    variance = np.bincount(place, scored.confidence * (1 - scored.confidence), bins)
    return CalibrationError(ece, bins, math.sqrt(2 / math.pi) * float(np.sqrt(variance).sum()) / n, corrected)


def _resamples(scored: Predictions, how: Resampling) -> Iterator[NDArray[np.uint8]]:
    """Item counts of the resamples of a curve: fewer than asked for above 20,000 items, but at least 200."""
    if how.clusters is not None:
        raise ValueError("items are sorted here: give clusters to predictions")
    n = scored.confidence.size
    resamples = min(how.resamples, max(200, KEPT // n))
    if scored.clusters is None:
        yield from item_counts(n, resamples, how.seed)
        return
    labels = [f"item {place}" if name is None else f"cluster {name}" for place, name in enumerate(scored.clusters)]
    _, member = np.unique(labels, return_inverse=True)
    for counts in item_counts(scored.units, resamples, how.seed):
        yield counts[:, member]


def _tails(draws: FloatArray, level: float) -> tuple[float, float]:
    ordered = np.sort(draws)
    return quantile(ordered, (1 - level) / 2), quantile(ordered, (1 + level) / 2)


def brier_score(probabilities: ArrayLike, gold: ArrayLike, how: Resampling = ITEMWISE) -> Estimate | None:
    """The mean squared distance between an item's probabilities and its gold option, from 0 to 2; None for no items.

    Brier 1950 (Monthly Weather Review 78:1), summed over options. BCa bootstrap interval over items.
    """
    table, index = _checked(probabilities, gold)
    if table.size == 0:
        return None
    target = np.zeros_like(table)
    target[np.arange(index.size), index] = 1
    return bootstrap_mean(((table - target) ** 2).sum(axis=1), how)


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Risk when only the most confident share `coverage` is answered, side by side; `area` is its mean (AURC).

    `clustered` says that items hang together.
    """

    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    area: Estimate
    clustered: bool

    def interval(self, place: int) -> Estimate | None:
        """The risk at a place of the curve with its Wilson interval; None where items hang together: too short."""
        answered = place + 1
        wrong = min(self.risk[place] * answered, answered)
        return None if self.clustered else wilson(wrong, answered, self.area.level)


def risk_coverage(scored: Predictions, how: Resampling = CURVE) -> RiskCoverage | None:
    """The risk-coverage curve at every number of items and the area under it; None for no items.

    El-Yaniv and Wiener 2010 (JMLR 11:1605); area: Geifman, Uziel and El-Yaniv 2019 (arXiv 1805.08206). Items
    of equal confidence are answered in random order, in expectation: each carries their mean outcome, so
    the curve does not depend on the order of items. Percentile bootstrap interval over items.
    """
    n = scored.confidence.size
    if n == 0:
        return None
    wrong = 1 - _tie_means(scored)
    answered = np.arange(1, n + 1)
    risk = np.cumsum(wrong) / answered
    areas = np.concatenate([block @ wrong for block in _places_in_risks(scored, how)])
    lo, hi = _tails(areas, how.level) if np.ptp(wrong) > 0 and scored.units > 1 else (None, None)
    area = Estimate(float(risk.mean()), lo, hi, n, "percentile bootstrap", how.level, how.seed)
    return RiskCoverage(tuple((answered / n).tolist()), tuple(risk.tolist()), area, scored.clusters is not None)


def _places_in_risks(scored: Predictions, how: Resampling) -> Iterable[FloatArray]:
    """What the error of each item, the most confident first, adds to the area of each resample, one a row.

    Kept between calls where they are small and no clusters tell them apart: cells of one size share them.
    """
    alike = scored.clusters is None and how.clusters is None
    if alike and scored.confidence.size * how.resamples <= KEPT // 8:
        return _kept_places_in_risks(scored.confidence.size, how.resamples, how.seed)
    return map(_added_to_areas, _resamples(scored, how))


@lru_cache(maxsize=2)
def _kept_places_in_risks(total: int, resamples: int, seed: int) -> tuple[FloatArray, ...]:
    return tuple(map(_added_to_areas, item_counts(total, resamples, seed)))


def _added_to_areas(counts: NDArray[np.uint8]) -> FloatArray:
    """The same of some resamples: an item drawn c times takes c places.

    The error at place i counts in the risks from i on: sum of 1/t, t = i..m, for m items drawn. Summed over the
    first p places this is p H(m) - (H(0) + .. + H(p - 1)), with the harmonic numbers H.
    """
    places = np.cumsum(counts, axis=1, dtype=np.intp)
    drawn = places[:, -1:]
    harmonic, earlier = _harmonic_numbers(int(drawn.max()))
    up_to = places * harmonic[drawn]
    up_to -= earlier[places]
    up_to /= drawn
    up_to[:, 1:] -= up_to[:, :-1]
    return up_to


@lru_cache(maxsize=2)
def _harmonic_numbers(most: int) -> tuple[FloatArray, FloatArray]:
    """H(0) to H(most), and before each the sum of those that come earlier."""
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, most + 1))])
    return harmonic, np.concatenate([[0.0], np.cumsum(harmonic)])


def _tie_means(scored: Predictions) -> FloatArray:
    _, place, counts = np.unique(scored.confidence, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(place, scored.correct) / counts)[place])


def selective_accuracy(scored: Predictions, coverage: float) -> Estimate | None:
    """Accuracy when only the most confident share `coverage` of items (rounded up) is answered; None for no items.

    El-Yaniv and Wiener 2010, definition of selective risk. Wilson's interval, or the cluster bootstrap; `n` the items
    answered; ties as in `risk_coverage`.
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage lies in (0, 1], not {coverage}")
    # The slack keeps 0.1 * 30 = 3.0000000000000004 from answering a fourth item.
    answered = math.ceil(coverage * scored.confidence.size - 1e-9)
    right = _tie_means(scored)[:answered]
    if scored.clusters is not None:
        return bootstrap_share(right, Resampling(clusters=scored.clusters[:answered]))
    return wilson(min(math.fsum(right), answered), answered)
