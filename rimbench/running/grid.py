"""Systems x suites -> runs: resolves every cell before the first answer, then loads each model once.

Flows in: what a user asked for. Flows out: folders of records. A cell whose records are complete is left as it
is, without loading its model.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from rimbench import checkpoints, engines, provenance
from rimbench.engines import Answering, Engine, EngineChoice, EngineFacts, Limits
from rimbench.errors import DataError, UsageError
from rimbench.records import Item, Prompt, Record
from rimbench.running.asking import Outcome, run_cell
from rimbench.running.cell import Cell, ErrorRules, identify, name_run
from rimbench.running.ondemand import HELD, OnDemand
from rimbench.running.prompts import HASHED, PromptBuilder
from rimbench.store import (
    MANIFEST,
    SCHEMA_VERSION,
    FrozenItems,
    Identity,
    Manifest,
    ModelSource,
    OtherSchemaError,
    RunStore,
    SuiteSource,
    read_manifest,
    say_edited,
)
from rimbench.suites import Suite, question_text
from rimbench.suites.controls import Controls, ShownItems
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
    errors: ErrorRules = field(default_factory=ErrorRules)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One cell, resolved and named, with the folder of its weights and that of its records; `title` is what a person
    reads of it, where the system's name does not say enough.
    """

    cell: Cell
    suite: Suite
    checkpoint: weights.Checkpoint
    facts: EngineFacts
    name: str
    identity: Identity
    folder: Path
    title: str = ""

    @property
    def told(self) -> str:
        """The cell, as a person reads it."""
        return f"{self.title or self.cell.system.name} on {self.suite.name}"

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """What a record of each item says of its prompt, by item id; of very many items, of the first alone."""
        prompts = self.cell.prompts
        known = prompts if len(prompts) <= HELD else prompts[:HASHED]
        return {item_id: prompt.sha256 for item_id, prompt in zip(self.cell.item_ids, known, strict=False)}

    def lacks(self, store: RunStore, samples: int | None = None) -> int:
        """How many answers are missing of those that this command asks for, or of so many samples an item."""
        return store.done.missing(self.cell.item_ids, self.cell.samples if samples is None else samples)


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
    facts = engines.facts_for(settings.engine, EngineChoice(settings.batch_size, settings.dtype, settings.eager))
    runs = []
    resolved: dict[Weights, weights.Checkpoint] = {}  # systems may share weights, whose files are hashed whole
    for system in systems:
        if system.weights not in resolved:
            resolved[system.weights] = weights.resolve(system)
        checkpoint = resolved[system.weights]
        build, context_tokens = _prompt_builder(system, checkpoint)
        for suite in loaded:
            shown = ShownItems(suite.items, settings.controls)
            prompts = OnDemand(len(shown), partial(_build, build, suite, shown))
            cell = Cell(
                system,
                shown,
                prompts,
                settings.samples,
                settings.seed,
                context_tokens,
                settings.controls,
                settings.errors,
            )
            _check_room(cell, suite)
            identity = identify(cell, checkpoint.sha256, FrozenItems(suite.content_sha256, suite.wording), facts)
            name = _name(cell, suite, identity, settings.results)
            runs.append(PlannedRun(cell, suite, checkpoint, facts, name, identity, settings.results / name))
    return runs


def _name(cell: Cell, suite: Suite, identity: Identity, results: Path) -> str:
    """The run's name, or the one that an earlier build gave it where its folder is there, so that it is gone on with.

    Its records say which prompts they answer. Of a system whose letters are read they do not say which tokens were
    read, so that such a run begins anew.
    """
    name = name_run(cell, suite.name, identity.name_sha256)
    earlier = name_run(cell, suite.name, identity.earlier_sha256)
    reads_letters = cell.prompts[0].option_token_ids is not None
    return earlier if not reads_letters and (results / earlier).is_dir() and not (results / name).exists() else name


def _check_room(cell: Cell, suite: Suite) -> None:
    """UsageError where no prompt at all leaves room for an answer."""
    if not any(map(cell.has_room, cell.prompts)):
        shortest = min(len(prompt.token_ids) for prompt in cell.prompts)
        raise UsageError(
            f"system '{cell.system.name}' on suite '{suite.name}': the shortest prompt, of {shortest} tokens, leaves "
            f"no room for an answer in the model's context of {cell.context_tokens}: take fewer memory blocks, fewer "
            "new tokens, or a model with a longer context"
        )


Build = Callable[[Suite, Sequence[Item]], tuple[Prompt, ...]]
"""What turns items of a suite into a system's prompts."""


