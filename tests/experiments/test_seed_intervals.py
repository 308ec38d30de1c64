"""Several seeds on the same items: worked by hand, and against the definitions in loops."""

import itertools
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

from seed_intervals import mean_over_seeds

BY_HAND = [[1, 0, 0, 1], [1, 1, 0, 1], [0, 1, 0, 1]]


def test_the_interval_over_three_seeds_and_four_items_is_that_worked_by_hand():
    # Means of seeds 6/12, 9/12, 6/12 and of items 8/12, 8/12, 0, 12/12 about 7/12. Mean squares: seeds
    # 4 x 6/144 / 2 = 3/36; items 3 x 76/144 / 3 = 19/36; rest (35/12 - 2/12 - 19/12) / 6 = 7/36.
    found = mean_over_seeds(BY_HAND)
    half = math.sqrt((4.302653**2 * 3 / 36 + 3.182446**2 * 12 / 36) / 12)  # t of 2 and of 3 degrees of freedom
    assert found.value == pytest.approx(7 / 12)
    assert (found.lo, found.hi) == pytest.approx((7 / 12 - half, 7 / 12 + half))
    assert (found.n, found.method) == (4, "t over 3 seeds and items")


def test_where_items_vary_no_more_than_the_rest_it_is_the_t_interval_of_the_seeds_means():
    rows = [[1, 0], [0, 1], [1, 1], [0, 0], [1, 1]]
    found = mean_over_seeds(rows)
    means = np.mean(rows, axis=1)
    half = t.ppf(0.975, 4) * means.std(ddof=1) / math.sqrt(5)
    assert (found.lo, found.hi) == pytest.approx((means.mean() - half, means.mean() + half))


@pytest.mark.parametrize(("seeds", "items", "level"), [(3, 7, 0.95), (5, 40, 0.9), (4, 1, 0.95), (12, 3, 0.99)])
def test_the_interval_is_that_of_the_definitions_in_loops(seeds, items, level):
    rng = np.random.default_rng(seeds * items)
    rows = (rng.normal(size=(seeds, items)) + rng.normal(size=items) + rng.normal(size=(seeds, 1))).tolist()
    mean, of_seeds, of_items = reference(rows)
    upper = (1 + level) / 2
    half = math.sqrt(t.ppf(upper, seeds - 1) ** 2 * of_seeds + t.ppf(upper, max(1, items - 1)) ** 2 * of_items)
    found = mean_over_seeds(rows, level)
    assert (found.value, found.lo, found.hi) == pytest.approx((mean, mean - half, mean + half))


def reference(rows):
    """Mean, and the parts of its variance that seeds and items have, every sum of squares written out."""
    seeds, items = len(rows), len(rows[0])
    cells = list(itertools.product(range(seeds), range(items)))
    mean = sum(rows[s][i] for s, i in cells) / len(cells)
    seed_means = [sum(row) / items for row in rows]
    item_means = [sum(row[i] for row in rows) / seeds for i in range(items)]
    a = sum((seed_means[s] - mean) ** 2 for s, _ in cells) / (seeds - 1)
    if items == 1:
        return mean, a / len(cells), 0
    b = sum((item_means[i] - mean) ** 2 for _, i in cells) / (items - 1)
    rest = (seeds - 1) * (items - 1)
    e = sum((rows[s][i] - seed_means[s] - item_means[i] + mean) ** 2 for s, i in cells) / rest
    return mean, a / len(cells), max(0, b - e) / len(cells)


def test_the_order_of_seeds_and_items_changes_no_bit_and_a_swapped_difference_is_negated():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(4, 50)) + rng.normal(size=50)
    found, turned = mean_over_seeds(rows), mean_over_seeds(rows[::-1, rng.permutation(50)])
    assert (found.value, found.lo, found.hi) == (turned.value, turned.lo, turned.hi)
    negated = mean_over_seeds(-rows)
    assert (negated.value, negated.lo, negated.hi) == (-found.value, -found.hi, -found.lo)


@pytest.mark.parametrize("seeds", [1, 2])
def test_too_few_seeds_have_a_mean_and_no_interval_and_the_method_says_what_it_needs(seeds):
    found = mean_over_seeds(BY_HAND[:seeds])
    assert (found.lo, found.hi) == (None, None)
    assert found.method == f"{seeds} seed{'s' * (seeds > 1)}: an interval over seeds needs 3"


def test_what_does_not_vary_has_no_interval_and_nothing_at_all_is_none():
    assert mean_over_seeds([[1, 1], [1, 1], [1, 1]]).lo is None
    assert mean_over_seeds([]) is None
    assert mean_over_seeds([[], [], []]) is None


def test_seeds_with_other_numbers_of_items_or_no_number_are_refused():
    with pytest.raises(ValueError, match="not 1, 2 values"):
        mean_over_seeds([[1, 0], [1], [0, 1]])
    with pytest.raises(ValueError, match="finite"):
        mean_over_seeds([[1, float("nan")], [1, 0], [0, 1]])
