"""Engines run a model: requests in, answers out. One module per engine; a new module registers itself.

An engine module offers

    AUTO_RANK: int                                          auto takes the highest that can run; 0: never
    TIMES_TOKENS: bool                                      whether its traces say when each token came
    RESERVES: bool                                          whether it reserves memory for the longest sequence
    obstacle() -> str | None                                why it cannot run here, cheaply
    describe(choice: EngineChoice) -> EngineFacts           the settings that could change an answer
    open_engine(folder: Path, facts: EngineFacts, limits: Limits) -> Engine
"""

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol, runtime_checkable

from rimbench.errors import EngineError
from rimbench.plugins import find_modules, load_module
from rimbench.records import Answer, Prompt


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What a user may set: a `batch_size` or `dtype` of None leaves it to the engine; `eager` forbids CUDA graphs."""

    batch_size: int | None = None
    dtype: str | None = None
    eager: bool = False


UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """The settings of an engine that could change an answer; they are part of a run's name.

    `batch_size` is the number of sequences that are asked at once, None where the engine schedules by itself.
    `graphs` says how kernels are launched: `eager`, or `graphs` for captured ones where the engine can. What has a
    default is not known of answers from elsewhere.
    """

    name: str
    device: str
    dtype: str
    attention: str = UNKNOWN
    graphs: str = UNKNOWN
    prefix_cache: bool | None = None
    batch_size: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the run needs of the engine: the longest sequence in tokens, and the seed of its draws.

    `memory_share` is the part of the memory that an engine may reserve, where several are open at once.
    """

    sequence_tokens: int
    seed: int
    memory_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a request is answered.

    `readout`: one forward pass, the option letters' log-probabilities, no generated token. Otherwise at most
    `max_new_tokens` are generated: greedily at temperature 0, else drawn from softmax(logits / temperature)
    within `top_p`. `traced` asks for each answer's trace, which timing needs and nothing else.
    """

    readout: bool
    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    traced: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt to be answered once (`samples == (0,)`, greedy) or once for each drawn sample."""

    item_id: str
    prompt: Prompt
    samples: tuple[int, ...]
    decoding: Decoding


Answered = list[tuple[Request, list[Answer]]]
"""Requests that were finished together, each with one answer for each of its samples."""


class Engine(AbstractContextManager["Engine"], Protocol):
    """A loaded model that answers requests. Leaving its context frees the model."""

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[Answered]:
        """Answer requests that share one decoding, group by group as they are finished together.

        What is drawn for a sample depends on the seed, the item and the sample's number alone (`chance_of`), whatever
        else is asked with it, but for rounding: kernels may add up in another order in another batch. The same
        requests and seed give the same answers wherever the engine's kernels are deterministic.
        """
        ...


def chance_of(seed: int, item_id: str, sample: int) -> random.Random:
    """Where the draw of one sample of an item gets its chance from, the same on every machine and in every order."""
    return random.Random(f"{seed}:{item_id}:{sample}")


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a decoding really runs: its kernels launched `eager` or from `graphs`, and the seconds spent on compiling
    and capturing so far.
    """

    graphs: str
    compile_s: float


@runtime_checkable
class TimedEngine(Protocol):
    """An engine that traces its answers and knows how they were run."""

    def conditions(self, decoding: Decoding) -> Conditions:
        """How requests of that decoding have been run."""
        ...


def find(name: str) -> ModuleType:
    """The engine module of that name, or for `auto` the best that can run; EngineError says why none can."""
    package = sys.modules[__name__]
    if name != "auto":
        module = load_module(package, name, "engine")
        why_not = module.obstacle()
        if why_not is not None:
            raise EngineError(f"engine '{name}' cannot run here: {why_not}")
        return module
    modules = [load_module(package, known, "engine") for known in find_modules(package)]
    usable = [m for m in modules if m.AUTO_RANK > 0 and m.obstacle() is None]
    if not usable:
        reasons = "; ".join(f"{m.__name__.rpartition('.')[2]}: {m.obstacle()}" for m in modules if m.AUTO_RANK)
        raise EngineError(f"no engine can run here: {reasons}")
    return max(usable, key=lambda module: int(module.AUTO_RANK))


def available() -> dict[str, str | None]:
    """Every engine by name, with why it cannot run here, or None where it can."""
    package = sys.modules[__name__]
    return {name: load_module(package, name, "engine").obstacle() for name in find_modules(package)}


def reserves(name: str) -> bool:
    """Whether the engine of that name reserves memory for the longest sequence, and so has to know it."""
    return bool(load_module(sys.modules[__name__], name, "engine").RESERVES)


def that_time_tokens() -> list[str]:
    """The engines whose traces say when each token came."""
    package = sys.modules[__name__]
    return [name for name in find_modules(package) if load_module(package, name, "engine").TIMES_TOKENS]


def open_engine(folder: Path, facts: EngineFacts, limits: Limits) -> Engine:
    """Load the model in the folder into the engine that `facts` names."""
    engine: Engine = load_module(sys.modules[__name__], facts.name, "engine").open_engine(folder, facts, limits)
    return engine