def _build(build: Build, suite: Suite, shown: ShownItems, places: Sequence[int]) -> tuple[Prompt, ...]:
    return build(suite, [shown[place].item for place in places])


def prompt_builder(system: System) -> tuple[Build, int]:
    """What builds the system's prompts, and the longest sequence that its model takes."""
    return _prompt_builder(system, weights.resolve(system))


def run_all(runs: Sequence[PlannedRun], settings: RunSettings, progress: Progress) -> None:
    """Answer what is missing in each run, in order; runs that share weights share the loaded model."""
    with _ModelSlot() as slot:
        for run in runs:
            prompts = run.prompt_hashes
            with RunStore(run.folder, run.suite.items.by_id, fresh=settings.fresh, prompts=prompts) as store:
                complete_run(run, store, partial(slot.open, run, runs, progress), progress)


def complete_run(run: PlannedRun, store: RunStore, open_engine: Callable[[], Answering], progress: Progress) -> None:
    """Answer what this command asks for and the run lacks; its manifest and items are made again where they are gone.

    The engine is opened only where something is missing.
    """
    if store.repaired:
        progress.note(f"{run.name}: dropped a torn last line of {store.repaired} bytes, its answer is asked again")
    if store.edited:
        progress.note(say_edited(run.folder, store.edited))
    earlier = _read_earlier(run, store, progress)
    if run.lacks(store) == 0:
        _settle(run, store, earlier, progress)
        return
    manifest = make_manifest(run, store, earlier)
    store.write_manifest(manifest, run.suite.items)
    engine = open_engine()
    progress.start(run, store)
    outcome = run_cell(run.cell, run.facts, engine, store, _telling(run, store, progress))
    if run.lacks(store, manifest.samples) == 0:
        manifest = dataclasses.replace(manifest, ended_at=provenance.now())
    store.write_manifest(manifest, run.suite.items)
    progress.finish(run, store)
    _tell_outcome(run, store, outcome, progress)


def _telling(run: PlannedRun, store: RunStore, progress: Progress) -> Callable[[Sequence[Record]], None]:
    """Who is told of records that were kept, and once that a run which started over took the old one's place."""
    told = False

    def tell(records: Sequence[Record]) -> None:
        nonlocal told
        if store.aside is not None and not told:
            told = True
            progress.note(f"{run.name}: starting over, the old run is kept as {store.aside.name}")
        progress.advance(records)

    return tell


def _settle(run: PlannedRun, store: RunStore, earlier: Manifest | None, progress: Progress) -> None:
    """Nothing is missing: have the run's other files say so too, as a kill at the last moment may have prevented."""
    manifest = earlier or make_manifest(run, store, None)
    manifest = dataclasses.replace(manifest, samples=max(manifest.samples, run.cell.samples))
    left = run.lacks(store, manifest.samples)
    if manifest.ended_at is None and left == 0:
        manifest = dataclasses.replace(manifest, ended_at=provenance.as_text(store.last_written()))
    if manifest == earlier:
        store.write_items(run.suite.items)
    else:
        store.write_manifest(manifest, run.suite.items)
    progress.note(f"{run.told}: complete, nothing left to answer")
    if left:
        progress.note(f"{run.told}: an earlier start asked for {manifest.samples} draws an item, {left} are missing")


def _tell_outcome(run: PlannedRun, store: RunStore, outcome: Outcome, progress: Progress) -> None:
    if outcome.failed:
        progress.note(
            f"{run.told}: the engine failed twice on {outcome.failed} of {run.cell.total} answers (last: "
            f"{outcome.last_failure}): they are not answered, and the same command asks them again; with "
            "--keep-errors what still fails counts as wrong"
        )
    if outcome.too_long:
        progress.note(
            f"{run.told}: {outcome.too_long} of {len(run.cell.prompts)} prompts leave no room for an answer in the "
            f"model's context of {run.cell.context_tokens} tokens: they are kept as engine errors, and count as wrong"
        )
    if store.mended:
        progress.note(
            f"{run.told}: {store.mended} texts held half a character, which no file can hold: it is kept as \\ufffd"
        )


def _read_earlier(run: PlannedRun, store: RunStore, progress: Progress) -> Manifest | None:
    """What an earlier start wrote of this run, or None; DataError where it is another's, or of a later rimbench."""
    if not (store.folder / MANIFEST).exists():
        if store.done:
            progress.note(f"{run.name}: {MANIFEST} was missing, and is written again with the versions of today")
        return None
    try:
        earlier = read_manifest(store.folder)
    except OtherSchemaError:
        raise
    except DataError:
        progress.note(f"{run.name}: {MANIFEST} was damaged, and is written again with the versions of today")
        return None
    if earlier.run != run.name:
        raise DataError(
            f"{store.folder / MANIFEST} is that of run {earlier.run}: the files of two runs are mixed; put them "
            "back, or start over with --fresh"
        )
    return earlier


