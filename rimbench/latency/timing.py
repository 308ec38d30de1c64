"""The measuring loop: calls in turn, each timed as it is answered, until the time of each is known well enough.

In: named calls, each taking the number of a round. Out: every raw time. It knows nothing of models.

How: a call warms up until its time is stable, not a fixed number of times; then all calls are made in every round, so
that what slows the machine down slows all of them, in an order that is drawn anew; rounds go on until every mean is
known well or a limit is reached. After pyperf, which separates warm-up from measuring and judges it by quartiles and
outliers, and vLLM's own latency benchmark.
"""

import functools
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from rimbench.errors import EngineError

WINDOW = 5
"""Calls in each of the two windows that say whether a call is warm: of five, one outlier moves no quartile."""
OUTLIER = 1.5
"""Interquartile ranges above the third quartile from which a time is an outlier (Tukey)."""


@dataclass(frozen=True, slots=True)
class StoppingRules:
    """When to stop: at least `least` samples of each call, then more, up to `most` or `seconds` of measuring in all,
    while one call's standard error exceeds `precision` of its mean. `warm_within` is how near two windows' quartiles
    must be, `warm_up_most` the calls after which warm-up ends either way.
    """

    least: int = 32
    most: int = 256
    seconds: float = 120.0
    precision: float = 0.01
    warm_within: float = 0.1
    warm_up_most: int = 24

    def least_s(self, round_s: float) -> float:
        """About how long warm-up and rounds take, where a round does that: warmed up at once, and known to be precise
        when the time for further samples is over.
        """
        rounds = max(self.least, min(self.most, self.seconds / round_s)) if round_s else self.least
        return (2 * WINDOW + rounds) * round_s

    def shared(self, processes: int) -> "StoppingRules":
        """The rules of one of so many processes, which take the samples between them."""
        least, most = (math.ceil(samples / processes) for samples in (self.least, self.most))
        return replace(self, least=least, most=most, seconds=self.seconds / processes)


@dataclass(slots=True)
class Timed:
    """One call's times in seconds: the first (which may compile or allocate), the warm-up's, and the samples, each
    with its place in its round.

    `settled` is whether warm-up ended because the time was stable.
    """

    first: float = 0.0
    warm_up: list[float] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    settled: bool = False


def time_in_turn(  # noqa: PLR0913 - what is called, for how long, in which order, and who hears of it
    calls: Mapping[str, Callable[[int], None]],
    rules: StoppingRules,
    on_round: Callable[[int], None] = lambda _: None,
    start: int = 0,
    seed: str = "0",
    on_second_calls: Callable[[float], None] = lambda _: None,
) -> dict[str, Timed]:
    """Time the calls in turn; every call of a round gets the round's number, from `start`. `on_round` hears of each,
    `on_second_calls` how many seconds these took in all, as a round will.

    Raises EngineError where no sample is left after warm-up, or the clock goes backwards.
    """
    if not calls or rules.most < 1:
        raise EngineError("no sample was taken after warm-up: expected one system and one sample at least")
    # On one and the same batch: another one's time would differ, warm or not.
    on_it = {name: functools.partial(_time, call, start) for name, call in calls.items()}
    timed = {name: Timed(call(), [call()]) for name, call in on_it.items()}
    on_second_calls(math.fsum(each.warm_up[0] for each in timed.values()))
    for name, call in on_it.items():
        _warm_up(call, rules, timed[name])
    began = time.perf_counter()
    for number, order in zip(range(rules.most), orders(list(calls), seed), strict=False):
        for place, name in enumerate(order):
            timed[name].samples.append(_time(calls[name], start + number))
            timed[name].places.append(place)
        on_round(start + number)
        late = time.perf_counter() - began > rules.seconds
        if number + 1 >= rules.least and (late or all(_precise(t.samples, rules.precision) for t in timed.values())):
            break
    return timed


def orders(names: list[str], seed: str) -> Iterator[list[str]]:
    """The order of each round, without end: of as many rounds as there are names, each is at every place once.

    Such a Latin square is drawn anew for every so many rounds. Its rows go to and fro, so that no name comes behind
    the same one in all of them (Williams 1949); for four:

        0 1 3 2
        1 2 0 3
        2 3 1 0
        3 0 2 1
    """
    draws, count = random.Random(f"order:{seed}"), len(names)
    to_and_fro = [place // 2 + place % 2 if place % 2 else -(place // 2) % count for place in range(count)]
    while True:
        drawn, rows = draws.sample(names, count), draws.sample(range(count), count)
        for row in rows:
            yield [drawn[(row + step) % count] for step in to_and_fro]


def _warm_up(call: Callable[[], float], rules: StoppingRules, timed: Timed) -> None:
    while len(timed.warm_up) < rules.warm_up_most:
        timed.warm_up.append(call())
        if len(timed.warm_up) >= 2 * WINDOW and is_warm(timed.warm_up[-2 * WINDOW :], rules.warm_within):
            timed.settled = True
            break


def is_warm(times: list[float], within: float) -> bool:
    """Whether the times of two windows are those of one stable call: the first of all is no outlier, the first
    window's mean is not above the second's, nor its quartiles apart from the second's, by more than `within`.
    """
    one, other = times[: len(times) // 2], times[len(times) // 2 :]
    low, _, high = statistics.quantiles(times[1:], n=4, method="inclusive")
    if times[0] > high + OUTLIER * (high - low):
        return False
    if statistics.fmean(one) > (1 + within) * statistics.fmean(other):
        return False
    quartiles = (statistics.quantiles(window, n=4, method="inclusive")[::2] for window in (one, other))
    return all(abs(x - y) <= within * y for x, y in zip(*quartiles, strict=True))


def _time(call: Callable[[int], None], number: int) -> float:
    began = time.perf_counter()
    call(number)
    took = time.perf_counter() - began
    if took < 0:
        raise EngineError(
            f"the clock went backwards by {-took:.3g} s during a call: no time of this measurement can be trusted; "
            "measure again, on a machine whose monotonic clock is"
        )
    return took


def _precise(samples: list[float], precision: float) -> bool:
    mean = statistics.fmean(samples)
    if len(samples) < 2:
        return False
    return bool(statistics.stdev(samples) / math.sqrt(len(samples)) <= precision * mean)
