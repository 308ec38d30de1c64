"""Two systems on the same items: the 2x2 table, the difference and its intervals, exact tests, an effect size.

In: right/wrong item by item (or one score an item). Out: `Estimate` values and p-values. A minus B throughout:
positive means that A is better. Which verdict follows is decided in `verdict`.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from rimbench.statistics.bootstrap import ITEMWISE, Resampling
from rimbench.statistics.estimate import Estimate, bootstrap_mean, critical, wilson

# Halving [-1, 1] this often leaves 2e-15, the spacing of floats there.
HALVINGS = 50


@dataclass(frozen=True, slots=True)
class PairedTable:
    """How two systems' outcomes fall together on the same items."""

    both_right: int
    a_only: int
    b_only: int
    both_wrong: int

    @property
    def n(self) -> int:
        """All items."""
        return self.both_right + self.a_only + self.b_only + self.both_wrong

    @property
    def discordant(self) -> int:
        """Items that exactly one of the two got right: all that a comparison can learn from."""
        return self.a_only + self.b_only

    @property
    def rows(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """[[both right, A only], [B only, both wrong]], as the report prints it."""
        return ((self.both_right, self.a_only), (self.b_only, self.both_wrong))

    @property
    def swapped(self) -> "PairedTable":
        """The same items with A and B exchanged."""
        return PairedTable(self.both_right, self.b_only, self.a_only, self.both_wrong)


def paired_table(correct_a: ArrayLike, correct_b: ArrayLike) -> PairedTable:
    """Counts the four cells. Raises ValueError where the two are not outcomes on the same number of items."""
    a, b = np.asarray(correct_a, dtype=bool), np.asarray(correct_b, dtype=bool)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"paired outcomes come from the same items: {a.shape} and {b.shape}")
    cells = (a & b, a & ~b, ~a & b, ~a & ~b)
    return PairedTable(*(int(cell.sum()) for cell in cells))


def score_difference(table: PairedTable, level: float = 0.95) -> Estimate | None:
    """The difference of two accuracies on the same items, with Tango's score interval; None for no items.

    Tango 1998 (Statistics in Medicine 17:891), the score interval, solved by bisection. It needs no spread: without
    any discordant item it is z^2/(n+z^2) either way. The default for paired differences, by the simulation that
    `python benchmarks/coverage.py` prints: coverage in % and (mean width in points) of 95% intervals, 2,000 cells
    each, true accuracies q + d and q, outcome correlation 0.4, m discordant items expected:

           n    q     d      m   Tango         Newcombe      BCa
          50  0.05  0.00    2.8   96.8 (18.3)   99.2 (18.8)   84.2 (14.1)
          50  0.05  0.03    3.7   97.3 (19.3)   98.2 (19.9)   87.2 (15.5)
          50  0.25  0.00   11.2   96.0 (27.8)   96.0 (27.0)   95.6 (25.9)
          50  0.25  0.03   11.7   95.5 (28.3)   95.7 (27.4)   93.5 (26.4)
          50  0.50  0.00   15.0   94.0 (31.0)   94.0 (29.7)   94.3 (29.8)
          50  0.50  0.03   15.0   94.8 (31.1)   95.2 (29.8)   93.7 (29.9)
          50  0.95  0.00    2.8   96.8 (18.4)   99.0 (18.9)   85.5 (14.2)
          50  0.95  0.03    2.2   99.3 (17.1)   99.7 (17.8)   82.2 (13.3)
        1000  0.05  0.00   57.0   94.3 ( 3.0)   94.5 ( 3.1)   94.5 ( 3.0)
        1000  0.05  0.03   74.7   95.2 ( 3.4)   95.5 ( 3.4)   95.7 ( 3.4)
        1000  0.25  0.00  225.0   94.8 ( 5.9)   94.8 ( 5.9)   95.0 ( 5.9)
        1000  0.25  0.03  234.5   94.8 ( 6.0)   94.8 ( 6.0)   95.0 ( 6.0)
        1000  0.50  0.00  300.0   95.3 ( 6.8)   95.3 ( 6.8)   95.5 ( 6.8)
        1000  0.50  0.03  300.4   95.2 ( 6.8)   95.2 ( 6.8)   95.6 ( 6.8)
        1000  0.95  0.00   57.0   94.8 ( 3.0)   94.9 ( 3.0)   94.8 ( 2.9)
        1000  0.95  0.03   43.6   95.0 ( 2.6)   95.4 ( 2.7)   95.2 ( 2.6)

    With five or more discordant items all three do. With two to four only Tango's comes near: it errs on the safe
    side (exactly 97.2% at q = 0.05, d = 0), Newcombe's more so, and the bootstrap misses far too often. Nothing
    sensible does better there: the next tables in order of evidence, 3 to 0 and 0 to 3, hold 5.6% of the cells, so
    leaving them out would drop the coverage below 92%.
    """
    if table.n == 0:
        return None
    z = critical(level)
    hi = _score_bound(table.a_only, table.b_only, table.n, z)
    lo = -_score_bound(table.b_only, table.a_only, table.n, z)
    return Estimate((table.a_only - table.b_only) / table.n, lo, hi, table.n, "Tango score", level)


