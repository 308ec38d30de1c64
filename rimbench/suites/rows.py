"""Files of questions -> rows: JSON lines, a JSON document, Parquet or CSV.

A row is a mapping of column to value, as the file holds it; what a column means is the layout's business. A
null, an absent column and an empty CSV cell are all None.
"""

import codecs
import hashlib
import itertools
import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from rimbench.errors import DataError, first_line
from rimbench.files.csv_table import RowFault, read_table
from rimbench.files.strict_json import is_deep, say_deep
from rimbench.suites.json_rows import rows_of

Row = Mapping[str, object]


class PackedRows:
    """Rows that are read more than once, in a third of the memory that they take as they are."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._packed = [pickle.dumps(row, pickle.HIGHEST_PROTOCOL) for row in rows]

    def __getitem__(self, position: int) -> Row:
        row: Row = pickle.loads(self._packed[position])
        return row

    def __iter__(self) -> Iterator[Row]:
        return (pickle.loads(packed) for packed in self._packed)


_BLANK = b"\xef\xbb\xbf \t\r\n"


def read(path: Path, group: str | None = None) -> Iterator[Row]:
    """The rows of a file, in order; DataError, naming file and line, for one that cannot be read.

    Of a JSON file with several groups of rows, those of `group`.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: unknown file type '{path.suffix}': give one of {', '.join(_READERS)}")
    try:
        yield from reader(path, group)
    except OSError as error:
        raise _unreadable(path, error) from error


def sha256(path: Path) -> str:
    """The sha256 of a file's bytes; DataError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path}: cannot be read ({error.strerror or error}): give a file of rows ({', '.join(_READERS)})"
    )


def _read_json(path: Path, group: str | None) -> Iterator[Row]:
    """One JSON object a line, or one JSON document: the first lines tell."""
    with path.open("rb") as file:
        filled = ((number, line) for number, line in enumerate(file, start=1) if line.strip(_BLANK))
        start = list(itertools.islice(filled, 2))
        if start and _begins_document(start[0][1], alone=len(start) == 1):
            file.seek(0)
            yield from _read_document(path, file.read(), group)
            return
        for number, line in itertools.chain(start, filled):
            yield _json_object(f"{path}, line {number}", line)


def _begins_document(line: bytes, *, alone: bool) -> bool:
    """Whether the first line that is not blank is the start of a document, or the whole of one."""
    line = line.strip(_BLANK)
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return line.startswith(b"[") or (line.startswith(b"{") and line.endswith((b"{", b"[", b",", b":")))
    return alone


def _read_document(path: Path, content: bytes, group: str | None) -> Iterator[Row]:
    """The rows of one JSON document, or of several objects that are written over many lines each."""
    values = _parse_json(str(path), content, several=True)
    assert isinstance(values, list)
    rows = rows_of(values[0], str(path), group) if len(values) == 1 else iter(values)
    for number, value in enumerate(rows, start=1):
        yield _as_row(f"{path}, entry {number}", value)


def _json_object(where: str, line: bytes) -> Row:
    return _as_row(where, _parse_json(where, line))


def _parse_json(where: str, content: bytes, *, several: bool = False) -> object:
    """A JSON value, or the list of `several` that follow one another, in which no key may occur twice."""
    try:
        if is_deep(content):
            raise ValueError(say_deep())
        if not several and (value := _read_fast(content)) is not None:
            return value
        text = content.removeprefix(codecs.BOM_UTF8).decode()
        return _values(text) if several else json.loads(text)
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: is not UTF-8 (byte {error.start}): save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where}: is not JSON ({error}): expected one whole JSON object a line, or one array of them; "
            "mend or remove it"
        ) from error


def _read_fast(content: bytes) -> object:
    """The value by the quicker parser; None for null, and for what the standard library is to read, or to explain."""
    try:
        return from_json(content, cache_strings="keys")
    except ValueError:
        return None


def _values(text: str) -> list[object]:
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    values, end = [], len(text) - len(text.lstrip())
    while end < len(text):
        value, end = decoder.raw_decode(text, end)
        values.append(value)
        end += len(text[end:]) - len(text[end:].lstrip())
    return values


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; ValueError where a key stands in it twice: of rows by id one would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return found


def _as_row(where: str, value: object) -> Row:
    if not isinstance(value, dict):
        raise DataError(f"{where}: is a JSON {type(value).__name__}: expected an object with named columns")
    return value


def _read_parquet(path: Path, _group: str | None) -> Iterator[Row]:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        with pq.ParquetFile(path) as file:
            first = 1
            for batch in file.iter_batches():
                yield from _values_of(batch, path, first)
                first += batch.num_rows
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: a column's name is not UTF-8: rename it") from error
    except pa.ArrowException as error:
        raise DataError(f"{path}: is not a whole Parquet file ({first_line(error)})") from error


def _values_of(batch: Any, path: Path, first: int) -> list[Row]:
    """The rows of a batch, the first of which is row `first` of the file; DataError names a cell that Python cannot
    hold: a text that is not UTF-8, a day of the year 10000.
    """
    try:
        rows: list[Row] = batch.to_pylist()
    except (ValueError, OverflowError):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            for number, cell in enumerate(column, start=first):
                try:
                    cell.as_py()
                except (ValueError, OverflowError) as error:
                    fault = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else first_line(error)
                    raise DataError(f"{path}, row {number}: column {name!r}: {fault}: mend or remove it") from error
        raise
    return rows


def _read_csv(path: Path, _group: str | None) -> Iterator[Row]:
    for line, row in read_table(path):
        if isinstance(row, RowFault):
            raise DataError(f"{path}, line {line}: {row}")
        yield row


_READERS: Mapping[str, Callable[[Path, str | None], Iterator[Row]]] = {
    ".jsonl": _read_json,
    ".json": _read_json,
    ".ndjson": _read_json,
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".tsv": _read_csv,
}
SUFFIXES = tuple(_READERS)
"""Of the files that hold rows."""


def peek(rows: Iterator[Row]) -> tuple[Row | None, Iterator[Row]]:
    """The first row (None where there is none), and all rows, the first included."""
    first = next(rows, None)
    return first, rows if first is None else itertools.chain([first], rows)
