"""A run's folder, read: its manifest, its items, and its answers, each checked before anybody counts it."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pydantic import ValidationError

from rimbench.errors import DataError, UsageError, with_lines
from rimbench.files import strict_json
from rimbench.files.faults import describe_faults
from rimbench.files.writing import open_regular
from rimbench.records import LETTERS, Asked, Item, Record, find_fault
from rimbench.records.items import ItemTable
from rimbench.store.heads import Head, read_heads
from rimbench.store.kept import Kept
from rimbench.store.lines import chunks, is_intact, read_lines, values_again
from rimbench.store.manifest import SCHEMA_VERSION, Manifest, manifest_of

RECORDS = "records.jsonl"
MANIFEST = "manifest.json"
ITEMS = "items.jsonl"
SWEEP, ROTATED, ABLATION = "-sweep", "-rotated", "-ablate"
"""How the name of a folder ends that holds the runs of a sweep, called after their memory budgets, k0, k1, ..., those
of all rotations of the options, r0, r1, ..., or those of an ablation, called after their interventions, intact,
filler, drop-1, ...
"""
_INNER = re.compile(rf".*({SWEEP}/k|{ROTATED}/r)\d+", re.DOTALL)
SET_ASIDE = ".old-"
BEGUN = ".new"
"""How the name of a run ends that is to take another's place, and has no answer yet."""
SHOWN_LINES = 20
SHOWN_FOLDERS = 3

A = TypeVar("A", Record, Head)


class OtherSchemaError(DataError):
    """A file of a later rimbench: what it means is not known here."""


class Answers:
    """The answers that a run keeps, each item and sample once: the one rule for whoever reads records.

    Every record is checked in itself and, where `items` are given, beside its item; DataError names file, line and
    key of those that cannot be. Of several lines for one item and sample, equal ones count once, an engine's failure
    gives way to an answer and to a final failure, and two different answers are a DataError. `prompts` are the hashes
    of what is asked now, by item: an answer to another prompt is no answer of this run. Once all is read, `kept`
    holds what is answered but for failures, and `edited` lists the lines that were changed after they were written.
    """

    def __init__(
        self, folder: Path, items: Mapping[str, Item] | None = None, prompts: Mapping[str, str] | None = None
    ) -> None:
        self.kept = Kept()
        self.edited: list[int] = []
        self._path = folder / RECORDS
        self._asked = None if items is None else _AskedOf(items)
        self._prompts = prompts or {}

    def __iter__(self) -> Iterator[Record]:
        lines = read_lines(self._path, Record, "record", self.find_fault)
        return self._once((number, is_intact(line, record), record) for number, line, record in lines)

    def heads(self) -> Iterator[Head]:
        """What every answer says, without how it came; the whole of a line is read only where it may be faulty."""
        checked = self._asked is not None or self._prompts
        return self._once(read_heads(self._path, self.find_fault, self._fits if checked else None))

    def _once(self, found: Iterable[tuple[int, bool, A]]) -> Iterator[A]:
        self.kept, doubled = Kept(), set[tuple[str, int]]()
        failed: dict[tuple[str, int], A] = {}
        self.edited.clear()
        add = self.kept.add
        for number, intact, answer in found:
            if not intact:
                self.edited.append(number)
            if answer.status == "engine_error":
                key = (answer.item_id, answer.sample)
                if key not in self.kept and not (key in failed and failed[key].final):
                    failed[key] = answer
            elif add(answer.item_id, answer.sample):
                if failed:
                    failed.pop((answer.item_id, answer.sample), None)
                yield answer
            else:
                doubled.add((answer.item_id, answer.sample))
        yield from failed.values()
        if doubled:
            self._refuse_different(doubled)

    def _fits(self, head: Head) -> bool:
        """Whether an answer may be one to its item, and to what is asked of it."""
        prompt = self._prompts.get(head.item_id)
        if prompt is not None and not head.is_to(prompt):
            return False
        if self._asked is None:
            return True
        asked = self._asked[head.item_id]
        answer = head.answer
        return asked is not None and asked.gold == head.gold and (answer is None or answer in asked.letters)

    def find_fault(self, record: Record) -> str | None:
        """What of a record cannot be in this run; see `rimbench.records.find_fault`."""
        asks_now = self._prompts.get(record.item_id, record.prompt_sha256)
        if asks_now != record.prompt_sha256:
            answered = record.prompt_sha256[:12]
            return f"prompt_sha256: answers {answered}, and item {record.item_id!r} asks {asks_now[:12]}"
        if self._asked is None:
            return find_fault(record)
        asked = self._asked[record.item_id]
        if asked is None:
            return f"item_id: answers item {record.item_id!r}, which is not in its {ITEMS}"
        return find_fault(record, asked)

    def _refuse_different(self, doubled: set[tuple[str, int]]) -> None:
        """DataError for lines that answer one sample differently: read again, since that is rare."""
        first: dict[tuple[str, int], tuple[int, Record]] = {}
        for number, _, record in read_lines(self._path, Record, "record"):
            key = (record.item_id, record.sample)
            if key not in doubled or record.status == "engine_error":
                continue
            line, earlier = first.setdefault(key, (number, record))
            if earlier != record:
                raise DataError(
                    f"{self._path}: lines {line} and {number} answer sample {record.sample} of item "
                    f"{record.item_id!r} differently: delete one of them, or start over with --fresh"
                )


