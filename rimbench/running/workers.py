"""One engine in each of several processes, here or on the machines of a cluster, through Ray.

A worker is a plain Ray actor that holds a loaded engine and nothing else. It is leased one batch after the other, the
batches that a single process would ask. It makes the lines of what it answers, and this process alone keeps them, so
that the records are those of a run without workers, in another order. A worker that dies is replaced, and what was
leased to it is leased anew; where that lease has cost two workers, its failure is the batch's, which is then asked in
halves.
"""

import os
import pickle
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import Any

from rimbench import checkpoints, engines
from rimbench.engines import Engine, EngineFacts, Limits, Request
from rimbench.errors import EngineError, ModelError, UsageError
from rimbench.records import Answer
from rimbench.running.judging import Judge, JudgedAnswers
from rimbench.suites.controls import Shown
from rimbench.systems.weights import Checkpoint

LEASES_A_WORKER = 2
"""One that is being answered, and one that waits there, so that a worker never waits for this process."""
PARTS_A_WORKER = 4
"""Very many items, which an engine would schedule by itself, are cut into so many leases for each worker."""
MOST_LEASES = 2
"""So many workers may be lost over one lease."""
MOST_DEATHS = 8
"""So many workers may die with no answer between."""
Lease = list[Request]
GivenTogether = Sequence[tuple[Request, list[Answer] | JudgedAnswers]]
"""Requests that were finished together, with the answers to each, or with what a worker has made of them."""


@dataclass(frozen=True, slots=True)
class Workers:
    """How many processes answer, and the Ray cluster that they run on: None is one on this machine, for this command
    alone, `auto` the one that this machine belongs to.
    """

    count: int = 1
    address: str | None = None

    @property
    def wanted(self) -> bool:
        """Whether there is anything to start: one worker here is this process."""
        return self.count > 1 or self.address is not None


@dataclass(slots=True)
class _Leased:
    requests: Lease
    content: bytes
    """The same with all that a worker needs for it: pickled here, in half of the time that Ray takes."""
    place: int = 0
    actor: Any = None
    deaths: int = 0


