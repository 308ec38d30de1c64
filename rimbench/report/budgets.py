"""The stored runs of a sweep -> accuracy by memory budget, and what changes from one budget to the next.

A sweep lies one level below the results of `rimbench run`, as `<name>-sweep/k0` to `k<K>`, each an ordinary run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rimbench.errors import DataError
from rimbench.records import Record
from rimbench.report.cells import resampling_of
from rimbench.report.variants import controls_of, departures_of
from rimbench.statistics.bootstrap import Resampling
from rimbench.statistics.estimate import Estimate, LetterBaseline, accuracy, majority_letter, uniform_accuracy
from rimbench.statistics.verdict import Comparison, Settings, compare_outcomes
from rimbench.store import MANIFEST, RECORDS, SWEEP, Answers, Manifest, read_items, read_manifest
from rimbench.systems.departures import label


@dataclass(frozen=True, slots=True)
class BudgetOutcome:
    """One memory budget: its accuracy, and how its answers differ from those one block earlier (None for K = 0).

    `to_right` and `to_wrong` are the changed answers that became right, or wrong; the rest stayed wrong.
    """

    blocks: int
    accuracy: Estimate | None
    failed: int
    changed: int | None
    to_right: int | None
    to_wrong: int | None


@dataclass(frozen=True, slots=True)
class SweepOutcome:
    """Every budget of a sweep over the same `n` items of `n_asked`, and the largest one against K = 0, item by item.

    `uniform` is what a uniform guesser has on these items, `majority` whoever always gives one letter.
    """

    n: int
    n_asked: int
    budgets: tuple[BudgetOutcome, ...]
    memory: Comparison | None
    uniform: float | None
    majority: LetterBaseline | None


@dataclass(frozen=True, slots=True)
class StoredSweep:
    """A sweep of a results folder: the manifest of its largest budget, and what came of it."""

    manifest: Manifest
    outcome: SweepOutcome

    @property
    def label(self) -> str:
        """The system with what it departs in, but for what a sweep is: read out, at every budget."""
        return label(self.manifest.system, self.departures)

    @property
    def departures(self) -> Mapping[str, Sequence[Any]]:
        """What the system departs in from its own file, beside that."""
        found = departures_of(self.manifest)
        return {name: values for name, values in found.items() if name not in ("answer", "blocks")}


def find_sweeps(results: Path, say: Callable[[str], None]) -> list[StoredSweep]:
    """Every sweep of a results folder, by name; one that lacks a budget yet, or cannot be read, is left out.

    `say` is told of these, and of those that lack answers.
    """
    found = []
    for folder in sorted(results.glob(f"*{SWEEP}")):
        budgets = [folder / f"k{k}" for k in range(len(list(folder.glob(f"k*/{MANIFEST}"))))]
        try:
            if len(budgets) < 2 or not all((budget / RECORDS).exists() for budget in budgets):
                raise DataError(f"sweep {folder.name} lacks a memory budget yet: its command goes on with it")
            swept = StoredSweep(read_manifest(budgets[-1]), read_outcome(budgets))
        except DataError as error:
            say(f"left out: {error}")
            continue
        found.append(swept)
        if swept.outcome.n < swept.manifest.n:
            have = f"{swept.outcome.n} of {swept.manifest.n} items"
            say(f"sweep {folder.name} is partial: {have} have an answer at every budget")
    return found


def what_was_asked(manifest: Manifest) -> tuple[str, ...]:
    """What a sweep and a run have in common where one says something of the other: system, weights, items as they are
    shown, prompt and memory, all but the way to have the answer.
    """
    identity = manifest.identity
    asked = (identity.suite, identity.setup.prompt, identity.setup.memory, controls_of(manifest))
    return manifest.system, manifest.suite, str(identity.weights_sha256), *map(str, asked)


def read_outcome(folders: Sequence[Path]) -> SweepOutcome:
    """Read the runs at K = 0, 1, ...; items that one of them has not answered are left out of all."""
    known = read_items(folders[0])
    answers = [
        {record.item_id: record for record in Answers(folder, known) if record.answered and record.sample == 0}
        for folder in folders
    ]
    items = [item for item in known.values() if all(item.item_id in answered for answered in answers)]
    columns = [[answered[item.item_id] for item in items] for answered in answers]
    how = resampling_of(items)
    budgets = [_budget(k, column, columns[k - 1] if k else None, how) for k, column in enumerate(columns)]
    first, last = ([record.correct for record in column] for column in (columns[0], columns[-1]))
    return SweepOutcome(
        len(items),
        len(known),
        tuple(budgets),
        compare_outcomes(last, first, Settings(how=how)),
        uniform_accuracy([len(item.options) for item in items]),
        majority_letter([item.gold for item in items]),
    )


def _budget(blocks: int, column: Sequence[Record], before: Sequence[Record] | None, how: Resampling) -> BudgetOutcome:
    estimate = accuracy([record.correct for record in column], how)
    failed = sum(record.status != "ok" for record in column)
    if before is None:
        return BudgetOutcome(blocks, estimate, failed, None, None, None)
    changed = [(old, new) for old, new in zip(before, column, strict=True) if old.answer != new.answer]
    to_right = sum(new.correct for _, new in changed)
    to_wrong = sum(old.correct for old, _ in changed)
    return BudgetOutcome(blocks, estimate, failed, len(changed), to_right, to_wrong)
