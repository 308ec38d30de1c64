"""Systems x suites -> runs: resolves every cell before the first answer, then loads each model once.

Flows in: what a user asked for. Flows out: folders of records. A cell whose records are complete is left as it
is, without loading its model.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rimbench import checkpoints, engines, provenance
from rimbench.controls import Controls, show
from rimbench.engines import Engine, EngineChoice, EngineFacts, Limits
from rimbench.errors import UsageError
from rimbench.prompts import PromptBuilder
from rimbench.records import SCHEMA_VERSION, Item, Manifest, Prompt, Record
from rimbench.runner import Cell, identify, name_run, run_cell
from rimbench.store import MANIFEST, RunStore, read_manifest, set_aside
from rimbench.suites import Suite, question_text
from rimbench.systems import System, Weights, weights
from rimbench.systems.departures import between, departures_of

UNBOUNDED = 2**31
"""The context of a model whose configuration names none."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a user set for all cells: `engine` may be `auto`; `batch_size` and `dtype` may be left to it as None."""

    results: Path
    engine: str = "auto"
    batch_size: int | None = None
    seed: int = 0
    samples: int = 0
    fresh: bool = False
    controls: Controls = field(default_factory=Controls)
    dtype: str | None = None
    eager: bool = False


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One cell, resolved and named, with the folder of its weights and that of its records."""

    cell: Cell
    suite: Suite
    checkpoint: weights.Checkpoint
    facts: EngineFacts
    name: str
    identity: dict[str, Any]
    folder: Path

    @property
    def total(self) -> int:
        """How many records the complete run has."""
        return len(self.cell.shown) * (self.cell.samples + 1)


class Progress(Protocol):
    """Who is told what happens, as it happens."""

    def note(self, message: str) -> None:
        """Say something that a person should know."""
        ...

    def start(self, run: PlannedRun, store: RunStore) -> None:
        """A cell begins, or goes on."""
        ...

    def advance(self, records: Sequence[Record]) -> None:
        """Records were kept."""
        ...

    def finish(self, run: PlannedRun, store: RunStore) -> None:
        """A cell is complete."""
        ...


def plan_runs(systems: Sequence[System], loaded: Sequence[Suite], settings: RunSettings) -> list[PlannedRun]:
    """Resolve every cell: weights on this machine, prompts built, runs named. Nothing is answered yet."""
    module = engines.find(settings.engine)
    facts: EngineFacts = module.describe(EngineChoice(settings.batch_size, settings.dtype, settings.eager))
    runs = []
    resolved: dict[Weights, weights.Checkpoint] = {}  # systems may share weights, whose files are hashed whole
    for system in systems:
        if system.weights not in resolved:
            resolved[system.weights] = weights.resolve(system)
        checkpoint = resolved[system.weights]
        build, context_tokens = _prompt_builder(system, checkpoint)
        for suite in loaded:
            shown = tuple(show(item, settings.controls) for item in suite.items)
            prompts = build(suite, [each.item for each in shown])
            cell = Cell(system, shown, prompts, settings.samples, settings.seed, context_tokens, settings.controls)
            _check_room(cell, suite)
            identity = identify(cell, checkpoint.sha256, _suite_identity(suite), facts)
            name = name_run(cell, suite.name, identity)
            runs.append(PlannedRun(cell, suite, checkpoint, facts, name, identity, settings.results / name))
    return runs


def _check_room(cell: Cell, suite: Suite) -> None:
    """UsageError where no prompt at all leaves room for an answer."""
    if cell.too_long == len(cell.prompts):
        shortest = min(len(prompt.token_ids) for prompt in cell.prompts)
        raise UsageError(
            f"system '{cell.system.name}' on suite '{suite.name}': the shortest prompt, of {shortest} tokens, leaves "
            f"no room for an answer in the model's context of {cell.context_tokens}: take fewer memory blocks, fewer "
            "new tokens, or a model with a longer context"
        )


Build = Callable[[Suite, Sequence[Item]], tuple[Prompt, ...]]
"""What turns items of a suite into a system's prompts."""


def prompt_builder(system: System) -> tuple[Build, int]:
    """What builds the system's prompts, and the longest sequence that its model takes."""
    return _prompt_builder(system, weights.resolve(system))


def run_all(runs: Sequence[PlannedRun], settings: RunSettings, progress: Progress) -> None:
    """Answer what is missing in each run, in order; runs that share weights share the loaded model."""
    with _ModelSlot() as slot:
        for run in runs:
            aside = set_aside(run.folder) if settings.fresh else None
            if aside is not None:
                progress.note(f"{run.name}: starting over, the old run is kept as {aside.name}")
            with RunStore(run.folder) as store:
                _run_one(run, store, slot, progress, _longest(runs, run))


