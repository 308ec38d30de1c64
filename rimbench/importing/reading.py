"""A file and the name of its format -> its answers; the format is found by what the file holds.

A format is a module in `rimbench.importing.formats`, and its name that of the module, with hyphens. It has
`EXPECTS` (what its files hold, for an error), `recognises(glimpse)`, `source(glimpse)` and `read(glimpse, score)`.
"""

import dataclasses
import hashlib
import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISDIR
from typing import Any, Protocol, cast

from rimbench.errors import DataError, UsageError
from rimbench.importing import formats
from rimbench.importing.answers import AnswerFile, listed
from rimbench.importing.rows import first_row, parse_foreign, read_object
from rimbench.importing.stated import mapping
from rimbench.plugins import find_modules, load_module, unknown

AUTO = "auto"
_SUFFIXES = ("", ".json", ".jsonl", ".ndjson", ".txt", ".parquet", ".eval", ".csv", ".tsv")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a file shows at first sight: its first JSON object or row, or the entries of an archive.

    `whole` is the one JSON object or array that a file is, None for any other.
    """

    path: Path = Path()
    row: Mapping[str, Any] = field(default_factory=dict)
    whole: object = None
    entries: frozenset[str] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the row."""
        return frozenset(map(str, self.row))

    @property
    def document(self) -> Mapping[str, Any]:
        """The one JSON object that the file is; DataError for any other."""
        return self.whole if isinstance(self.whole, Mapping) else read_object(self.path)


class Format(Protocol):
    """What a module of a format has."""

    EXPECTS: str

    def recognises(self, glimpse: Glimpse) -> bool:
        """Whether a file looks like one of this format."""
        ...

    def source(self, glimpse: Glimpse) -> Path:
        """The file with the answers, of which a recognised one may be a part; DataError where it cannot be told."""
        ...

    def read(self, glimpse: Glimpse, score: str | None) -> AnswerFile:
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


def format_names() -> list[str]:
    """The names of all formats."""
    return [name.replace("_", "-") for name in find_modules(formats)]


def read(path: Path, format_name: str = AUTO, score: str | None = None) -> ForeignFile:
    """The answers of a file, or of the one log in a folder.

    UsageError for a format that there is not, DataError for a file that is none, and for a folder of several.
    """
    if format_name not in (AUTO, *format_names()):
        raise unknown("format", format_name, [AUTO, *format_names()])
    notes: list[str] = []
    try:
        if _is_folder(path):
            name, shown = _only_log(path, format_name, notes)
        else:
            if path.stat().st_size == 0:
                raise DataError(f"{path} is empty: expected one answer an item")
            shown = glimpse(path)
            name = _recognise(shown) if format_name == AUTO else format_name
            shown = _at(_load(name).source(shown), shown)
        reading = _load(name).read(shown, score)
        with shown.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; give a file of answers") from error
    if not reading.answers:
        raise DataError(f"{shown.path} holds no answer: expected one an item ({_load(name).EXPECTS})")
    reading = dataclasses.replace(reading, notes=(*reading.notes, *notes))
    return ForeignFile(shown.path, name, digest, reading)


def check_score(score: str | None, known: Iterable[str], path: Path) -> None:
    """UsageError where a file has no metric of that name."""
    names = list(dict.fromkeys(known))
    if score is not None and score not in names:
        raise UsageError(f"--score {score}: {path} can be read by {' or '.join(names) or 'none'}")


def _is_folder(path: Path) -> bool:
    try:
        return S_ISDIR(path.stat().st_mode)
    except ValueError as error:
        raise DataError(
            f"cannot read {str(path)!r}: its name holds a NUL character; give a file of answers"
        ) from error


def _load(name: str) -> Format:
    return cast("Format", load_module(formats, name.replace("-", "_"), "format"))


def _only_log(folder: Path, format_name: str, notes: list[str]) -> tuple[str, Glimpse]:
    """The one log in a folder, and its format. Files that are none, and those that cannot be read, are noted."""
    found: dict[Path, str] = {}
    shown = Glimpse()
    passed_over, damaged = list[str](), list[str]()
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        try:
            one = glimpse(path) if path.suffix.lower() in _SUFFIXES and path.stat().st_size else Glimpse()
            name = _format_of(one)
            if name is None:
                passed_over.append(str(path.relative_to(folder)))
            elif format_name in (AUTO, name):
                source = _load(name).source(one)
                found[source] = name
                shown = one if source == path else shown
        except (DataError, OSError) as error:
            damaged.append(str(error))
    if len(found) > 1:
        told = [f"{name} in {os.path.relpath(path, folder)}" for path, name in found.items()]
        raise DataError(f"{folder} holds {len(found)} logs: give one of them: {listed(told, 5)}")
    if not found and damaged:
        raise DataError(f"cannot read {folder}: no file of this directory can be imported: {damaged[0]}")
    if not found:
        raise DataError(
            f"cannot read {folder}: no file of this directory is in a known format: {', '.join(format_names())}"
        )
    notes += [f"left out: {fault}" for fault in damaged[:_SHOWN]]
    if len(damaged) > _SHOWN:
        notes.append(f"left out: {len(damaged) - _SHOWN} more files that cannot be read")
    if passed_over:
        notes.append(f"other files of the folder, no log by themselves: {listed(passed_over, 3)}")
    [(source, name)] = found.items()
    return name, _at(source, shown)


def _at(source: Path, shown: Glimpse) -> Glimpse:
    """A glimpse of the source: what was shown already, where that is it."""
    return shown if source == shown.path else glimpse(source)


def _format_of(shown: Glimpse) -> str | None:
    return next((name for name in format_names() if _load(name).recognises(shown)), None)


def _recognise(shown: Glimpse) -> str:
    name = _format_of(shown)
    if name is not None:
        return name
    found = "an archive" if shown.entries else _some_keys(shown.keys) if shown.keys else "no JSON object"
    known = ", ".join(format_names())
    raise DataError(
        f"{_short(shown.path)}: unknown format: it holds {found}; known: {known}; mend it, or give --format"
    )


def _some_keys(keys: frozenset[str]) -> str:
    shown = [key if len(key) <= 12 else f"{key[:11]}~" for key in sorted(keys)[:4]]
    return f"the keys {', '.join(shown)}" + (", ..." if len(keys) > len(shown) else "")


def _short(path: Path) -> str:
    """A path, or the end of a long one."""
    return text if len(text := str(path)) <= 40 else f"...{text[-37:]}"


def glimpse(path: Path) -> Glimpse:
    """What a file shows at first sight; an object or an array over many lines is read whole."""
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return Glimpse(path, entries=frozenset(archive.namelist()))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise DataError(f"{path} is a damaged archive ({error}): fetch or write it again") from error
    row, whole = first_row(path)
    return Glimpse(path, mapping(row), whole)


def counterpart(path: Path, kind: str, other: str) -> Path | None:
    """The file of another kind of the same run: in a folder of that name, or with that word in its own name."""
    for full in dict.fromkeys((path, path.absolute())):
        places = (i for i in reversed(range(len(full.parts) - 1)) if full.parts[i] == kind)
        found = [Path(*full.parts[:i], other, *full.parts[i + 1 :]) for i in places]
        found.append(full.with_name(full.name.replace(kind, other)))
        for file in found:
            if file != full and file.is_file():
                return file
    return None


def beside(path: Path) -> Any:
    """What a JSON file beside an answer file holds; None where there is none, or none that can be read."""
    value = parse_foreign(path.read_bytes()) if path.is_file() else None
    return value if isinstance(value, list | Mapping) else None
