"""The stored runs of a sweep -> accuracy by memory budget, and what changes from one budget to the next.

A sweep lies one level below the results of `rimbench run`, as `<name>-sweep/k0` to `k<K>`, each an ordinary run.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from rimbench.errors import DataError
from rimbench.records import Record
from rimbench.reporting.adaptive import adaptive_memory
from rimbench.reporting.document import SCHEMA, Budget, BudgetSweep, MemoryWorth, one_letter
from rimbench.reporting.reading import resampling_of
from rimbench.reporting.variants import run_departures, suite_label, what_was_asked
from rimbench.statistics.bootstrap import Resampling
from rimbench.statistics.estimate import accuracy, majority_letter, uniform_accuracy
from rimbench.statistics.verdict import Settings, compare_outcomes
from rimbench.store import MANIFEST, RECORDS, SWEEP, Answers, read_items, read_manifest
from rimbench.systems.departures import label

READ_OUT_AT_EVERY_BUDGET = ("answer", "blocks")
"""What a sweep itself departs in from a system's own file: no label says it."""


def find_sweeps(results: Path, say: Callable[[str], None]) -> list[BudgetSweep]:
    """Every sweep of a results folder, by name; one that lacks a budget yet, or cannot be read, is left out.

    `say` is told of these, and of those that lack answers.
    """
    found = []
    for folder in sorted(results.glob(f"*{SWEEP}")):
        budgets = [folder / f"k{k}" for k in range(len(list(folder.glob(f"k*/{MANIFEST}"))))]
        try:
            if len(budgets) < 2 or not all((budget / RECORDS).exists() for budget in budgets):
                raise DataError(f"sweep {folder.name} lacks a memory budget yet: its command goes on with it")
            swept = read_sweep(budgets)
        except DataError as error:
            say(f"left out: {error}")
            continue
        found.append(swept)
        if swept.n < swept.n_asked:
            say(f"sweep {folder.name} is partial: {swept.n} of {swept.n_asked} items have an answer at every budget")
    return found


def read_sweep(folders: Sequence[Path]) -> BudgetSweep:
    """Read the runs at K = 0, 1, ...; items that one of them has not answered are left out of all."""
    manifest, known = read_manifest(folders[-1]), read_items(folders[0])
    answers = [
        {record.item_id: record for record in Answers(folder, known) if record.answered and record.sample == 0}
        for folder in folders
    ]
    items = [item for item in known.values() if all(item.item_id in answered for answered in answers)]
    columns = [[answered[item.item_id] for item in items] for answered in answers]
    how = resampling_of(items)
    departures = {name: own for name, own in run_departures(manifest).items() if name not in READ_OUT_AT_EVERY_BUDGET}
    return BudgetSweep(
        schema=SCHEMA,
        system=manifest.system,
        suite=manifest.suite,
        n=len(items),
        budgets=tuple(_budget(k, column, columns[k - 1] if k else None, how) for k, column in enumerate(columns)),
        memory=_memory(columns, how),
        label=label(manifest.system, departures),
        departures=departures,
        suite_file=manifest.suite_file,
        n_asked=len(known),
        guess=uniform_accuracy([len(item.options) for item in items]),
        one_letter=one_letter(majority_letter([item.gold for item in items])),
        adaptive=adaptive_memory(items, columns),
        shown_suite=suite_label(manifest),
        asked=what_was_asked(manifest),
    )


def _memory(columns: Sequence[Sequence[Record]], how: Resampling) -> MemoryWorth | None:
    last, first = ([record.correct for record in column] for column in (columns[-1], columns[0]))
    found = compare_outcomes(last, first, Settings(how=how))
    return None if found is None else MemoryWorth(len(columns) - 1, found.difference, found.p_value, found.test)


def _budget(blocks: int, column: Sequence[Record], before: Sequence[Record] | None, how: Resampling) -> Budget:
    estimate = accuracy([record.correct for record in column], how)
    failed = sum(record.status != "ok" for record in column)
    if before is None:
        return Budget(blocks, estimate, failed, None, None, None)
    changed = [(old, new) for old, new in zip(before, column, strict=True) if old.answer != new.answer]
    to_right = sum(new.correct for _, new in changed)
    to_wrong = sum(old.correct for old, _ in changed)
    return Budget(blocks, estimate, failed, len(changed), to_right, to_wrong)