def _run_one(run: PlannedRun, store: RunStore, slot: "_ModelSlot", progress: Progress, sequence_tokens: int) -> None:
    if store.repaired:
        progress.note(f"{run.name}: dropped a torn last line of {store.repaired} bytes, its answer is asked again")
    if len(store.done) < run.total:
        manifest = make_manifest(run, store)
        store.write_manifest(manifest, run.suite.items)
        limits = Limits(sequence_tokens, run.cell.seed + len(store.done))
        engine = slot.open(run, limits, progress)
        progress.start(run, store)
        if run.cell.too_long:
            progress.note(
                f"{run.cell.too_long} of {len(run.cell.prompts)} prompts leave no room for an answer in the model's "
                f"context of {run.cell.context_tokens} tokens: they are kept as engine errors, and count as wrong"
            )
        run_cell(run.cell, run.facts, engine, store, progress.advance)
        store.write_manifest(dataclasses.replace(manifest, ended_at=provenance.now()), run.suite.items)
        progress.finish(run, store)
    else:
        progress.note(f"{run.cell.system.name} on {run.suite.name}: complete, nothing left to answer")


class _ModelSlot:
    """Holds one loaded model, and swaps it when a run needs another."""

    def __init__(self) -> None:
        self._key: tuple[Path, EngineFacts] | None = None
        self._engine: Engine | None = None

    def __enter__(self) -> "_ModelSlot":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def open(self, run: PlannedRun, limits: Limits, progress: Progress) -> Engine:
        key = (run.checkpoint.folder, run.facts)
        if self._engine is None or key != self._key:
            self._close()
            progress.note(f"loading {run.checkpoint.source} into {run.facts.name} on {run.facts.device}")
            self._engine = engines.open_engine(run.checkpoint.folder, run.facts, limits)
            self._key = key
        return self._engine

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.__exit__(None, None, None)
            self._engine = None


def _longest(runs: Sequence[PlannedRun], run: PlannedRun) -> int:
    """The longest sequence that any run with these weights needs, within the model's context."""
    sharing = [r.cell for r in runs if r.checkpoint.folder == run.checkpoint.folder]
    needed = (len(p.token_ids) + c.system.answer.max_new_tokens for c in sharing for p in c.prompts)
    return min(max(needed), run.cell.context_tokens)


def _prompt_builder(system: System, checkpoint: weights.Checkpoint) -> tuple[Build, int]:
    config = checkpoints.read_config(checkpoint.folder)
    builder = PromptBuilder(system, checkpoints.read_tokenizer(checkpoint.folder))

    def build(suite: Suite, items: Sequence[Item]) -> tuple[Prompt, ...]:
        return builder.build([(item, question_text(suite.wording, item).strip()) for item in items])

    return build, int(getattr(config, "max_position_embeddings", UNBOUNDED))


def _suite_identity(suite: Suite) -> dict[str, Any]:
    return {"content_sha256": suite.content_sha256, "wording": dataclasses.asdict(suite.wording)}


def make_manifest(run: PlannedRun, store: RunStore) -> Manifest:
    """What a run is made of, begun or gone on with now; what an earlier start recorded of it is kept."""
    earlier = read_manifest(run.folder) if (run.folder / MANIFEST).exists() else None
    samples = run.cell.samples
    commit, dirty = provenance.commit()
    source = dataclasses.asdict(run.suite.source) | {"seed": run.suite.seed, "slice": run.suite.slice}
    return Manifest(
        schema_version=SCHEMA_VERSION,
        run=run.name,
        system=run.cell.system.name,
        suite=run.suite.name,
        n=len(run.suite.items),
        samples=max(samples, earlier.samples) if earlier else samples,
        identity=run.identity,
        suite_source=source,
        model_source=run.checkpoint.named,
        versions=provenance.library_versions(),
        device=provenance.describe_device(run.facts.device),
        commit=commit,
        dirty=dirty,
        started_at=earlier.started_at if earlier else provenance.now(),
        ended_at=None,
        sessions=(earlier.sessions if earlier else 0) + 1,
        departures=departures_of_run(run.cell, run.facts),
        system_file=run.cell.system.file,
        suite_file=run.suite.file,
    )


def departures_of_run(cell: Cell, facts: EngineFacts) -> dict[str, list[Any]]:
    """Every setting of a run that is not as in its system's own file, nor what a command takes without options."""
    usual = engines.find(facts.name).describe(EngineChoice(facts.batch_size)).dtype
    given = {"seed": cell.seed, "dtype": facts.dtype, **dataclasses.asdict(cell.controls)}
    plain = {"seed": 0, "dtype": usual, **dataclasses.asdict(Controls())}
    return departures_of(cell.system) | between(plain, given)
