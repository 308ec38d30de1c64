"""Where answers are kept: a folder a run, records appended and flushed as they arrive, read back validated.

`records.jsonl` is only ever appended to, a batch's lines in one write, so that a process killed at any instant
loses at most the answers in flight. A lock that dies with its process keeps a second writer out.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from rimbench.config import describe_faults
from rimbench.errors import DataError, RimbenchError
from rimbench.records import SCHEMA_VERSION, Item, Manifest, Record

RECORDS = "records.jsonl"
MANIFEST = "manifest.json"
ITEMS = "items.jsonl"
LOCK = ".lock"
CHUNK_BYTES = 1 << 22
"""Lines are validated in chunks of this size: one call a chunk costs a third less than one a line."""

RECORD_FIELDS = tuple(field.name for field in dataclasses.fields(Record))
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

T = TypeVar("T")


class RunStore(AbstractContextManager["RunStore"]):
    """One run's folder, held by this process alone.

    `done` holds (item id, sample) of every record, `greedy` and `correct` count the greedy ones and those of
    them that are right; `repaired` is the number of bytes of a torn last line that were dropped on opening.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done: set[tuple[str, int]] = set()
        self.greedy = self.correct = 0
        self.repaired = 0
        self._lock = FileLock(folder / LOCK)

    def __enter__(self) -> "RunStore":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise RimbenchError(
                f"run {self.folder} is being written by another process: wait for it, or stop it first"
            ) from error
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
        self._lock.release()

    def _open(self) -> None:
        path = self.folder / RECORDS
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self.repaired = _drop_torn_line(path, self._file)
        except OSError as error:
            raise _cannot_write(path, error) from error
        for record in read_records(path):
            self._count(record)

    def _count(self, record: Record) -> None:
        self.done.add((record.item_id, record.sample))
        self.greedy += record.sample == 0
        self.correct += record.sample == 0 and record.correct

    def append(self, records: Sequence[Record]) -> None:
        """Keep records, in one write; RimbenchError where the disk refuses them, the earlier ones intact."""
        lines = "".join(f"{to_line(record)}\n" for record in records).encode()
        start = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, lines)
            while written < len(lines):
                written += os.write(self._file, lines[written:])
        except OSError as error:
            os.ftruncate(self._file, start)
            raise _cannot_write(self.folder / RECORDS, error) from error
        for record in records:
            self._count(record)

    def write_manifest(self, manifest: Manifest, items: Sequence[Item]) -> None:
        """Keep what the run is made of, and the items that it asks, which a report needs beside the answers."""
        lines = (json.dumps(dataclasses.asdict(item), ensure_ascii=False) for item in items)
        _replace(self.folder / ITEMS, "".join(f"{line}\n" for line in lines))
        text = json.dumps(dataclasses.asdict(manifest), ensure_ascii=False, indent=2, allow_nan=False)
        _replace(self.folder / MANIFEST, text + "\n")


def to_line(record: Record) -> str:
    """A record as one line of JSON, its keys in the order of the format."""
    values = {name: getattr(record, name) for name in RECORD_FIELDS}
    return _ENCODE(values)


def read_records(path: Path) -> Iterator[Record]:
    """Every record of a file; DataError names the first line that is none. A torn last line is left out."""
    return _read_lines(path, Record, "record")


def read_items(folder: Path) -> dict[str, Item]:
    """The items that a run asks, by id, in the suite's frozen order."""
    return {item.item_id: item for item in _read_lines(folder / ITEMS, Item, "item")}


def _read_lines(path: Path, schema: type[T], kind: str) -> Iterator[T]:
    """Lines end with a newline character alone: a text may hold other line separators of Unicode."""
    adapter: TypeAdapter[list[T]] = _adapter(list[schema])  # type: ignore[valid-type]
    try:
        with path.open("rb") as file:
            while lines := file.readlines(CHUNK_BYTES):
                if not lines[-1].endswith(b"\n"):
                    lines.pop()
                try:
                    yield from adapter.validate_json(b"[" + b",".join(lines) + b"]")
                except ValidationError as error:
                    raise _faulty_lines(path, schema, kind) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; start the run's command again") from error


@lru_cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    """Kept: building one takes a millisecond, and a report reads three files a run."""
    return TypeAdapter(schema)


def _faulty_lines(path: Path, schema: type[T], kind: str) -> DataError:
    """The error that counts and lists every faulty line of a file, and says what is wrong with the first."""
    adapter, faults = TypeAdapter(schema), dict[int, str]()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                if line.endswith(b"\n"):
                    adapter.validate_json(line)
            except ValidationError as error:
                faults[number] = describe_faults(error)
    first = next(iter(faults))
    listed = ", ".join(map(str, list(faults)[:20])) + (", ..." if len(faults) > 20 else "")
    return DataError(
        f"{path}: {len(faults)} of its lines are no {kind} (line {listed}); line {first}: {faults[first]}; "
        "expected one JSON object a line: mend or delete them, or start over with --fresh"
    )


def read_manifest(folder: Path) -> Manifest:
    """A run's manifest; DataError where there is none, it is faulty, or its schema version is another."""
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{folder} holds no {MANIFEST}: expected the folder of a run") from error
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}): delete the folder, or run again with --fresh") from error
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version is None:
        raise DataError(f"{path} is no manifest of a rimbench run: give the folder that rimbench's runs lie in")
    if version != SCHEMA_VERSION:
        raise DataError(
            f"{path} has schema version {version}, expected {SCHEMA_VERSION}: "
            "read it with the rimbench that wrote it, or run again with --fresh"
        )
    try:
        manifest: Manifest = _adapter(Manifest).validate_python(values)
        return manifest
    except ValidationError as error:
        raise DataError(f"{path}: {describe_faults(error)}") from error


def find_runs(results: Path) -> list[Path]:
    """The folders of runs in a results folder, by name; those set aside by --fresh are left out."""
    return sorted(path.parent for path in results.glob(f"*/{MANIFEST}") if not _is_set_aside(path.parent))


def set_aside(folder: Path) -> Path | None:
    """Rename a run's folder to the first free `<name>.old-<i>`, so that the run can start over beside it."""
    if not folder.exists():
        return None
    aside = next(p for p in _numbered(folder) if not p.exists())
    with RunStore(folder):  # refuses a folder that another process is writing
        folder.rename(aside)
    return aside


def _numbered(folder: Path) -> Iterable[Path]:
    i = 0
    while True:
        i += 1
        yield folder.with_name(f"{folder.name}.old-{i}")


def _is_set_aside(folder: Path) -> bool:
    name, _, number = folder.name.rpartition(".old-")
    return bool(name) and number.isdigit()


def _drop_torn_line(path: Path, file: int) -> int:
    """Cut off what follows the last newline, the remains of a write that was cut short; its size in bytes."""
    size = os.fstat(file).st_size
    end = size
    with path.open("rb") as reader:
        while end > 0:
            start = max(0, end - 65536)
            reader.seek(start)
            found = reader.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
    if end < size:
        os.ftruncate(file, end)
    return size - end


def _replace(path: Path, text: str) -> None:
    """Write a file whole: a reader sees the old one or the new one."""
    scratch = path.with_name(f"{path.name}.tmp")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> RimbenchError:
    return RimbenchError(
        f"cannot write {path}: {error.strerror or error}; what was answered is kept: "
        "make room or choose another folder with --results, then start the same command again"
    )
