"""A folder of results -> what was measured of each figure, and of each cell that a claim speaks of.

Of several runs of one cell the one that is what the figure is of comes first, then the one with more items, more
draws, the latest. Runs of a sweep are those of the settings `K = 0`, `K = 1` and so on.
"""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench.claims.likeness import Difference, Referents
from rimbench.claims.measured import (
    ABLATED,
    Key,
    MeasuredAccuracy,
    MeasuredFlips,
    MeasuredTime,
    OwnMeasurement,
    key_of,
)
from rimbench.claims.outcomes import Outcomes
from rimbench.errors import DataError
from rimbench.latency import stored
from rimbench.latency.measured import Measured, Measurement
from rimbench.reporting.reading import RunData, read_run, resampling_of
from rimbench.reporting.rotations import InOrders, read_orders
from rimbench.reporting.variants import controls_of
from rimbench.statistics.bootstrap import Cluster
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.passk import uniform_pass_at_k
from rimbench.statistics.times import mean_time
from rimbench.store import ABLATION, ROTATED, SWEEP, find_inner, find_runs, read_manifest

if TYPE_CHECKING:
    from rimbench.claims.schema import ClaimsSpec
    from rimbench.records import Item

BUDGET = re.compile(r"K\s*=\s*(\d+)")
"""A setting that says a memory budget."""
TIMES = "latency-*/latency.json"
RATIO_CONDITIONS = ("engine", "dtype", "launches", "path")
"""What a ratio's two times must share besides what the published figures themselves state."""


def holds_any(results: Path) -> bool:
    """Whether anything was measured in this folder."""
    folders = [results, *(folder for ending in (SWEEP, ROTATED, ABLATION) for folder in results.glob(f"*{ending}"))]
    return any(map(find_runs, folders)) or any(results.glob(TIMES))


@dataclass(frozen=True, slots=True)
class OwnRuns:
    """What was measured of a claims file, and a sentence for each run that asked other questions."""

    measured: tuple[OwnMeasurement, ...]
    notes: tuple[str, ...]


def measure_own(spec: "ClaimsSpec", path: Path, results: Path) -> OwnRuns:
    """Everything in a folder of results that a claims file speaks of; DataError for what cannot be read."""
    subject = Referents(spec, path)
    keys = [key for key in _keys(spec) if key[2] is None or BUDGET.fullmatch(key[2]) or _ablated(key)]
    wanted = {subject.run_names(key[0], key[1]) for key in keys}
    runs = list(_runs(results, wanted, {key[2] for key in keys if key[2]}))
    plain = [run for run in runs if run.control is None]
    accuracies = [found for key in keys if (found := _best(key, plain, subject)) is not None]
    notes = [f"{run.data.manifest.run} is left out: asked {run.control}" for run in runs if run.control is not None]
    flips = list(_flips(spec, subject, results, notes.append))
    return OwnRuns((*_times(spec, subject, results), *accuracies, *flips), tuple(notes))


def _flips(
    spec: "ClaimsSpec", subject: Referents, results: Path, say: Callable[[str], None]
) -> Iterator[MeasuredFlips]:
    """Of each cell the runs in every order: those that are of what is claimed last, then those with more items, then
    the latest. `say` is told of those that cannot be read yet.
    """
    cells = dict.fromkeys(cell for claim in spec.claim for cell in claim.orders())
    found = []
    for folder in sorted(results.glob(f"*{ROTATED}")) if cells else []:
        try:
            folders = find_inner(folder, "r")
            manifest = read_manifest(folders[0])
            own = [cell for cell in cells if subject.run_names(*cell) == (manifest.system, manifest.suite)]
            if not own:
                continue
            read = read_orders(folders)
        except DataError as error:
            say(f"left out: {error}")
            continue
        shares = {_content(item): float(answer.flips) for item, answer in zip(read.items, read.answers, strict=True)}
        outcomes = Outcomes(shares, _clusters(read.items))
        for cell in own:
            unlike = [*subject.differences(*cell, manifest, blocks=None, draws=False), *_unlike_runs(read)]
            flips = MeasuredFlips(folder.name, *cell, outcomes, *_split(unlike))
            found.append((not flips.unlike, len(shares), manifest.started_at, flips))
    yield from (flips for *_, flips in sorted(found, key=lambda entry: entry[:3]))


