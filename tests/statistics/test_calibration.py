"""ECE, Brier, reliability, risk against coverage: by hand, against slow loops, on systems known to be calibrated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rimbench.statistics.bootstrap import Resampling
from rimbench.statistics.calibration import (
    brier_score,
    expected_calibration_error,
    predictions,
    reliability,
    risk_coverage,
    selective_accuracy,
)
from rimbench.statistics.estimate import wilson
from rimbench.statistics.passk import option_probabilities

FEW = Resampling(resamples=200)
# Four items: confidence 0.9 right, 0.9 wrong, 0.6 right, 0.5 right (a tie that the first letter wins).
TABLE = [[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.5, 0.5]]
GOLD = [0, 1, 1, 0]


def calibrated(n, options=4, seed=0):
    rng = np.random.default_rng(seed)
    table = rng.dirichlet(np.ones(options), size=n)
    gold = np.array([rng.choice(options, p=row) for row in table])
    return table, gold


def test_a_prediction_is_the_most_probable_option_and_ties_go_to_the_first():
    found = predictions(TABLE, GOLD)
    assert found.confidence.tolist() == [0.9, 0.9, 0.6, 0.5]
    assert found.correct.tolist() == [1, 0, 1, 1]


def test_ece_of_a_hand_worked_table():
    # Bin of 0.9: accuracy 0.5, gap 0.4, half of the items; 0.6: gap 0.4; 0.5: gap 0.5; a quarter each.
    found = expected_calibration_error(predictions(TABLE, GOLD), bins=10)
    assert found.ece.value == pytest.approx(0.4 / 2 + 0.4 / 4 + 0.5 / 4)
    assert (found.bins, found.ece.n, found.ece.method) == (10, 4, "basic bootstrap")


def slow_ece(table, gold, bins):
    total = 0.0
    for low in range(bins):
        inside = [
            (max(row), int(np.argmax(row) == right))
            for row, right in zip(table, gold, strict=True)
            if low / bins < max(row) <= (low + 1) / bins
        ]
        if inside:
            total += abs(sum(c for c, _ in inside) - sum(r for _, r in inside)) / len(table)
    return total


@settings(deadline=None)
@given(st.integers(1, 80), st.integers(1, 20), st.integers(0, 1000))
def test_ece_agrees_with_a_loop_over_bins(n, bins, seed):
    table, gold = calibrated(n, seed=seed)
    found = expected_calibration_error(predictions(table, gold), bins, FEW)
    assert found.ece.value == pytest.approx(slow_ece(table, gold, bins), abs=1e-12)


def test_bin_edges_belong_to_the_lower_bin_and_certainty_to_the_last():
    bins = reliability(predictions([[0.6, 0.4], [1.0, 0.0]], [0, 0]), bins=5)
    assert [(found.lower, found.upper, found.n) for found in bins] == [(0.4, 0.6, 1), (0.8, 1.0, 1)]


def test_reliability_skips_empty_bins_and_counts_every_item_once():
    table, gold = calibrated(300)
    bins = reliability(predictions(table, gold))
    assert sum(found.n for found in bins) == 300
    assert all(found.lower < found.confidence <= found.upper for found in bins)
    assert bins[0].lower >= 3 / 15  # with four options the largest is at least 0.25
    first = bins[0]
    assert first.accuracy == wilson(round(first.accuracy.value * first.n), first.n)


def test_a_calibrated_system_shows_no_more_ece_than_its_floor():
    found = expected_calibration_error(predictions(*calibrated(1000)))
    assert found.ece.value == pytest.approx(found.floor, abs=0.015)
    assert found.floor > 0.02  # noise alone looks like 2 to 3 points of miscalibration at n = 1000


def test_an_overconfident_system_shows_more_than_its_floor_and_its_interval_holds_the_truth():
    table, gold = calibrated(4000)
    sharpened = option_probabilities(np.log(table), 0.4)
    found = expected_calibration_error(predictions(sharpened, gold))
    assert found.ece.lo > 3 * found.floor
    # The truth: the mean gap between the sharpened confidence and the calibrated one, near enough at this size.
    top = sharpened.argmax(axis=1)
    truth = np.mean(sharpened.max(axis=1) - table[np.arange(4000), top])
    assert found.ece.lo < truth < found.ece.hi


def test_an_interval_beside_the_ece_itself_is_that_of_the_corrected_one_alone():
    # 400 items that are right as often as they are sure: what is left of an ECE is bias.
    confidence = np.linspace(0.51, 0.99, 400)
    right = (np.arange(400) * 0.6180339887) % 1 < confidence
    table = np.column_stack([confidence, 1 - confidence])
    found = expected_calibration_error(predictions(table, np.where(right, 0, 1)))
    assert found.corrected.hi < found.ece.value
    assert (found.ece.lo, found.ece.hi) == (None, None)
    assert found.corrected.lo <= found.corrected.value <= found.corrected.hi


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(2, 5), st.integers(0, 1000), st.booleans())
def test_every_interval_of_a_readout_holds_its_own_value(n, options, seed, clustered):
    table, gold = calibrated(n, options, seed)
    names = [str(i // 3) for i in range(n)] if clustered else None
    scored = predictions(table, gold, names)
    error = expected_calibration_error(scored, how=FEW)
    how = Resampling(resamples=200, clusters=names)
    for found in (
        error.ece, error.corrected, brier_score(table, gold, how), risk_coverage(scored, FEW).area,
        selective_accuracy(scored, 0.5),
    ):  # fmt: skip
        assert found.lo is None or found.lo - 1e-9 <= found.value <= found.hi + 1e-9


def test_brier_of_a_hand_worked_table():
    # 2 x 0.01, 2 x 0.81, 2 x 0.16, 2 x 0.25 over four items.
    assert brier_score(TABLE, GOLD).value == pytest.approx((0.02 + 1.62 + 0.32 + 0.5) / 4)


def test_brier_of_certainty_and_of_uniform_guesses_on_mixed_option_counts():
    assert brier_score([[1.0, 0.0], [0.0, 1.0]], [0, 1]).value == 0
    assert brier_score([[1.0, 0.0]] * 3, [1, 1, 1]).value == 2
    uniform = option_probabilities([[0, 0, -np.inf, -np.inf], [0, 0, 0, 0]])
    # 1 - 1/m each: two options 0.5, four options 0.75.
    assert brier_score(uniform, [0, 3]).value == pytest.approx(0.625)


def test_brier_agrees_with_a_loop_over_options():
    table, gold = calibrated(200)
    slow = [
        sum((p - (index == right)) ** 2 for index, p in enumerate(row))
        for row, right in zip(table, gold, strict=True)
    ]
    found = brier_score(table, gold)
    assert found.value == pytest.approx(np.mean(slow))
    assert found.lo < found.value < found.hi


def test_a_risk_has_wilsons_interval_of_the_answers_up_to_its_place():
    found = risk_coverage(predictions(TABLE, GOLD))
    for place, risk in enumerate(found.risk):
        assert found.interval(place) == wilson(risk * (place + 1), place + 1)


def test_the_risk_coverage_curve_of_a_hand_worked_table():
    # The two 0.9s are tied: half an error after one item, one after two; then 1/3 and 1/4.
    found = risk_coverage(predictions(TABLE, GOLD))
    assert found.coverage == (0.25, 0.5, 0.75, 1.0)
    assert found.risk == pytest.approx((0.5, 0.5, 1 / 3, 1 / 4))
    assert found.area.value == pytest.approx((0.5 + 0.5 + 1 / 3 + 1 / 4) / 4)


def test_ties_are_worth_the_mean_over_all_their_orders():
    rng = np.random.default_rng(0)
    correct = rng.random(40) < 0.6
    confidence = np.repeat([0.9, 0.8, 0.7, 0.6], 10)
    table = np.column_stack([confidence, 1 - confidence])
    found = risk_coverage(predictions(table, np.where(correct, 0, 1)), FEW)
    areas = []
    for _ in range(3000):
        order = np.lexsort((rng.random(40), -confidence))
        areas.append((np.cumsum(~correct[order]) / np.arange(1, 41)).mean())
    assert found.area.value == pytest.approx(np.mean(areas), abs=0.003)


def test_confidence_that_knows_its_errors_has_less_area_than_one_that_does_not():
    table, gold = calibrated(1000)
    informed = risk_coverage(predictions(table, gold), FEW).area
    uninformed = risk_coverage(predictions([[0.3, 0.3, 0.2, 0.2]] * 1000, gold), FEW).area
    assert informed.hi < uninformed.value == pytest.approx(np.mean(gold != 0))


def test_the_area_s_interval_covers_the_area_of_a_large_population():
    big = risk_coverage(predictions(*calibrated(60_000)), Resampling(resamples=2)).area.value
    hits = 0
    for seed in range(1, 121):
        area = risk_coverage(predictions(*calibrated(200, seed=seed)), FEW).area
        hits += area.lo <= big <= area.hi
    assert hits / 120 > 0.88


def test_resampled_areas_are_those_of_the_resampled_items():
    # A slow bootstrap of the same definition; its tails agree within the noise of 2,000 draws.
    scored = predictions(*calibrated(60, seed=2))
    rng, slow = np.random.default_rng(1), []
    for _ in range(2000):
        picked = np.sort(rng.integers(0, 60, 60))
        slow.append((np.cumsum(1 - scored.correct[picked]) / np.arange(1, 61)).mean())
    found = risk_coverage(scored, Resampling(resamples=4000)).area
    assert (found.lo, found.hi) == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.02)


def test_resampled_calibration_errors_are_those_of_the_resampled_items():
    table, gold = calibrated(60, seed=2)
    rng, slow = np.random.default_rng(1), []
    for _ in range(1000):
        picked = rng.integers(0, 60, 60)
        slow.append(slow_ece(table[picked], gold[picked], 5))
    found = expected_calibration_error(predictions(table, gold), 5, Resampling(resamples=4000)).ece
    low, high = np.quantile(slow, [0.025, 0.975])
    expected = (max(0, 2 * found.value - high), max(0, 2 * found.value - low))
    assert (found.lo, found.hi) == pytest.approx(expected, abs=0.02)


def test_the_floor_is_the_mean_error_of_simulated_calibrated_outcomes():
    table, _ = calibrated(300)
    rng = np.random.default_rng(4)
    drawn = []
    for _ in range(200):
        gold = (rng.random((300, 1)) > np.cumsum(table, axis=1)).sum(axis=1).clip(max=3)
        drawn.append(expected_calibration_error(predictions(table, gold), how=FEW).ece.value)
    assert expected_calibration_error(predictions(table, gold)).floor == pytest.approx(np.mean(drawn), abs=0.004)


def test_an_area_without_errors_has_no_spread():
    area = risk_coverage(predictions([[0.9, 0.1], [0.8, 0.2]], [0, 0])).area
    assert (area.value, area.lo, area.hi) == (0.0, None, None)


def test_selective_accuracy_answers_the_most_confident_items_only():
    scored = predictions(TABLE, GOLD)
    assert selective_accuracy(scored, 1.0).value == pytest.approx(0.75)
    assert selective_accuracy(scored, 0.75).value == pytest.approx(2 / 3)
    assert selective_accuracy(scored, 0.25).value == pytest.approx(0.5)
    assert selective_accuracy(scored, 0.26).n == 2
    assert selective_accuracy(predictions(*calibrated(30)), 0.1).n == 3
    with pytest.raises(ValueError, match="coverage"):
        selective_accuracy(scored, 0.0)


@settings(deadline=None)
@given(st.randoms())
def test_the_order_of_items_changes_nothing(random):
    table, gold = calibrated(60)
    table = np.round(table, 1)
    table /= table.sum(axis=1, keepdims=True)
    order = list(range(60))
    random.shuffle(order)
    one, other = predictions(table, gold), predictions(table[order], gold[order])
    assert expected_calibration_error(one, 15, FEW) == expected_calibration_error(other, 15, FEW)
    assert risk_coverage(one, FEW) == risk_coverage(other, FEW)
    assert brier_score(table, gold, FEW) == brier_score(table[order], gold[order], FEW)


def test_no_items_have_no_calibration():
    nothing = predictions(np.empty((0, 4)), [])
    assert expected_calibration_error(nothing) is None
    assert brier_score(np.empty((0, 4)), []) is None
    assert risk_coverage(nothing) is None
    assert selective_accuracy(nothing, 0.5) is None
    assert reliability(nothing) == ()


def test_one_item_has_values_and_no_intervals():
    one = predictions([[0.7, 0.3]], [0])
    found = expected_calibration_error(one)
    assert (found.ece.value, found.ece.lo) == (pytest.approx(0.3), None)
    assert risk_coverage(one).area.lo is None
    assert brier_score([[0.7, 0.3]], [0]).lo is None


@pytest.mark.parametrize(
    ("table", "gold", "fault"),
    [
        ([[0.5, 0.6]], [0], "add up to 1"),
        ([[1.2, -0.2]], [0], "add up to 1"),
        ([[0.5, 0.5]], [2], "names a column"),
        ([[0.5, 0.5]], [0, 1], "are not"),
    ],
)
def test_what_is_no_distribution_over_options_is_refused(table, gold, fault):
    with pytest.raises(ValueError, match=fault):
        predictions(table, gold)
    with pytest.raises(ValueError, match=fault):
        brier_score(table, gold)


def test_curves_refuse_clusters_in_another_order_than_theirs():
    with pytest.raises(ValueError, match="clusters"):
        risk_coverage(predictions(TABLE, GOLD), Resampling(clusters=["a", "a", "b", "b"]))
    with pytest.raises(ValueError, match="4 items, 1 cluster labels"):
        predictions(TABLE, GOLD, ["a"])


def test_clusters_are_resampled_whole_whatever_their_size():
    # Clusters of 1 to 5 items, all of a cluster alike, by a slow bootstrap of the same definitions.
    rng = np.random.default_rng(3)
    names = np.repeat(np.arange(40), rng.integers(1, 6, 40))
    of_cluster, gold_of_cluster = calibrated(40, seed=5)
    table, gold = of_cluster[names], gold_of_cluster[names]
    scored = predictions(table, gold, [str(name) for name in names])
    areas, errors = [], []
    for _ in range(2000):
        picked = np.concatenate([np.flatnonzero(names == name) for name in rng.integers(0, 40, 40)])
        drawn = predictions(table[picked], gold[picked])
        areas.append((np.cumsum(1 - drawn.correct) / np.arange(1, len(picked) + 1)).mean())
        errors.append(slow_ece(table[picked], gold[picked], 5))
    area = risk_coverage(scored, Resampling(resamples=4000)).area
    assert (area.lo, area.hi) == pytest.approx(np.quantile(areas, [0.025, 0.975]), abs=0.03)
    error = expected_calibration_error(scored, 5, Resampling(resamples=4000)).ece
    low, high = np.quantile(errors, [0.025, 0.975])
    expected = (max(0, 2 * error.value - high), max(0, 2 * error.value - low))
    assert (error.lo, error.hi) == pytest.approx(expected, abs=0.03)
    alone = risk_coverage(predictions(table, gold), Resampling(resamples=4000)).area
    assert area.hi - area.lo > 1.3 * (alone.hi - alone.lo)


def test_with_clusters_the_surer_half_has_their_interval_too():
    names = [str(i // 5) for i in range(100)]
    table, gold = calibrated(20, seed=1)
    scored = predictions(np.repeat(table, 5, axis=0), np.repeat(gold, 5), names)
    found = selective_accuracy(scored, 0.5)
    assert (found.n, found.method) == (50, "BCa bootstrap over 10 clusters")
