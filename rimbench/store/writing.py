"""The one writer of a run's folder."""

import itertools
import operator
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench.errors import DataError, RimbenchError
from rimbench.files.writing import SCRATCH, sync, write_pieces, write_whole
from rimbench.records import Item, Record
from rimbench.store.answers import Answers
from rimbench.store.folder import (
    BEGUN,
    ITEMS,
    MANIFEST,
    RECORDS,
    SET_ASIDE,
    OtherSchemaError,
    read_manifest,
)
from rimbench.store.kept import Kept
from rimbench.store.lines import WrittenAnswer, to_item_line, write_answer
from rimbench.store.manifest import Manifest, manifest_json

if TYPE_CHECKING:
    from filelock import FileLock

LOCK = ".lock"
SECONDS_BETWEEN_SYNCS = 1.0
"""What a loss of power may cost: the answers of so long. On every batch, a fast engine would wait for the disk."""


class RunStore(AbstractContextManager["RunStore"]):
    """One run's folder, held by this process alone.

    `done` holds (item id, sample) of every answer, `failed` the engine's failures that are to be asked again;
    `greedy` and `correct` count the greedy answers and those of them that are right. `repaired` is the number of
    bytes of a torn last line that were dropped on opening, `edited` the lines that were changed after they were
    written. Records are checked, beside `items` where these are given, as they are read and before they are written;
    `mended` counts texts of which half a character, a lone surrogate, is kept as a replacement character. `prompts`
    are the hashes of what is asked, by item, where they are given.

    With `fresh`, a folder that is there is neither read nor changed: the new run begins beside it, and takes its
    place with its first answer. `aside` is where the old one is kept from then on.
    """

    def __init__(
        self,
        folder: Path,
        items: Mapping[str, Item] | None = None,
        *,
        fresh: bool = False,
        prompts: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.done = Kept()
        self.failed: dict[tuple[str, int], Record] = {}
        self.edited: list[int] = []
        self.greedy = self.correct = 0
        self.repaired = self.mended = 0
        self.aside: Path | None = None
        self._items, self._prompts = items, prompts
        self._items_stand = False
        self._fresh = fresh
        self._place: Path | None = None
        self._locks: list[FileLock] = []
        self._synced = time.monotonic()

    def __enter__(self) -> "RunStore":
        try:
            if self._fresh and os.path.lexists(self.folder):
                self._begin_beside()
            else:
                self._locks += [_lock(self.folder)]
            self._open()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)
            if self._place is not None:  # no answer came: the old run stays where it is
                shutil.rmtree(self.folder, ignore_errors=True)
            self._release()

    def _release(self) -> None:
        for lock in reversed(self._locks):
            lock.release()
        self._locks.clear()

    def _begin_beside(self) -> None:
        self._locks += _lock_if_can_be(self.folder)
        self._place, self.folder = self.folder, self.folder.with_name(f"{self.folder.name}{BEGUN}")
        self._locks += [_lock(self.folder)]
        for left in self.folder.iterdir():  # of a start that was killed before its first answer
            if left.name != LOCK:
                _remove(left)

    def _take_place(self) -> None:
        """Rename the old run away and this one to its name. A kill between the two leaves both, under other names."""
        assert self._place is not None
        place, aside = self._place, next(p for p in _numbered(self._place) if not os.path.lexists(p))
        place.rename(aside)
        try:
            self.folder.rename(place)
        except OSError:
            aside.rename(place)
            raise
        self.folder, self.aside, self._place = place, aside, None
        sync(place.parent)

    def _open(self) -> None:
        for name in (RECORDS, MANIFEST, ITEMS):
            _refuse_other_kinds(self.folder / name)
        _refuse_a_later_schema(self.folder)
        for left in self.folder.glob(f"{SCRATCH}*.tmp"):
            left.unlink(missing_ok=True)
        path = self.folder / RECORDS
        self._answers = Answers(self.folder, self._items, self._prompts)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
            self._file = os.open(path, flags, 0o644)
            self.repaired = _drop_torn_line(path, self._file)
        except OSError as error:
            raise _cannot_write(path, error) from error
        try:
            for heads in self._answers.heads():
                greedy = [sample == 0 for sample in heads.samples]
                self.greedy += sum(greedy)
                right = map(operator.eq, heads.answers, heads.golds)
                self.correct += sum(itertools.compress(right, greedy))
            self.done = self._answers.kept
            for failure in self._answers.failures.values():
                self._count_record(failure.record)
        except BaseException:
            os.close(self._file)
            raise
        self.edited = self._answers.edited

    def _count(self, item_id: str, sample: int, right: bool) -> None:
        self.failed.pop((item_id, sample), None)
        self.done.add(item_id, sample)
        self.greedy += sample == 0
        self.correct += right

    def _count_record(self, record: Record) -> None:
        if record.answered:
            self._count(record.item_id, record.sample, record.sample == 0 and record.correct)
        else:
            self.failed[record.item_id, record.sample] = record

    def append(self, records: Sequence[Record]) -> None:
        """Keep records, in one write; RimbenchError where the disk refuses them, the earlier ones intact.

        DataError for a record that no reader would take.
        """
        for record in records:
            fault = self._answers.find_fault(record)
            if fault is not None:
                raise DataError(f"{self.folder}: the answer to item {record.item_id!r} cannot be kept: {fault}")
        answered = any(record.status != "engine_error" for record in records)
        self._append([write_answer(record) for record in records], answered=answered)
        for record in records:
            self._count_record(record)

    def append_written(self, answers: Sequence[tuple[str, WrittenAnswer]]) -> None:
        """The same of answers, by item id, that were checked beside their items when their lines were made."""
        self._append([answer for _, answer in answers], answered=True)
        for item_id, answer in answers:
            self._count(item_id, answer.sample, answer.right)

    def _append(self, answers: Sequence[WrittenAnswer], *, answered: bool) -> None:
        lines = b"".join(answer.line for answer in answers)
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._file, lines[written:])
            if self._place is not None and answered:
                os.fsync(self._file)
                self._take_place()
            elif time.monotonic() - self._synced > SECONDS_BETWEEN_SYNCS:
                os.fsync(self._file)
                self._synced = time.monotonic()
        except OSError as error:
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise _cannot_write(self.folder / RECORDS, error) from error
        self.mended += sum(answer.mended for answer in answers)

    def write_items(self, items: Sequence[Item]) -> None:
        """Keep the items that the run asks, which a report needs beside the answers; left alone where they stand."""
        if self._items_stand:
            return
        path = self.folder / ITEMS
        try:
            if not _holds(path, map(to_item_line, items)):
                write_pieces(path, map(to_item_line, items))
        except OSError as error:
            raise _cannot_write(path, error) from error
        self._items_stand = True

    def write_manifest(self, manifest: Manifest, items: Sequence[Item]) -> None:
        """Keep what the run is made of, and the items that it asks; what was answered before is on the disk first."""
        self.write_items(items)
        path = self.folder / MANIFEST
        try:
            os.fsync(self._file)
            write_whole(path, manifest_json(manifest))
        except OSError as error:
            raise _cannot_write(path, error) from error

    def last_written(self) -> float:
        """When the records last grew, in seconds since 1970."""
        return os.fstat(self._file).st_mtime


