"""What a report says: runs read once, summed up into cells, and compared in pairs.

The same records give the same summary, whatever the machine: bootstraps take a fixed seed, and runs come in the
order of their suites, systems and names.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rimbench.display.plaintext import plain
from rimbench.errors import UsageError
from rimbench.latency.measured import Measurement
from rimbench.latency.stored import read_measurements
from rimbench.plugins import unknown
from rimbench.reporting.ablations import find_ablations
from rimbench.reporting.breakdown import Breakdown, PairBreakdown
from rimbench.reporting.budgets import find_sweeps
from rimbench.reporting.carried import carried
from rimbench.reporting.cells import make_cell
from rimbench.reporting.compared import Pair
from rimbench.reporting.conclusions import make_summaries
from rimbench.reporting.document import SCHEMA, Report
from rimbench.reporting.doubts import doubt_families, find_doubts, say_partial
from rimbench.reporting.facets import Facets
from rimbench.reporting.families import ALL, DECLARED, Choice, is_called, list_pairs, pairs_among
from rimbench.reporting.grown import without_outgrown
from rimbench.reporting.metrics import find_metrics
from rimbench.reporting.pairs import check_same_items, compare_pairs, gaps, order_effects, unlike_items
from rimbench.reporting.reading import RunData, read_runs
from rimbench.reporting.rotations import find_rotations
from rimbench.reporting.selection import EVERY, Selection
from rimbench.reporting.timings import accuracies_beside, make_timings, superseded
from rimbench.reporting.variants import (
    HARMLESS,
    controls_of,
    is_unchanged,
    label_runs,
    name_of,
    name_runs,
    run_departures,
    variant_of,
)
from rimbench.statistics.verdict import Settings
from rimbench.store import find_runs, no_runs
from rimbench.store.lenses import read_lenses
from rimbench.suites.controls import Controls


def summarise(
    results: Path,
    settings: Settings | None = None,
    choice: Choice | None = None,
    by: str | None = None,
    selection: Selection = EVERY,
) -> Report:
    """Read every run below a results folder, or those of a selection, and sum it up, also `by` a facet; DataError
    where there is none, UsageError for a baseline that is not among them, a facet that none has, or a name in the
    selection that nothing there bears.
    """
    settings, choice = settings or Settings(), choice or Choice()
    unread: list[str] = []
    rotations = find_rotations(results, unread.append, selection)
    sweeps = find_sweeps(results, unread.append, selection)
    ablations = find_ablations(results, unread.append, settings, selection)
    measurements = [_rows_of(selection, each) for each in read_measurements(results, unread.append)]
    others = (*rotations, *sweeps, *ablations, *measurements)
    runs = read_all(results, unread.append, selection) if find_runs(results) or not others else []
    runs, outgrown = without_outgrown(runs)
    labels = labels_of(runs)
    lenses = [
        lens for lens in read_lenses(results, unread.append) if selection.takes(lens.suite, lens.system, lens.run)
    ]
    selection.check(found=bool(runs or others))
    metrics = find_metrics()
    cells = sorted(
        (
            make_cell(run, name, labels[run.manifest.run], metrics, sweeps)
            for run, name in zip(runs, name_runs([run.manifest for run in runs]), strict=True)
        ),
        key=lambda c: (c.suite, c.system, c.label),
    )
    taken, notes = choose_variants(runs)
    compared = _pairs(taken, labels, choice)
    every = compare_pairs([*compared, *_other_pairs(taken, labels, compared, choice)], labels, settings, choice)
    wanted = {(a.manifest.run, b.manifest.run) for a, b in compared}
    pairs = [pair for pair in every if pair.runs in wanted]
    facets = None if by is None else Facets(runs, by)
    if facets:
        unread += facets.notes
    chosen = {run.manifest.run for run in taken}
    beside = [cell for cell in cells if cell.run in chosen]
    timings = make_timings(measurements, accuracies_beside(beside))
    again = superseded(measurements)
    doubts = (*find_doubts(cells), *outgrown, *notes, *unlike_items(taken), *doubt_families(pairs), *again)
    return Report(
        schema=SCHEMA,
        cells=tuple(cells),
        comparisons=tuple(pairs),
        timings=(timings,),
        sweeps=tuple(sweeps),
        ablations=tuple(ablations),
        gaps=tuple(gaps(beside)),
        order_effects=tuple(order_effects(runs)),
        notes=tuple(map(plain, (*unread, *doubts))),
        margin=settings.margin,
        alpha=settings.alpha,
        rotations=tuple(rotations),
        carried=tuple(carried(beside)),
        summary=tuple(make_summaries(beside, every, timings.latency, choice.baseline)),
        breakdowns=tuple(_broken_down(facets, runs, labels)),
        pair_breakdowns=tuple(_pairs_broken_down(facets, compared, labels, settings)),
        lenses=tuple(lenses),
    )


def _rows_of(selection: Selection, measurement: Measurement) -> Measurement:
    suite, rows = measurement.suite, measurement.rows
    return replace(
        measurement,
        rows=tuple(row for row in rows if selection.takes(suite, row.label.partition(" (")[0], row.label)),
    )


def _broken_down(facets: Facets | None, runs: Sequence[RunData], labels: Mapping[str, str]) -> list[Breakdown]:
    found = [facets.break_down(run, labels[run.manifest.run]) for run in runs] if facets else []
    return [each for each in found if each is not None]


def _pairs_broken_down(
    facets: Facets | None, pairs: Sequence[tuple[RunData, RunData]], labels: Mapping[str, str], how: Settings
) -> list[PairBreakdown]:
    named = [(pair, (labels[pair[0].manifest.run], labels[pair[1].manifest.run])) for pair in pairs]
    found = [facets.break_down_pair(pair, names, how) for pair, names in named] if facets else []
    return [each for each in found if each is not None]


def summarise_pair(
    results: Path, a: str, b: str, settings: Settings | None = None, choice: Choice | None = None
) -> tuple[list[Pair], list[str]]:
    """Two systems (or runs), suite by suite, judged as in the report, and notes on them.

    UsageError where they share no suite, or no item, or one is not of the family that was named.
    """
    unread: list[str] = []
    runs, choice = without_outgrown(read_all(results, unread.append), but=(a, b))[0], choice or Choice()
    if choice.named is not None:
        choice = replace(choice, baseline=b)
        if a not in (choice.named or ()):
            raise UsageError(f"{a} is not among the systems of --family: {', '.join(choice.family)}")
    labels = labels_of(runs)
    asked, said = shared_runs(runs, labels, a, b)
    for pair in asked:
        if pair[0] is pair[1]:
            raise UsageError(
                f"{a} and {b} are the same run on {pair[0].manifest.suite}, {pair[0].manifest.run}: give two"
            )
        check_same_items(*pair)
    compared = asked
    if choice.family == ALL:  # the whole family has to be there, with the pairs that were asked for in their order
        both = [{run.manifest.run for run in pair} for pair in asked]
        others = _pairs(choose_variants(runs)[0], labels, choice)
        compared = [*asked, *(p for p in others if {run.manifest.run for run in p} not in both)]
    wanted = [(one.manifest.run, other.manifest.run) for one, other in asked]
    pairs = [p for p in compare_pairs(compared, labels, settings or Settings(), choice) if p.runs in wanted]
    if not pairs:
        raise UsageError(f"{a} and {b} have answered no item in common: let both runs go on, then compare")
    partial = [say_partial(run) for pair in asked for run in pair if run.missing]
    return pairs, [plain(note) for note in (*unread, *said, *dict.fromkeys(partial))]


def labels_of(runs: Sequence[RunData]) -> dict[str, str]:
    """The name under which every format shows each run, by the run's own."""
    manifests = [run.manifest for run in runs]
    return {manifest.run: label for manifest, label in zip(manifests, label_runs(manifests), strict=True)}


