"""Every run's records -> one Parquet file or one data frame, a row a record, beside the columns of its run and item.

To a file records pass a few thousand at a time: memory does not grow with their number. The file appears whole, or
not at all.
"""

import dataclasses
import json
import warnings
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rimbench.display.notes import Say, say_nothing
from rimbench.errors import RimbenchError
from rimbench.files.writing import check_new, replacing
from rimbench.records import Item, Record
from rimbench.store import (
    SCHEMA_VERSION,
    Answers,
    Manifest,
    find_runs,
    no_runs,
    read_items,
    read_manifest,
    say_edited,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa  # type: ignore[import-untyped]

ROWS_AT_ONCE = 2048


def export(results: Path, file: Path, *, force: bool = False, say: Say = say_nothing) -> int:
    """Write all records of all runs, and return how many rows that are; `say` is told which are doubtful.

    Raises UsageError where the file is there already (without `force`) or is not called .parquet, and DataError
    where there is no run, or a run cannot be read.
    """
    check_new(file, ".parquet", force=force)
    folders = _folders(results)
    try:
        with replacing(file) as scratch:
            return _write(folders, scratch, say)
    except OSError as error:
        raise RimbenchError(
            f"cannot write {file}: {error.strerror or error}; make room or choose another folder"
        ) from error


def records_frame(results: str | Path = "results") -> "pd.DataFrame":
    """The records of all runs of a results folder as a pandas data frame, with the columns of `rimbench export`.

    `option_logprobs` holds a dict by letter, or None; `departures` the JSON of what the run departs from in its
    system's own file. Raises DataError where there is no run, or a run cannot be read.
    """
    import pyarrow as pa

    columns = schema()
    batches = (batch for folder in _folders(Path(results)) for batch in _batches(folder, _warn))
    tables = [pa.Table.from_pylist(batch, schema=columns) for batch in batches]
    whole = pa.concat_tables(tables) if tables else columns.empty_table()
    frame: pd.DataFrame = whole.to_pandas(maps_as_pydicts="strict")
    return frame


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=2)


def _folders(results: Path) -> list[Path]:
    folders = find_runs(results)
    if not folders:
        raise no_runs(results)
    return folders


def schema() -> "pa.Schema":
    """The columns: those of a record, in its order, behind the run's, and what its item adds."""
    import pyarrow as pa

    text, count = pa.string(), pa.int32()
    columns = [
        ("run", text), ("system", text), ("suite", text),
        ("item_id", text), ("sample", count), ("gold", text), ("answer", text), ("status", text), ("text", text),
        ("option_logprobs", pa.map_(text, pa.float64())), ("prompt_tokens", count), ("generated_tokens", count),
        ("prompt_sha256", text), ("label_mass", pa.float64()),
        ("confidence", pa.float64()),
        ("correct", pa.bool_()), ("options", count), ("departures", text),
    ]  # fmt: skip
    return pa.schema(columns, metadata={"rimbench_schema": str(SCHEMA_VERSION)})


def _write(folders: list[Path], file: Path, say: Say) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    written = 0
    columns = schema()
    with pq.ParquetWriter(file, columns, compression="zstd") as writer:
        for folder in folders:
            for batch in _batches(folder, say):
                writer.write_table(pa.Table.from_pylist(batch, schema=columns))  # a row group, out of memory at once
                written += len(batch)
    return written


def _batches(folder: Path, say: Say) -> Iterator[list[dict[str, Any]]]:
    rows = _rows(folder, say)
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch


def _rows(folder: Path, say: Say) -> Iterator[dict[str, Any]]:
    manifest, items = read_manifest(folder), read_items(folder)
    answers = Answers(folder, items)
    for record in answers:
        yield _row(manifest, items, record)
    if answers.edited:
        say(say_edited(folder, answers.edited))


def _row(manifest: Manifest, items: Mapping[str, Item], record: Record) -> dict[str, Any]:
    values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    logprobs = record.option_logprobs
    return values | {
        "run": manifest.run,
        "system": manifest.system,
        "suite": manifest.suite,
        "option_logprobs": None if logprobs is None else list(logprobs.items()),
        "correct": record.correct if record.answered else None,
        "options": len(items[record.item_id].options),
        "departures": None if manifest.departures is None else json.dumps(manifest.departures),
    }