def _lock(folder: Path) -> "FileLock":
    """Hold a run's folder, made where it is not there."""
    from filelock import FileLock, Timeout  # whoever reads alone does without

    if folder.is_symlink():
        raise RimbenchError(
            f"{folder} is a symbolic link: a run is written into a folder of its own; remove the link, or give the "
            "folder that it leads into with --results"
        )
    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RimbenchError(
            f"run {folder} is being written by another process: wait for it, or stop it first"
        ) from error
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return lock


def _lock_if_can_be(folder: Path) -> "list[FileLock]":
    """The lock of a folder that may be damaged: none where no process can hold one."""
    held = folder / LOCK
    odd = folder.is_symlink() or not folder.is_dir() or (os.path.lexists(held) and not _is_regular(held))
    return [] if odd else [_lock(folder)]


def _holds(path: Path, lines: Iterator[bytes]) -> bool:
    """Whether a file holds these lines and no more; they are not gathered, for there may be very many."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        return all(line == kept for line, kept in itertools.zip_longest(lines, file))


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _refuse_other_kinds(path: Path) -> None:
    if os.path.lexists(path) and not _is_regular(path):
        kind = "a symbolic link" if path.is_symlink() else "a folder" if path.is_dir() else "no regular file"
        raise RimbenchError(f"{path} is {kind}, expected a file of this run: remove it, or start over with --fresh")


def _refuse_a_later_schema(folder: Path) -> None:
    """OtherSchemaError for a run of a later rimbench; a manifest that is missing or damaged can be written again."""
    try:
        read_manifest(folder)
    except OtherSchemaError:
        raise
    except DataError:
        return


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _numbered(folder: Path) -> Iterator[Path]:
    i = 0
    while True:
        i += 1
        yield folder.with_name(f"{folder.name}{SET_ASIDE}{i}")


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


def _cannot_write(path: Path, error: OSError) -> RimbenchError:
    return RimbenchError(
        f"cannot write {path}: {error.strerror or error}; what was answered is kept: "
        "make room or choose another folder with --results, then start the same command again"
    )