def _pairs(taken: Sequence[RunData], labels: Mapping[str, str], choice: Choice) -> list[tuple[RunData, RunData]]:
    """The pairs of runs to be compared, suite by suite."""
    found = [(named[a], named[b]) for named in _by_suite(taken, labels) for a, b in list_pairs(named, choice)]
    if choice.baseline is not None:
        called = [run for run in taken if is_called(labels[run.manifest.run], run, choice.baseline)]
        if not called:
            raise unknown("baseline", choice.baseline, {labels[run.manifest.run] for run in taken})
        _check_one_each(called, labels, f"--baseline {choice.baseline}")
    return found


def _other_pairs(
    taken: Sequence[RunData], labels: Mapping[str, str], asked: Sequence[tuple[RunData, RunData]], choice: Choice
) -> list[tuple[RunData, RunData]]:
    """The pairs on each suite that nobody asked for: a matrix shows them, each judged within its declared family."""
    if choice.family != DECLARED:
        return []
    known = [{a.manifest.run, b.manifest.run} for a, b in asked]
    found = [(named[a], named[b]) for named in _by_suite(taken, labels) for a, b in pairs_among(named)]
    return [(a, b) for a, b in found if {a.manifest.run, b.manifest.run} not in known]


def _by_suite(taken: Sequence[RunData], labels: Mapping[str, str]) -> Iterable[dict[str, RunData]]:
    """The runs on each suite by their labels."""
    by_suite: dict[str, dict[str, RunData]] = {}
    for run in taken:
        by_suite.setdefault(run.manifest.suite, {})[labels[run.manifest.run]] = run
    return by_suite.values()


