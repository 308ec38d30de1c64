"""Intervals of times that hang together, worked by hand."""

import math

import numpy as np
import pytest

from rimbench.statistics.times import mean_time, ratio_of_times

T2 = 4.302653  # Student's t of two degrees of freedom, 97.5%


def test_an_interval_is_over_the_means_of_the_processes():
    # Means of 10, 11 and 12.1 ms, a tenth more each time: logarithms ln 1.1 apart, whose standard deviation that is.
    found = mean_time([9, 11, 10, 12, 12.1, 12.1], (2, 2, 2))
    reach = math.exp(T2 * math.log(1.1) / math.sqrt(3))
    assert found.value == pytest.approx(66.2 / 6)
    assert (found.lo, found.hi) == (pytest.approx(66.2 / 6 / reach), pytest.approx(66.2 / 6 * reach))
    assert (found.n, found.method) == (6, "t over 3 processes, of logarithms")


def test_a_single_process_is_taken_in_thirds():
    of_one, of_three = (mean_time([9, 11, 10, 12, 12.1, 12.1], taken) for taken in ((6,), (2, 2, 2)))
    assert (of_one.lo, of_one.hi) == (of_three.lo, of_three.hi)
    assert of_one.method == "t over 3 blocks of one process, of logarithms"


def test_what_slows_both_sides_of_a_process_falls_out_of_its_ratio():
    slowed = np.repeat([1.0, 3.0, 0.5], 4)
    found = ratio_of_times(slowed * 30.1, slowed * 10, (4, 4, 4))
    assert found.value == pytest.approx(3.01)
    assert found.lo is None or found.hi - found.lo < 1e-9


def test_the_ratio_turned_round_has_the_interval_turned_round():
    slow, fast = [30.0, 33, 31, 36, 30, 29], [10.0, 11, 10, 10, 11, 9]
    there, back = ratio_of_times(slow, fast, (2, 2, 2)), ratio_of_times(fast, slow, (2, 2, 2))
    assert (there.lo, there.hi) == (pytest.approx(1 / back.hi), pytest.approx(1 / back.lo))


def test_a_higher_level_is_wider_and_two_processes_are_little_to_go_by():
    low, high = (mean_time([10.0, 11, 12], (1, 1, 1), level) for level in (0.9, 0.99))
    assert high.hi - high.lo > low.hi - low.lo
    two = mean_time([10.0, 11.0], (1, 1))
    assert two.hi / two.value == pytest.approx(math.exp(12.7062 * math.log(1.1) / 2), rel=1e-4)  # t of one degree


def test_where_nothing_varies_or_there_is_one_time_there_is_no_interval():
    for ms, taken in (([5.0] * 6, (6,)), ([5.0] * 6, (2, 2, 2)), ([5.0], (1,))):
        found = mean_time(ms, taken)
        assert (found.value, found.lo, found.hi) == (5.0, None, None)


def test_times_far_apart_have_finite_ends():
    found = mean_time([1e-9, 1e15, 1e-9], (1, 1, 1))
    assert 0 < found.lo < found.value < found.hi < math.inf


@pytest.mark.parametrize("taken", [(1, 1), (4,), ()])
def test_counts_that_do_not_add_up_are_refused(taken):
    with pytest.raises(ValueError, match="3 times, of which"):
        mean_time([1.0, 2.0, 3.0], taken)
