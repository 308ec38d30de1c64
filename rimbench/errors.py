"""The errors a user can meet: each message says what was wrong, where, what was expected and what to do.

Library code raises these; only `rimbench.cli.app` turns one into a line on stderr and an exit code.
"""

from collections.abc import Iterable
from typing import TypeVar


class RimbenchError(Exception):
    """Something outside the code is not as it must be; the message is one line for the user.

    `exit_code` is what the command line ends with: 1 for work that failed, 2 for wrong use, 3 for a gate that closes.
    """

    exit_code = 1


class UsageError(RimbenchError):
    """The command was asked for something that does not exist or cannot be combined."""

    exit_code = 2


class ConfigError(RimbenchError):
    """A file that describes a suite, a system or a recipe is faulty; every fault is listed."""

    exit_code = 2


class DataError(RimbenchError):
    """A file of questions or of records does not hold what it must."""


class ModelError(RimbenchError):
    """A model's weights or tokenizer cannot be had, or are not what the system needs."""


class UnreachableError(ModelError):
    """The hub cannot be reached, and a model is not on this machine."""


class EngineError(RimbenchError):
    """An engine cannot run here, or stopped working."""


class GateError(RimbenchError):
    """A comparison came to what it was not to come to: `compare --fail-if`."""

    exit_code = 3


def first_line(error: Exception) -> str:
    """What a library's error says first, or its name where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def on_one_line(error: Exception, most: int) -> str:
    """The name of a library's error and all that it says, up to so many characters."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:most]


OUT_OF_MEMORY = (
    "out of memory", "can't allocate memory", "cannot allocate memory", "failed to allocate", "not enough memory",
)  # fmt: skip


def is_out_of_memory(error: Exception) -> bool:
    """Whether an engine's error says that the memory does not suffice, as the libraries put it."""
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in OUT_OF_MEMORY)


E = TypeVar("E", bound=RimbenchError)


def with_lines(error: E, lines: Iterable[str]) -> E:
    """The error with further lines, such as the commands that mend it; they stand below its message everywhere."""
    for line in lines:
        error.add_note(line)
    return error