class Pool(AbstractContextManager["Pool"]):
    """Loaded engines in processes of their own, which answer many batches at once."""

    def __init__(
        self,
        workers: Workers,
        checkpoint: Checkpoint,
        facts: EngineFacts,
        limits: Limits,
        note: Callable[[str], None],
    ) -> None:
        self._count, self._facts, self._note = workers.count, facts, note
        self.shares_prompts = engines.known(facts.name).shares_prompts
        self._ray = _connect(workers, facts)
        try:
            on_gpu = {"num_gpus": 1} if facts.device == "cuda" else {}
            worker = self._ray.remote(_Worker).options(num_cpus=1, max_restarts=0, max_task_retries=0, **on_gpu)
            self._begin = partial(worker.remote, checkpoint, facts, limits, _threads(workers))
            self._actors = [self._begin() for _ in range(workers.count)]
            self._flying = dict[Any, _Leased]()
            self._deaths = 0  # with no answer between
            for failure in self._ray.get([actor.load.remote() for actor in self._actors]):
                if failure is not None:
                    raise failure
        except BaseException as error:
            self._ray.shutdown()
            if isinstance(error, self._ray.exceptions.RayActorError):
                raise EngineError(f"a worker died while it loaded the model: {_say(error)}") from error
            raise

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def in_turn(
        self, batches: Iterable[Lease], judge: Judge, shown_of: Callable[[str], Shown]
    ) -> Iterator[tuple[Lease, Iterator[GivenTogether]]]:
        """Each batch, or part of one, with what was answered of it, as they are finished.

        So many are leased that no worker waits. What is asked between two of them waits its turn.
        """
        waiting = (_leased(lease, judge, shown_of) for batch in batches for lease in self._cut(batch))
        own = list[Any]()
        while True:
            own += [self._lease(lease) for lease in islice(waiting, LEASES_A_WORKER * self._count - len(own))]
            if not own:
                return
            [ready], own = self._ray.wait(own, num_returns=1)
            lease = self._flying.pop(ready)
            groups = self._take(ready, lease)
            if groups is None:
                own.append(self._lease(lease))
            else:
                yield lease.requests, groups

    def _cut(self, batch: Lease) -> Iterator[Lease]:
        """A batch as it is leased: whole, but for very many items, which an engine would schedule by itself."""
        items = [list(group) for _, group in groupby(batch, attrgetter("item_id"))]
        size = max(self._facts.batch_size or 1, -(-len(items) // (PARTS_A_WORKER * self._count)))
        for start in range(0, len(items), size):
            yield list(chain.from_iterable(items[start : start + size]))

    def _lease(self, lease: _Leased) -> Any:
        """Give a lease to the worker that has the fewest."""
        busy = Counter(other.place for other in self._flying.values())
        lease.place = min(range(self._count), key=lambda place: busy[place])
        lease.actor = self._actors[lease.place]
        reference = lease.actor.answer.remote(lease.content)
        self._flying[reference] = lease
        return reference

    def _take(self, reference: Any, lease: _Leased) -> Iterator[GivenTogether] | None:
        """What a lease came to; None where its worker died and another one is to answer it."""
        try:
            answered, failure = pickle.loads(self._ray.get(reference))
        except self._ray.exceptions.RayActorError as error:
            lease.deaths += 1
            if lease.actor is self._actors[lease.place]:
                self._replace(lease, error)
            if lease.deaths < MOST_LEASES:
                return None
            answered, failure = [], RuntimeError(f"{lease.deaths} workers died on it: {_say(error)}")
        else:
            self._deaths = 0
        return _groups(lease.requests, answered, failure)

    def _replace(self, lease: _Leased, error: Exception) -> None:
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            raise EngineError(
                f"{self._deaths} workers died with no answer between (last: {_say(error)}): what was answered is "
                "kept; find the cause, or take fewer --workers if the memory does not suffice, and start the same "
                "command again"
            ) from error
        self._note(f"worker {lease.place + 1} of {self._count} died, another one takes its place: {_say(error)}")
        self._actors[lease.place] = self._begin()


class _Worker:
    """What runs in a worker's process: an engine, loaded with the first that it is asked.

    `threads` is how many it computes with on the command's own machine. None: it may be on another one, where Ray
    says how many, and where the weights have yet to be held against those that the run is named after.
    """

    def __init__(self, checkpoint: Checkpoint, facts: EngineFacts, limits: Limits, threads: str | None) -> None:
        self._may_be_others = threads is None
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads  # before torch is there, which reads it
        self._checkpoint, self._facts, self._limits = checkpoint, facts, limits
        self._engine: Engine | None = None

    def load(self) -> Exception | None:
        """Load the model; what went wrong, if anything did."""
        try:
            self._open()
        except Exception as error:
            return _portable(error)
        return None

    def answer(self, content: bytes) -> bytes:
        """What was answered, each request by its place in the lease, and what ended it before its time; pickled."""
        requests, shown, judge = pickle.loads(content)
        places = {id(request): place for place, request in enumerate(requests)}
        answered: list[tuple[int, Request, list[Answer]]] = []
        failure = None
        try:
            for group in self._open().answer(requests, judge.seed):
                for request, answers in group:
                    place = places.pop(id(request), None)
                    if place is None:
                        raise EngineError(f"the engine answered item '{request.item_id}' twice, or unasked")
                    answered.append((place, request, answers))
        except Exception as error:
            failure = _portable(error)
        judged = [(place, judge.judge(shown[asked.item_id], asked, answers)) for place, asked, answers in answered]
        return pickle.dumps((judged, failure), pickle.HIGHEST_PROTOCOL)

    def _open(self) -> Engine:
        if self._engine is None:
            if self._may_be_others:
                check_same(self._checkpoint)
            self._engine = engines.open_engine(self._checkpoint.folder, self._facts, self._limits)
        return self._engine


def check_same(checkpoint: Checkpoint) -> None:
    """ModelError where a machine lacks the weights that the run is named after, or has others in their place."""
    folder, where = checkpoint.folder, platform.node()
    if not folder.is_dir():
        raise ModelError(
            f"machine {where} has no {folder}: expected the weights at the same path on every machine, as on a "
            "shared file system"
        )
    if checkpoints.hash_folder(folder) != checkpoint.sha256:
        raise ModelError(f"machine {where} has other weights in {folder} than those that this run is named after")


def _leased(requests: Lease, judge: Judge, shown_of: Callable[[str], Shown]) -> _Leased:
    shown = {item_id: shown_of(item_id) for item_id in {request.item_id for request in requests}}
    return _Leased(requests, pickle.dumps((requests, shown, judge), pickle.HIGHEST_PROTOCOL))


def _groups(
    requests: Lease, judged: list[tuple[int, JudgedAnswers]], failure: Exception | None
) -> Iterator[GivenTogether]:
    yield [(requests[place], each) for place, each in judged]
    if failure is not None:
        raise failure


def _portable(error: Exception) -> Exception:
    """An error that can be sent to another process, with its kind's name and its words."""
    try:
        again = pickle.loads(pickle.dumps(error))
        if type(again) is type(error) and str(again) == str(error):
            return error
    except Exception:  # an error class may want anything to be made again
        pass
    return RuntimeError(f"{type(error).__name__}: {error}")


def _connect(workers: Workers, facts: EngineFacts) -> Any:
    """Ray, started here for this command or joined; UsageError or EngineError where it cannot hold the workers."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            f"--workers {workers.count} needs Ray, which is not installed: pip install 'rimbench[ray]'"
        ) from error
    here = {} if workers.address else {"num_cpus": workers.count + 1, "include_dashboard": False}
    try:
        ray.init(address=workers.address or "local", log_to_driver=False, logging_level="ERROR", **here)
    except (ConnectionError, ValueError, RuntimeError) as error:
        hint = "" if workers.address is None else "; one that asks for a token is joined with RAY_AUTH_MODE=token"
        raise EngineError(f"no Ray cluster at '{workers.address or 'this machine'}': {_say(error)}{hint}") from error
    kind = "GPU" if facts.device == "cuda" else "CPU"
    count = int(ray.cluster_resources().get(kind, 0))
    if count < workers.count:
        ray.shutdown()
        raise UsageError(f"--workers {workers.count}: the cluster has {count} {kind}s, expected one for each worker")
    return ray


def _threads(workers: Workers) -> str | None:
    """How many threads a worker computes with on this machine, a share of its cores; None on a cluster."""
    if workers.address is not None:
        return None
    return os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // workers.count))


def _say(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