class _AskedOf(dict[str, Asked | None]):
    """What each item's records are checked by, None for an item that there is not; worked out when it is wanted.

    One value stands for all items of the same letters and gold.
    """

    def __init__(self, items: Mapping[str, Item]) -> None:
        super().__init__()
        self._items, self._few = items, dict[Asked, Asked]()

    def __missing__(self, item_id: str) -> Asked | None:
        item = self._items.get(item_id)
        if item is None:
            return None
        asked = Asked(tuple(item.options), item.gold)
        self[item_id] = self._few.setdefault(asked, asked)
        return self[item_id]


def say_edited(folder: Path, edited: Sequence[int]) -> str:
    """That lines of a run's records are not as they were written."""
    listed = ", ".join(map(str, edited[:SHOWN_LINES])) + (", ..." if len(edited) > SHOWN_LINES else "")
    return (
        f"{folder.name}: {len(edited)} of its records were changed after they were written: the checksums do not fit "
        f"({RECORDS}, line {listed})"
    )


def read_records(path: Path) -> Iterator[Record]:
    """Every line of a file of records, in its order, doubled ones too; DataError names the lines that are none."""
    return (record for _, _, record in read_lines(path, Record, "record"))


def records_again(folder: Path, starts: Iterable[int], keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """`values_again` of the records whose lines begin at these places of a run's file, fastest in their order."""
    try:
        with open_regular(folder / RECORDS) as file:
            yield from values_again(folder / RECORDS, (_line_at(file, start) for start in starts), keys)
    except OSError as error:
        raise DataError(f"cannot read {folder / RECORDS}: {error.strerror}; start the same command again") from error


def _line_at(file: BinaryIO, start: int) -> bytes:
    file.seek(start)
    return file.readline()


def read_items(folder: Path) -> ItemTable:
    """The items that a run asks, by id, in the suite's frozen order; DataError where one cannot be asked."""
    return ItemTable(each_item(folder))


def each_item(folder: Path) -> Iterator[Item]:
    """The same one after the other, none of which is held."""
    ids = set()
    for number, _, item in read_lines(folder / ITEMS, Item, "item", _find_item_fault):
        if item.item_id in ids:
            raise DataError(f"{folder / ITEMS}: line {number} has the id {item.item_id!r} of an earlier one")
        ids.add(item.item_id)
        yield item


def items_again(folder: Path, keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """`values_again` of a run's items, in the suite's frozen order, and behind them its facets, or None."""
    path = folder / ITEMS
    return values_again(path, itertools.chain.from_iterable(chunks(path)), keys, ("facets",))


def _find_item_fault(item: Item) -> str | None:
    letters = list(item.options)
    if not 2 <= len(letters) <= len(LETTERS) or letters != list(LETTERS[: len(letters)]):
        return f"options: expected 2 to {len(LETTERS)}, lettered from A on (got {', '.join(letters) or 'none'})"
    if item.gold not in item.options:
        return f"gold: expected one of {', '.join(letters)} (got {item.gold})"
    return None


def read_manifest(folder: Path) -> Manifest:
    """A run's manifest; DataError where there is none, it is faulty or another run's, or of another schema."""
    path = folder / MANIFEST
    try:
        with open_regular(path) as file:
            document = file.read()
        values = strict_json.parse(document)
    except FileNotFoundError as error:
        raise DataError(f"{folder} holds no {MANIFEST}: expected the folder of a run") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; start over with --fresh") from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path} is not JSON ({error}): start the run's command again, which writes it anew"
        ) from error
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version is None:
        raise DataError(f"{path} is no manifest of a rimbench run: give the folder that rimbench's runs lie in")
    if version != SCHEMA_VERSION:
        raise OtherSchemaError(
            f"{path} has schema version {version}, expected {SCHEMA_VERSION}: "
            "read it with the rimbench that wrote it, or run again with --fresh"
        )
    try:
        return manifest_of(document)
    except ValidationError as error:
        raise DataError(f"{path}: {describe_faults(error)}") from error
    except UsageError as error:
        raise DataError(f"{path}: identity.system.memory: {error}") from error


def check_name(folder: Path, manifest: Manifest) -> None:
    """DataError where a run's folder does not bear its name: two of one name would be taken for each other."""
    above, done = folder.absolute().parent.name, manifest.identity.intervention
    own = [manifest.run, done.name] if above.endswith(ABLATION) and done else [manifest.run]
    if folder.absolute().name not in own and _INNER.fullmatch(folder.absolute().as_posix()) is None:
        raise DataError(
            f"{folder / MANIFEST} is that of run {manifest.run!r}, its folder is called {folder.name!r}: rename the "
            "folder to the run's name, or put the right manifest back"
        )


def find_runs(results: Path) -> list[Path]:
    """The folders of runs in a results folder, by name; those set aside by --fresh are left out."""
    return sorted(path.parent for path in results.glob(f"*/{MANIFEST}") if not _is_set_aside(path.parent))


def find_inner(folder: Path, letter: str) -> list[Path]:
    """The runs in the folder of a sweep (letter k) or of rotations (r), counted from 0, as many as there are.

    DataError where there is none yet.
    """
    found = [run for run in find_runs(folder) if run.name[:1] == letter and run.name[1:].isdigit()]
    if not found:
        raise DataError(f"{folder} holds no run yet: its command goes on with it")
    return [folder / f"{letter}{number}" for number in range(len(found))]


def no_runs(results: Path, why: str = "") -> DataError:
    """The error for a results folder without runs; it says how to get some, or where they lie."""
    where = f"no run in {results}" if results.is_dir() else f"no results folder {results}, and no run in it"
    lines = [
        *(f"there are runs in {folder}: give --results {folder}" for folder in _below(results)[:SHOWN_FOLDERS]),
        "some at once: rimbench run --system nano-rim-v2 --system nano-base --suite demo-in-dist --limit 200",
        f"the whole comparison, offline, in minutes: rimbench demo --results {results}",
        "answers of another harness: rimbench import FILE --system NAME --suite NAME",
    ]
    return with_lines(DataError(f"{where}{why}: make one with 'rimbench run --system S --suite T'"), lines)


def place_of_runs(results: Path) -> Path:
    """The folder itself, or, where it holds no run of its own, the only folder below it that holds some."""
    inner = any(map(find_runs, (path for each in (SWEEP, ROTATED, ABLATION) for path in results.glob(f"*{each}"))))
    if inner or find_runs(results) or find_without_manifest(results):
        return results
    below = _below(results)
    return below[0] if len(below) == 1 else results


def _below(results: Path) -> list[Path]:
    return [folder for folder in sorted(results.glob("*/")) if not folder.is_symlink() and find_runs(folder)]


def find_without_manifest(results: Path) -> list[Path]:
    """The folders in a results folder that hold records and no manifest, which no report can tell anything of."""
    found = (path.parent for path in results.glob(f"*/{RECORDS}") if not _is_set_aside(path.parent))
    return sorted(folder for folder in found if not (folder / MANIFEST).exists())


def _is_set_aside(folder: Path) -> bool:
    name, _, number = folder.name.rpartition(SET_ASIDE)
    return (bool(name) and number.isdigit()) or folder.name.endswith(BEGUN)
