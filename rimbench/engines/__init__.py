"""Engines run a model: requests in, answers out. One subclass of `Engine` each, and `Engine` says what it owes.

A module in this folder registers the engine that it defines, under the module's name; another package registers its
own with an entry point of the group `rimbench.engines`, whose value is the class. docs/engines.md shows one.
"""

import contextlib
import functools
import inspect
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rimbench.engines._contract import (
    SERVER_URL,
    UNKNOWN,
    Answering,
    AnsweringInTime,
    Conditions,
    Decoding,
    Engine,
    EngineChoice,
    EngineFacts,
    FinishedTogether,
    Gathering,
    Limits,
    Request,
    Served,
    chance_of,
    check_room,
)
from rimbench.errors import EngineError, UsageError, first_line, is_out_of_memory
from rimbench.plugins import SHIPPED, Offered, find_modules, load_module, offered, say, unknown

__all__ = [
    "UNKNOWN",
    "Answering",
    "AnsweringInTime",
    "Conditions",
    "Decoding",
    "Engine",
    "EngineChoice",
    "EngineFacts",
    "FinishedTogether",
    "Gathering",
    "Limits",
    "Request",
    "Served",
    "at_server",
    "available",
    "chance_of",
    "check_room",
    "facts_for",
    "find",
    "known",
    "open_engine",
    "reserves",
    "that_time_tokens",
]
GROUP = "rimbench.engines"
AUTO = "auto"


def find(name: str) -> type[Engine]:
    """The engine of that name, or for `auto` the best shipped one that can run; EngineError says why none can."""
    if name != AUTO:
        why_not = known(name).obstacle()
        if why_not is not None:
            raise EngineError(f"engine '{name}' cannot run here: {why_not}")
        return known(name)
    _others()  # so that what is wrong with another package's engine is said
    ranked = {own: _shipped(own) for own in _names() if _shipped(own).auto_rank > 0}
    obstacles = {own: engine.obstacle() for own, engine in ranked.items()}
    usable = [engine for own, engine in ranked.items() if obstacles[own] is None]
    if not usable:
        raise EngineError(f"no engine can run here: {'; '.join(f'{own}: {why}' for own, why in obstacles.items())}")
    return max(usable, key=lambda engine: engine.auto_rank)


def known(name: str) -> type[Engine]:
    """The engine of that name, whether it can run here or not; UsageError with the nearest names."""
    others = _others()
    if name in others:
        return others[name].value
    if name not in _names():
        raise unknown("engine", name, [*_names(), *others])
    return _shipped(name)


def available() -> dict[str, tuple[str, str | None]]:
    """Every engine by name: whose it is, and why it cannot run here, or None where it can."""
    own = {name: (SHIPPED, _shipped(name).obstacle()) for name in _names()}
    return own | {name: (other.owner, other.value.obstacle()) for name, other in _others().items()}


def facts_for(name: str, choice: EngineChoice) -> EngineFacts:
    """The settings that an engine, or the best one for `auto`, would open a model with; EngineError as `find`,
    UsageError for what it cannot do.
    """
    facts = find(name).describe(choice)
    if name not in (AUTO, facts.name):
        raise EngineError(f"engine '{name}' describes itself as '{facts.name}': expected its own name in `describe`")
    if (choice.tensor_parallel or 1) != facts.devices:
        raise UsageError(
            f"--tensor-parallel {choice.tensor_parallel}: engine '{facts.name}' divides no model over devices: take "
            "--engine vllm, or a server that does"
        )
    return facts


@contextlib.contextmanager
def at_server(url: str | None) -> Iterator[None]:
    """In this context, the server of that URL is the one that engines ask; None leaves it to the environment."""
    before = os.environ.get(SERVER_URL)
    if url is not None:
        os.environ[SERVER_URL] = url
    try:
        yield
    finally:
        if url is not None:
            os.environ.pop(SERVER_URL)
            os.environ |= {} if before is None else {SERVER_URL: before}


def reserves(name: str) -> bool:
    """Whether the engine of that name reserves memory for the longest sequence, and so has to know it."""
    return known(name).reserves


def that_time_tokens() -> list[str]:
    """The engines whose traces say when each token came."""
    return [name for name in [*_names(), *_others()] if known(name).times_tokens]


def open_engine(folder: Path, facts: EngineFacts, limits: Limits) -> Engine:
    """Load the model in the folder into the engine that `facts` names; EngineError where the memory does not
    suffice.
    """
    try:
        return known(facts.name)(folder, facts, limits)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise EngineError(
            f"the model in {folder} exceeds the memory as it is loaded: {first_line(error)}; take a smaller model or "
            "dtype"
        ) from error


def _names() -> list[str]:
    return find_modules(sys.modules[__name__])


def _shipped(name: str) -> type[Engine]:
    """The engine that the module of that name defines."""
    module = load_module(sys.modules[__name__], name, "engine")
    defined = (value for value in vars(module).values() if inspect.isclass(value) and issubclass(value, Engine))
    (engine,) = (engine for engine in defined if engine.__module__ == module.__name__)
    return engine


@functools.cache
def _others() -> dict[str, Offered[type[Engine]]]:
    """The engines of other packages by name; what cannot be used is said once and left out."""
    found: dict[str, Offered[type[Engine]]] = {}
    for name, other in offered(GROUP, "engine", [AUTO, *_names()]).items():
        value = other.value
        if not (inspect.isclass(value) and issubclass(value, Engine)):
            say("engine", name, other.owner, "it is no subclass of rimbench.engines.Engine")
        elif inspect.isabstract(value):
            lacking = ", ".join(sorted(value.__abstractmethods__))
            say("engine", name, other.owner, f"it lacks the methods {lacking}")
        else:
            found[name] = Offered(other.owner, value)
    return found
