"""The measuring loop: calls in turn, warm-up until stable, as many samples as ruled; on a clock of its own."""

import itertools
from collections import Counter

import pytest

from rimbench.errors import EngineError
from rimbench.latency import timing
from rimbench.latency.timing import StoppingRules, is_warm, orders, time_in_turn


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
    timed = time_in_turn(calls, StoppingRules(least=3, most=3), start=7)
    assert [number for _, number in made[-6:]] == [7, 7, 8, 8, 9, 9]
    assert [{name for name, _ in made[-6:][i : i + 2]} for i in (0, 2, 4)] == [{"A", "B"}] * 3
    assert {number for _, number in made[:-6]} == {7}  # warm-up has the same batch throughout
    assert timed["A"].samples == [1.0, 1.0, 1.0]
    for name in "AB":
        assert [made[-6:][2 * i + place][0] for i, place in enumerate(timed[name].places)] == [name] * 3


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7])
def test_each_call_is_at_every_place_once_in_as_many_rounds_as_there_are_calls(count):
    names = [str(i) for i in range(count)]
    rounds = list(itertools.islice(orders(names, "0"), 3 * count))
    for start in range(0, len(rounds), count):
        square = rounds[start : start + count]
        assert all(sorted(row) == sorted(names) for row in (*square, *zip(*square, strict=True)))


@pytest.mark.parametrize("count", [2, 4, 6])
def test_each_call_comes_behind_each_other_equally_often(count):
    rounds = list(itertools.islice(orders([str(i) for i in range(count)], "0"), count))
    behind = Counter(pair for row in rounds for pair in itertools.pairwise(row))
    assert set(behind.values()) == {1} and len(behind) == count * (count - 1)


def test_an_order_is_drawn_by_its_seed():
    first, same, other = (list(itertools.islice(orders(list("ABCD"), seed), 12)) for seed in ("0:0", "0:0", "0:1"))
    assert first == same != other


def test_warm_up_ends_when_two_windows_agree_and_not_before(clock):
    durations = itertools.chain([8.0, 4.0, 3.0, 2.0, 1.5, 1.0], itertools.repeat(1.0))
    timed = time_in_turn({"A": lambda _: clock.spend(next(durations))}, StoppingRules(least=2, most=2))
    assert timed["A"].first == 8.0
    assert timed["A"].warm_up == [4.0, 3.0, 2.0, 1.5, *[1.0] * 10]  # from 1.5 on, its first would be an outlier
    assert timed["A"].samples == [1.0, 1.0]


@pytest.mark.parametrize(
    ("times", "warm"),
    [
        ([1.0] * 10, True),
        ([2.0, *[1.0, 1.01, 0.99] * 3], False),  # the first is an outlier
        ([1.0, 1.01, 0.99, 1.0, 1.0, 2.0, 1.01, 0.99, 1.0, 1.0], True),  # a later one is noise
        ([1.2] * 5 + [1.0] * 5, False),  # still getting faster
        ([1.0] * 5 + [1.2] * 5, False),  # quartiles apart
        ([1.0] * 5 + [1.0, 1.0, 1.0, 1.3, 1.3], False),  # the upper quartile alone
    ],
)
def test_a_call_is_warm_when_two_windows_have_the_same_quartiles_and_the_first_is_no_outlier(times, warm):
    assert is_warm(times, 0.1) is warm


def test_processes_share_samples_and_seconds():
    assert StoppingRules(least=32, most=256, seconds=60).shared(3) == StoppingRules(least=11, most=86, seconds=20)
    assert StoppingRules(least=2, most=2).shared(3).least == 1


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


def test_how_long_it_will_take_is_heard_of_after_two_calls_of_each(clock):
    heard, durations = [], itertools.chain([9.0, 2.0], itertools.repeat(1.0))
    calls = {"A": lambda _: clock.spend(next(durations)), "B": lambda _: clock.spend(0.5)}
    time_in_turn(calls, StoppingRules(least=2, most=2), on_second_calls=lambda s: heard.append((s, clock.now)))
    assert heard == [(2.5, 12.0)]
    rules = StoppingRules(least=11, most=86, seconds=20)
    assert rules.least_s(8.0) == (10 + 11) * 8.0  # the time for further samples is over by then
    assert rules.least_s(0.5) == (10 + 40) * 0.5
    assert rules.least_s(0.125) == (10 + 86) * 0.125


def test_whether_warm_up_settled_is_kept(clock):
    steady = time_in_turn({"A": lambda _: clock.spend(1.0)}, StoppingRules(least=2, most=2))
    durations = (2.0**i for i in itertools.count())
    growing = time_in_turn({"A": lambda _: clock.spend(next(durations))}, StoppingRules(least=2, most=2))
    assert steady["A"].settled and not growing["A"].settled
