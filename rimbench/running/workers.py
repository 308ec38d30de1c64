"""One engine in each of several processes, here or on the machines of a cluster, through Ray.

A worker is a plain Ray actor that holds a loaded engine and nothing else. It is leased one batch after the other, the
batches that a single process would ask. It makes the lines of what it answers, and this process alone keeps them, so
that the records are those of a run without workers, in another order. A worker that dies is replaced, and what was
leased to it is leased anew; where that lease has cost two workers, its failure is the batch's, which is then asked in
halves.
"""

import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

from rimbench import engines
from rimbench.engines import EngineFacts, Limits, Request
from rimbench.errors import EngineError
from rimbench.records import Answer
from rimbench.running.cluster import RayCluster, ray_says
from rimbench.running.judging import Judge, JudgedAnswers
from rimbench.running.worker import build
from rimbench.suites.controls import Shown
from rimbench.systems.weights import Checkpoint

LEASES_A_WORKER = 2
"""One that is being answered, and one that waits there, so that a worker never waits for this process."""
PARTS_A_WORKER = 4
"""Very many items, which an engine would schedule by itself, are cut into so many leases for each worker."""
MOST_LEASES = 2
"""So many workers may be lost over one lease."""
MOST_FIRST_LOADS = 2
"""So many workers may die while they load a model that none has loaded yet."""
MOST_DEATHS = 8
"""So many workers may die with no answer between, or in one place, one after the other, while they load."""
PATIENCE_S = 60
"""After so long without a loaded worker it is said what may keep them."""
Lease = list[Request]
GivenTogether = Sequence[tuple[Request, list[Answer] | JudgedAnswers]]
"""Requests that were finished together, with the answers to each, or with what a worker has made of them."""


@dataclass(slots=True)
class _Leased:
    requests: Lease
    content: bytes
    """The same with all that a worker needs for it: pickled here, in half of the time that Ray takes."""
    place: int = 0
    actor: Any = None
    deaths: int = 0