class _ModelSlot:
    """Holds one loaded model, and swaps it when a run needs another."""

    def __init__(self) -> None:
        self._key: tuple[Path, EngineFacts] | None = None
        self._engine: Engine | None = None

    def __enter__(self) -> "_ModelSlot":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def open(self, run: PlannedRun, runs: Sequence[PlannedRun], progress: Progress) -> Engine:
        key = (run.checkpoint.folder, run.facts)
        if self._engine is None or key != self._key:
            self._close()
            progress.note(f"loading {run.checkpoint.source} into {run.facts.name} on {run.facts.device}")
            limits = Limits(_sequence_tokens(runs, run), run.cell.seed)
            self._engine = engines.open_engine(run.checkpoint.folder, run.facts, limits)
            self._key = key
        return self._engine

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.__exit__(None, None, None)
            self._engine = None


def _sequence_tokens(runs: Sequence[PlannedRun], run: PlannedRun) -> int:
    """The longest sequence that any run with these weights needs, within the model's context.

    That is the whole context where the engine makes no use of it: to know better, every prompt has to be built.
    """
    if not engines.reserves(run.facts.name):
        return run.cell.context_tokens
    sharing = [r.cell for r in runs if r.checkpoint.folder == run.checkpoint.folder]
    needed = (len(p.token_ids) + c.system.answer.max_new_tokens for c in sharing for p in c.prompts)
    return min(max(needed), run.cell.context_tokens)


def _prompt_builder(system: System, checkpoint: weights.Checkpoint) -> tuple[Build, int]:
    config = checkpoints.read_config(checkpoint.folder)
    builder = PromptBuilder(system, checkpoints.read_tokenizer(checkpoint.folder))

    def build(suite: Suite, items: Sequence[Item]) -> tuple[Prompt, ...]:
        asked = [(item, question_text(suite.wording, item).strip()) for item in items]
        return builder.build(asked, list(suite.audit.gold_histogram))

    return build, int(getattr(config, "max_position_embeddings", UNBOUNDED))


def make_manifest(run: PlannedRun, store: RunStore, earlier: Manifest | None) -> Manifest:
    """What a run is made of that is begun, or gone on with, now; what an earlier start recorded of it is kept.

    Where there are records and no manifest, when they began is not known: from when they last grew.
    """
    commit, dirty = provenance.commit()
    source = dataclasses.asdict(run.suite.source)
    made = Manifest(
        schema_version=SCHEMA_VERSION,
        run=run.name,
        system=run.cell.system.name,
        suite=run.suite.name,
        n=len(run.suite.items),
        samples=max(run.cell.samples, store.done.most_samples),
        identity=run.identity,
        suite_source=SuiteSource(**source, seed=run.suite.seed, slice=run.suite.slice),
        model_source=ModelSource(run.checkpoint.source, run.checkpoint.revision),
        versions=provenance.library_versions(),
        device=provenance.describe_device(run.facts.device),
        commit=commit,
        dirty=dirty,
        started_at=provenance.as_text(store.last_written()) if store.done else provenance.now(),
        ended_at=None,
        sessions=1,
        departures=departures_of_run(run),
        system_file=run.cell.system.file,
        suite_file=run.suite.file,
    )
    if earlier is None:
        return made
    return dataclasses.replace(
        made,
        samples=max(made.samples, earlier.samples),
        started_at=earlier.started_at,
        sessions=earlier.sessions + 1,
        unknown=earlier.unknown,
    )


def departures_of_run(run: PlannedRun) -> dict[str, list[Any]]:
    """Every setting of a run that is not as in its system's own file, nor what a command takes without options."""
    cell, facts, weights_sha256 = run.cell, run.facts, run.checkpoint.sha256
    usual = engines.facts_for(facts.name, EngineChoice(facts.batch_size)).dtype
    given = {"seed": cell.seed, "dtype": facts.dtype, **dataclasses.asdict(cell.controls)}
    plain = {"seed": 0, "dtype": usual, **dataclasses.asdict(Controls())}
    found = departures_of(cell.system) | between(plain, given)
    if "weights" in found:
        found["weights"][1] = f"{weights_sha256[:10]} of {found['weights'][1]}"
    return found