def _score_variance(a_only: int, b_only: int, n: int, delta: float) -> float:
    """The variance of a_only - b_only where the true difference is delta, by Tango's restricted estimate."""
    linear = (2 * n - a_only + b_only) * delta - a_only - b_only
    constant = -b_only * delta * (1 - delta)
    q = (math.sqrt(max(linear * linear - 8 * n * constant, 0.0)) - linear) / (4 * n)
    return max(n * (2 * q + delta * (1 - delta)), 0.0)


def _score_bound(a_only: int, b_only: int, n: int, z: float) -> float:
    """The upper bound: the difference above the observed one at which the score statistic is -z.

    The lower bound is minus the upper one with A and B exchanged, which makes the interval exactly antisymmetric.
    """
    inside, outside = (a_only - b_only) / n, 1.0
    for _ in range(HALVINGS):
        delta = (inside + outside) / 2
        if n * delta - (a_only - b_only) < z * math.sqrt(_score_variance(a_only, b_only, n, delta)):
            inside = delta
        else:
            outside = delta
    return (inside + outside) / 2 if inside < 1 else 1.0


def score_p_above(table: PairedTable, delta: float) -> float:
    """The one-sided p-value that the difference is at most `delta` (small: it lies above): Tango's score test.

    `delta` within (-1, 1). The test that `score_difference` inverts, so that p < alpha exactly where the lower
    bound at level 1 - 2 alpha lies above `delta`.
    """
    excess = table.a_only - table.b_only - table.n * delta
    variance = _score_variance(table.a_only, table.b_only, table.n, delta)
    if variance <= 0:  # nothing is discordant, and delta is 0 or too near to it for its variance to be told from 0
        return 0.5
    return NormalDist().cdf(-excess / math.sqrt(variance))


def bootstrap_difference(values_a: ArrayLike, values_b: ArrayLike, how: Resampling = ITEMWISE) -> Estimate | None:
    """The mean paired difference, for outcomes or for scores such as pass@k, with its BCa bootstrap interval.

    Efron 1987, on the items' differences: items are resampled, both systems' answers together. None for no
    items; no interval where all differences are equal.
    """
    a, b = np.asarray(values_a, dtype=float), np.asarray(values_b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"paired values come from the same items: {a.shape} and {b.shape}")
    return bootstrap_mean(a - b, how)


def mcnemar_p(table: PairedTable) -> float:
    """McNemar's exact test, two-sided: twice the binomial tail of the rarer kind of discordant item, at most 1.

    McNemar 1947 (Psychometrika 12:153), exact form. Conservative: it never exceeds its level. With no
    discordant item it is 1: nothing speaks for a difference.
    """
    rarer, discordant = min(table.a_only, table.b_only), table.discordant
    # Every term of the tail is the one above it times j / (m - j + 1): all positive, nothing cancels. (scipy's
    # binomial says the same to 12 digits, but loading it takes 0.3 s, a tenth of what a report may take.)
    steps = np.arange(rarer, 0, -1)
    tail = 1 + float(np.cumprod(steps / (discordant - steps + 1)).sum())
    return min(1.0, 2 * _point(rarer, discordant) * tail)


def mcnemar_mid_p(table: PairedTable) -> float:
    """McNemar's mid-p, which counts half of the observed outcome's probability: closer to its level, not bound by it.

    Fagerland, Lydersen and Laake 2013 (BMC Medical Research Methodology 13:91). Stated beside the exact p.
    """
    if table.discordant == 0:
        return 1.0
    point = _point(min(table.a_only, table.b_only), table.discordant)
    # In the middle the two tails share the observed outcome, and half of it is taken off once.
    return mcnemar_p(table) - (point / 2 if table.a_only == table.b_only else point)


def _point(k: int, n: int) -> float:
    if n <= 10_000:
        # True division of whole numbers is rounded once and cannot overflow.
        return float(math.comb(n, k) / 2**n)
    # Whole numbers of a million digits take seconds; logarithms are good to 1e-9 here.
    return math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2))


def cohens_g(table: PairedTable, level: float = 0.95) -> Estimate | None:
    """The effect size of a paired table: the share of discordant items that A won, less one half.

    Cohen 1988, chapter 5 (small 0.05, medium 0.15, large 0.25), Wilson's interval, n = discordant items; None
    without any. Preferred to Cohen's h, which ignores the pairing, and to the matched odds ratio
    (0.5 + g)/(0.5 - g), of which it is the bounded form: that one is infinite where B won nothing.
    """
    share = wilson(table.a_only, table.discordant, level)
    if share is None or share.lo is None or share.hi is None:
        return None
    value = (table.a_only - table.b_only) / (2 * table.discordant)
    return Estimate(value, share.lo - 0.5, share.hi - 0.5, share.n, "Cohen's g, Wilson score", level)
