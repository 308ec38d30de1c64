"""A file and the name of its format -> its answers; the format is found by what the file holds.

A format is a module in `rimbench.importing.formats`, and its name that of the module, with hyphens. It has
`EXPECTS` (what its files hold, for an error), `recognises(glimpse)` and `read(path, score)`.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from rimbench.errors import DataError, UsageError
from rimbench.importing import formats
from rimbench.importing.answers import AnswerFile
from rimbench.importing.rows import first_row
from rimbench.plugins import find_modules, load_module, unknown

AUTO = "auto"
LONGEST_ERROR = 280
"""Characters of the line that names the known formats, the command's own word before it not counted."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a file shows at first sight: the keys of its first JSON object, or the entries of an archive."""

    keys: frozenset[str] = frozenset()
    entries: frozenset[str] = frozenset()


class Format(Protocol):
    """What a module of a format has."""

    EXPECTS: str

    def recognises(self, glimpse: Glimpse) -> bool:
        """Whether a file looks like one of this format."""
        ...

    def read(self, path: Path, score: str | None) -> AnswerFile:
        """Every answer of the file; DataError lists all that cannot be read.

        `score` names the metric of the harness to read by, None for the format's own choice; UsageError for one
        that the file has not.
        """
        ...


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file with its answers, the name of its format, and the sha256 of its bytes."""

    path: Path
    format: str
    sha256: str
    reading: AnswerFile


def available() -> list[str]:
    """The names of all formats."""
    return [name.replace("_", "-") for name in find_modules(formats)]


def read(path: Path, format_name: str = AUTO, score: str | None = None) -> ForeignFile:
    """The answers of a file; UsageError for a format that there is not, DataError for a file that is none."""
    if format_name not in (AUTO, *available()):
        raise unknown("format", format_name, [AUTO, *available()])
    try:
        if _size(path) == 0:
            raise DataError(f"{path} is empty: expected one answer an item")
        name = _recognise(path) if format_name == AUTO else format_name
        reading = _load(name).read(path, score)
        source = reading.source or path
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; give a file of answers") from error
    if not reading.answers:
        raise DataError(f"{source} holds no answer: expected one an item")
    return ForeignFile(source, name, digest, reading)


def check_score(score: str | None, known: Iterable[str], path: Path) -> None:
    """UsageError where a file has no metric of that name."""
    names = list(dict.fromkeys(known))
    if score is not None and score not in names:
        raise UsageError(f"--score {score}: {path} can be read by {' or '.join(names) or 'none'}")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except ValueError as error:
        raise DataError(
            f"cannot read {str(path)!r}: its name holds a NUL character; give a file of answers"
        ) from error


def _load(name: str) -> Format:
    return cast("Format", load_module(formats, name.replace("-", "_"), "format"))


def _recognise(path: Path) -> str:
    shown = glimpse(path)
    for name in available():
        if _load(name).recognises(shown):
            return name
    found = "an archive" if shown.entries else _some_keys(shown.keys) if shown.keys else "no JSON object"
    whole = "; ".join(f"{name} ({_load(name).EXPECTS})" for name in available())
    for known in (whole, ", ".join(available())):
        line = f"{_short(path)}: unknown format: it holds {found}; known: {known}; mend it, or give --format"
        if len(line) <= LONGEST_ERROR:
            break
    raise DataError(line)


def _some_keys(keys: frozenset[str]) -> str:
    shown = [key if len(key) <= 12 else f"{key[:11]}~" for key in sorted(keys)[:6]]
    return f"the keys {', '.join(shown)}" + (", ..." if len(keys) > len(shown) else "")


def _short(path: Path) -> str:
    """A path, or the end of a long one."""
    return text if len(text := str(path)) <= 60 else f"...{text[-57:]}"


def glimpse(path: Path) -> Glimpse:
    """What a file shows at first sight; an object or an array over many lines is read whole."""
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return Glimpse(entries=frozenset(archive.namelist()))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise DataError(f"{path} is a damaged archive ({error}): fetch or write it again") from error
    value = first_row(path)
    return Glimpse(frozenset(map(str, value)) if isinstance(value, Mapping) else frozenset())
