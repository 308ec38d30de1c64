"""Stored texts -> the letters that today's extraction reads in them, beside those that were recorded. Only reads.

Two things a record does not keep. Whether a text was finished: one recorded as `truncated` stays so where no letter
is found, and an `ok` that loses its letter becomes `no_answer`, cut off or not. And what an empty text stood for:
its status stays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rimbench.extraction import Extraction, extract, first_letter
from rimbench.plugins import unknown
from rimbench.records import Record
from rimbench.store import MANIFEST, Answers, Manifest, find_runs, no_runs, read_items, read_manifest, say_edited
from rimbench.suites.controls import Controls, Shown, show_item
from rimbench.systems import StatedAnswer

EXTRACTIONS = ("text", "first_letter")
EXCERPT_CHARS = 160


@dataclass(frozen=True, slots=True)
class Flip:
    """A record whose status or letter would be another today; `excerpt` is the end of its text."""

    item_id: str
    sample: int
    gold: str
    old: Extraction
    new: Extraction
    excerpt: str

    @property
    def right_before(self) -> bool:
        """Whether the recorded answer is right."""
        return self.old.letter == self.gold

    @property
    def right_after(self) -> bool:
        """Whether today's answer is right."""
        return self.new.letter == self.gold


@dataclass(slots=True)
class Tally:
    """How many of `n` answers are right, as recorded and as read today."""

    n: int = 0
    right_before: int = 0
    right_after: int = 0

    def add(self, before: bool, after: bool) -> None:
        """Count one answer."""
        self.n += 1
        self.right_before += before
        self.right_after += after


@dataclass(slots=True)
class Rescored:
    """One run, read again: its greedy answers and its draws apart. `left_alone` says why a run was not read, `edited`
    that records of it were changed after they were written.
    """

    manifest: Manifest
    left_alone: str | None = None
    edited: str | None = None
    greedy: Tally = field(default_factory=Tally)
    draws: Tally = field(default_factory=Tally)
    flips: list[Flip] = field(default_factory=list)


def choose_folders(results: Path, named: Sequence[str]) -> list[Path]:
    """The folders of the named runs, by name or by path, or of all; UsageError for a run that there is not."""
    found = {folder.name: folder for folder in find_runs(results)} if results.is_dir() else {}
    if not named:
        if not found:
            raise no_runs(results)
        return list(found.values())
    folders = []
    for name in dict.fromkeys(named):
        if name not in found and not (Path(name) / MANIFEST).is_file():
            raise unknown("run", name, found)
        folders.append(found.get(name, Path(name)))
    return folders


def rescore(folder: Path) -> Rescored:
    """Read every text of a run again; DataError for a record that its items do not know."""
    manifest = read_manifest(folder)
    rescored = Rescored(manifest)
    identity, answer = manifest.identity, manifest.identity.answer
    if answer.mode == "readout":
        rescored.left_alone = "a readout"
    elif identity.imported is not None and identity.imported.reordered:
        rescored.left_alone = "imported with options in another order"
    elif answer.extraction is None:
        rescored.left_alone = "imported without texts"
    elif answer.extraction not in EXTRACTIONS:
        rescored.left_alone = f"its extraction '{answer.extraction}' is not known here"
    else:
        _read_again(folder, rescored, _extraction(answer))
    return rescored


def _extraction(answer: StatedAnswer) -> Callable[..., Extraction]:
    return partial(extract, reasoning_tags=answer.reasoning_tags) if answer.extraction == "text" else first_letter


def _read_again(folder: Path, rescored: Rescored, extraction: Callable[..., Extraction]) -> None:
    controls = rescored.manifest.identity.controls or Controls()
    order = replace(controls, blind=False)
    items = read_items(folder)
    shown = {key: show_item(item, order) for key, item in items.items()}
    answers = Answers(folder, items)
    for record in answers:
        if not record.answered:
            continue
        new = _read(record, shown[record.item_id], extraction)
        old = Extraction(record.answer, record.status)
        tally = rescored.draws if record.sample else rescored.greedy
        tally.add(record.correct, new.letter == record.gold)
        if new != old:
            excerpt = " ".join(record.text[-4 * EXCERPT_CHARS :].split())[-EXCERPT_CHARS:]
            rescored.flips.append(Flip(record.item_id, record.sample, record.gold, old, new, excerpt))
    if answers.edited:
        rescored.edited = say_edited(folder, answers.edited)


def _read(record: Record, shown: Shown, extraction: Callable[..., Extraction]) -> Extraction:
    """What the text states, in the item's own letters."""
    if record.status == "engine_error" or not record.text.strip():
        return Extraction(record.answer, record.status)
    found = extraction(record.text, shown.item.options)
    if found.status == "no_answer" and record.status == "truncated":
        return Extraction(None, "truncated")
    return Extraction(None if found.letter is None else shown.own_letters[found.letter], found.status)
