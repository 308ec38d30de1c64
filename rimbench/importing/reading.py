"""A file and the name of its format -> its answers; the format is found by what the file holds.

A format is a module in `rimbench.importing.formats`, and its name that of the module, with hyphens. It has
`EXPECTS` (what its files hold, for an error), `recognises(glimpse)` and `read(path)`.
"""

import csv
import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from rimbench.config import describe_faults
from rimbench.errors import DataError
from rimbench.importing import formats
from rimbench.importing.answers import Reading
from rimbench.plugins import find_modules, load_module, unknown

AUTO = "auto"
_LINES_SHOWN = 10
_BLANK = b"\xef\xbb\xbf \t\r\n"
_DELIMITERS = {".csv": ",", ".tsv": "\t"}

T = TypeVar("T", bound=BaseModel)


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

    def read(self, path: Path) -> Reading:
        """Every answer of the file; DataError lists all that cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file with its answers, the name of its format, and the sha256 of its bytes."""

    path: Path
    format: str
    sha256: str
    reading: Reading


def available() -> list[str]:
    """The names of all formats."""
    return [name.replace("_", "-") for name in find_modules(formats)]


def read(path: Path, format_name: str = AUTO) -> ForeignFile:
    """The answers of a file; UsageError for a format that there is not, DataError for a file that is none."""
    if format_name not in (AUTO, *available()):
        raise unknown("format", format_name, [AUTO, *available()])
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty: expected one answer an item")
        name = _recognise(path) if format_name == AUTO else format_name
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        reading = _load(name).read(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; give a file of answers") from error
    if not reading.answers:
        raise DataError(f"{path} holds no answer: expected one an item")
    return ForeignFile(path, name, digest, reading)


def read_rows(path: Path, schema: type[T]) -> list[T]:
    """Every row of a file as a validated value; DataError counts and lists all rows that are none.

    Rows are the lines of JSONL, the entries of one JSON array, or the lines of a CSV or TSV file with a header, whose
    empty cells are null. Blank lines are passed over. Nothing is imported from a file of which a row cannot be
    read: what is missing could not be told from what was never asked.
    """
    values, faults = [], []
    adapter = TypeAdapter(schema)
    for where, content in _rows(path):
        try:
            values.append(adapter.validate_json(content) if isinstance(content, bytes) else
                          adapter.validate_python(content))  # fmt: skip
        except ValidationError as error:
            faults.append(f"{where} ({describe_faults(error)})")
    if faults:
        more = f" and {len(faults) - _LINES_SHOWN} more" if len(faults) > _LINES_SHOWN else ""
        raise DataError(
            f"{path}: {len(faults)} unreadable line{'s' * (len(faults) > 1)} of {len(values) + len(faults)}: "
            f"{'; '.join(faults[:_LINES_SHOWN])}{more}; nothing was imported: mend or delete them"
        )
    return values


def _rows(path: Path) -> Iterator[tuple[str, object]]:
    """Where each row stands, and what it holds: the bytes of a line of JSON, or a value that was read already."""
    if path.suffix.lower() in _DELIMITERS:
        for number, row in _table(path):
            yield f"line {number}", row
        return
    with path.open("rb") as file:
        start = next((line for line in file if line.strip(_BLANK)), b"").strip(_BLANK)
        if start.startswith(b"["):
            file.seek(0)
            entries = _parse(file.read())
            if not isinstance(entries, list):
                raise DataError(f"{path} begins like a JSON array and is none: it is torn, or not UTF-8; mend it")
            yield from ((f"entry {number}", entry) for number, entry in enumerate(entries, start=1))
            return
        file.seek(0)
        for number, line in enumerate(file, start=1):
            if content := line.strip(_BLANK):
                yield f"line {number}", content


def _table(path: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    """The rows of a CSV or TSV file, by the number of the line on which each ends."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=_DELIMITERS[path.suffix.lower()], strict=True)
            for row in reader:
                # A row longer than the header has its rest, a list, under None.
                cells = {key: text or None for key, text in row.items() if key and not isinstance(text, list)}
                yield reader.line_num, cells
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 (byte {error.start}): save the file as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{path}: {error}: expected a table with one header line; mend the quotes") from error


def _load(name: str) -> Format:
    return cast("Format", load_module(formats, name.replace("-", "_"), "format"))


def _recognise(path: Path) -> str:
    shown = glimpse(path)
    for name in available():
        if _load(name).recognises(shown):
            return name
    found = f"the keys {', '.join(sorted(shown.keys))}" if shown.keys else "no JSON object"
    if shown.entries:
        found = "an archive"
    known = "; ".join(f"{name} ({_load(name).EXPECTS})" for name in available())
    raise DataError(f"{path}: unknown format: it holds {found}; known: {known}; mend the file, or give --format")


def glimpse(path: Path) -> Glimpse:
    """What a file shows at first sight; an object or an array over many lines is read whole."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return Glimpse(entries=frozenset(archive.namelist()))
    if path.suffix.lower() in _DELIMITERS:
        return Glimpse(frozenset(next((row for _, row in _table(path)), {})))
    with path.open("rb") as file:
        first = next((line for line in file if line.strip(_BLANK)), b"")
        value = _parse(first)
        if value is None:
            file.seek(0)
            value = _parse(file.read())
    if isinstance(value, list):
        value = next(iter(value), None)
    return Glimpse(frozenset(map(str, value)) if isinstance(value, Mapping) else frozenset())


def _parse(content: bytes) -> object:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