def read_all(results: Path, say: Callable[[str], None], selection: Selection = EVERY) -> list[RunData]:
    """Every run of a results folder, or of a selection, that can be read, in the order of suites and systems;
    DataError where the folder has none. `say` is told of those that cannot, and of those that were changed.
    """
    runs, notes = read_runs(results, selection)
    if not runs and not selection:
        raise no_runs(results, f" ({'; '.join(notes)})" if notes else "")
    for note in notes:
        say(note)
    return sorted(runs, key=lambda run: (run.manifest.suite, run.manifest.system, run.manifest.run))


def choose_runs(runs: Sequence[RunData]) -> tuple[list[RunData], list[str]]:
    """One run for each system as its file has it and each suite, with a note for each choice: `choose_variants`."""
    return choose_variants([run for run in runs if is_unchanged(run.manifest)])


def choose_variants(runs: Sequence[RunData]) -> tuple[list[RunData], list[str]]:
    """One run for each system, and variant of one, and each suite, to be compared, and a note for each choice.

    None under a control: those are other questions. Of several, a complete one before a partial one, then one with
    the usual seed, then the one with more items, then with more draws, then the one started last.
    """
    cells: dict[tuple[str, ...], list[RunData]] = {}
    for run in runs:
        if controls_of(run.manifest) == Controls():
            cells.setdefault(variant_of(run.manifest), []).append(run)
    taken, notes = [], []
    for group in cells.values():
        best = max(group, key=_rank)
        taken.append(best)
        if len(group) > 1:
            others = ", ".join(run.manifest.run for run in group if run is not best)
            system = name_of(best.manifest, but=HARMLESS)
            notes.append(
                f"{system} on {best.manifest.suite} has {len(group)} runs: comparisons take {best.manifest.run} "
                "(complete before partial, then the usual seed, then more items, then more draws, then the latest), "
                f"not {others}"
            )
    return taken, notes


def _check_one_each(taken: Sequence[RunData], labels: Mapping[str, str], name: str) -> None:
    """UsageError where a name stands for runs of several weights on one suite."""
    suites = [run.manifest.suite for run in taken]
    shown = sorted({labels[run.manifest.run] for run in taken if suites.count(run.manifest.suite) > 1})
    if shown:
        raise UsageError(f"{name} has runs of several weights: give one of {', '.join(shown)}")


def _rank(run: RunData) -> tuple[bool, bool, int, int, str, str]:
    manifest = run.manifest
    seeded = "seed" in run_departures(manifest)
    return run.missing == 0, not seeded, len(run.items), manifest.samples, manifest.started_at, manifest.run


def shared_runs(
    runs: Sequence[RunData], labels: Mapping[str, str], a: str, b: str, suite: str | None = None
) -> tuple[list[tuple[RunData, RunData]], list[str]]:
    """The runs of two systems on each suite that both have answered, or on the one of that name, and notes on the
    choice; UsageError where there is none.
    """
    (of_a, notes_a), (of_b, notes_b) = (named_runs(runs, labels, name) for name in (a, b))
    shared = [each for each in of_a if each in of_b and suite in (None, each)]
    if not shared:
        has, other = (", ".join(found) or "none" for found in (of_a, of_b))
        on = "share no suite" if suite is None else f"have not both answered suite {suite}"
        raise UsageError(f"{a} and {b} {on}: {a} has {has}, {b} has {other}")
    return [(of_a[each], of_b[each]) for each in shared], [*notes_a, *notes_b]


def named_runs(runs: Sequence[RunData], labels: Mapping[str, str], name: str) -> tuple[dict[str, RunData], list[str]]:
    """By suite, the runs that a name stands for: by a run's own name, a label, or a system's as its file has it."""
    exact = [run for run in runs if name in (run.manifest.run, labels[run.manifest.run])]
    of_system = [run for run in runs if run.manifest.system == name]
    taken, notes = [run for run in exact if run.manifest.run == name], list[str]()
    if not taken:
        taken, notes = choose_runs(of_system)
        suites = {run.manifest.suite for run in taken}
        taken += [run for run in exact if run.manifest.suite not in suites]
    if not taken and of_system:
        variants, notes = choose_variants(of_system)
        shown = sorted({labels[run.manifest.run] for run in variants or of_system})
        if len(shown) > 1 or not variants:
            raise UsageError(
                f"no run of {name} is one of the system as its file has it: give one of {', '.join(shown)}"
            )
        taken = variants
        notes.append(f"no run of {name} is one of the system as its file has it: comparing {shown[0]}")
    if not taken:
        raise unknown("system or run", name, {*labels, *labels.values()})
    _check_one_each(taken, labels, name)
    return {run.manifest.suite: run for run in taken}, notes
