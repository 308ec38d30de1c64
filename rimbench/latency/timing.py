"""The measuring loop: calls in turn, each timed as it is answered, until the time of each is known well enough.

In: named calls, each taking the number of a sample. Out: every raw time. It knows nothing of models.

How: a call warms up until its time is stable, not a fixed number of times; then all calls are made in turn, A B A B,
so that what slows the machine down slows all of them; rounds go on until every interval is narrow or a limit is
reached. After pyperf, which separates warm-up from measuring, and vLLM's own latency benchmark.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rimbench.errors import EngineError

WINDOW = 3
"""Calls in each of the two windows whose medians say whether a call is warm."""


@dataclass(frozen=True, slots=True)
class StoppingRules:
    """When to stop: at least `least` samples of each call, then more, up to `most` or `seconds` of measuring in all,
    while one call's standard error exceeds `precision` of its mean. `warm_within` is how near two windows' medians
    must be, `warm_up_most` the calls after which warm-up ends either way.
    """

    least: int = 32
    most: int = 256
    seconds: float = 120.0
    precision: float = 0.01
    warm_within: float = 0.1
    warm_up_most: int = 24


@dataclass(slots=True)
class Timed:
    """One call's times in seconds: the first (which may compile or allocate), the warm-up's, and the samples.

    `settled` is whether warm-up ended because the time was stable.
    """

    first: float = 0.0
    warm_up: list[float] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)
    settled: bool = False


def time_in_turn(
    calls: Mapping[str, Callable[[int], None]], rules: StoppingRules, on_round: Callable[[int], None] = lambda _: None
) -> dict[str, Timed]:
    """Time the calls in turn; every call of a round gets the round's number, from 0. `on_round` hears of each.

    Raises EngineError where no sample is left after warm-up, or the clock goes backwards.
    """
    if not calls or rules.most < 1:
        raise EngineError("no sample was taken after warm-up: expected one system and one sample at least")
    timed = {name: _warm_up(call, rules) for name, call in calls.items()}
    began = time.perf_counter()
    for number in range(rules.most):
        for name, call in calls.items():
            timed[name].samples.append(_time(call, number))
        on_round(number)
        late = time.perf_counter() - began > rules.seconds
        if number + 1 >= rules.least and (late or all(_precise(t.samples, rules.precision) for t in timed.values())):
            break
    return timed


def _warm_up(call: Callable[[int], None], rules: StoppingRules) -> Timed:
    timed = Timed(first=_time(call, 0))
    while len(timed.warm_up) < rules.warm_up_most:
        timed.warm_up.append(_time(call, len(timed.warm_up)))
        if len(timed.warm_up) >= 2 * WINDOW:
            before, now = timed.warm_up[-2 * WINDOW : -WINDOW], timed.warm_up[-WINDOW:]
            if abs(statistics.median(now) / statistics.median(before) - 1) <= rules.warm_within:
                timed.settled = True
                break
    return timed


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
    return bool(statistics.stdev(samples) / math.sqrt(len(samples)) <= precision * mean)
