"""TOML files as validated values: the one border where a suite, a system, a recipe or a claim enters.

Every fault of a file is found at once and said in one line, with the file and the key of each.
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from rimbench.display.plaintext import plain
from rimbench.errors import ConfigError


class TomlTable(BaseModel):
    """A TOML table: its keys are known, and any other key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


T = TypeVar("T", bound=TomlTable)

SHOWN_CHARACTERS = 80
"""Of a faulty value, or of the key that has it."""
SHOWN_FAULTS = 100


def read_toml(path: Path, schema: type[T], kind: str) -> T:
    """Read and validate a TOML file; errors as `read_values`."""
    return read_values(parse_toml(path, kind), path, schema, kind)


def read_values(values: Mapping[str, Any], path: Path, schema: type[T], kind: str) -> T:
    """The values of a TOML file in their form; ConfigError lists its faults, `kind` says what the file describes."""
    try:
        return schema.model_validate(values, extra="forbid")  # in its dataclasses too
    except ValidationError as error:
        raise ConfigError(f"{kind} file {path}: {describe_faults(error)}") from error


def parse_toml(path: Path, kind: str) -> dict[str, Any]:
    """The values of a TOML file as they are; ConfigError where it is none."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for for ever
            raise ConfigError(f"{kind} file {path} is no file; expected a TOML file")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{kind} file {path} does not exist; expected a TOML file") from error
    except RecursionError as error:
        raise ConfigError(f"{kind} file {path} is not readable TOML: it is nested too deeply") from error
    except (OSError, ValueError) as error:  # also of a NUL in the path, of bytes that are no text, of endless numbers
        raise ConfigError(f"{kind} file {path} is not readable TOML: {_short(str(error), 200)}") from error


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
    """The faults of a validation in one line: `key: what is wrong (got value)`, separated by semicolons."""
    faults = list_faults(error)
    count = f"{len(faults)} faults: " if len(faults) > 1 else ""
    more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
    return plain(count + "; ".join(faults[:SHOWN_FAULTS]) + more)


def list_faults(error: ValidationError, hint: Callable[[tuple[Any, ...]], str] | None = None) -> list[str]:
    """The same fault by fault; `hint` is asked what an unknown key, by its place, may be meant for."""
    faults = []
    for fault in error.errors(include_url=False):
        place = tuple(part for part in fault["loc"] if part != "[key]")
        key = _short(".".join(map(str, place)))
        value = fault.get("input")
        own = fault["type"] == "value_error"  # says itself what it got
        got = (
            f" (got {_short(repr(value))})"
            if isinstance(value, str | int | float | bool) and not (own and hint)
            else ""
        )
        said = f"{_short(_plain(fault['type'], fault['msg']), 400)}{got}"
        if hint is not None and fault["type"] == "extra_forbidden":
            said = f"unknown key: {hint(place)}"
        faults.append(f"{key}: {said}" if key else said)
    return faults


def _plain(fault_type: str, message: str) -> str:
    if fault_type in ("extra_forbidden", "unexpected_keyword_argument"):
        return "unknown key"
    if fault_type == "json_invalid":
        return "not JSON"
    if fault_type == "missing":
        return "required, but missing"
    return message.removeprefix("Value error, ")


def _short(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """A value may be a whole line of a file."""
    return text if len(text) <= most else f"{text[:most]}...{text[-1]}"
