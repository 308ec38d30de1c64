"""Holm, equivalence and the one word: against statsmodels, by hand, and by the error rates they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from rimbench.statistics.bootstrap import Resampling
from rimbench.statistics.paired import PairedTable, mcnemar_mid_p, mcnemar_p, score_difference
from rimbench.statistics.verdict import (
    Settings,
    compare_outcomes,
    compare_scores,
    equivalence,
    holm,
    judge_family,
)

FEW = Settings(how=Resampling(resamples=300))


def outcomes(both, a_only, b_only, neither):
    cells = (both, a_only, b_only, neither)
    return np.repeat([1, 1, 0, 0], cells), np.repeat([1, 0, 1, 0], cells)


def verdict_of(*cells, settings=FEW):
    return judge_family([compare_outcomes(*outcomes(*cells), settings)])[0]


@pytest.mark.parametrize("size", range(1, 21))
def test_holm_agrees_with_statsmodels(size):
    p_values = np.random.default_rng(size).beta(0.3, 1, size).round(3).tolist()  # small ones, and some equal
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_holm_of_a_hand_worked_family():
    # 3 x 0.01, then 2 x 0.02 = 0.04, then 1 x 0.03 raised to 0.04.
    assert holm([0.03, 0.01, 0.02]) == pytest.approx((0.04, 0.03, 0.04))
    assert holm([]) == ()


@settings(deadline=None)
@given(st.permutations([0.001, 0.01, 0.02, 0.2, 0.9]))
def test_the_order_of_a_family_does_not_matter(p_values):
    assert sorted(holm(p_values)) == sorted(holm(sorted(p_values)))


def test_a_clear_winner_is_better_and_the_other_worse():
    assert verdict_of(400, 100, 40, 460).verdict == "better"
    assert verdict_of(400, 40, 100, 460).verdict == "worse"


def test_not_finding_a_difference_is_undecided_and_not_a_tie():
    found = verdict_of(400, 130, 120, 350)
    assert found.verdict == "undecided"
    assert "neither" in found.reason


def test_equivalence_is_shown_by_few_discordant_items():
    assert verdict_of(450, 20, 22, 508).verdict == "equivalent"


def test_a_proven_difference_within_the_margin_is_equivalent_and_the_reason_says_so():
    # One point of 20,000 items with 4% discordant: p is tiny, and the 90% interval ends before 1.3 points.
    found = verdict_of(10_000, 500, 300, 9_200)
    assert found.p_adjusted < 1e-9
    assert found.verdict == "equivalent"
    assert "it is there" in found.reason
    narrow = Settings(margin=0.005, how=Resampling(resamples=300))
    assert verdict_of(10_000, 500, 300, 9_200, settings=narrow).verdict == "better"


@pytest.mark.parametrize(("n", "verdict"), [(29, None), (30, "better")])
def test_below_thirty_items_there_is_no_verdict(n, verdict):
    assert verdict_of(n - 15, 15, 0, 0).verdict == verdict


def test_below_thirty_clusters_there_is_no_verdict_however_many_items():
    a, b = outcomes(100, 80, 10, 10)
    names = [str(index % 20) for index in range(200)]
    found = compare_outcomes(a, b, Settings(how=Resampling(resamples=300, clusters=names)))
    assert (found.units, found.test) == (20, "sign-flip permutation of clusters")
    assert (found.mid_p, found.effect) == (None, None)
    assert judge_family([found])[0].verdict is None


def test_a_larger_family_asks_for_more_evidence():
    pair = compare_outcomes(*outcomes(400, 60, 36, 504), FEW)
    assert 0.01 < pair.p_value < 0.05
    nothing = compare_outcomes(*outcomes(400, 130, 130, 340), FEW)
    assert judge_family([pair])[0].verdict == "better"
    assert judge_family([pair, nothing, nothing, nothing, nothing])[0].verdict == "undecided"


def test_the_level_is_chosen_before_looking_and_one_for_the_family():
    cells = outcomes(400, 60, 36, 504)
    strict = compare_outcomes(*cells, Settings(alpha=0.01, how=Resampling(resamples=300)))
    assert judge_family([strict])[0].verdict == "undecided"
    with pytest.raises(ValueError, match="one alpha"):
        judge_family([strict, compare_outcomes(*cells, FEW)])


@settings(deadline=None)
@given(st.builds(PairedTable, *[st.integers(0, 60)] * 4).filter(lambda table: table.n > 0))
def test_swapping_the_systems_swaps_better_and_worse(table):
    cells = (table.both_right, table.a_only, table.b_only, table.both_wrong)
    a, b = outcomes(*cells)
    one, other = compare_outcomes(a, b, FEW), compare_outcomes(b, a, FEW)
    assert one.difference.value == -other.difference.value
    assert (one.p_value, one.mid_p) == (other.p_value, other.mid_p)
    swapped = {"better": "worse", "worse": "better", "equivalent": "equivalent", "undecided": "undecided", None: None}
    assert judge_family([one])[0].verdict == swapped[judge_family([other])[0].verdict]


def test_a_comparison_carries_its_parts():
    found = compare_outcomes(*outcomes(59, 6, 16, 80), FEW)
    table = PairedTable(59, 6, 16, 80)
    assert found.difference == score_difference(table)
    assert (found.p_value, found.mid_p, found.test) == (mcnemar_p(table), mcnemar_mid_p(table), "McNemar exact")
    assert found.table.rows == ((59, 6), (16, 80))
    assert found.bootstrap.method == "BCa bootstrap"
    assert found.effect.value == pytest.approx(6 / 22 - 0.5)


def test_no_items_have_no_comparison():
    assert compare_outcomes([], []) is None
    assert compare_scores([], []) is None
    assert equivalence(PairedTable(0, 0, 0, 0)) is None
    assert judge_family([]) == ()


def test_all_items_failed_on_both_sides_are_equivalent_only_where_they_are_many():
    # By hand: with no discordant item the 90% bound is 2.7055 / (n + 2.7055), below 0.03 from n = 88.
    assert verdict_of(0, 0, 0, 87).verdict == "undecided"
    assert verdict_of(0, 0, 0, 88).verdict == "equivalent"


@settings(deadline=None)
@given(st.builds(PairedTable, *[st.integers(0, 300)] * 4).filter(lambda table: table.n > 0))
def test_the_equivalence_test_and_its_interval_say_the_same(table):
    found = equivalence(table, 0.03)
    if min(abs(found.lo + 0.03), abs(found.hi - 0.03)) > 1e-9:
        assert found.shown == (found.p_value < 0.05)


def test_a_margin_is_judged_by_both_of_its_ends():
    near = equivalence(PairedTable(500, 30, 10, 460), 0.03)
    assert near.hi > 0.03
    assert not near.shown
    assert equivalence(PairedTable(500, 30, 10, 460), 0.05).shown


@pytest.mark.parametrize("settings", [{"margin": 0.0}, {"alpha": 0.5}])
def test_margins_and_levels_that_decide_nothing_are_refused(settings):
    with pytest.raises(ValueError, match="margin"):
        Settings(**settings)


def test_scores_are_compared_by_bootstrap_and_sign_flips():
    rng = np.random.default_rng(0)
    skill = rng.beta(2, 2, 400)
    a, b = rng.binomial(8, np.minimum(skill + 0.08, 1)) / 8, rng.binomial(8, skill) / 8
    found = compare_scores(a, b, Settings(how=Resampling(resamples=2000)))
    assert (found.test, found.table, found.mid_p) == ("sign-flip permutation", None, None)
    t = stats.ttest_rel(a, b)
    assert (found.difference.lo, found.difference.hi) == pytest.approx(t.confidence_interval(), abs=0.003)
    assert judge_family([found])[0].verdict == "better"


def test_equal_scores_have_no_interval_and_no_equivalence():
    found = compare_scores([0.5] * 40, [0.5] * 40, FEW)
    assert (found.difference.lo, found.equivalence.shown, found.p_value) == (None, False, 1.0)
    assert judge_family([found])[0].verdict == "undecided"


def simulated(n, chances, cells=1500):
    rng = np.random.default_rng(5)
    return [PairedTable(*map(int, row)) for row in rng.multinomial(n, chances, size=cells)]


def test_exact_mcnemar_keeps_its_level_where_nothing_differs():
    p = [mcnemar_p(table) for table in simulated(1000, [0.35, 0.125, 0.125, 0.4])]
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.055


def test_equivalence_is_claimed_in_at_most_5_percent_at_the_margin_itself():
    shown = [equivalence(table).shown for table in simulated(3000, [0.4, 0.14, 0.11, 0.35])]
    assert np.mean(shown) == pytest.approx(0.05, abs=0.015)


def test_a_family_without_a_difference_claims_one_in_at_most_5_percent():
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(400):
        tables = [PairedTable(*map(int, row)) for row in rng.multinomial(500, [0.35, 0.125, 0.125, 0.4], size=6)]
        wrong += min(holm([mcnemar_p(table) for table in tables])) < 0.05
    assert wrong / 400 < 0.07
