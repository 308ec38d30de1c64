"""The measuring loop: calls in turn, warm-up until stable, as many samples as ruled; on a clock of its own."""

import itertools

import pytest

from rimbench.errors import EngineError
from rimbench.latency import timing
from rimbench.latency.timing import StoppingRules, time_in_turn


@pytest.fixture
def clock(monkeypatch):
    """A clock that calls move: `clock.spend(s)` inside a call is what the call takes."""

    class Clock:
        now = 0.0

        def spend(self, seconds):
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock.now)
    return clock


def test_calls_are_made_in_turn_with_the_number_of_their_round(clock):
    made = []
    calls = {name: lambda number, name=name: (made.append((name, number)), clock.spend(1.0)) for name in "AB"}
    timed = time_in_turn(calls, StoppingRules(least=3, most=3))
    assert made[-6:] == [("A", 0), ("B", 0), ("A", 1), ("B", 1), ("A", 2), ("B", 2)]
    assert timed["A"].samples == [1.0, 1.0, 1.0]


def test_warm_up_ends_when_two_windows_agree_and_not_before(clock):
    durations = itertools.chain([8.0, 4.0, 3.0, 2.0, 1.5, 1.0], itertools.repeat(1.0))
    timed = time_in_turn({"A": lambda _: clock.spend(next(durations))}, StoppingRules(least=2, most=2))
    assert timed["A"].first == 8.0
    assert timed["A"].warm_up[-3:] == [1.0, 1.0, 1.0]
    assert len(timed["A"].warm_up) == 9  # the first two windows of three whose medians agree
    assert timed["A"].samples == [1.0, 1.0]


def test_warm_up_that_never_settles_ends_at_its_limit(clock):
    durations = (2.0**i for i in itertools.count())
    timed = time_in_turn(
        {"A": lambda _: clock.spend(next(durations))}, StoppingRules(least=2, most=2, warm_up_most=7)
    )
    assert len(timed["A"].warm_up) == 7


def test_a_steady_call_gets_the_least_samples_and_a_noisy_one_more(clock):
    steady = time_in_turn({"A": lambda _: clock.spend(1.0)}, StoppingRules(least=5, most=50))
    assert len(steady["A"].samples) == 5
    durations = itertools.cycle([1.0, 3.0])
    noisy = time_in_turn({"A": lambda _: clock.spend(next(durations))}, StoppingRules(least=5, most=50, seconds=1e9))
    assert len(noisy["A"].samples) == 50


def test_measuring_ends_when_its_time_is_over(clock):
    durations = itertools.cycle([1.0, 3.0])
    timed = time_in_turn({"A": lambda _: clock.spend(next(durations))}, StoppingRules(least=5, most=50, seconds=20))
    assert len(timed["A"].samples) == 11  # the round that passes 20 s is the last


def test_rounds_are_told(clock):
    heard = []
    time_in_turn({"A": lambda _: clock.spend(1.0)}, StoppingRules(least=3, most=3), heard.append)
    assert heard == [0, 1, 2]


def test_a_clock_that_goes_backwards_ends_the_measurement(clock):
    with pytest.raises(EngineError, match="clock went backwards by 2 s"):
        time_in_turn({"A": lambda _: clock.spend(-2.0)}, StoppingRules(least=2, most=2))


@pytest.mark.parametrize(("calls", "most"), [({}, 5), ({"A": lambda _: None}, 0)])
def test_no_sample_after_warm_up_is_an_error(clock, calls, most):
    with pytest.raises(EngineError, match="no sample was taken after warm-up"):
        time_in_turn(calls, StoppingRules(least=0, most=most))


def test_whether_warm_up_settled_is_kept(clock):
    steady = time_in_turn({"A": lambda _: clock.spend(1.0)}, StoppingRules(least=2, most=2))
    durations = (2.0**i for i in itertools.count())
    growing = time_in_turn({"A": lambda _: clock.spend(next(durations))}, StoppingRules(least=2, most=2))
    assert steady["A"].settled and not growing["A"].settled
