"""Two systems on the same items, against contingencytables' published output, evalstats, statsmodels and scipy."""

import math

import numpy as np
import pytest
from evalstats.core import resampling as evalstats
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from rimbench.statistics.bootstrap import Resampling, sign_flip_p
from rimbench.statistics.estimate import Estimate, wilson
from rimbench.statistics.paired import (
    PairedTable,
    bootstrap_difference,
    cohens_g,
    mcnemar_mid_p,
    mcnemar_p,
    paired_table,
    score_difference,
    score_p_above,
)

# Complete response before and after consolidation therapy (Cavo et al. 2012), as printed by version 3 of the R
# package contingencytables (Fagerland, Lydersen and Laake 2017, chapter 8) in its own tests.
CAVO = PairedTable(59, 6, 16, 80)
# Airway hyper-responsiveness (Bentur et al. 2009): Fagerland, Lydersen and Laake 2014, table V.
BENTUR = PairedTable(1, 1, 7, 12)

TABLES = st.builds(PairedTable, *[st.integers(0, 60)] * 4).filter(lambda table: table.n > 0)


def outcomes(table):
    cells = (table.both_right, table.a_only, table.b_only, table.both_wrong)
    return np.repeat([1, 1, 0, 0], cells), np.repeat([1, 0, 1, 0], cells)


def bounds(estimate):
    return (estimate.lo, estimate.hi)


def test_the_table_counts_items_by_who_was_right():
    found = paired_table([1, 1, 0, 0, 1], [1, 0, 1, 0, 0])
    assert found.rows == ((1, 2), (1, 1))
    assert (found.n, found.discordant) == (5, 3)
    assert found.swapped.rows == ((1, 1), (2, 1))


def test_outcomes_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="same items"):
        paired_table([1, 0], [1, 0, 1])
    with pytest.raises(ValueError, match="same items"):
        bootstrap_difference([1, 0], [1, 0, 1])


def test_tango_s_interval_is_the_published_one():
    assert bounds(score_difference(CAVO)) == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert bounds(score_difference(BENTUR)) == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_mcnemar_s_p_values_are_the_published_ones():
    assert mcnemar_p(CAVO) == pytest.approx(0.052479, abs=5e-7)
    assert mcnemar_mid_p(CAVO) == pytest.approx(0.034690, abs=5e-7)


@settings(deadline=None)
@given(TABLES)
def test_tango_s_interval_agrees_with_the_quartic_that_evalstats_solves(table):
    # Chang et al. 2024: the same interval in closed form when its continuity correction is 0. Its roots are
    # numerical: a double one, where a bound meets the edge, is good to about 1e-6.
    theirs = evalstats.tango_scc_paired_ci(*outcomes(table), alpha=0.05, c=0.0)
    assert bounds(score_difference(table)) == pytest.approx(theirs, abs=1e-4)


@settings(deadline=None)
@given(TABLES)
def test_exact_mcnemar_agrees_with_statsmodels(table):
    assert mcnemar_p(table) == pytest.approx(min(1.0, mcnemar(table.rows, exact=True).pvalue), abs=1e-12)


@pytest.mark.parametrize(("a_only", "b_only"), [(5200, 5000), (500_000, 501_500), (0, 30_000)])
def test_exact_mcnemar_agrees_with_scipy_on_very_many_items(a_only, b_only):
    theirs = stats.binomtest(a_only, a_only + b_only).pvalue
    assert mcnemar_p(PairedTable(0, a_only, b_only, 0)) == pytest.approx(theirs, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize(
    ("a_only", "b_only", "mid_p"),
    # By hand: 3 to 0, 2 (1/8) - 1/8; 3 to 1, 2 (5/16) - 4/16; 2 to 2, 1 - (6/16) / 2, as Fagerland et al. define it.
    [(3, 0, 1 / 8), (3, 1, 6 / 16), (2, 2, 13 / 16), (1, 1, 3 / 4), (0, 0, 1)],
)
def test_mid_p_takes_half_of_the_observed_outcome_off_both_tails(a_only, b_only, mid_p):
    assert mcnemar_mid_p(PairedTable(5, a_only, b_only, 5)) == mid_p


@settings(deadline=None)
@given(TABLES.filter(lambda table: table.a_only != table.b_only))
def test_mid_p_agrees_with_scipy_s_binomial(table):
    rarer, binomial = min(table.a_only, table.b_only), stats.binom(table.discordant, 0.5)
    assert mcnemar_mid_p(table) == pytest.approx(2 * binomial.cdf(rarer - 1) + binomial.pmf(rarer), abs=1e-12)
    assert mcnemar_mid_p(table) < mcnemar_p(table)


@settings(deadline=None)
@given(TABLES)
def test_swapping_the_systems_negates_differences_and_keeps_p_values(table):
    a, b = outcomes(table)
    few = Resampling(resamples=200)
    for one, other in [
        (score_difference(table), score_difference(table.swapped)),
        (bootstrap_difference(a, b, few), bootstrap_difference(b, a, few)),
    ]:
        assert one.value == -other.value
        assert (one.lo is None and other.lo is None) or bounds(one) == (-other.hi, -other.lo)
    assert mcnemar_p(table) == mcnemar_p(table.swapped)
    assert mcnemar_mid_p(table) == mcnemar_mid_p(table.swapped)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60), st.randoms())
