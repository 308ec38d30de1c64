"""Power and sample sizes: against statsmodels, against each other, and by simulating the tests they are about."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import power_proportions_2indep

from rimbench.statistics.paired import PairedTable, mcnemar_mid_p, mcnemar_p
from rimbench.statistics.power import (
    detectable_paired,
    detectable_unpaired,
    items_equivalence,
    items_paired,
    items_unpaired,
    power_equivalence,
    power_unpaired,
)
from rimbench.statistics.unpaired import two_proportion_test
from rimbench.statistics.verdict import equivalence


def simulated_power(n, difference, discordant, p_value):
    a_only, b_only = (discordant + difference) / 2, (discordant - difference) / 2
    rows = np.random.default_rng(1).multinomial(n, [a_only, b_only, 1 - discordant], size=2000)
    return np.mean([p_value(PairedTable(int(rest), int(a), int(b), 0)) < 0.05 for a, b, rest in rows])


def power_paired(n, difference, discordant):
    """The power of McNemar's test at 5% on n shared items against a true difference: Connor 1987."""
    reach = difference * math.sqrt(n) - NormalDist().inv_cdf(0.975) * math.sqrt(discordant)
    return NormalDist().cdf(reach / math.sqrt(discordant - difference**2))


@pytest.mark.parametrize(("n", "discordant"), [(1000, 0.25), (1000, 0.10), (300, 0.30)])
def test_the_detectable_paired_difference_is_found_in_80_percent(n, discordant):
    difference = detectable_paired(n, discordant)
    assert simulated_power(n, difference, discordant, mcnemar_mid_p) == pytest.approx(0.80, abs=0.03)
    # The exact test is a little behind, as the module says.
    assert 0.75 < simulated_power(n, difference, discordant, mcnemar_p) <= 0.82


def test_a_thousand_items_detect_about_four_and_a_half_points_paired_and_six_unpaired():
    assert detectable_paired(1000, 0.25) == pytest.approx(0.0442, abs=5e-4)
    assert detectable_unpaired(1000, 0.47) == pytest.approx(0.0625, abs=5e-4)


@settings(deadline=None)
@given(st.integers(30, 5000), st.floats(0.05, 0.6), st.floats(0.55, 0.95))
def test_paired_power_size_and_difference_undo_each_other(n, discordant, power):
    difference = detectable_paired(n, discordant, power)
    if difference is not None and difference < discordant * 0.999:
        assert power_paired(n, difference, discordant) == pytest.approx(power, abs=1e-6)
        assert abs(items_paired(difference, discordant, power) - n) <= 1


def test_power_below_one_half_takes_the_smaller_root():
    assert power_paired(1000, detectable_paired(1000, 0.25, power=0.3), 0.25) == pytest.approx(0.3, abs=1e-6)


@settings(deadline=None)
@given(st.integers(30, 5000), st.floats(0.05, 0.7), st.floats(0.55, 0.95))
def test_unpaired_power_size_and_difference_undo_each_other(n, base, power):
    difference = detectable_unpaired(n, base, power)
    if difference is not None and difference < (1 - base) * 0.999:
        assert power_unpaired(n, base, difference) == pytest.approx(power, abs=1e-6)
        assert abs(items_unpaired(difference, base, power) - n) <= 1


@pytest.mark.parametrize(("n", "base", "difference"), [(1000, 0.47, 0.06), (300, 0.2, 0.1), (100, 0.5, 0.15)])
def test_unpaired_power_agrees_with_statsmodels(n, base, difference):
    theirs = power_proportions_2indep(difference, base, n, alternative="larger", alpha=0.025, return_results=False)
    assert power_unpaired(n, base, difference) == pytest.approx(theirs, abs=1e-9)


def test_the_detectable_unpaired_difference_is_found_in_80_percent():
    difference = detectable_unpaired(1000, 0.47)
    rng = np.random.default_rng(2)
    pairs = zip(rng.binomial(1000, 0.47 + difference, 2000), rng.binomial(1000, 0.47, 2000), strict=True)
    found = [two_proportion_test(int(a), 1000, int(b), 1000).p_value < 0.05 for a, b in pairs]
    assert np.mean(found) == pytest.approx(0.80, abs=0.03)


@pytest.mark.parametrize(
    ("n", "discordant", "difference"), [(2500, 0.25, 0.0), (1500, 0.10, 0.01), (1000, 0.25, 0.0)]
)
def test_the_power_of_equivalence_is_that_of_the_score_test(n, discordant, difference):
    a_only, b_only = (discordant + difference) / 2, (discordant - difference) / 2
    rows = np.random.default_rng(1).multinomial(n, [a_only, b_only, 1 - discordant], size=1500)
    shown = [equivalence(PairedTable(int(rest), int(a), int(b), 0)).shown for a, b, rest in rows]
    assert np.mean(shown) == pytest.approx(power_equivalence(n, discordant, 0.03, difference), abs=0.04)


@settings(deadline=None)
@given(st.floats(0.01, 0.2), st.floats(0.02, 0.6), st.floats(0.5, 0.95))
def test_the_items_for_equivalence_reach_their_power_and_one_fewer_does_not(margin, discordant, power):
    n = items_equivalence(margin, discordant, power)
    assert power_equivalence(n, discordant, margin) >= power - 1e-9
    if n > 2:
        assert power_equivalence(n - 1, discordant, margin) < power + 1e-9


def test_a_thousand_items_rarely_show_equivalence_within_three_points():
    assert power_equivalence(1000, 0.25, 0.03) == pytest.approx(0.20, abs=0.005)
    assert items_equivalence(0.03, 0.25) == 2379


def test_what_cannot_be_detected_is_undefined():
    assert detectable_paired(20, 0.05) is None
    assert detectable_paired(1000, 0.0) is None
    assert items_paired(0.3, 0.2) is None
    assert detectable_unpaired(5, 0.9) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: detectable_paired(0, 0.2),
        lambda: detectable_paired(10, 1.2),
        lambda: detectable_paired(10, 0.2, power=1.0),
        lambda: items_paired(0.0, 0.2),
        lambda: power_unpaired(10, 0.9, 0.2),
        lambda: items_unpaired(0.0, 0.5),
        lambda: power_equivalence(10, 0.2, 0.0),
        lambda: items_equivalence(0.03, 0.2, power=0.0),
    ],
)
def test_impossible_questions_are_refused(call):
    with pytest.raises(ValueError, match=r"\d"):
        call()


def test_certain_outcomes_have_certain_power():
    assert power_unpaired(100, 0.0, 1.0) == 1.0
    assert power_equivalence(100, 0.0, 0.03) == 1.0
    assert math.isclose(power_equivalence(10, 0.5, 0.01), 0.0)
