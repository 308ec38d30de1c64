"""What a report says: runs read once, summed up into cells, and compared in pairs.

The same records give the same summary, whatever the machine: bootstraps take a fixed seed, and runs come in the
order of their suites, systems and names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rimbench.controls import Controls, show
from rimbench.errors import DataError, UsageError
from rimbench.latency.stored import read_measurements
from rimbench.plaintext import plain
from rimbench.plugins import unknown
from rimbench.report.budgets import StoredSweep, find_sweeps
from rimbench.report.cells import Cell
from rimbench.report.costs import Cost, Speedup, find_costs
from rimbench.report.doubts import find_doubts, say_partial
from rimbench.report.pairs import (
    Gap,
    OrderEffect,
    Pair,
    check_same_items,
    compare_family,
    gaps,
    order_effect,
    unlike_items,
)
from rimbench.report.reading import RunData, read_run
from rimbench.statistics.verdict import Settings
from rimbench.store import find_runs

DISTINGUISHING = {
    "K": ("system", "memory", "blocks"),
    "answer": ("system", "answer", "mode"),
    "engine": ("engine", "name"),
    "dtype": ("engine", "dtype"),
    "batch": ("engine", "batch_size"),
    "seed": ("seed",),
    "options permuted": ("controls", "permute_options"),
    "blind": ("controls", "blind"),
    "items": ("suite", "content_sha256"),
    "weights": ("weights_sha256",),
}
"""What tells two runs of one system on one suite apart, by the words that a report uses for it."""

SHA256_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Summary:
    """Every run that a report is made from, the family of comparisons, and what to know of them.

    `family` says which comparisons Holm's adjustment runs over; `notes` hold what to distrust.
    """

    cells: tuple[Cell, ...]
    pairs: tuple[Pair, ...]
    gaps: tuple[Gap, ...]
    order_effects: tuple[OrderEffect, ...]
    sweeps: tuple[StoredSweep, ...]
    costs: tuple[Cost, ...]
    speedups: tuple[Speedup, ...]
    settings: Settings
    family: str
    notes: tuple[str, ...]


def summarise(results: Path, settings: Settings | None = None) -> Summary:
    """Read every run below a results folder and sum it up; DataError where there is none."""
    settings = settings or Settings()
    runs = read_all(results)
    labelled = zip(runs, label_runs(runs), strict=True)
    cells = sorted(
        (Cell(run, label) for run, label in labelled), key=lambda c: (c.manifest.suite, c.manifest.system, c.label)
    )
    taken, notes = choose_runs(runs)
    pairs = compare_family({run.manifest.run: run for run in taken}, settings)
    chosen = {run.manifest.run for run in taken}
    accuracies = {
        (cell.manifest.system, cell.manifest.suite): cell.headline
        for cell in cells
        if cell.manifest.run in chosen and cell.headline is not None
    }
    costs, speedups = find_costs(read_measurements(results), accuracies)
    return Summary(
        cells=tuple(cells),
        pairs=tuple(pairs),
        gaps=tuple(gaps(accuracies)),
        order_effects=tuple(_order_effects(runs)),
        sweeps=tuple(find_sweeps(results)),
        costs=tuple(costs),
        speedups=tuple(speedups),
        settings=settings,
        family=_name_family(pairs),
        notes=tuple(map(plain, (*find_doubts(cells), *notes, *unlike_items(taken)))),
    )


def summarise_pair(results: Path, a: str, b: str, settings: Settings | None = None) -> tuple[list[Pair], list[str]]:
    """Two systems (or runs), suite by suite, and notes on them; the suites are the family.

    UsageError where they share no suite, or no item.
    """
    runs = read_all(results)
    (taken_a, notes_a), (taken_b, notes_b) = (_named(runs, name) for name in (a, b))
    shared = [suite for suite in taken_a if suite in taken_b]
    if not shared:
        raise UsageError(
            f"{a} and {b} share no suite: {a} has {', '.join(taken_a) or 'none'}, {b} has {', '.join(taken_b)}"
        )
    chosen: dict[str, RunData] = {}
    for suite in shared:
        pair = (taken_a[suite], taken_b[suite])
        if pair[0] is pair[1]:
            raise UsageError(f"{a} and {b} are the same run on {suite}, {pair[0].manifest.run}: give two")
        check_same_items(*pair)
        chosen |= {run.manifest.run: run for run in pair}
    pairs = compare_family(chosen, settings or Settings())
    if not pairs:
        raise UsageError(f"{a} and {b} have answered no item in common: let both runs go on, then compare")
    partial = [say_partial(run) for run in chosen.values() if len(run.answered) < len(run.items)]
    return pairs, [plain(note) for note in (*notes_a, *notes_b, *partial)]


def read_all(results: Path) -> list[RunData]:
    """Every run of a results folder, in the order of suites and systems; DataError where there is none."""
    if not results.is_dir():
        raise DataError(f"no results folder {results}: make one with 'rimbench run --system S --suite T'")
    folders = find_runs(results)
    if not folders:
        raise DataError(f"no run in {results}: make one with 'rimbench run --system S --suite T'")
    runs = [read_run(folder) for folder in folders]
    return sorted(runs, key=lambda run: (run.manifest.suite, run.manifest.system, run.manifest.run))


def label_runs(runs: Sequence[RunData]) -> list[str]:
    """The name under which a table shows each run: its system, and what tells it from the system's other runs.

    What one of them has not (no control, no memory) is left out; where nothing tells two apart, the run's own name
    follows.
    """
    labels = []
    for run in runs:
        group = [r for r in runs if _cell_of(r) == _cell_of(run)]
        differing = [
            told
            for word, path in DISTINGUISHING.items()
            if len({str(_look_up(r.manifest.identity, path)) for r in group}) > 1
            and (told := _told(word, _look_up(run.manifest.identity, path)))
        ]
        labels.append(run.manifest.system + (f" ({', '.join(differing)})" if differing else ""))
    cells = [(run.manifest.suite, label) for run, label in zip(runs, labels, strict=True)]
    return [
        label if cells.count(cell) == 1 else f"{label} [{run.manifest.run}]"
        for run, label, cell in zip(runs, labels, cells, strict=True)
    ]


def choose_runs(runs: Sequence[RunData]) -> tuple[list[RunData], list[str]]:
    """One run for each system and suite to be compared, and a note for each choice.

    Plain runs only: those under a control are other questions. Of several, a complete one before a partial one,
    then the one with more items, then with more draws, then the one started last.
    """
    cells: dict[tuple[str, str], list[RunData]] = {}
    for run in runs:
        if _controls(run) == Controls():
            cells.setdefault(_cell_of(run), []).append(run)
    taken, notes = [], []
    for (system, suite), group in cells.items():
        best = max(group, key=_rank)
        taken.append(best)
        if len(group) > 1:
            others = ", ".join(run.manifest.run for run in group if run is not best)
            notes.append(
                f"{system} on {suite} has {len(group)} runs: comparisons take {best.manifest.run} (complete before "
                f"partial, then more items, then more draws, then the latest), not {others}"
            )
    return taken, notes


def _rank(run: RunData) -> tuple[bool, int, int, str, str]:
    complete = len(run.answered) == len(run.items)
    return complete, len(run.items), run.manifest.samples, run.manifest.started_at, run.manifest.run


def _named(runs: Sequence[RunData], name: str) -> tuple[dict[str, RunData], list[str]]:
    """By suite, the runs that a name stands for: one run by its own name, or a system's chosen ones with notes."""
    exact = [run for run in runs if run.manifest.run == name]
    taken, notes = (exact, []) if exact else choose_runs([run for run in runs if run.manifest.system == name])
    if not taken:
        known = {run.manifest.system for run in runs} | {run.manifest.run for run in runs}
        raise unknown("system or run", name, known)
    return {run.manifest.suite: run for run in taken}, notes


