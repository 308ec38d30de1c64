"""One cell's accuracy: intervals against statsmodels and scipy, edges, baselines and letters."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import proportion

from rimbench.statistics.bootstrap import (
    Resampling,
    bca_expansion,
    bca_from_draws,
    item_counts,
    quantile,
    resampled_means,
    resampling_units,
)
from rimbench.statistics.estimate import (
    accuracy,
    accuracy_given_parsed,
    bootstrap_mean,
    bootstrap_share,
    majority_letter,
    uniform_accuracy,
    wilson,
)


@settings(deadline=None)
@given(n=st.integers(1, 3000), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_agrees_with_statsmodels(n, share, level):
    right = round(share * n)
    lo, hi = proportion.proportion_confint(right, n, alpha=1 - level, method="wilson")
    found = wilson(right, n, level)
    assert (found.lo, found.hi) == pytest.approx((lo, hi), abs=1e-12)
    assert 0 <= found.lo <= found.value <= found.hi <= 1


def test_wilson_of_the_card_s_50_9_percent_is_about_3_1_points_either_way():
    found = wilson(509, 1000)
    assert (found.value, found.n, found.method, found.seed) == (0.509, 1000, "Wilson score", None)
    assert (round(found.lo, 4), round(found.hi, 4)) == (0.4780, 0.5399)


@pytest.mark.parametrize(("right", "n", "lo", "hi"), [(0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (0, 1, 0, 0.7935)])
def test_wilson_is_not_a_point_at_the_ends_nor_at_one_item(right, n, lo, hi):
    # By hand: with no success the upper bound is z^2 / (n + z^2), z^2 = 3.8415.
    found = wilson(right, n)
    assert (found.lo, found.hi) == pytest.approx((lo, hi), abs=5e-5)


def test_no_items_have_no_accuracy():
    assert accuracy([]) is None
    assert bootstrap_mean([]) is None
    assert bootstrap_share([]) is None
    assert accuracy_given_parsed([], []) is None
    assert uniform_accuracy([]) is None
    assert majority_letter([]) is None


def test_more_right_than_items_is_refused():
    with pytest.raises(ValueError, match="11 right of 10"):
        wilson(11, 10)


@pytest.mark.parametrize("right", [1, 5, 47, 99])
def test_the_bootstrap_of_outcomes_agrees_with_scipy(right):
    outcomes = np.arange(100) < right
    theirs = stats.bootstrap(
        (outcomes.astype(float),), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(5)
    ).confidence_interval
    ours = bootstrap_mean(outcomes, Resampling(resamples=20_000))
    # Both are random over a lattice of 0.01: one step apart at most.
    assert (ours.lo, ours.hi) == pytest.approx((theirs.low, theirs.high), abs=0.0101)


def test_the_bootstrap_of_skewed_real_values_agrees_with_scipy():
    values = np.random.default_rng(3).exponential(size=80)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=40_000, method="BCa", rng=np.random.default_rng(5)
    ).confidence_interval
    ours = bootstrap_mean(values, Resampling(resamples=40_000))
    assert (ours.lo, ours.hi) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert ours.hi - ours.value > 1.1 * (ours.value - ours.lo)


def test_counts_and_indices_draw_the_same_distribution():
    # Of clusters, 30 kinds are drawn by counts; as many with a trace added to each item are drawn by indices.
    few = np.tile(np.repeat(np.linspace(0, 1, 30), 2), 4)
    many = few + np.arange(240) * 1e-9
    names = [None if index % 8 == 0 else str(index // 2) for index in range(240)]
    a, b = (bootstrap_mean(each, Resampling(resamples=40_000, clusters=names)) for each in (few, many))
    assert (a.lo, a.hi) == pytest.approx((b.lo, b.hi), abs=0.002)


@pytest.mark.parametrize("values", [[0, 0, 1, 1, 1, 1], [-1, 0, 0, 0, 1, 1], [0, 1 / 8, 1 / 3, 1 / 2, 1, 1]])
def test_the_interval_of_items_is_that_of_every_resample_that_there_is(values):
    every = np.array([math.fsum(resample) / 6 for resample in itertools.product(values, repeat=6)])
    lo, hi = bca_from_draws(every, resampling_units(values), 0.95)
    found = bootstrap_mean(values)
    assert (found.lo, found.hi, found.seed) == (pytest.approx(lo, abs=1e-9), pytest.approx(hi, abs=1e-9), None)


def test_the_interval_of_values_on_no_lattice_is_that_of_every_resample_to_a_step():
    values = [0.0, 0.1234567, 0.3, 0.5, 0.7654321, 1.1]
    every = np.array([math.fsum(resample) / 6 for resample in itertools.product(values, repeat=6)])
    found = bootstrap_mean(values)
    assert (found.lo, found.hi) == pytest.approx(bca_from_draws(every, resampling_units(values), 0.95), abs=0.005)


@pytest.mark.parametrize("n", [2001, 200_000])
def test_the_interval_of_many_items_agrees_with_its_expansion(n):
    values = np.random.default_rng(3).exponential(size=n)
    lo, hi = bca_expansion(resampling_units(values), 0.95)
    found = bootstrap_mean(values)
    assert (found.lo, found.hi) == (pytest.approx(lo, abs=0.01 * (hi - lo)), pytest.approx(hi, abs=0.01 * (hi - lo)))


def test_a_single_other_value_among_many_has_the_interval_of_a_rare_event():
    # It is drawn Poisson(1) times, all but exactly; BCa's shares are 0.102 and 0.9996 by its formula.
    found = bootstrap_mean(np.arange(100_000) == 0)
    assert (found.lo * 100_000, found.hi * 100_000) == pytest.approx((0, 6))


def test_above_2000_clusters_of_unequal_size_the_interval_is_expanded_and_agrees_with_drawing():
    values = np.random.default_rng(3).exponential(size=3003)
    names = [str(index * 2 // 3) for index in range(3003)]
    units = resampling_units(values, names)
    expanded, drawn = (
        bootstrap_mean(values, Resampling(clusters=names)),
        bca_from_draws(resampled_means(units, 40_000, 1), units, 0.95),
    )
    assert expanded.method == "BCa bootstrap over 2002 clusters, expanded"
    assert expanded.seed is None
    assert (expanded.lo, expanded.hi) == pytest.approx(drawn, abs=0.001)
    skewed = (expanded.hi - expanded.value) / (expanded.value - expanded.lo)
    assert skewed == pytest.approx((drawn[1] - expanded.value) / (expanded.value - drawn[0]), abs=0.03)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.floats(0, 1))
def test_a_quantile_is_numpy_s_to_the_last_digit(draws, share):
    assert quantile(np.sort(draws), share) == np.quantile(draws, share)


def test_every_resample_has_as_many_items_as_the_sample():
    blocks = list(item_counts(100, 5000, 3))
    assert sum(map(len, blocks)) == 5000
    assert all((block.sum(axis=1) == 100).all() for block in blocks)
    assert np.concatenate(blocks).mean(axis=0) == pytest.approx(1.0, abs=0.08)


def test_the_same_seed_gives_the_same_interval_and_is_stated():
    values, names = np.arange(50) % 7, [str(index * 2 // 3) for index in range(50)]
    first, again, other = (bootstrap_mean(values, Resampling(seed=seed, clusters=names)) for seed in (4, 4, 5))
    assert first == again and first.seed == 4
    assert (first.lo, first.hi) != (other.lo, other.hi)


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.125, 0.3, 1.0]), min_size=2, max_size=40), st.randoms())
def test_the_order_of_items_changes_nothing(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    how = Resampling(resamples=200)
    assert bootstrap_mean(values, how) == bootstrap_mean(shuffled, how)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 0.3, 1.0]), st.sampled_from("abc")), min_size=2, max_size=30),
    st.booleans(),
)
def test_negated_values_have_the_negated_interval_exactly(items, clustered):
    values = np.array([value for value, _ in items])
    how = Resampling(resamples=200, clusters=[name for _, name in items] if clustered else None)
    plus, minus = bootstrap_mean(values, how), bootstrap_mean(-values, how)
    assert minus.value == -plus.value
    if plus.lo is None:
        assert minus.lo is None
    else:
        assert (minus.lo, minus.hi) == (-plus.hi, -plus.lo)


@pytest.mark.parametrize("values", [[0.5], [1.0], [0.25] * 40])
def test_a_bootstrap_without_spread_has_a_value_and_no_interval(values):
    found = bootstrap_mean(values)
    assert (found.value, found.lo, found.hi, found.n) == (values[0], None, None, len(values))


def test_shares_that_are_all_0_or_all_1_get_wilson_s_interval():
    failed = bootstrap_share([0.0] * 30)
    assert (failed.lo, failed.hi) == (0.0, wilson(0, 30).hi)
    assert "no spread" in failed.method
    assert bootstrap_share([1.0] * 30).lo == wilson(30, 30).lo
    assert bootstrap_share([0.5] * 30).lo is None


def test_shares_outside_0_and_1_are_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        bootstrap_share([0.5, 1.5])


def test_clusters_of_one_are_items():
    outcomes = np.arange(60) % 3 == 0
    names = [str(index) for index in range(60)]
    alone, plain = bootstrap_mean(outcomes, Resampling(clusters=names)), bootstrap_mean(outcomes)
    nobody = bootstrap_mean(outcomes, Resampling(clusters=[None] * 60))
    assert (alone.lo, alone.hi) == (plain.lo, plain.hi) == (nobody.lo, nobody.hi)
    assert alone.method == "BCa bootstrap over 60 clusters"


def test_identical_items_in_a_cluster_widen_the_interval_by_the_root_of_its_size():
    outcomes = np.repeat(np.arange(100) % 2, 4)
    names = [str(index // 4) for index in range(400)]
    clustered, plain = bootstrap_mean(outcomes, Resampling(clusters=names)), bootstrap_mean(outcomes)
    assert (clustered.hi - clustered.lo) / (plain.hi - plain.lo) == pytest.approx(2, rel=0.05)


def test_accuracy_given_parsed_keeps_the_clusters_of_what_was_parsed():
    names = [str(i // 4) for i in range(40)]
    right = np.arange(40) % 8 < 4
    parsed = np.arange(40) < 20
    found = accuracy_given_parsed(right, parsed, Resampling(clusters=names))
    assert (found.value, found.n, found.method) == (0.6, 20, "BCa bootstrap over 5 clusters")
    assert accuracy_given_parsed(right, parsed) == wilson(12, 20)


def test_clusters_of_unequal_size_agree_with_a_slow_bootstrap():
    sizes = [1, 2, 3, 5, 8, 2, 1, 4, 6, 3]
    names = [str(index) for index, size in enumerate(sizes) for _ in range(size)]
    outcomes = np.random.default_rng(0).random(len(names)) < 0.6
    rng = np.random.default_rng(9)
    groups = [outcomes[[name == str(index) for name in names]] for index in range(10)]
    slow = [np.concatenate([groups[i] for i in rng.integers(0, 10, 10)]).mean() for _ in range(4000)]
    fast = bootstrap_mean(outcomes, Resampling(clusters=names))
    lo, hi = np.quantile(slow, [0.025, 0.975])
    # BCa shifts both ends a little; the widths are the same thing.
    assert fast.hi - fast.lo == pytest.approx(hi - lo, rel=0.1)


def test_labels_that_do_not_match_the_items_are_refused():
    with pytest.raises(ValueError, match="3 values, 2 cluster labels"):
        bootstrap_mean([1, 0, 1], Resampling(clusters=["a", "b"]))


def test_accuracy_takes_the_cluster_bootstrap_where_items_hang_together():
    names = ["a", "a", "b", "b", None, None]
    found = accuracy([1, 1, 0, 0, 1, 0], Resampling(clusters=names))
    assert found.value == 0.5
    assert found.method == "BCa bootstrap over 4 clusters"
    assert accuracy([1] * 6, Resampling(clusters=names)).lo == wilson(4, 4).lo


def test_accuracy_given_parsed_forgets_what_was_not_said():
    found = accuracy_given_parsed([True, False, False, False], [True, True, False, False])
    assert (found.value, found.n) == (0.5, 2)
    assert accuracy_given_parsed([False, False], [False, False]) is None


@pytest.mark.parametrize("n", [50, 1000])
@pytest.mark.parametrize("p", [0.05, 0.25, 0.5, 0.95])
def test_wilson_covers_the_truth_as_often_as_it_says(n, p):
    counts, times = np.unique(np.random.default_rng(2).binomial(n, p, size=2000), return_counts=True)
    found = [wilson(int(right), n) for right in counts]
    covered = sum(int(cells) for one, cells in zip(found, times, strict=True) if one.lo <= p <= one.hi)
    assert 0.93 <= covered / 2000 <= 0.97


def test_the_bootstrap_undercovers_rare_outcomes_in_small_suites():
    # Why it is not the default: at p = 0.05, n = 50 it covers 91.1%, worked out over all 51 counts.
    covered = 0.0
    for right in range(15):
        found = bootstrap_mean(np.arange(50) < right)
        covered += stats.binom.pmf(right, 50, 0.05) * (found.lo is not None and found.lo <= 0.05 <= found.hi)
    assert covered == pytest.approx(0.911, abs=0.01)


def test_a_cluster_bootstrap_covers_where_wilson_does_not():
    rng = np.random.default_rng(1)
    names = [str(index // 5) for index in range(200)]
    hits = np.zeros(2)
    for _ in range(400):
        outcomes = rng.random(200) < np.repeat(rng.beta(1, 1, 40), 5)
        grouped = accuracy(outcomes, Resampling(clusters=names, resamples=1000))
        plain = accuracy(outcomes)
        hits += [grouped.lo <= 0.5 <= grouped.hi, plain.lo <= 0.5 <= plain.hi]
    assert hits[0] / 400 > 0.91
    assert hits[1] / 400 < 0.86


def test_the_uniform_guesser_is_averaged_over_mixed_option_counts():
    assert uniform_accuracy([4, 4, 10, 2]) == pytest.approx((0.25 + 0.25 + 0.1 + 0.5) / 4)
    with pytest.raises(ValueError, match="at least one option"):
        uniform_accuracy([4, 0])


def test_the_majority_letter_is_the_most_frequent_gold_letter_and_ties_go_to_the_first():
    found = majority_letter(["B", "A", "B", "C"])
    assert (found.letter, found.accuracy.value, found.accuracy.n) == ("B", 0.5, 4)
    assert majority_letter(["C", "B"]).letter == "B"