class Pool(AbstractContextManager["Pool"]):
    """Loaded engines in processes of their own, which answer many batches at once.

    The first begins to load at once, the others when the first batch is there; each is asked when it is loaded.
    """

    def __init__(
        self,
        cluster: RayCluster,
        checkpoint: Checkpoint,
        facts: EngineFacts,
        limits: Limits,
        note: Callable[[str], None],
    ) -> None:
        self._cluster, self._count, self._facts, self._note = cluster, cluster.workers.count, facts, note
        self.shares_prompts = engines.known(facts.name).shares_prompts
        self._ray = cluster.ray(facts)
        self._content = pickle.dumps((checkpoint, facts, limits), pickle.HIGHEST_PROTOCOL)
        self._versions = build()
        self._loading = dict[Any, int]()
        self._flying = dict[Any, _Leased]()
        self._deaths = 0  # with no answer between
        self._loaded, self._lost_loading = set[int](), Counter[int]()  # the latter since a worker loaded there
        self._most_loads = MOST_FIRST_LOADS
        self._actors = [self._begin(0)]  # the others would take the cores from the first batches

    def __exit__(self, *_: object) -> None:
        for actor in self._actors:
            self._ray.kill(actor)

    def in_turn(
        self, batches: Iterable[Lease], judge: Judge, shown_of: Callable[[str], Shown]
    ) -> Iterator[tuple[Lease, Iterator[GivenTogether]]]:
        """Each batch, or part of one, with what was answered of it, as they are finished.

        So many are leased that no worker waits; one that is still loading, or has no place yet, is leased nothing.
        What is asked between two of them waits its turn.
        """
        waiting = (_leased(lease, judge, shown_of) for batch in batches for lease in self._cut(batch))
        own, lost = list[Any](), list[_Leased]()
        following = next(waiting, None)
        self._actors += [self._begin(place) for place in range(len(self._actors), self._count)]
        while own or following is not None:
            while following is not None and len(own) < LEASES_A_WORKER * len(self._loaded):
                own.append(self._lease(following))
                following = lost.pop() if lost else next(waiting, None)
            ready = self._first(own)
            if ready in self._loading:
                self._check_loaded(ready)
                continue
            own.remove(ready)
            lease = self._flying.pop(ready)
            groups = self._take(ready, lease)
            if groups is not None:
                yield lease.requests, groups
            elif following is None:
                following = lease
            else:
                lost.append(lease)

    def _cut(self, batch: Lease) -> Iterator[Lease]:
        """A batch as it is leased: whole, but for very many items, which an engine would schedule by itself."""
        items = [list(group) for _, group in groupby(batch, attrgetter("item_id"))]
        size = max(self._facts.batch_size or 1, -(-len(items) // (PARTS_A_WORKER * self._count)))
        for start in range(0, len(items), size):
            yield list(chain.from_iterable(items[start : start + size]))

    def _first(self, leased: list[Any]) -> Any:
        """What is finished first, of loading before all: a worker answers nothing before."""
        awaited = [*self._loading, *leased]
        ready, _ = self._ray.wait(awaited, num_returns=1, timeout=None if self._loaded else PATIENCE_S)
        if not ready:
            self._note(
                f"no worker is loaded after {PATIENCE_S} s: the model is large, or others have the cluster's places; "
                "waiting on"
            )
            ready, _ = self._ray.wait(awaited, num_returns=1)
        return ready[0]

    def _begin(self, place: int) -> Any:
        """A worker, which begins to load."""
        actor = self._cluster.worker()
        self._loading[actor.load.remote(self._versions, self._content)] = place
        return actor

    def _check_loaded(self, reference: Any) -> None:
        """Raise what kept a worker from loading. One that died meanwhile is replaced, so long as there is hope."""
        place = self._loading.pop(reference)
        try:
            failure = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            if isinstance(error, self._ray.exceptions.RayTaskError) or getattr(error, "actor_init_failed", False):
                raise EngineError(  # not even the class is there
                    f"a worker cannot start: {_last_line(error)}: expected the rimbench that this command runs "
                    f"({self._versions['rimbench']}) in the environment that Ray was started from, on every machine"
                ) from None
            self._lost_loading[place] += 1
            if self._lost_loading[place] >= self._most_loads:
                raise EngineError(
                    f"a worker died {self._lost_loading[place]} times while it loaded the model: {ray_says(error)}"
                ) from error
            self._replace(place, error)
        else:
            if failure is not None:
                raise failure
            self._loaded.add(place)
            self._lost_loading[place], self._most_loads = 0, MOST_DEATHS

    def _lease(self, lease: _Leased) -> Any:
        """Give a lease to the loaded worker that has the fewest."""
        busy = Counter(other.place for other in self._flying.values())
        lease.place = min(self._loaded, key=lambda place: busy[place])
        lease.actor = self._actors[lease.place]
        reference = lease.actor.answer.remote(lease.content)
        self._flying[reference] = lease
        return reference

    def _take(self, reference: Any, lease: _Leased) -> Iterator[GivenTogether] | None:
        """What a lease came to; None where it was lost with its worker, and another one is to answer it."""
        try:
            answered, failure = pickle.loads(self._ray.get(reference))
        except self._ray.exceptions.RayError as error:
            lease.deaths += 1
            if lease.actor is self._actors[lease.place]:
                self._replace(lease.place, error)
            if lease.deaths < MOST_LEASES:
                return None
            answered, failure = [], RuntimeError(f"{lease.deaths} workers died on it: {ray_says(error)}")
        else:
            self._deaths = 0
        return _groups(lease.requests, answered, failure)

    def _replace(self, place: int, error: Exception) -> None:
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            raise EngineError(
                f"{self._deaths} workers died with no answer between (last: {ray_says(error)}): what was answered is "
                "kept; find the cause, or take fewer --workers if the memory does not suffice, and start the same "
                "command again"
            ) from error
        self._note(f"worker {place + 1} of {self._count} died, another one takes its place: {ray_says(error)}")
        self._ray.kill(self._actors[place])
        self._loaded.discard(place)
        self._actors[place] = self._begin(place)


def _leased(requests: Lease, judge: Judge, shown_of: Callable[[str], Shown]) -> _Leased:
    shown = {item_id: shown_of(item_id) for item_id in {request.item_id for request in requests}}
    return _Leased(requests, pickle.dumps((requests, shown, judge), pickle.HIGHEST_PROTOCOL))


def _groups(
    requests: Lease, judged: list[tuple[int, JudgedAnswers]], failure: Exception | None
) -> Iterator[GivenTogether]:
    yield [(requests[place], each) for place, each in judged]
    if failure is not None:
        raise failure


def _last_line(error: Exception) -> str:
    return ray_says(RuntimeError(str(error).strip().splitlines()[-1]))