def test_the_order_of_items_changes_nothing(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    few = Resampling(resamples=200)
    one, other = (np.array(order).T for order in (pairs, shuffled))
    assert paired_table(*one) == paired_table(*other)
    assert bootstrap_difference(*one, few) == bootstrap_difference(*other, few)
    assert sign_flip_p(one[0] * 0.7 - one[1] * 0.3, few) == sign_flip_p(other[0] * 0.7 - other[1] * 0.3, few)


@settings(deadline=None)
@given(TABLES)
def test_intervals_hold_the_difference_and_stay_within_bounds(table):
    found = score_difference(table)
    assert -1 <= found.lo <= found.value + 1e-9
    assert found.value - 1e-9 <= found.hi <= 1


def test_without_a_discordant_item_the_score_interval_still_has_a_width():
    # By hand: z^2 / (n + z^2) either way.
    assert bounds(score_difference(PairedTable(40, 0, 0, 10))) == pytest.approx((-0.07135, 0.07135), abs=1e-5)
    assert bootstrap_difference(*outcomes(PairedTable(40, 0, 0, 10))).lo is None
    assert mcnemar_p(PairedTable(40, 0, 0, 10)) == mcnemar_mid_p(PairedTable(40, 0, 0, 10)) == 1.0


@pytest.mark.parametrize("n", [1, 30])
def test_one_system_always_right_and_the_other_never(n):
    found = score_difference(PairedTable(0, n, 0, 0))
    assert (found.value, found.hi) == (1.0, 1.0)
    assert found.lo < 1
    assert mcnemar_p(PairedTable(0, n, 0, 0)) == pytest.approx(min(1.0, 2 * 0.5**n))


def test_no_items_have_no_difference():
    empty = PairedTable(0, 0, 0, 0)
    assert score_difference(empty) is None
    assert bootstrap_difference([], []) is None
    assert sign_flip_p([]) is None
    assert cohens_g(empty) is None


@settings(deadline=None)
@given(TABLES, st.floats(-0.3, 0.3))
@example(PairedTable(0, 0, 0, 1), -6.859895396500247e-281)
@example(PairedTable(0, 0, 0, 1), 1e-17)
def test_the_score_test_and_the_score_interval_say_the_same(table, delta):
    lo = score_difference(table, 0.90).lo
    if abs(lo - delta) > 1e-9:
        assert (score_p_above(table, delta) < 0.05) == (lo > delta)


def test_the_score_test_of_no_difference_is_mcnemar_s_asymptotic_one():
    # contingencytables: Z = -2.132, P = 0.033006, two-sided.
    assert 2 * score_p_above(CAVO.swapped, 0.0) == pytest.approx(0.033006, abs=5e-7)


def test_the_paired_bootstrap_agrees_with_scipy_on_items():
    a, b = outcomes(PairedTable(60, 25, 10, 40))
    theirs = stats.bootstrap(
        ((a - b).astype(float),), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    ours = bootstrap_difference(a, b, Resampling(resamples=20_000))
    assert bounds(ours) == pytest.approx((theirs.low, theirs.high), abs=1.01 / 135)


def test_the_sign_flip_test_of_outcomes_is_mcnemar_s():
    a, b = outcomes(PairedTable(20, 17, 6, 20))
    assert sign_flip_p(a - b, Resampling(resamples=200_000)) == pytest.approx(
        mcnemar_p(PairedTable(20, 17, 6, 20)), abs=0.001
    )


@pytest.mark.parametrize("n", [12, 60])
def test_the_sign_flip_test_of_real_differences_agrees_with_scipy(n):
    differences = np.random.default_rng(4).normal(0.3, 1, n)
    theirs = stats.permutation_test(
        (differences, np.zeros(n)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=30_000,
        rng=np.random.default_rng(2),
    ).pvalue
    assert sign_flip_p(differences, Resampling(resamples=30_000)) == pytest.approx(theirs, abs=0.012)


def test_the_sign_flip_test_is_1_without_a_difference_and_never_0():
    assert sign_flip_p([0.0] * 50) == 1.0
    assert sign_flip_p([1.0] * 200, Resampling(resamples=999)) == 0.001


def test_the_sign_flip_test_keeps_its_level_on_pass_at_k_like_values():
    rng = np.random.default_rng(8)
    p = [
        sign_flip_p(rng.binomial(8, 0.4, 40) / 8 - rng.binomial(8, 0.4, 40) / 8, Resampling(resamples=400))
        for _ in range(600)
    ]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.025)


def test_clusters_flip_whole():
    differences, names = np.tile([1.0, 1.0, 0.0], 10), [str(index // 3) for index in range(30)]
    alone = sign_flip_p(differences, Resampling(resamples=20_000))
    together = sign_flip_p(differences, Resampling(resamples=20_000, clusters=names))
    assert alone < together == pytest.approx(2 / 2**10, abs=0.001)


def test_cohen_s_g_is_the_won_share_of_discordant_items_less_a_half():
    found = cohens_g(PairedTable(10, 30, 10, 50))
    assert (found.value, found.n) == (0.25, 40)
    assert found.lo == pytest.approx(wilson(30, 40).lo - 0.5)
    assert cohens_g(PairedTable(10, 10, 30, 50)).value == -0.25


def simulated(n, q, d, phi=0.4):
    """2,000 tables of two systems right with chance q + d and q, whose outcomes correlate as real ones do."""
    p = q + d
    both = p * q + phi * math.sqrt(p * (1 - p) * q * (1 - q))
    rng = np.random.default_rng(6)
    return rng.multinomial(n, [both, p - both, q - both, 1 - p - q + both], size=2000)


def coverage(tables, d, interval):
    hits = 0
    for row, cells in zip(*np.unique(tables, axis=0, return_counts=True), strict=True):
        found = interval(PairedTable(*map(int, row)))
        hits += int(cells) * (found.lo <= d + 1e-12 and d - 1e-12 <= found.hi)
    return hits / len(tables)


@pytest.mark.parametrize("d", [0.0, 0.03])
@pytest.mark.parametrize(("n", "q"), [(50, 0.25), (50, 0.5), (1000, 0.05), (1000, 0.25), (1000, 0.5), (1000, 0.95)])
def test_the_default_interval_covers_the_true_difference_as_often_as_it_says(n, q, d):
    assert 0.93 <= coverage(simulated(n, q, d), d, score_difference) <= 0.97


@pytest.mark.parametrize(("q", "d"), [(0.05, 0.0), (0.05, 0.03), (0.95, 0.0), (0.95, 0.03)])
def test_with_fewer_than_five_discordant_items_the_default_errs_on_the_safe_side(q, d):
    # Two to four discordant items in 50 leave no interval between 93 and 97%: see `score_difference`.
    tables = simulated(50, q, d)
    assert tables[:, 1:3].sum(axis=1).mean() < 5

    def newcombe(table):
        lo, hi = evalstats.newcombe_mover_paired_ci(*outcomes(table), alpha=0.05)
        return Estimate((table.a_only - table.b_only) / table.n, lo, hi, table.n, "Newcombe")

    assert 0.96 <= coverage(tables, d, score_difference) <= coverage(tables, d, newcombe)


def test_the_bootstrap_fails_where_discordant_items_are_few():
    tables = simulated(50, 0.05, 0.0)[:300]
    hits = 0
    for row in tables:
        found = bootstrap_difference(*outcomes(PairedTable(*row)), Resampling(resamples=2000))
        hits += found.lo is not None and found.lo <= 0 <= found.hi
    assert hits / 300 < 0.90
