"""Files of questions -> rows: JSONL, JSON lines, a JSON array, Parquet or CSV.

A row is a mapping of column to value, as the file holds it; what a column means is the layout's business. A
null, an absent column and an empty CSV cell are all None.
"""

import csv
import hashlib
import itertools
import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from rimbench.errors import DataError

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


_LARGEST_CELL = 2**31 - 1


def read(path: Path) -> Iterator[Row]:
    """The rows of a file, in order; DataError, naming file and line, for one that cannot be read."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: unknown file type '{path.suffix}': give one of {', '.join(_READERS)}")
    try:
        yield from reader(path)
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


def _read_json(path: Path) -> Iterator[Row]:
    """One JSON object a line, or one array of objects: the first character tells."""
    with path.open("rb") as file:
        first = next((line for line in file if line.strip(b"\xef\xbb\xbf \t\r\n")), b"")
        file.seek(0)
        if first.lstrip(b"\xef\xbb\xbf \t").startswith(b"["):
            yield from _read_json_array(path, file.read())
            return
        for number, line in enumerate(file, start=1):
            if line.strip(b"\xef\xbb\xbf \t\r\n"):
                yield _json_object(f"{path}, line {number}", line)


def _read_json_array(path: Path, content: bytes) -> Iterator[Row]:
    values = _parse_json(str(path), content)
    for number, value in enumerate(values if isinstance(values, list) else [], start=1):
        yield _as_row(f"{path}, entry {number}", value)


def _json_object(where: str, line: bytes) -> Row:
    return _as_row(where, _parse_json(where, line))


def _parse_json(where: str, content: bytes) -> object:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: is not UTF-8 (byte {error.start}): save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where}: is not JSON ({error}): expected one whole JSON object a line, or one array of them; "
            "mend or remove it"
        ) from error


def _as_row(where: str, value: object) -> Row:
    if not isinstance(value, dict):
        raise DataError(f"{where}: is a JSON {type(value).__name__}: expected an object with named columns")
    return value


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise DataError(f"{path}: is not a whole Parquet file ({_first_line(error)})") from error


def _read_csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(_LARGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            if len(set(header)) < len(header):
                raise DataError(f"{path}, line 1: a column name occurs twice in {', '.join(header)}")
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise DataError(
                        f"{path}, line {reader.line_num}: has {len(cells)} cells, the header {len(header)}: "
                        "a row is cut off, or a comma in a text is not quoted"
                    )
                yield {column: cell or None for column, cell in zip(header, cells, strict=True)}
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: is not CSV ({error})") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: is not UTF-8 (byte {error.start}): save the file as UTF-8") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]


_READERS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".jsonl": _read_json,
    ".json": _read_json,
    ".ndjson": _read_json,
    ".parquet": _read_parquet,
    ".csv": _read_csv,
}


def peek(rows: Iterator[Row]) -> tuple[Row | None, Iterator[Row]]:
    """The first row (None where there is none), and all rows, the first included."""
    first = next(rows, None)
    return first, rows if first is None else itertools.chain([first], rows)