def _unlike_runs(read: InOrders) -> Iterator[Difference]:
    controls = controls_of(read.runs[0].manifest)
    if controls.blind or controls.permute_options is not None:
        yield Difference("asked without the questions, or with the options permuted")
    if edited := sum(len(run.edited) for run in read.runs):
        yield Difference(f"records that were changed after they were written: {edited}")
    if len(read.items) < read.asked:
        answered = f"{len(read.items)} of {read.asked} items"
        yield Difference(f"the runs are partial: {answered} in every order, which are no random part")


def _keys(spec: "ClaimsSpec") -> list[Key]:
    """Every cell that a figure gives or a claim speaks of."""
    from rimbench.claims.claim import PairsClaim  # importing it imports pydantic

    keys = [key_of(figure) for figure in spec.figure if figure.kind != "latency"]
    for claim in spec.claim:
        if isinstance(claim, PairsClaim):
            keys += [key for pair in claim.cells() for key in pair]
    return list(dict.fromkeys(keys))


def _best(key: Key, runs: "Sequence[_Run]", subject: Referents) -> MeasuredAccuracy | None:
    names = subject.run_names(key[0], key[1])
    found = [_candidate(key, run, subject) for run in runs if run.names == names and run.is_of(key)]
    best = max((candidate for candidate in found if candidate), key=_Candidate.rank, default=None)
    return None if best is None else best.measured


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that was read, whether it is of a sweep, and the setting that it is of where its memory was ablated."""

    data: RunData
    swept: bool
    ablated: str | None = None

    def is_of(self, key: Key) -> bool:
        """A sweep's runs are of budgets alone, and ablated ones of their interventions."""
        return self.ablated == _ablated(key) and self.swept <= bool(key[2])

    @property
    def names(self) -> tuple[str, str]:
        return self.data.manifest.system, self.data.manifest.suite

    @property
    def control(self) -> str | None:
        """What was changed about every question, if anything."""
        controls = controls_of(self.data.manifest)
        if controls.blind:
            return "without the questions"
        moved = {controls.permute_options, controls.rotate_options} != {None}
        return "with the options in another order" if moved else None


def _ablated(key: Key) -> str | None:
    return key[2] if key[2] is not None and key[2].startswith(ABLATED) else None


def _runs(results: Path, wanted: Collection[tuple[str, str]], settings: Collection[str]) -> "Iterator[_Run]":
    """The runs of these systems and suites, in these settings too; of the others only the manifest is read."""
    folders: list[tuple[Path, bool, str | None]] = [(folder, False, None) for folder in find_runs(results)]
    if any(map(BUDGET.fullmatch, settings)):
        folders += [(run, True, None) for run in _inner(results, SWEEP)]
    named = [(run, f"{ABLATED}{run.name}") for run in _inner(results, ABLATION)]  # called after their interventions
    folders += [(run, False, setting) for run, setting in named if setting in settings]
    for folder, swept, ablated in folders:
        manifest = read_manifest(folder)
        if (manifest.system, manifest.suite) in wanted:
            yield _Run(read_run(folder), swept, ablated)


def _inner(results: Path, ending: str) -> list[Path]:
    return [run for folder in sorted(results.glob(f"*{ending}")) for run in find_runs(folder)]


@dataclass(frozen=True, slots=True)
class _Candidate:
    measured: MeasuredAccuracy
    run: RunData

    def rank(self) -> tuple[bool, int, int, str]:
        manifest = self.run.manifest
        return not self.measured.unlike, len(self.measured.outcomes.shares), manifest.samples, manifest.started_at


