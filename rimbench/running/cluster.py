"""Ray: started on this machine for one command, or joined where it runs, and the workers' processes on it.

That is begun as soon as it is known that something will be asked, in a thread of its own: what a run keeps is read
meanwhile.
"""

import os
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

from rimbench.engines import EngineFacts
from rimbench.errors import EngineError, UsageError
from rimbench.running.worker import Worker

LONG_S = 1.0
"""What is read takes long from then on; a start that proves needless is hidden by the reading."""

LISTENING_S = 10.0
"""How long a cluster's address may take to be reached."""


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


class RayCluster(AbstractContextManager["RayCluster"]):
    """Ray and the processes of workers, once they are wanted; left, they are gone.

    On this machine Ray's own processes end with the thread that started them: it stays until then.
    """

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self._thread = ThreadPoolExecutor(1)
        self._started: Future[Any] | None = None
        self._wanted, self._left = Event(), False
        self._idle: list[Any] = []

    def begin(self, facts: EngineFacts) -> None:
        """Start Ray and the processes in the background, where workers are wanted and that has not begun."""
        self._wanted.set()
        self.begin_soon(facts)

    def begin_soon(self, facts: EngineFacts) -> None:
        """The same if reading takes long, before it is known whether anything is lacking."""
        if self._started is None and self.workers.wanted:
            self._started = self._thread.submit(self._start, facts)

    def ray(self, facts: EngineFacts) -> Any:
        """Ray, connected; UsageError or EngineError where it cannot hold the workers."""
        self.begin(facts)
        assert self._started is not None
        return self._started.result()

    def worker(self) -> Any:
        """A process that has loaded nothing yet."""
        return self._idle.pop() if self._idle else self._make()

    def _start(self, facts: EngineFacts) -> Any:
        self._wanted.wait(LONG_S)
        if self._left:
            return None
        ray = _connect(self.workers, facts)
        on_gpu = {"num_gpus": facts.devices} if facts.device == "cuda" else {}
        # Ray's events of a task hold its lease, of which there would be those of a whole second.
        plain = {"max_restarts": 0, "max_task_retries": 0, "enable_task_events": False}
        actor = ray.remote(Worker).options(num_cpus=1, **plain, **on_gpu)
        self._make = partial(actor.remote, _threads(self.workers))
        with _without_arrow():
            self._idle = [self._make()]  # as in `Pool`, the others wait
        return ray

    def __exit__(self, *_: object) -> None:
        self._left = True  # what has not begun, need not
        self._wanted.set()
        try:
            if self._started is not None:
                self._thread.submit(_stop).result()
        finally:
            self._thread.shutdown(wait=False)


def _connect(workers: Workers, facts: EngineFacts) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            f"--workers {workers.count} needs Ray, which is not installed: pip install 'rimbench[ray]'"
        ) from error
    here = {} if workers.address else {"num_cpus": workers.count + 1, "include_dashboard": False}
    if workers.address:
        _check_listening(workers.address)
    try:
        ray.init(address=workers.address or "local", log_to_driver=False, logging_level="ERROR", **here)
    except (ConnectionError, ValueError, RuntimeError) as error:
        hint = "" if workers.address is None else "; one that asks for a token is joined with RAY_AUTH_MODE=token"
        raise EngineError(
            f"no Ray cluster at '{workers.address or 'this machine'}': {ray_says(error)}{hint}"
        ) from error
    kind, each = ("GPU", facts.devices) if facts.device == "cuda" else ("CPU", 1)
    count = int(ray.cluster_resources().get(kind, 0))
    if count < workers.count * each:
        raise UsageError(
            f"--workers {workers.count}: the cluster has {count} {kind}s, expected {each} for each worker"
        )
    return ray


def _check_listening(address: str) -> None:
    """EngineError where nothing listens at an address, which Ray would try for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), LISTENING_S).close()
    except OSError as error:
        raise EngineError(
            f"no Ray cluster at '{address}': {error.strerror or error}: expected the address that 'ray start --head' "
            "names, or auto on one of its machines"
        ) from error


@contextmanager
def _without_arrow() -> Iterator[None]:
    """Keep Ray from importing pyarrow for tables that nobody sends here: 36 MB, when it first makes an actor."""
    try:
        from ray._private import arrow_serialization
    except ImportError:  # a private module of Ray: where it is not, nothing is kept out
        yield
        return
    name = "_register_custom_datasets_serializers"
    own = vars(arrow_serialization).get(name)
    setattr(arrow_serialization, name, lambda context: None)
    try:
        yield
    finally:
        setattr(arrow_serialization, name, own)


def _stop() -> None:
    ray = sys.modules.get("ray")
    if ray is not None:
        ray.shutdown()


def _threads(workers: Workers) -> str | None:
    """How many threads a worker computes with on this machine, a share of its cores; None on a cluster."""
    if workers.address is not None:
        return None
    return os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // workers.count))


def ray_says(error: Exception) -> str:
    """What an error of Ray says, on one line."""
    return " ".join(str(error).split())[:200]
