"""TOML files as validated values: the one border where a suite, a system, a recipe or a claim enters.

Every fault of a file is found at once and said in one line, with the file and the key of each.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from rimbench.errors import ConfigError
from rimbench.files.faults import describe_faults, shortened
from rimbench.files.shares import parse_share


class TomlTable(BaseModel):
    """A TOML table: its keys are known, and any other key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


TypedShare = Annotated[float, BeforeValidator(parse_share)]
"""A share, which may have its unit: 0.05 or "5%"."""

T = TypeVar("T", bound=TomlTable)


def read_toml(path: Path, schema: type[T], kind: str) -> T:
    """Read and validate a TOML file; errors as `read_values`."""
    return read_values(parse_toml(path, kind), path, schema, kind)


def read_values(values: Mapping[str, Any], path: Path, schema: type[T], kind: str) -> T:
    """The values of a TOML file in their form; ConfigError lists its faults, `kind` says what the file describes."""
    try:
        read = schema.model_validate(values, extra="forbid")  # in its dataclasses too
    except ValidationError as error:
        raise ConfigError(f"{kind} file {path}: {describe_faults(error, schema)}") from error
    if flags := "; ".join(f"{place}: expected a number (got {said})" for place, said in _flags(values, read)):
        raise ConfigError(f"{kind} file {path}: {flags}")
    return read


def _flags(value: object, read: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Where true or false stood in a number's place and was read as 1 or 0, and which of the two it was."""
    if isinstance(value, bool):
        if isinstance(read, int | float) and not isinstance(read, bool):
            yield place, str(value).lower()
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            found = read.get(key) if isinstance(read, Mapping) else getattr(read, key, None)
            yield from _flags(inner, found, f"{place}.{key}".removeprefix("."))
    elif isinstance(value, list) and isinstance(read, list | tuple):
        for index, (inner, found) in enumerate(zip(value, read, strict=False)):
            yield from _flags(inner, found, f"{place}.{index}".removeprefix("."))


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
        raise ConfigError(f"{kind} file {path} is not readable TOML: {shortened(str(error), 200)}") from error


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


def toml_text(value: str) -> str:
    """A text as TOML has it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
