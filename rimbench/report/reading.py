"""Runs' folders -> `RunData`: their answers item by item, without their texts, so that many runs fit in memory."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rimbench.errors import DataError
from rimbench.records import Item, Manifest, Status
from rimbench.store import (
    Answers,
    Kept,
    check_name,
    find_runs,
    find_without_manifest,
    read_items,
    read_manifest,
    say_edited,
)


@dataclass(frozen=True, slots=True)
class GreedyAnswer:
    """Sample 0 of an item: the letter that was read, what became of it, the letters' log-probabilities and mass."""

    letter: str | None
    status: Status
    option_logprobs: Mapping[str, float] | None
    label_mass: float | None = None


@dataclass(frozen=True, slots=True)
class RunData:
    """What a report needs of one run. `items` are in the suite's order; `greedy` and `drawn` are by item id.

    `drawn` holds the letters of samples 1..n in their order, None for an answer that names none; `drawn_right`
    counts those that are right, and `drawn_statuses` what became of the draws of all items together. What the engine
    failed on, unless the user said that this is final, is not answered: `failed` counts it. `missing` counts the
    answers that the run was asked for and lacks, those among them; `edited` lists the lines of its records that were
    changed after they were written.
    """

    manifest: Manifest
    items: Mapping[str, Item]
    greedy: Mapping[str, GreedyAnswer]
    drawn: Mapping[str, tuple[str | None, ...]]
    drawn_right: Mapping[str, int]
    drawn_statuses: Mapping[Status, int]
    missing: int = 0
    failed: int = 0
    edited: tuple[int, ...] = ()

    @property
    def by_draws(self) -> bool:
        """Whether there are draws alone, as of answers from elsewhere at a temperature: none of them is greedy."""
        return bool(self.drawn) and not self.greedy

    @property
    def answered(self) -> list[Item]:
        """The items that have a greedy answer, or of draws alone a draw, in the suite's order."""
        return self.sampled if self.by_draws else [i for i in self.items.values() if i.item_id in self.greedy]

    @property
    def sampled(self) -> list[Item]:
        """The items that have draws, in the suite's order."""
        return [item for item in self.items.values() if item.item_id in self.drawn]

    def right(self, item: Item) -> bool:
        """Whether the greedy answer to an answered item is right."""
        answer = self.greedy[item.item_id]
        return answer.status == "ok" and answer.letter == item.gold

    def score(self, item: Item) -> float:
        """How far an answered item is right: 0 or 1 by its greedy answer, of draws alone the share that is right."""
        if self.by_draws:
            return self.drawn_right[item.item_id] / len(self.drawn[item.item_id])
        return float(self.right(item))

    @property
    def content_sha256(self) -> str:
        """The hash of the frozen items: runs with different ones are never compared."""
        return str(self.manifest.identity["suite"]["content_sha256"])


def read_run(folder: Path) -> RunData:
    """Read one run; DataError where its folder is not called after it, or its records are not as they must be."""
    manifest, items = read_manifest(folder), read_items(folder)
    check_name(folder, manifest)
    greedy: dict[str, GreedyAnswer] = {}
    drawn: dict[str, dict[int, str | None]] = defaultdict(dict)
    statuses: Counter[Status] = Counter()
    kept, failed = Kept(), 0
    answers = Answers(folder, items)
    for record in answers:
        if not record.answered:
            failed += 1
            continue
        key, sample = record.item_id, record.sample
        kept.add(key, sample)
        letter = record.answer if record.status == "ok" else None
        if sample:
            drawn[key][sample] = letter
            statuses[record.status] += 1
        else:
            greedy[key] = GreedyAnswer(letter, record.status, record.option_logprobs, record.label_mass)
    ordered = {key: tuple(letters[i] for i in sorted(letters)) for key, letters in drawn.items()}
    right = {key: letters.count(items[key].gold) for key, letters in ordered.items()}
    first = 1 if drawn and not greedy else 0  # answers from elsewhere may be draws alone
    missing = kept.missing(items, manifest.samples, first)
    return RunData(manifest, items, greedy, ordered, right, statuses, missing, failed, tuple(answers.edited))


def read_runs(results: Path) -> tuple[list[RunData], list[str]]:
    """Every run of a results folder that can be read, and a sentence on each that cannot, or that was changed."""
    runs, notes = [], []
    for folder in find_runs(results):
        try:
            run = read_run(folder)
        except DataError as error:
            notes.append(f"left out: {error}")
            continue
        runs.append(run)
        if run.edited:
            notes.append(say_edited(folder, run.edited))
    notes += [
        f"left out: {folder} holds records and no manifest: start its command again, which writes one"
        for folder in find_without_manifest(results)
    ]
    return runs, notes
