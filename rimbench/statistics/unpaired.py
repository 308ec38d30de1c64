"""Two results on different items: published accuracies, and the gap between an in- and an out-of-distribution suite.

In: counts, published shares, or two estimates. Out: the difference (first minus second), its interval, a p-value.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from rimbench.statistics.estimate import Estimate, wilson


@dataclass(frozen=True, slots=True)
class TwoSampleTest:
    """A two-sided p-value and the test that gave it."""

    p_value: float
    method: str


def right_from_published(accuracy: float, n: int) -> int:
    """The count nearest to a published share (0.509 of 1000: 509), so that rounding hides at most half an item.

    A share rounded to 0.1 points fixes the count exactly only up to n = 1000.
    """
    if not 0 <= accuracy <= 1 or n < 1:
        raise ValueError(f"a share lies between 0 and 1 and n is at least 1, not {accuracy} of {n}")
    return math.floor(accuracy * n + 0.5)


def independent_difference(a: Estimate | None, b: Estimate | None) -> Estimate | None:
    """The difference of two estimates from different items, its interval by square-and-add of theirs.

    Zou and Donner 2008 (Statistics in Medicine 27:1693), MOVER. With two Wilson intervals it is Newcombe 1998
    (17:873), method 10. Works for clustered accuracies and pass@k as well. `n` counts both samples. None
    where either is undefined; no interval where either has none. ValueError for two different levels.
    """
    if a is None or b is None:
        return None
    if a.level != b.level:
        raise ValueError(f"intervals at {a.level} and {b.level} do not combine")
    method = f"square-and-add of {a.method}" + ("" if a.method == b.method else f" and {b.method}")
    seed = a.seed if a.seed is not None else b.seed
    difference = a.value - b.value
    if a.lo is None or a.hi is None or b.lo is None or b.hi is None:
        return Estimate(difference, None, None, a.n + b.n, method, a.level, seed)
    lo = difference - math.hypot(a.value - a.lo, b.hi - b.value)
    hi = difference + math.hypot(a.hi - a.value, b.value - b.lo)
    return Estimate(difference, lo, hi, a.n + b.n, method, a.level, seed)


def newcombe_independent(right_a: int, n_a: int, right_b: int, n_b: int, level: float = 0.95) -> Estimate | None:
    """The difference of two independent proportions with Newcombe's hybrid score interval; None for an empty sample.

    Newcombe 1998 (Statistics in Medicine 17:873), method 10.
    """
    return independent_difference(wilson(right_a, n_a, level), wilson(right_b, n_b, level))


def two_proportion_test(right_a: int, n_a: int, right_b: int, n_b: int) -> TwoSampleTest | None:
    """Whether two independent proportions differ: pooled z, or Fisher's exact test where a cell expects under 5.

    Pooled z is Pearson's chi-square of the 2x2 table without correction (Cochran 1954 for the bound of 5). None
    for an empty sample. Where two published figures share their items this is the wrong test, and the cautious
    one as long as the systems' outcomes are positively correlated; the paired one needs the items.
    """
    if not (0 <= right_a <= n_a and 0 <= right_b <= n_b):
        raise ValueError(f"{right_a} right of {n_a}, {right_b} right of {n_b}")
    if n_a == 0 or n_b == 0:
        return None
    pooled = (right_a + right_b) / (n_a + n_b)
    if min(n_a, n_b) * min(pooled, 1 - pooled) < 5:
        from scipy.stats import fisher_exact

        table = [[right_a, n_a - right_a], [right_b, n_b - right_b]]
        return TwoSampleTest(float(fisher_exact(table).pvalue), "Fisher exact")
    z = (right_a / n_a - right_b / n_b) / math.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    return TwoSampleTest(2 * NormalDist().cdf(-abs(z)), "two-proportion z, pooled")
