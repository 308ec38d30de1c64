"""The stored runs of a sweep -> accuracy by memory budget, and what changes from one budget to the next.

A sweep lies one level below the results of `rimbench run`, as `<name>-sweep/k0` to `k<K>`, each an ordinary run.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rimbench.errors import DataError
from rimbench.records import STATUSES, Item
from rimbench.reporting.adaptive import adaptive_memory
from rimbench.reporting.document import SCHEMA, Budget, BudgetSweep, MemoryWorth, one_letter
from rimbench.reporting.reading import RunData, find_below, read_run, resampling_of
from rimbench.reporting.selection import EVERY, Selection
from rimbench.reporting.variants import name_of, run_departures, suite_label, what_was_asked
from rimbench.statistics.estimate import accuracy, majority_letter, uniform_accuracy
from rimbench.statistics.verdict import Settings, compare_outcomes
from rimbench.store import RECORDS, SWEEP, find_inner

OWN = ("answer", "blocks")
"""What a sweep itself departs in from a system's own file: no label says it."""


def find_sweeps(results: Path, say: Callable[[str], None], selection: Selection = EVERY) -> list[BudgetSweep]:
    """Every sweep of a results folder, or of a selection, by name; one that lacks a budget yet, or cannot be read, is
    left out.

    `say` is told of these, and of those that lack answers.
    """
    found = []
    for name, swept in find_below(results, (SWEEP, OWN), _read_below, say, selection):
        found.append(swept)
        if swept.n < swept.n_asked:
            say(f"sweep {name} is partial: {swept.n} of {swept.n_asked} items have an answer at every budget")
    return found


def _read_below(folder: Path) -> BudgetSweep:
    budgets = find_inner(folder, "k")
    if len(budgets) < 2 or not all((budget / RECORDS).exists() for budget in budgets):
        raise DataError(f"sweep {folder.name} lacks a memory budget yet: its command goes on with it")
    return read_sweep(budgets)


def read_sweep(folders: Sequence[Path]) -> BudgetSweep:
    """Read the runs at K = 0, 1, ...; items that one of them has not answered are left out of all."""
    runs = [read_run(folder) for folder in folders]
    manifest, known = runs[-1].manifest, runs[0].items
    items = [item for item in known.values() if all(item.item_id in run.greedy for run in runs)]
    return BudgetSweep(
        schema=SCHEMA,
        system=manifest.system,
        suite=manifest.suite,
        n=len(items),
        budgets=tuple(_budget(k, items, run, runs[:k]) for k, run in enumerate(runs)),
        memory=_memory(runs, items),
        label=name_of(manifest, OWN),
        departures=run_departures(manifest, OWN),
        suite_file=manifest.suite_file,
        n_asked=len(known),
        guess=uniform_accuracy([len(item.options) for item in items]),
        one_letter=one_letter(majority_letter([item.gold for item in items])),
        adaptive=adaptive_memory(items, runs),
        shown_suite=suite_label(manifest),
        asked=what_was_asked(manifest),
    )


def _memory(runs: Sequence[RunData], items: Sequence[Item]) -> MemoryWorth | None:
    settings = Settings(how=resampling_of(items))
    found = compare_outcomes(runs[-1].rights(items), runs[0].rights(items), settings)
    return None if found is None else MemoryWorth(len(runs) - 1, found.difference, found.p_value, found.test)


def _budget(blocks: int, items: Sequence[Item], run: RunData, smaller: Sequence[RunData]) -> Budget:
    right, answers = run.rights(items), run.greedy.columns(items)
    own, failed = (
        accuracy(right, resampling_of(items)),
        int(np.count_nonzero(answers.statuses != STATUSES.index("ok"))),
    )
    if not smaller:
        return Budget(blocks, own, failed, None, None, None, None)
    before, how = smaller[-1], Settings(how=resampling_of(items))
    found = compare_outcomes(right, smaller[0].rights(items), how)
    changed = answers.letters != before.greedy.columns(items).letters
    to_right, to_wrong = (int(np.count_nonzero(changed & side)) for side in (right, before.rights(items)))
    return Budget(
        blocks,
        own,
        failed,
        int(np.count_nonzero(changed)),
        to_right,
        to_wrong,
        None if found is None else found.difference,
    )
