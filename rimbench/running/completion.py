"""Planned runs -> folders of records: what is missing is answered, and each model is loaded once.

A run whose records are complete is left as it is, without loading its model.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from rimbench import engines, provenance
from rimbench.engines import Answering, Limits
from rimbench.errors import DataError
from rimbench.running.cascading import Cascading
from rimbench.running.cluster import RayCluster
from rimbench.running.growing import take_over
from rimbench.running.interrupting import keeping_what_comes
from rimbench.running.loop import Outcome, run_cell
from rimbench.running.models import Loaded, LoadedModels
from rimbench.running.plans import PlannedRun, RunSettings
from rimbench.running.workers import Pool
from rimbench.store import (
    MANIFEST,
    SCHEMA_VERSION,
    Manifest,
    OtherSchemaError,
    RunStore,
    SuiteSource,
    read_manifest,
    say_edited,
)


class Progress(Protocol):
    """Who is told what happens, as it happens."""

    def note(self, message: str) -> None:
        """Say something that a person should know."""
        ...

    def start(self, run: PlannedRun, store: RunStore) -> None:
        """A cell begins, or goes on."""
        ...

    def advance(self, answers: int) -> None:
        """So many answers were kept."""
        ...

    def finish(self, run: PlannedRun, store: RunStore) -> None:
        """A cell is complete."""
        ...


def run_all(
    runs: Sequence[PlannedRun], settings: RunSettings, progress: Progress, cluster: RayCluster | None = None
) -> None:
    """Answer what is missing in each run, in order; runs that share weights share the loaded model. `cluster`
    is that of the settings' workers, where it has been begun.
    """
    if cluster is None:
        with RayCluster(settings.workers) as own:
            run_all(runs, settings, progress, own)
        return
    models: LoadedModels[Answering | Pool]
    with LoadedModels() as models, keeping_what_comes(progress.note) as check:
        for run in runs:
            check()
            if settings.fresh or _may_lack(run):
                cluster.begin(run.facts)
            prompts = run.prompt_hashes
            with RunStore(run.folder, run.suite.items.by_id, fresh=settings.fresh, prompts=prompts) as store:
                if not settings.fresh:
                    _go_on_from_another(run, store, progress)
                open_engine = partial(open_model, run, runs, models, cluster, progress)
                complete_run(run, store, open_engine, progress, check)


def _may_lack(run: PlannedRun) -> bool:
    """Whether answers may be missing, by the manifest alone: what the run keeps has yet to be read."""
    try:
        earlier = read_manifest(run.folder)
    except OtherSchemaError:
        return False
    except DataError:
        return True
    return earlier.ended_at is None or earlier.samples < run.cell.samples


def _go_on_from_another(run: PlannedRun, store: RunStore, progress: Progress) -> None:
    """Begin with what the same run with another limit has answered."""
    other = take_over(run, store)
    if other is None:
        return
    progress.note(f"{run.told}: goes on from {other.run}, whose {len(store.done)} answers are not asked again")
    begun = dataclasses.replace(make_manifest(run, store, None), started_at=other.started_at, sessions=other.sessions)
    store.write_manifest(begun, run.suite.items)


def open_model(
    run: PlannedRun,
    runs: Sequence[PlannedRun],
    models: "LoadedModels[Answering | Pool]",
    cluster: RayCluster,
    progress: Progress,
) -> "Loaded[Answering | Pool]":
    """What answers a run, loaded unless it is held for an earlier one."""

    def load() -> Answering | Pool:
        sources = " and ".join(each.checkpoint.source for each in (run, run.second) if each is not None)
        times = f", {cluster.workers.count} times" if cluster.workers.wanted else ""
        progress.note(f"loading {sources} into {run.facts.name} on {run.facts.device}{times}")
        folder, facts, cell = run.checkpoint.folder, run.facts, run.cell
        if run.second is not None:
            longest = max(_sequence_tokens(runs, run), _sequence_tokens([run.second], run.second))
            return Cascading(run, Limits(longest, cell.seed))
        if run.ablated is not None:
            from rimbench.running.intervening import PackedAblation  # torch comes with it

            return PackedAblation(folder, facts, run.ablated)
        if run.rows is None:
            limits = Limits(_sequence_tokens(runs, run), cell.seed)
            if cluster.workers.wanted:
                return Pool(cluster, run.checkpoint, facts, limits, progress.note)
            return engines.open_engine(folder, facts, limits)
        from rimbench.running.packed import PackedReadout  # torch comes with it

        return PackedReadout(folder, facts, run.rows, cell.context_tokens)

    return models.open(run.model_key, load)


def complete_run(
    run: PlannedRun,
    store: RunStore,
    open_engine: Callable[[], Loaded[Answering | Pool]],
    progress: Progress,
    check: Callable[[], None],
) -> None:
    """Answer what this command asks for and the run lacks; its manifest and items are made again where they are gone.

    The engine is opened only where something is missing. Whenever records are kept, `check` may end the run.
    """
    if store.repaired:
        progress.note(f"{run.name}: dropped a torn last line of {store.repaired} bytes, its answer is asked again")
    if store.edited:
        progress.note(say_edited(run.folder, store.edited))
    earlier = _read_earlier(run, store, progress)
    if run.lacks(store.done) == 0:
        _settle(run, store, earlier, progress)
        return
    manifest = make_manifest(run, store, earlier)
    store.write_manifest(manifest, run.suite.items)
    engine = open_engine().model
    progress.start(run, store)
    outcome = run_cell(run.cell, run.facts, engine, store, _telling(run, store, progress, check))
    if run.lacks(store.done, manifest.samples) == 0:
        manifest = manifest.ended(provenance.now())
    store.write_manifest(manifest, run.suite.items)
    progress.finish(run, store)
    _tell_outcome(run, store, outcome, progress)


def _telling(
    run: PlannedRun, store: RunStore, progress: Progress, check: Callable[[], None]
) -> Callable[[int], None]:
    """Who is told of answers that were kept, and once that a run which started over took the old one's place."""
    told = False

    def tell(answers: int) -> None:
        nonlocal told
        if store.aside is not None and not told:
            told = True
            progress.note(f"{run.name}: starting over, the old run is kept as {store.aside.name}")
        progress.advance(answers)
        check()

    return tell