def _candidate(key: Key, run: _Run, subject: Referents) -> _Candidate | None:
    system, suite, setting, k = key
    outcomes = _outcomes(run.data, k)
    if outcomes is None:
        return None
    manifest, match = run.data.manifest, BUDGET.fullmatch(setting or "")
    blocks = int(match[1]) if match else None
    if blocks is not None and _blocks(run.data) != blocks:
        return None
    differences = subject.differences(system, suite, manifest, blocks=blocks, draws=k is not None)
    if run.data.by_draws and k is None:
        differences.append(Difference("there are no greedy answers: the mean over the draws", unknown=True))
    if run.data.edited:
        differences.append(Difference(f"records that were changed after they were written: {len(run.data.edited)}"))
    if len(outcomes.shares) < len(run.data.items):
        answered = f"{len(outcomes.shares)} of {len(run.data.items)} items"
        differences.append(Difference(f"the run is partial: {answered}, which are no random part"))
    return _Candidate(
        MeasuredAccuracy(manifest.run, system, suite, outcomes, k, setting, *_split(differences)), run.data
    )


def _blocks(run: RunData) -> int:
    memory = run.manifest.identity.setup.memory
    return memory.blocks if memory else 0


def _outcomes(run: RunData, k: int | None) -> Outcomes | None:
    """Greedy answers right or wrong, of draws alone their mean, or each item's pass@k; None without any."""
    if k is None:
        items, shares = run.answered, run.scores(run.answered).tolist()
    else:
        items = run.sampled
        values = run.pass_values(items, k) if items else None
        shares = [] if values is None else values.tolist()
    if not shares:
        return None
    return Outcomes(
        {_content(item): share for item, share in zip(items, shares, strict=True)},
        _clusters(items),
        uniform_pass_at_k([len(item.options) for item in items], k or 1),
    )


def _clusters(items: "Sequence[Item]") -> dict[Hashable, Cluster] | None:
    return {_content(item): item.cluster for item in items} if resampling_of(items).clusters is not None else None


def _content(item: "Item") -> Hashable:
    return item.item_id, item.question, tuple(item.options.items()), item.gold


def _times(spec: "ClaimsSpec", subject: Referents, results: Path) -> Iterator[MeasuredTime]:
    """Seconds a question; the oldest measurement first, one that is of something else before those that are not."""
    wanted = {figure.system for figure in spec.figure if figure.kind == "latency"}
    found: list[MeasuredTime] = []
    for measurement in stored.read_measurements(results) if wanted else []:
        for system in sorted(wanted):
            name, _ = subject.run_names(system, "")
            for row in measurement.rows:
                if row.system == name:
                    found += _of_row(system, row, measurement, subject)
    yield from sorted(found, key=lambda time: not time.unlike)


def _of_row(system: str, row: Measured, measurement: Measurement, subject: Referents) -> Iterator[MeasuredTime]:
    per = 1000 * (1 if row.quantity == "letter" else row.batch)
    seconds = tuple(ms / per for ms in row.samples_ms)

    def at(level: float) -> Estimate | None:
        return mean_time(seconds, row.taken, level)

    identity, source = (row.subject.identity, row.subject.model_source) if row.subject else (None, None)
    unlike, unverified = _split(subject.of_system(system, identity, source))
    run = f"measured on {measurement.suite}, {measurement.measured_at[:10]}"
    time = MeasuredTime(
        run,
        system,
        row.quantity,
        row.batch,
        row.device,
        row.dtype,
        at,
        seconds,
        f"{measurement.suite} {measurement.measured_at}",
        row.taken,
        row.prompt_tokens,
        unlike,
        unverified,
        {name: row.conditions[name] for name in RATIO_CONDITIONS},
        tuple(row.noises),
    )
    yield time
    if row.generated_tokens == 0 and row.quantity != "readout":
        # An answer without a generated token is one pass: the readout, whatever it is called.
        yield replace(time, quantity="readout")


def _split(differences: Iterable[Difference]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    listed = list(differences)
    return tuple(d.told for d in listed if not d.unknown), tuple(d.told for d in listed if d.unknown)
