"""Answers in stages: what each threshold gives, against an example by hand and a slow reference."""

import math

import numpy as np
import pytest

from rimbench.statistics.stopping import margins, stages_at, steps


def slow_steps(margin, right):
    """Threshold by threshold, item by item."""
    margin, right = np.asarray(margin), np.asarray(right)
    found = []
    for threshold in sorted({0.0, *np.maximum.accumulate(margin, axis=1).ravel().tolist(), math.inf}):
        stops = []
        for row in margin:
            stop = next((k for k, value in enumerate(row) if value >= threshold), len(row))
            stops.append(stop)
        hits = sum(bool(own[stop]) for own, stop in zip(right, stops, strict=True))
        found.append((threshold, hits / len(right), sum(stops) / len(stops)))
    return found


def test_the_margin_is_the_largest_probability_less_the_next():
    assert margins([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]) == pytest.approx([0.2, 0.7])


def test_a_cascade_of_four_items_by_hand():
    # Margins 0.9, 0.6, 0.3, 0.1. First right on items 1, 2; second right on items 1, 3, 4.
    # Threshold 0: first alone, 2 of 4. Above 0.1 item 4 moves on: 3 of 4. Above 0.3 item 3 too: 4 of 4, with half of
    # the items passed on. Above 0.6 item 2, which the second gets wrong: 3 of 4. Above 0.9: second alone, 3 of 4.
    found = steps([[0.9], [0.6], [0.3], [0.1]], [[1, 1], [1, 0], [0, 1], [0, 1]])
    assert found.thresholds.tolist() == [0.0, 0.1, 0.3, 0.6, 0.9, math.inf]
    assert found.accuracy.tolist() == [0.5, 0.5, 0.75, 1.0, 0.75, 0.75]
    assert found.further.tolist() == [0.0, 0.0, 0.25, 0.5, 0.75, 1.0]
    assert [found.thresholds[place] for place in found.frontier] == [0.0, 0.3, 0.6]
    assert found.thresholds[found.choose()] == 0.6
    assert found.thresholds[found.choose(loss=0.25)] == 0.3
    assert found.thresholds[found.choose(loss=0.5)] == 0.0


def test_three_blocks_by_hand():
    # Item 1 is sure at once, item 2 at the second block, item 3 never: at 0.5 they take 1, 2 and 3 blocks.
    margin = [[0.8, 0.1], [0.2, 0.6], [0.1, 0.2]]
    assert stages_at(margin, 0.5).tolist() == [0, 1, 2]
    found = steps(margin, [[1, 1, 0], [0, 1, 1], [0, 0, 1]])
    place = found.thresholds.tolist().index(0.6)
    assert (found.accuracy[place], found.further[place]) == (1.0, 1.0)


@pytest.mark.parametrize("stages", [2, 3, 9])
def test_thresholds_are_those_of_a_slow_reference(stages):
    rng = np.random.default_rng(stages)
    for n in (1, 2, 40):
        margin = rng.integers(0, 12, size=(n, stages - 1)) / 11  # ties, 0 and 1 among them
        right = rng.integers(0, 2, size=(n, stages))
        found = steps(margin, right)
        columns = zip(*slow_steps(margin, right), strict=True)
        for own, slow in zip((found.thresholds, found.accuracy, found.further), columns, strict=True):
            assert own.tolist() == pytest.approx(slow)
        for threshold, value, further in zip(found.thresholds, found.accuracy, found.further, strict=True):
            stops = stages_at(margin, threshold)
            assert value == pytest.approx(right[np.arange(n), stops].mean())
            assert further == pytest.approx(stops.mean())


def test_of_two_useless_stages_the_first_is_taken():
    found = steps([[0.4], [0.2]], [[0, 0], [0, 0]])
    assert (found.choose(), found.frontier) == (0, [0])


def test_margins_that_do_not_fit_the_outcomes_are_refused():
    with pytest.raises(ValueError, match="are not"):
        steps([[0.1]], [[1, 1], [0, 1]])