def _settle(run: PlannedRun, store: RunStore, earlier: Manifest | None, progress: Progress) -> None:
    """Nothing is missing: have the run's other files say so too, as a kill at the last moment may have prevented."""
    manifest = earlier or make_manifest(run, store, None)
    manifest = dataclasses.replace(manifest, samples=max(manifest.samples, run.cell.samples))
    left = run.lacks(store.done, manifest.samples)
    if manifest.ended_at is None and left == 0:
        manifest = manifest.ended(provenance.as_text(store.last_written()))
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
    if outcome.changed:
        progress.note(
            f"{run.told}: asked a second time, the server answered otherwise ({outcome.changed}): its first answers "
            "are kept, and another run of it may come to others"
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


def _sequence_tokens(runs: Sequence[PlannedRun], run: PlannedRun) -> int:
    """The longest sequence that any run with these weights needs, within the model's context.

    That is the whole context where the engine makes no use of it: to know better, every prompt has to be built.
    """
    if not engines.reserves(run.facts.name):
        return run.cell.context_tokens
    sharing = [r.cell for r in runs if r.checkpoint.folder == run.checkpoint.folder]
    needed = (len(p.token_ids) + c.system.answer.max_new_tokens for c in sharing for p in c.prompts)
    return min(max(needed), run.cell.context_tokens)


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
        model_source=run.model_source,
        versions=provenance.library_versions(),
        device=provenance.describe_device(run.facts.device) | ({"server": run.server} if run.server else {}),
        commit=commit,
        dirty=dirty,
        started_at=provenance.as_text(store.last_written()) if store.done else provenance.now(),
        ended_at=None,
        sessions=1,
        departures=run.departures,
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
