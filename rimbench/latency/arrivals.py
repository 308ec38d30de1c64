"""Questions that arrive by themselves, whether earlier ones are answered or not -> how long each one waits in all.

A closed loop asks when it has its answer, and so spares a server just when it is slow. Here each question is due at
a moment drawn beforehand, and its time counts from there: what it waits before it can be sent is part of it, as a
user's would be. Arrivals are Poisson: gaps drawn from an exponential distribution, by a seed.
"""

import itertools
import math
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from rimbench import engines
from rimbench.engines import Decoding, Limits, Request
from rimbench.errors import EngineError, UsageError
from rimbench.latency.letters import letter_of
from rimbench.latency.measured import Measured, Measurement
from rimbench.running.plans import PlannedRun
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.times import mean_time

SEARCHES = 3
"""With arrivals of their own; the interval of the largest rate is over them."""
APART = 1.05
"""A rate that keeps to the limit and one that does not are brought as near as this."""
DOUBLINGS = 12
PERCENT = 99


@dataclass(frozen=True, slots=True)
class Arrival:
    """One question: seconds from the first one's due time on until it was due, sent and answered, and whether it was
    answered rightly; `done_s` is None where it failed.
    """

    item_id: str
    due_s: float
    sent_s: float
    done_s: float | None
    right: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What arrived at one rate a second."""

    rate: float
    seed: int
    arrivals: tuple[Arrival, ...]

    def percentile(self, percent: float) -> float | None:
        """Of the ms from the due time on; None where fewer arrivals than one are to be beyond it, or it is that of a
        question that failed, which is never answered.
        """
        if len(self.arrivals) * (100 - percent) < 100:
            return None
        ms = [math.inf if a.done_s is None else 1000 * (a.done_s - a.due_s) for a in self.arrivals]
        found = float(np.percentile(ms, percent, method="inverted_cdf"))
        return found if found < math.inf else None

    def keeps(self, slo_ms: float) -> bool:
        """Whether all but one in a hundred are answered within the limit."""
        found = self.percentile(PERCENT)
        return found is not None and found <= slo_ms

    @property
    def failed(self) -> int:
        """How many were not answered."""
        return sum(arrival.done_s is None for arrival in self.arrivals)

    @property
    def late_ms(self) -> float:
        """The most that a question was sent after it was due: more than a few ms are this machine's own."""
        return max(1000 * (arrival.sent_s - arrival.due_s) for arrival in self.arrivals)

    def right_per_s(self, slo_ms: float = math.inf) -> float:
        """Right answers within the limit, over the time from the first due time to the last answer's."""
        done = [a.done_s for a in self.arrivals if a.done_s is not None]
        right = [a.done_s for a in self.arrivals if a.right and a.done_s and 1000 * (a.done_s - a.due_s) <= slo_ms]
        return len(right) / (max(done) - self.arrivals[0].due_s) if done else 0.0


AtRate = Callable[[float, int], Load]
"""What arrives at a rate, drawn by a seed."""


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest rate a second that keeps p99 within `slo_ms`, the right answers a second within the limit there,
    and every load that was tried.
    """

    slo_ms: float
    rate: Estimate
    right_per_s: Estimate
    tried: tuple[Load, ...]


@dataclass(frozen=True, slots=True)
class UnderLoad:
    """One system, by its label: at the rate that was asked for, or the largest one within a limit."""

    label: str
    load: Load | None
    largest: Largest | None


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Systems of a server as questions arrive, and each asked alone, one question at a time, just before."""

    alone: Measurement
    systems: tuple[UnderLoad, ...]


def due_times(rate: float, count: int, seed: int) -> list[float]:
    """When so many questions are due, in seconds from the first one's; UsageError as `check_rate`."""
    check_rate(rate)
    draws = random.Random(f"arrivals:{seed}")
    gaps = (draws.expovariate(rate) for _ in range(count - 1))
    return list(itertools.accumulate(gaps, initial=0.0))


def check_rate(rate: float) -> None:
    """UsageError for a rate at which no question arrives, or all do at once."""
    if not 0 < rate < math.inf:
        none = "all questions arrive at once" if rate > 0 else "no question ever arrives"
        raise UsageError(f"--rate {rate:g}: at this rate {none}; expected more than 0 a second, and a finite number")


def check_slo(slo_ms: float, alone_ms: Sequence[float], who: str) -> None:
    """UsageError for a limit that no rate keeps: below what an answer takes while nothing else is asked."""
    least = min(alone_ms)
    if slo_ms < least:
        raise UsageError(
            f"--slo {slo_ms:g}: no answer of '{who}' comes within that: asked alone it takes {least:.3g} ms at the "
            "least, so that no rate keeps it; expected more than this floor"
        )


