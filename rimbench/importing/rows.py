"""The rows of a file that another program wrote: JSONL, one JSON array, CSV, TSV or Parquet, each validated.

Nothing is imported from a file of which a row cannot be read: what is missing could not be told from what was never
asked. All such rows are listed at once, each with its line.
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from rimbench.errors import DataError
from rimbench.files.csv_table import SUFFIXES, RowFault, read_table
from rimbench.files.faults import describe_faults
from rimbench.files.strict_json import is_deep, say_deep

_LINES_SHOWN, _LONGEST_FAULT = 10, 300
_BLANK = b"\xef\xbb\xbf \t\r\n"
_PARQUET = b"PAR1"
_HALF_PAIR = re.compile(r"[\ud800-\udfff]")

T = TypeVar("T", bound=BaseModel)


def read_rows(path: Path, schema: type[T], entries: object = None) -> list[T]:
    """Every row of a file as a validated value; DataError counts and lists all rows that are none.

    Rows are the lines of JSONL, the entries of one JSON array, the rows of Parquet, or the lines of a CSV or TSV file
    with a header, whose empty cells are null. Blank lines are passed over. `entries` are those of an array that was
    read already.
    """
    return validated(path, _numbered(entries) if isinstance(entries, list) else _rows(path), schema)


def validated(path: Path, rows: Iterable[tuple[str, object]], schema: type[T]) -> list[T]:
    """Rows of a file, each with where it stands, as values; DataError counts and lists all rows that are none."""
    values, faults = [], []
    adapter = TypeAdapter(schema)
    for where, row in rows:
        if isinstance(row, RowFault):
            faults.append(f"{where} ({row})")
            continue
        try:
            values.append(adapter.validate_python(row))
        except ValidationError as error:
            fault = describe_faults(error)
            faults.append(f"{where} ({fault if len(fault) <= _LONGEST_FAULT else fault[:_LONGEST_FAULT] + '...'})")
    if faults:
        raise _unreadable(path, faults, len(values) + len(faults))
    return values


def _unreadable(path: Path, faults: Sequence[str], rows: int) -> DataError:
    more = f" and {len(faults) - _LINES_SHOWN} more" if len(faults) > _LINES_SHOWN else ""
    return DataError(
        f"{path}: {len(faults)} unreadable line{'s' * (len(faults) > 1)} of {rows}: "
        f"{'; '.join(faults[:_LINES_SHOWN])}{more}; nothing was imported: mend or delete them"
    )


def read_object(path: Path) -> Mapping[str, Any]:
    """A file that is one JSON object; DataError for any other."""
    value = parse_foreign(path.read_bytes())
    if isinstance(value, Mapping):
        return value
    why = value if isinstance(value, RowFault) else "it holds something else"
    raise DataError(f"{path}: expected one JSON object ({why}): it may be cut off; fetch or write it again")


def first_row(path: Path) -> tuple[object, object]:
    """The first row, None where there is none, and the one JSON object or array that the whole file is, else None."""
    if _is_parquet(path):
        return next((row for _, row in _parquet(path)), None), None
    if path.suffix.lower() in SUFFIXES:
        rows = list(itertools.takewhile(lambda row: isinstance(row[1], RowFault), read_table(path)))
        whole_row = next((row for _, row in read_table(path) if not isinstance(row, RowFault)), None)
        if whole_row is None and rows:
            raise _unreadable(path, [f"line {number} ({fault})" for number, fault in rows], len(rows))
        return whole_row, None
    with path.open("rb") as file:
        lines = (line for line in file if line.strip(_BLANK))
        first = next(lines, b"")
        value, whole = parse_foreign(first), next(lines, None) is None
        if isinstance(value, RowFault) and not whole and first.strip(_BLANK)[:1] in (b"[", b"{"):
            file.seek(0)
            value, whole = parse_foreign(file.read()), True
    row = next(iter(value), None) if isinstance(value, list) else value
    return row, value if whole and isinstance(value, list | Mapping) else None


def parse_foreign(content: bytes) -> Any:
    """A JSON value, or why it is none. Half a surrogate pair, which no file can hold, is a replacement character."""
    if is_deep(content):
        return RowFault(f"JSON {say_deep()}")
    try:
        value = json.loads(content.decode("utf-8-sig"))
        return _mended(value) if b"\\u" in content else value
    except RecursionError:
        return RowFault("JSON nested too deeply")
    except ValueError:
        return RowFault("not JSON")


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_mended(inner) for inner in value]
    if isinstance(value, Mapping):
        return {_mended(key): _mended(inner) for key, inner in value.items()}
    return value


def _rows(path: Path) -> Iterator[tuple[str, object]]:
    """Where each row stands, and what it holds, or why it cannot be read."""
    if path.suffix.lower() in SUFFIXES:
        for number, row in read_table(path):
            yield f"line {number}", row
        return
    if _is_parquet(path):
        yield from _parquet(path)
        return
    with path.open("rb") as file:
        start = next((line for line in file if line.strip(_BLANK)), b"").strip(_BLANK)
        file.seek(0)
        if start.startswith(b"["):
            entries = parse_foreign(file.read())
            if not isinstance(entries, list):
                raise DataError(f"{path} begins like a JSON array and is none: it is torn, or not UTF-8; mend it")
            yield from _numbered(entries)
            return
        for number, line in enumerate(file, start=1):
            if content := line.strip(_BLANK):
                yield f"line {number}", parse_foreign(content)


def _numbered(entries: Sequence[object]) -> Iterator[tuple[str, object]]:
    return ((f"entry {number}", entry) for number, entry in enumerate(entries, start=1))


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_PARQUET)) == _PARQUET


def _parquet(path: Path) -> Iterator[tuple[str, object]]:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=256):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{path} is a damaged Parquet file ({' '.join(str(error).split())[:150]}): fetch or write it again"
        ) from error