def _order_effects(runs: Sequence[RunData]) -> list[OrderEffect]:
    """Systems that answered the same items in several orders of the options, all else equal."""
    groups: dict[str, list[RunData]] = {}
    for run in runs:
        changed_by_controls = ("controls", "prompts_sha256")
        identity = {key: value for key, value in run.manifest.identity.items() if key not in changed_by_controls}
        blind = _controls(run).blind
        groups.setdefault(f"{_cell_of(run)} {identity} {blind}", []).append(run)
    return [
        order_effect(group, [_shown_letters(run) for run in group]) for group in groups.values() if len(group) > 1
    ]


def _shown_letters(run: RunData) -> dict[str, Mapping[str, str]]:
    """By item, the letter under which each of its own letters was shown."""
    controls = _controls(run)
    return {
        item.item_id: {own: shown for shown, own in show(item, controls).own_letters.items()}
        for item in run.items.values()
    }


def _controls(run: RunData) -> Controls:
    found = run.manifest.identity.get("controls") or {}
    return Controls(found.get("permute_options"), bool(found.get("blind")))


def _cell_of(run: RunData) -> tuple[str, str]:
    return run.manifest.system, run.manifest.suite


def _look_up(identity: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = identity
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _told(word: str, value: object) -> str:
    if value is None or value is False:
        return ""
    text = str(value)
    return word if value is True else f"{word} {text[:10] if len(text) == SHA256_DIGITS else text}"


def _name_family(pairs: Sequence[Pair]) -> str:
    suites = sorted({pair.suite for pair in pairs})
    if not pairs:
        return "no two systems answered the same items"
    if len(pairs) == 1:
        return f"the one pair of systems on {suites[0]}"
    return f"all {len(pairs)} pairs of systems on {', '.join(suites)}"
