"""pass@k and maj@k against counting every subset, guessers by simulation, and what is undefined."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rimbench.statistics.bootstrap import Resampling
from rimbench.statistics.passk import (
    chance_corrected,
    corrected_for_chance,
    exact_pass_at_k,
    exact_pass_values,
    majority_at_k,
    majority_values,
    option_probabilities,
    pass_at_k,
    pass_probability,
    pass_values,
    uniform_pass_at_k,
)

FEW = Resampling(resamples=200)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(1, 9))
def test_pass_at_k_is_the_share_of_k_subsets_with_a_right_answer(outcomes, k):
    found = pass_probability(sum(outcomes), len(outcomes), k)
    if k > len(outcomes):
        assert found is None
    else:
        subsets = list(combinations(outcomes, k))
        assert found == pytest.approx(sum(map(any, subsets)) / len(subsets), abs=1e-15)


@settings(deadline=None)
@given(n=st.integers(1, 200), data=st.data())
def test_pass_at_k_agrees_with_the_product_of_the_paper(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    product = 1.0 if n - c < k else 1.0 - float(np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))
    assert pass_probability(c, n, k) == pytest.approx(product, abs=1e-12)


def test_pass_at_k_neither_overflows_nor_loses_small_values():
    assert pass_probability(1, 10_000, 3) == pytest.approx(3 / 10_000, rel=1e-15)
    assert 0 < pass_probability(1, 10_000, 9_000) < 1
    assert pass_probability(0, 10_000, 5_000) == 0.0


def test_pass_at_1_is_accuracy_averaged_over_samples():
    found = pass_at_k([8, 4, 0, 1], [8, 8, 8, 8], 1)
    assert found.value == pytest.approx(13 / 32)
    assert (found.n, found.method, found.seed) == (4, "BCa bootstrap", None)


def test_pass_at_k_of_a_hand_worked_suite():
    # C(6, 2) / C(8, 2) = 15 / 28 of the pairs miss both right answers.
    assert pass_at_k([2, 8, 0], [8, 8, 8], 2).value == pytest.approx((13 / 28 + 1 + 0) / 3)


def test_pass_at_k_is_undefined_where_any_question_has_fewer_samples():
    assert pass_at_k([1, 1], [8, 4], 5) is None
    assert pass_at_k([1, 1], [8, 4], 4) is not None
    assert pass_at_k([], [], 1) is None
    assert pass_values([3], [2 + 1], 4) is None


@pytest.mark.parametrize(("right", "lo", "hi"), [(0, 0.0, 0.1135), (8, 0.8865, 1.0)])
def test_a_suite_that_always_fails_or_passes_has_wilson_s_interval(right, lo, hi):
    found = pass_at_k([right] * 30, [8] * 30, 8)
    assert (found.lo, found.hi) == pytest.approx((lo, hi), abs=1e-4)


def test_one_question_has_a_value_and_no_interval():
    found = pass_at_k([4], [8], 1)
    assert (found.value, found.lo, found.hi) == (0.5, None, None)


@pytest.mark.parametrize("k", [0, -1])
def test_a_k_below_1_is_refused(k):
    with pytest.raises(ValueError, match="k = "):
        pass_at_k([1], [8], k)


def slow_majority(letters, gold, k):
    shares = []
    for subset in combinations(letters, k):
        votes = Counter(letter for letter in subset if letter is not None)
        winners = [letter for letter in votes if votes[letter] == max(votes.values())]
        shares.append((gold in winners) / len(winners) if winners else 0.0)
    return sum(shares) / len(shares)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["A", "B", "C", None]), min_size=1, max_size=8), st.data())
def test_maj_at_k_is_the_mean_over_all_k_subsets_with_ties_split(letters, data):
    k = data.draw(st.integers(1, len(letters)))
    assert majority_values([letters], ["A"], k)[0] == pytest.approx(slow_majority(letters, "A", k), abs=1e-12)


@pytest.mark.parametrize(
    ("letters", "share"),
    [("AABB", 0.5), ("AAB", 1.0), ("ABC", 1 / 3), ("BBA", 0.0), ([None, None, "A"], 1.0), ([None, None], 0.0)],
)
def test_the_vote_of_all_samples_splits_ties_and_ignores_the_unparsed(letters, share):
    assert majority_at_k([list(letters)] * 2, ["A", "A"], len(letters)).value == pytest.approx(share)


def test_maj_at_1_is_pass_at_1():
    answers = [["A", "B", None, "A"], ["C", "C", "A", "D"]]
    assert majority_at_k(answers, ["A", "C"], 1).value == pass_at_k([2, 2], [4, 4], 1).value


def test_maj_at_k_is_undefined_without_enough_samples():
    assert majority_at_k([["A"], ["A", "B"]], ["A", "A"], 2) is None
    assert majority_at_k([], [], 1) is None


def test_a_uniform_guesser_passes_90_percent_of_four_options_in_eight_tries():
    assert uniform_pass_at_k([4] * 7, 8) == pytest.approx(1 - 0.75**8)
    assert uniform_pass_at_k([10], 8) == pytest.approx(0.5695, abs=1e-4)
    assert uniform_pass_at_k([], 8) is None


def test_the_guesser_s_pass_at_k_is_what_simulated_guessers_get_on_mixed_suites():
    rng = np.random.default_rng(0)
    options = np.tile([2, 4, 4, 10], 5000)
    right = rng.binomial(8, 1 / options)
    found = pass_at_k(right.tolist(), [8] * 20_000, 4, FEW)
    assert found.value == pytest.approx(uniform_pass_at_k(options.tolist(), 4), abs=0.01)


def test_the_card_s_85_percent_is_below_chance_on_four_options():
    assert chance_corrected(0.85, uniform_pass_at_k([4], 8)) == pytest.approx(-0.499, abs=1e-3)


def test_chance_correction_is_0_for_a_guesser_1_for_perfect_and_undefined_without_room():
    assert chance_corrected(0.25, 0.25) == 0
    assert chance_corrected(1, 0.25) == 1
    assert chance_corrected(1, 1) is None
    scored = pass_at_k([1, 4, 8], [8, 8, 8], 1)
    corrected = corrected_for_chance(scored, 0.25)
    assert corrected.lo == pytest.approx((scored.lo - 0.25) / 0.75)
    assert corrected_for_chance(scored, 1.0) is None
    assert corrected_for_chance(pass_at_k([4], [8], 1), 0.25).lo is None


def test_option_probabilities_divide_log_probabilities_by_the_temperature():
    logs = np.log([[0.8, 0.2]])
    assert option_probabilities(logs)[0] == pytest.approx([0.8, 0.2])
    # At T = 1/2 the odds are squared: 16 to 1.
    assert option_probabilities(logs, 0.5)[0] == pytest.approx([16 / 17, 1 / 17])


def test_filled_up_options_have_no_probability():
    found = option_probabilities([[0.0, 0.0, -np.inf, -np.inf], [0.0, 0.0, 0.0, 0.0]])
    assert found.tolist() == [[0.5, 0.5, 0, 0], [0.25] * 4]


@pytest.mark.parametrize("logs", [[[np.nan, 0.0]], [[-np.inf, -np.inf]], [0.0, 1.0]])
def test_log_probabilities_that_are_none_are_refused(logs):
    with pytest.raises(ValueError, match="log-probabilities"):
        option_probabilities(logs)


def test_a_temperature_of_0_is_no_sampling():
    with pytest.raises(ValueError, match="above 0"):
        exact_pass_at_k([[0.0, 0.0]], [0], 8, 0.0)


def test_the_exact_pass_at_k_keeps_certain_and_tiny_probabilities():
    values = exact_pass_values([[0.0, -np.inf], [0.0, -np.inf], [-40.0, 0.0]], [0, 1, 0], 8, 1.0)
    assert values.tolist() == pytest.approx([1.0, 0.0, 8 * math.exp(-40)], rel=1e-9)


def test_the_sampled_pass_at_k_agrees_with_the_exact_one():
    rng = np.random.default_rng(0)
    logs = np.log(rng.dirichlet([1, 1, 1, 1], size=4000))
    gold = rng.integers(0, 4, 4000)
    p = option_probabilities(logs, 0.7)[np.arange(4000), gold]
    sampled = pass_at_k(rng.binomial(8, p).tolist(), [8] * 4000, 4, FEW)
    exact = exact_pass_at_k(logs, gold, 4, 0.7, FEW)
    assert sampled.lo < exact.value < sampled.hi
    assert exact_pass_at_k(np.empty((0, 4)), [], 4, 0.7) is None


def test_clusters_of_questions_are_resampled_whole():
    right, names = [0, 0, 8, 8] * 10, ["a", "a", "b", "b"] * 10
    pairs = [f"{name}{index // 4}" for index, name in enumerate(names)]
    wide = pass_at_k(right, [8] * 40, 1, Resampling(clusters=pairs))
    narrow = pass_at_k(right, [8] * 40, 1)
    assert wide.hi - wide.lo > 1.3 * (narrow.hi - narrow.lo)


@pytest.mark.parametrize(("n", "k", "floor"), [(50, 1, 0.93), (50, 8, 0.92), (1000, 1, 0.93), (1000, 8, 0.93)])
def test_intervals_over_questions_cover_the_population(n, k, floor):
    rng = np.random.default_rng(7)
    truth = 0.5 if k == 1 else 1 - math.prod((0.5 + i) / (1 + i) for i in range(8))
    hits = 0
    for _ in range(500):
        right = rng.binomial(8, rng.beta(0.5, 0.5, n))
        found = pass_at_k(right.tolist(), [8] * n, k, Resampling(resamples=1000))
        hits += found.lo <= truth <= found.hi
    assert floor <= hits / 500 <= 0.98
