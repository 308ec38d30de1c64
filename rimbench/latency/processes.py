"""Worker processes: the same work in several fresh ones, each begun when it is wanted, and what they measured as one.

After pyperf: where a process lies in memory and how it was started move all of its times, so that samples of a single
one say nothing of the next. A worker that dies takes its own samples with it and nothing else.
"""

import itertools
import multiprocessing
import os
import signal
import statistics
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from rimbench.errors import EngineError
from rimbench.latency.measured import Measured, Passes, Setting, Told
from rimbench.running.worker import portable

T = TypeVar("T")
_Say = Callable[[str], None]
_Work = Callable[[int, _Say], T]


class Processes(Generic[T]):
    """A work in so many processes of its own, each given its number from 0 and `say`; a single one is this process.

    `found` is what the work gave so far, `begun` how many processes were; `lost` are those that died, which is said.
    """

    def __init__(self, work: _Work[T], count: int, say: _Say) -> None:
        self._work, self._count, self._say = work, count, say
        self.found: list[T] = []
        self.begun = self.lost = 0

    def run_next(self) -> None:
        """The work in the next process; EngineError where each of them died. What the work raises is raised."""
        number = self.begun
        self.begun += 1
        if self._count == 1:
            self.found.append(self._work(number, self._say))
            return
        try:
            self.found.append(_in_process(self._work, number, self._say))
        except EOFError:
            self.lost += 1
            self._say(f"worker process {self.begun} of {self._count} ended in the middle: its rounds are left out")
        if self.lost == self._count:
            raise EngineError(
                f"each of the {self._count} worker processes ended in the middle, as one that the system kills for "
                "its memory: take a smaller batch, or --processes 1 to see why"
            )


@dataclass(frozen=True, slots=True)
class _Said:
    text: str


def _in_process(work: _Work[T], number: int, say: _Say) -> T:
    """In a fresh interpreter: a forked one would lie where this one does. EOFError where it just ends."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    worker = context.Process(target=_serve, args=(there,))
    resource_tracker.ensure_running()  # its own start would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited: it meets none while it starts
    try:
        worker.start()
        there.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        here.send((work, number))  # not as it is started, which would take until it has read all
        while isinstance(outcome := here.recv(), _Said):
            say(outcome.text)
        worker.join()
    except ConnectionError as error:
        raise EOFError from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if worker.pid is not None:
            worker.terminate()
            worker.join()
    if isinstance(outcome, BaseException):
        raise outcome
    answer: T = outcome
    return answer


def _serve(pipe: Connection) -> None:
    """Do the work that comes through the pipe, and send back what it gives or raises."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is met by the one that waits, which ends this one
    try:
        work, number = pipe.recv()
        threading.Thread(target=_end_when_left, args=(pipe,), daemon=True).start()
        pipe.send(work(number, lambda text: pipe.send(_Said(text))))
    except Exception as error:  # whatever it is, it is raised where the work was asked for
        pipe.send(portable(error))


def _end_when_left(pipe: Connection) -> None:
    """End this process where the one that waits for it was killed: nobody would hear of what it measures."""
    pipe.poll(None)
    os._exit(1)


def together(rows: Sequence[Measured], gold: Mapping[str, str], lost: int) -> Measured:
    """One quantity of one system as several processes measured it, in their order."""
    first, settings = rows[0], [row.setting for row in rows if row.setting]
    by_process = tuple(count for row in rows for count in row.taken)
    places = tuple(itertools.chain.from_iterable(row.rounds.places for row in rows if row.rounds))

    def mean(name: str) -> float:
        weighted = sum(len(row.samples_ms) * float(getattr(row, name)) for row in rows)
        return weighted / sum(by_process)

    return replace(
        first,
        samples_ms=tuple(itertools.chain.from_iterable(row.samples_ms for row in rows)),
        warm_up_ms=tuple(itertools.chain.from_iterable(row.warm_up_ms for row in rows)),
        generated_tokens=mean("generated_tokens"),
        prompt_tokens=None if any(row.prompt_tokens is None for row in rows) else mean("prompt_tokens"),
        truncated=mean("truncated"),
        told=_told([row.told for row in rows if row.told], gold),
        passes=_passes([row.passes for row in rows if row.passes]),
        setting=_setting(settings) if settings else None,
        rounds=replace(first.rounds, by_process=by_process, places=places, lost=lost) if first.rounds else None,
    )


def _told(parts: Sequence[Told], gold: Mapping[str, str]) -> Told | None:
    letters = dict(itertools.chain.from_iterable(part.letters.items() for part in parts))
    right = sum(letter == gold[item_id] for item_id, letter in letters.items())
    return Told(letters, right, sum(part.ties for part in parts)) if parts else None


def _passes(parts: Sequence[Passes]) -> Passes | None:
    """Their means; of the floors, which each process probed, the least."""
    if not parts:
        return None
    merge: Any = {each.name: min if "floor" in each.name else statistics.fmean for each in fields(Passes)}
    merged: Any = {name: _known(how, (getattr(part, name) for part in parts)) for name, how in merge.items()}
    return Passes(**merged)


def _setting(parts: Sequence[Setting]) -> Setting:
    """The first's, with what disturbed any of them."""
    return replace(
        parts[0],
        peak_bytes=_known(max, (part.peak_bytes for part in parts)),
        settled=all(part.settled for part in parts),
        load_after=parts[-1].load_after,
        joules=_known(statistics.fmean, (part.joules for part in parts)),
        stolen=_known(statistics.fmean, (part.stolen for part in parts)),
        throttled=_known(sum, (part.throttled for part in parts)),
    )


def _known(how: Callable[[list[T]], T], values: Iterable[T | None]) -> T | None:
    """Of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return how(known) if known else None
