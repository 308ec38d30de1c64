"""Coverage at a risk that is guaranteed, against examples by hand, published bounds and a slow reference."""

import numpy as np
import pytest
from scipy.stats import beta, binom

from rimbench.statistics.bootstrap import ITEMWISE, Resampling
from rimbench.statistics.selective import certified_coverage, needed, upper_bound


def slow_certified(confidence, right, choosing, risk):
    """The threshold, by walking down the choosing half's confidences and testing each on the other half."""
    fit = sorted(zip(confidence[choosing], right[choosing], strict=True), reverse=True)
    judge = list(zip(confidence[~choosing], right[~choosing], strict=True))

    def p_value(pairs, threshold):
        taken = [own for value, own in pairs if value >= threshold]
        return binom.cdf(len(taken) - sum(taken), len(taken), risk) if taken else 1.0

    levels = sorted({value for value, _ in fit}, reverse=True)
    surest = min(p_value(fit, level) for level in levels)
    begin = next(i for i, level in enumerate(levels) if p_value(fit, level) == pytest.approx(surest, rel=1e-9))
    certified = None
    for level in levels[begin:]:
        if p_value(judge, level) > 0.05:
            break
        certified = level
    return certified


def test_as_many_answers_without_an_error_are_needed_as_the_rule_of_three_says():
    assert [needed(risk) for risk in (0.01, 0.05, 0.1)] == [299, 59, 29]
    assert 0.95**59 <= 0.05 < 0.95**58


def test_the_upper_bound_is_that_of_clopper_and_pearson():
    assert upper_bound(0, 59) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert upper_bound(3, 50) == pytest.approx(beta.ppf(0.95, 4, 47))
    assert upper_bound(5, 5) == 1.0


def test_sixty_right_answers_certify_their_confidence_at_five_percent_and_not_at_one():
    # Each half: 60 items of confidence 0.9, all right, and 60 of 0.5, all wrong.
    confidence = np.array([0.9, 0.5] * 120)
    right = confidence > 0.6
    choosing = np.arange(240) % 4 < 2
    found = certified_coverage(confidence, right, choosing, 0.05, ITEMWISE)
    assert (found.threshold, found.answered, found.wrong, found.n) == (0.9, 60, 0, 120)
    assert found.bound == pytest.approx(1 - 0.05 ** (1 / 60))
    assert found.coverage.value == 0.5
    at_one = certified_coverage(confidence, right, choosing, 0.01, ITEMWISE)
    assert (at_one.threshold, at_one.coverage) == (None, None)
    assert at_one.reason == "120 items judge: 299 without an error would be needed"


def test_a_threshold_that_fails_on_the_other_half_is_not_certified():
    confidence = np.full(200, 0.8)
    choosing = np.arange(200) < 100
    right = choosing | (np.arange(200) % 2 == 0)  # all right where it is chosen, half of them where it is judged
    found = certified_coverage(confidence, right, choosing, 0.1, ITEMWISE)
    assert found.threshold is None
    assert found.reason == "50 of 100 answers are wrong at the threshold that looked surest"


def test_clusters_certify_nothing():
    found = certified_coverage(
        np.full(100, 0.9), np.ones(100), np.arange(100) < 50, 0.1, Resampling(clusters=["a"] * 100)
    )
    assert found.threshold is None
    assert "clusters" in found.reason


@pytest.mark.parametrize("seed", range(8))
def test_thresholds_are_those_of_a_slow_reference(seed):
    rng = np.random.default_rng(seed)
    confidence = np.round(rng.uniform(0.25, 1, 400), 2)
    right = rng.uniform(size=400) < confidence**0.3
    choosing = rng.permutation(400) < 200
    for risk in (0.05, 0.1, 0.2):
        expected = slow_certified(confidence, right, choosing, risk)
        assert certified_coverage(confidence, right, choosing, risk, ITEMWISE).threshold == expected