def largest_rate(at_rate: AtRate, slo_ms: float, start: float) -> Largest:
    """Search three times from `start` on, each with arrivals of its own: doubled or halved until one rate keeps to
    the limit and a larger one does not, then between the two.

    UsageError where all rates do that are tried, up to 4,096 times as much and as little, or none does.
    """
    kept, tried = list[Load](), list[Load]()
    for seed in range(SEARCHES):
        below, above = _bracket(at_rate, slo_ms, start, seed, tried)
        while above.rate / below.rate > APART:
            between = at_rate(math.sqrt(above.rate * below.rate), seed)
            tried.append(between)
            below, above = (between, above) if between.keeps(slo_ms) else (below, between)
        kept.append(below)
    right = [load.right_per_s(slo_ms) for load in kept]
    if min(right) > 0:
        rights = _over_searches(right)
    else:
        rights = Estimate(math.fsum(right) / SEARCHES, None, None, SEARCHES, "a search without a right answer")
    return Largest(slo_ms, _over_searches([load.rate for load in kept]), rights, tuple(tried))


def _over_searches(values: Sequence[float]) -> Estimate:
    found = mean_time(values, (1,) * SEARCHES)
    return replace(found, method=found.method.replace("processes", "searches"))


def _bracket(at_rate: AtRate, slo_ms: float, start: float, seed: int, tried: list[Load]) -> tuple[Load, Load]:
    """A rate that keeps to the limit, and twice of it, that does not."""
    last = at_rate(start, seed)
    tried.append(last)
    grows = last.keeps(slo_ms)
    for _ in range(DOUBLINGS):
        further = at_rate(last.rate * 2 if grows else last.rate / 2, seed)
        tried.append(further)
        if further.keeps(slo_ms) != grows:
            return (last, further) if grows else (further, last)
        last = further
    word = "keeps" if grows else "misses"
    raise UsageError(
        f"--slo {slo_ms:g}: every rate from {start:.3g} to {last.rate:.3g} a second {word} it: give another limit"
    )


class Client:
    """Asks one system of a server as questions arrive, each on a thread of its own."""

    def __init__(self, run: PlannedRun, count: int) -> None:
        answer = run.cell.system.answer
        decoding = Decoding(answer.mode == "readout", run.cell.new_tokens, traced=True)
        shown = itertools.islice(itertools.cycle(zip(run.cell.shown, run.cell.prompts, strict=True)), count)
        self._run, self._asked = run, [(one.item, Request(one.item.item_id, p, (0,), decoding)) for one, p in shown]
        longest = max(len(request.prompt.token_ids) for _, request in self._asked) + run.cell.new_tokens
        # As many requests in flight as arrive: a bound here would make them wait unseen.
        facts = replace(run.facts, batch_size=count)
        self._engine = engines.open_engine(run.checkpoint.folder, facts, Limits(longest, run.cell.seed))

    def __enter__(self) -> "Client":
        self._answer(0)  # what is made once is made before anything is due
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    def at_rate(self, rate: float, seed: int) -> Load:
        """Ask every question when it is due, and wait for all answers."""
        due = due_times(rate, len(self._asked), seed)
        began = time.perf_counter()

        def ask(number: int) -> Arrival:
            sent = time.perf_counter() - began
            right = self._answer(number)
            done = time.perf_counter() - began
            item_id = self._asked[number][0].item_id
            return Arrival(item_id, due[number], sent, None if right is None else done, bool(right))

        with ThreadPoolExecutor(len(due)) as pool:
            waiting = []
            for number, at in enumerate(due):
                time.sleep(max(0.0, at - (time.perf_counter() - began)))
                waiting.append(pool.submit(ask, number))
            return Load(rate, seed, tuple(future.result() for future in waiting))

    def _answer(self, number: int) -> bool | None:
        """Whether a question is answered rightly; None where it fails."""
        item, request = self._asked[number]
        [[(_, [answer])]] = self._engine.answer([request], self._run.cell.seed)
        cached = answer.trace.cached_tokens if answer.trace else None
        if cached:
            raise EngineError(f"the server took {cached} tokens of a prompt from its prefix cache: turn that off")
        return None if answer.failure is not None else letter_of(self._run.cell.system, item, answer) == item.gold


def under_load(  # noqa: PLR0913 - what is asked, how often, within what, and who hears of it
    run: PlannedRun,
    alone: Measured,
    count: int,
    rate: float | None,
    slo_ms: float | None,
    say: Callable[[str], None] = lambda _: None,
) -> UnderLoad:
    """A system at a rate, or at the largest that keeps p99 within a limit; it is known what it takes asked alone.

    `say` is told of each rate before it is tried, and how long its questions take to arrive: a low one takes hours.
    """
    if slo_ms is not None:
        check_slo(slo_ms, alone.samples_ms, alone.label)
    with Client(run, count) as client:
        if slo_ms is None:
            return UnderLoad(alone.label, client.at_rate(rate or 0.0, 0), None)

        def at_rate(per_s: float, seed: int) -> Load:
            say(f"{alone.label}: {count} questions at {per_s:.3g} a second arrive in {count / per_s:.3g} s")
            return client.at_rate(per_s, seed)

        return UnderLoad(alone.label, None, largest_rate(at_rate, slo_ms, rate or alone.questions_per_s / 2))
