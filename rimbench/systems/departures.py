"""In what a system departs from its own file: each setting by name, what the file says and what is there instead.

The file is the user's own, or the shipped one where a user's file bears a shipped system's name: whoever reads that
name takes the shipped system for what was asked.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rimbench.rim.blocks import Memory
from rimbench.systems import PromptStyle, StatedAnswer, System, Weights

WORDS = {"blocks": "K", "permute_options": "options permuted", "rotate_options": "options rotated by"}
"""What a label calls a setting, where that is another word than the setting's own."""
LONGEST_VALUE = 12
"""A longer value is said to have changed: a label is a name."""


def label(system: str, departures: Mapping[str, Sequence[Any]]) -> str:
    """The name under which a variant of a system is shown: never that of the system alone."""
    told = [_say(name, value) for name, (_, value) in departures.items()]
    return f"{system} ({', '.join(told)})" if told else system


def _say(name: str, value: object) -> str:
    word = WORDS.get(name, name.replace("_", " "))
    if name == "file":
        return "user's file"
    if value is True:
        return word
    text = str(value).split(" of ")[0] if name == "weights" else str(value)
    return f"{word} {text}" if text.strip() and len(text) <= LONGEST_VALUE else f"{word} changed"


def departures_of(system: System) -> dict[str, list[Any]]:
    """The settings of a system that differ from its own file's; none for a system as its file has it."""
    if system.own is None:
        return {}
    return between(settings_of(system.own), settings_of(system))


def between(own: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The settings that were found, where they are not a system's own."""
    return {name: [own.get(name), value] for name, value in found.items() if own.get(name) != value}


def settings_of(system: System) -> dict[str, Any]:
    """Every setting that could change an answer, flat, by the words of the command line and of a system's file.

    A recipe names no weights: whichever are given to such a system are its own.
    """
    source = source_of(system.weights)
    return {
        "file": system.file,
        **({"weights": source} if source else {}),
        **flat(system.prompt, system.memory, system.answer),
    }


def flat(prompt: PromptStyle | None, memory: Memory | None, answer: StatedAnswer) -> dict[str, Any]:
    """The tables of a system's file as one, as a run's identity has them too; without memory, `blocks` are None."""
    found: dict[str, Any] = dataclasses.asdict(prompt) if prompt else {}
    if memory is None:
        found["blocks"] = None
    else:
        found |= {"blocks": memory.blocks, "memory_tokens": memory.memory_tokens}
        found["memory_markers"] = " ".join(memory.tokens)
    return found | {"answer" if name == "mode" else name: value for name, value in dataclasses.asdict(answer).items()}


def source_of(weights: Weights) -> str | None:
    """Where weights come from, in one word; None for a recipe, which names none."""
    if weights.path is not None:
        return None if weights.recipe is not None else weights.path
    if weights.repo is not None:
        return f"{weights.repo}@{weights.revision}" if weights.revision else weights.repo
    return f"{weights.package}/{weights.file}" if weights.package else weights.served if weights.elsewhere else None
