"""A run's folder, read: its manifest, its items, and its answers, each checked before anybody counts it."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from rimbench.errors import DataError, UsageError, with_lines
from rimbench.files import strict_json
from rimbench.files.faults import describe_faults
from rimbench.files.writing import open_regular
from rimbench.records import LETTERS, Item, Record
from rimbench.records.items import ItemTable
from rimbench.store.lines import chunks, read_lines, values_again
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


class OtherSchemaError(DataError):
    """A file of a later rimbench: what it means is not known here."""


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
