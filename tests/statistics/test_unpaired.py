"""Two proportions on different items, against statsmodels and hand-worked figures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from rimbench.statistics.bootstrap import Resampling
from rimbench.statistics.estimate import bootstrap_mean, wilson
from rimbench.statistics.unpaired import (
    independent_difference,
    newcombe_independent,
    right_from_published,
    two_proportion_test,
)

SAMPLES = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None)
@given(SAMPLES, SAMPLES)
def test_newcombe_s_interval_agrees_with_statsmodels(a, b):
    theirs = confint_proportions_2indep(*a, *b, method="newcomb")
    found = newcombe_independent(*a, *b)
    assert (found.lo, found.hi) == pytest.approx(theirs, abs=1e-9)


@settings(deadline=None)
@given(SAMPLES, SAMPLES)
def test_swapping_the_samples_negates_the_difference(a, b):
    one, other = newcombe_independent(*a, *b), newcombe_independent(*b, *a)
    assert (one.value, one.lo, one.hi) == (-other.value, -other.hi, -other.lo)
    assert two_proportion_test(*a, *b).p_value == pytest.approx(two_proportion_test(*b, *a).p_value, abs=1e-12)


def test_newcombe_s_own_example():
    # Newcombe 1998 (17:873), table II, method 10, column (a): 56/70 against 48/80.
    found = newcombe_independent(56, 70, 48, 80)
    assert (round(found.value, 4), round(found.lo, 4), round(found.hi, 4)) == (0.2, 0.0524, 0.3339)


@pytest.mark.parametrize(("a", "b"), [((509, 1000), (473, 1000)), ((536, 1000), (509, 1000)), ((30, 40), (10, 60))])
def test_the_two_proportion_test_agrees_with_statsmodels(a, b):
    found = two_proportion_test(*a, *b)
    theirs = proportions_ztest([a[0], b[0]], [a[1], b[1]])[1]
    assert found.p_value == pytest.approx(theirs, abs=1e-12)
    assert found.method == "two-proportion z, pooled"


def test_small_expected_counts_take_fisher_s_exact_test():
    found = two_proportion_test(0, 20, 4, 20)
    assert found.method == "Fisher exact"
    assert found.p_value == pytest.approx(stats.fisher_exact([[0, 20], [4, 16]]).pvalue)
    assert two_proportion_test(10, 10, 10, 10).p_value == 1.0


def test_an_empty_sample_has_no_difference():
    assert newcombe_independent(0, 0, 5, 10) is None
    assert two_proportion_test(0, 0, 5, 10) is None
    with pytest.raises(ValueError, match="11 right of 10"):
        two_proportion_test(11, 10, 5, 10)


def test_published_shares_become_the_nearest_counts():
    assert right_from_published(0.509, 1000) == 509
    assert right_from_published(0.457, 1273) == 582
    with pytest.raises(ValueError, match="between 0 and 1"):
        right_from_published(50.9, 1000)


def test_the_card_s_v1_and_base_on_medqa_are_not_told_apart():
    found = newcombe_independent(451, 1000, 457, 1000)
    assert found.lo < 0 < found.hi
    assert two_proportion_test(451, 1000, 457, 1000).p_value > 0.7


def test_a_gap_between_suites_takes_any_two_intervals():
    sampled = bootstrap_mean(np.arange(100) % 4 == 0, Resampling(clusters=[str(i * 2 // 3) for i in range(100)]))
    found = independent_difference(wilson(60, 100), sampled)
    assert found.value == pytest.approx(0.35)
    assert found.method == "square-and-add of Wilson score and BCa bootstrap over 67 clusters"
    assert (found.n, found.seed) == (200, 0)


def test_a_gap_without_an_interval_or_a_value_says_so():
    assert independent_difference(wilson(60, 100), bootstrap_mean([0.5] * 10)).lo is None
    assert independent_difference(wilson(60, 100), None) is None
    with pytest.raises(ValueError, match=r"0\.95 and 0\.9"):
        independent_difference(wilson(60, 100), wilson(6, 10, 0.9))


@pytest.mark.parametrize("n", [50, 1000])
@pytest.mark.parametrize("q", [0.05, 0.25, 0.5])
def test_the_gap_s_interval_covers_as_often_as_it_says(n, q):
    rng = np.random.default_rng(3)
    pairs = np.column_stack([rng.binomial(n, q + 0.1, size=2000), rng.binomial(n, q, size=2000)])
    hits = 0
    for (a, b), cells in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
        found = newcombe_independent(int(a), n, int(b), n)
        hits += int(cells) * (found.lo <= 0.1 <= found.hi)
    assert 0.93 <= hits / 2000 <= 0.97
