"""What an estimate is, and everything about one cell's plain accuracy: intervals, baselines, letters.

In: right/wrong outcomes, letters, option counts. Out: `Estimate` values, which the report prints as they are.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from rimbench.statistics.bootstrap import ITEMWISE, Resampling, bca_interval, resampling_units, way_of


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval, and how both were come by.

    `lo` and `hi` are None where the method has no interval to give (a bootstrap of values that do not vary);
    an estimate that is undefined altogether is None in place of an Estimate. `n` counts items; `seed` is None
    for methods that draw nothing.
    """

    value: float
    lo: float | None
    hi: float | None
    n: int
    method: str
    level: float = 0.95
    seed: int | None = None

    def __post_init__(self) -> None:
        without_negative_zeros(self, "value", "lo", "hi")


def without_negative_zeros(made: object, *names: str) -> None:
    """Turn -0.0 into 0.0 in the named fields of a frozen value: a difference that is none has no sign."""
    for name in names:
        if getattr(made, name) == 0:
            object.__setattr__(made, name, 0.0)


def critical(level: float) -> float:
    """The two-sided standard normal quantile: 1.96 for 0.95. Raises ValueError outside (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(right: float, n: int, level: float = 0.95) -> Estimate | None:
    """Wilson's score interval for a proportion; None for n = 0.

    Wilson 1927 (J. Am. Stat. Assoc. 22:209). Defined at 0, at n right of n and at n = 1, where the bootstrap and the
    Wald interval collapse to a point. `right` may be fractional where ties were averaged. The default for
    accuracies: the coverage table stands in `accuracy`.
    """
    if not 0 <= right <= n:
        raise ValueError(f"{right} right of {n}")
    if n == 0:
        return None
    z = critical(level)
    p = right / n
    shrink = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / shrink
    half = z / shrink * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At the ends centre and half are equal but for rounding, and the bound is known exactly.
    lo = 0.0 if right == 0 else max(0.0, centre - half)
    hi = 1.0 if right == n else min(1.0, centre + half)
    return Estimate(p, lo, hi, n, "Wilson score", level)


def bootstrap_mean(values: ArrayLike, how: Resampling = ITEMWISE) -> Estimate | None:
    """The mean of one value an item, with its BCa bootstrap interval over items; None for no items.

    Efron 1987 (J. Am. Stat. Assoc. 82:171); Efron and Tibshirani 1993, eqs. 14.9 to 14.15. Whole clusters, where
    there are any: Davison and Hinkley 1997, section 3.8. Where nothing varies there is nothing to resample:
    `lo` and `hi` are None, for n = 1 as well as for a thousand equal values. Items are not drawn: what infinitely
    many resamples give is worked out (`bootstrap.bca_worked_out`). Nor are more than 2,000 clusters of unequal size
    with more than 32 different sums (`bootstrap.bca_expansion`): the method says "expanded".
    """
    data = np.asarray(values, dtype=float)
    if data.size == 0:
        return None
    units = resampling_units(data, how.clusters)
    interval = bca_interval(units, how)
    kind = "BCa bootstrap" if how.clusters is None else f"BCa bootstrap over {units.sums.size} clusters"
    lo, hi = (None, None) if interval is None else interval
    if interval is None:
        return Estimate(math.fsum(data) / data.size, lo, hi, data.size, f"{kind} (no spread to resample)", how.level)
    way = way_of(units)
    kind, seed = f"{kind}, expanded" if way == "expanded" else kind, how.seed if way == "drawn" else None
    return Estimate(math.fsum(data) / data.size, lo, hi, data.size, kind, how.level, seed)


def bootstrap_share(values: ArrayLike, how: Resampling = ITEMWISE) -> Estimate | None:
    """`bootstrap_mean` for values in [0, 1], with Wilson's interval where all are 0 or all are 1.

    Of all variables in [0, 1] with a given mean the binary one spreads most, so Wilson's is the cautious choice
    there. With clusters it is taken over the clusters, as if each were one item.
    """
    data = np.asarray(values, dtype=float)
    if data.size and (data.min() < 0 or data.max() > 1):
        raise ValueError("shares lie between 0 and 1")
    estimate = bootstrap_mean(data, how)
    if estimate is None or estimate.lo is not None or estimate.value not in (0.0, 1.0):
        return estimate
    units = resampling_units(data, how.clusters).sums.size
    bound = wilson(estimate.value * units, units, how.level)
    assert bound is not None  # units >= 1, since data is not empty
    method = "Wilson score (no spread to resample)"
    return Estimate(estimate.value, bound.lo, bound.hi, data.size, method, how.level)


def accuracy(correct: ArrayLike, how: Resampling = ITEMWISE) -> Estimate | None:
    """The share of items that are right, the headline: unparsed and failed answers count as wrong.

        Wilson's interval, or the cluster bootstrap where items hang together. None for no items.

    Coverage in % and (mean width in points) of 95% intervals, 2,000 simulated cells each; the same table, and those
    for pass@k and clusters, come from `python benchmarks/coverage.py`:

           n    p   Wilson        BCa
          50  0.05   96.0 (12.9)   91.0 (14.0)
          50  0.25   95.5 (23.1)   95.5 (23.9)
          50  0.50   93.7 (26.5)   96.8 (27.6)
          50  0.95   95.7 (12.9)   90.6 (13.9)
        1000  0.05   94.3 ( 2.7)   95.5 ( 2.7)
        1000  0.25   95.0 ( 5.4)   95.7 ( 5.4)
        1000  0.50   94.6 ( 6.2)   95.1 ( 6.2)
        1000  0.95   94.5 ( 2.7)   95.6 ( 2.7)

    Wilson's stays within 93 to 97% throughout. The bootstrap does not at p = 0.05 and 0.95 with 50 items, where one
    cell in thirteen has nothing to resample; it is stated beside Wilson's, not in its place. Clusters of 5 with
    intra-cluster correlation 1/3 bring Wilson's to about 80%.
    """
    outcomes = np.asarray(correct, dtype=bool)
    if how.clusters is not None:
        return bootstrap_share(outcomes, how)
    return wilson(int(outcomes.sum()), outcomes.size, how.level)


def accuracy_given_parsed(correct: ArrayLike, parsed: ArrayLike, how: Resampling = ITEMWISE) -> Estimate | None:
    """Accuracy among the answers whose letter could be read (status `ok`), as `accuracy`; None where none could be.

    Never the headline: it forgives a system for what it failed to say. `n` counts the parsed answers.
    """
    right, read = np.asarray(correct, dtype=bool), np.asarray(parsed, dtype=bool)
    if right.shape != read.shape:
        raise ValueError(f"{right.size} outcomes, {read.size} statuses")
    if how.clusters is not None:
        how = replace(how, clusters=[how.clusters[place] for place in np.flatnonzero(read).tolist()])
    return accuracy(right[read], how)


def uniform_accuracy(option_counts: Sequence[int]) -> float | None:
    """What guessing uniformly scores on these items: the mean of 1/m; None for no items."""
    if not option_counts:
        return None
    _check_option_counts(option_counts)
    return math.fsum(1 / m for m in option_counts) / len(option_counts)


def _check_option_counts(option_counts: Sequence[int]) -> None:
    if min(option_counts) < 1:
        raise ValueError("an item has at least one option")


@dataclass(frozen=True, slots=True)
class LetterBaseline:
    """What always answering `letter` would score."""

    letter: str
    accuracy: Estimate


def majority_letter(gold: Sequence[str], level: float = 0.95) -> LetterBaseline | None:
    """The best single letter to always answer, and its accuracy; None for no items.

    The letter is picked on the items it is scored on, so with short suites the baseline is a little flattered
    (which makes it a stricter bar for a system). Ties go to the first letter. An item too short to have
    the letter counts as wrong.
    """
    if not gold:
        return None
    counts = Counter(gold)
    letter = min(counts, key=lambda name: (-counts[name], name))
    score = wilson(counts[letter], len(gold), level)
    assert score is not None  # gold is not empty
    return LetterBaseline(letter, score)
