"""TOML files as validated values: the one border where a suite, a system, a recipe or a claim enters.

Every fault of a file is found at once and said in one line, with the file and the key of each.
"""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from rimbench.errors import ConfigError


class Table(BaseModel):
    """A TOML table: its keys are known, and any other key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


T = TypeVar("T", bound=Table)

SHOWN_CHARACTERS = 80
"""Of a faulty value."""


def read_toml(path: Path, schema: type[T], kind: str) -> T:
    """Read and validate a TOML file; ConfigError lists every fault, `kind` says what the file describes."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{kind} file {path} does not exist; expected a TOML file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{kind} file {path} is not readable TOML: {error}") from error
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{kind} file {path}: {describe_faults(error)}") from error


def below(file: Path, named: str, key: str, *, allow_outside: bool) -> Path:
    """The path that a file names, relative to the file's own folder; ConfigError where it leads out of that folder.

    A file from a stranger then reads nothing of its reader's but what lies beside it. Symbolic links are followed
    before it is decided.
    """
    folder = file.parent
    path = folder / Path(named).expanduser()
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{file}: {key}: {named!r} is no path: {error}") from error
    if not inside and not allow_outside:
        raise ConfigError(
            f"{file}: {key}: {named} lies outside {folder}: expected a path below the file's own folder; if you "
            "trust the file, allow it with --allow-outside"
        )
    return path


def describe_faults(error: ValidationError) -> str:
    """Every fault of a validation in one line: `key: what is wrong (got value)`, separated by semicolons."""
    faults = []
    for fault in error.errors(include_url=False):
        key = ".".join(str(part) for part in fault["loc"])
        value = fault.get("input")
        got = f" (got {_short(repr(value))})" if isinstance(value, str | int | float | bool) else ""
        said = f"{_plain(fault['type'], fault['msg'])}{got}"
        faults.append(f"{key}: {said}" if key else said)
    count = f"{len(faults)} faults: " if len(faults) > 1 else ""
    return count + "; ".join(faults)


def _plain(fault_type: str, message: str) -> str:
    if fault_type == "extra_forbidden":
        return "unknown key"
    if fault_type == "json_invalid":
        return "not JSON"
    if fault_type == "missing":
        return "required, but missing"
    return message.removeprefix("Value error, ")


def _short(text: str) -> str:
    """A value may be a whole line of a file."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}...{text[-1]}"
