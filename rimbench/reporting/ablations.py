"""The stored runs of an ablation -> what each intervention on the memory does, judged within one family.

An ablation lies one level below the results of `rimbench run`, as `<name>-ablate/intact` and a folder for each
intervention, each an ordinary run.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from rimbench.errors import DataError
from rimbench.records import INTACT, KINDS, Intervention, Item, donors
from rimbench.reporting.columns import places
from rimbench.reporting.document import SCHEMA, Ablation, Effect, Follows
from rimbench.reporting.families import Family
from rimbench.reporting.pairs import compare_runs, of_whole
from rimbench.reporting.reading import RunData, find_below, read_run, resampling_of
from rimbench.reporting.selection import EVERY, Selection
from rimbench.reporting.variants import name_of, run_departures, suite_label
from rimbench.statistics.estimate import accuracy, uniform_accuracy
from rimbench.statistics.verdict import Comparison, Judgement, Settings, judge_family
from rimbench.store import ABLATION, RECORDS, find_runs

OWN = ("answer",)
"""What an ablation itself departs in from a system's own file: no label says it."""


def find_ablations(
    results: Path, say: Callable[[str], None], settings: Settings, selection: Selection = EVERY
) -> list[Ablation]:
    """Every ablation of a results folder, or of a selection, by name; one that lacks a run yet, or cannot be read, is
    left out.

    `say` is told of these, and of those that lack answers.
    """
    found = []
    for name, made in find_below(results, (ABLATION, OWN), partial(_read_below, settings=settings), say, selection):
        found.append(made)
        if made.n < made.n_asked or any(effect.n < made.n_asked for effect in made.effects):
            say(f"ablation {name} is partial: its command goes on with it")
    return found


def _read_below(folder: Path, settings: Settings) -> Ablation:
    try:
        return read_ablation([run for run in find_runs(folder) if (run / RECORDS).exists()], settings)
    except DataError as error:
        raise DataError(f"ablation {folder.name}: {error}") from None


def read_ablation(folders: Sequence[Path], settings: Settings) -> Ablation:
    """Read the runs of one ablation; DataError where the intact one or an intervention is not there yet."""
    runs = {_done(run).name: run for run in map(read_run, folders)}
    intact = runs.pop(INTACT, None)
    compared = []
    for run in sorted(runs.values(), key=_place):
        if intact is not None and (found := compare_runs(run, intact, settings)) is not None:
            compared.append((run, *found))
    if intact is None or not compared:
        raise DataError("it lacks the intact run or an intervention yet: its command goes on with it")
    answered = intact.answered
    whole = accuracy(intact.rights(answered), resampling_of(answered))
    assert whole is not None  # an intervention was compared with it
    manifest, judged = intact.manifest, judge_family([comparison for _, comparison, _ in compared])
    name = name_of(manifest, OWN)
    return Ablation(
        schema=SCHEMA,
        system=manifest.system,
        suite=manifest.suite,
        n=len(answered),
        intact=whole,
        effects=tuple(
            _effect(run, intact, comparison, of_whole(judgement, run, intact))
            for (run, comparison, _), judgement in zip(compared, judged, strict=True)
        ),
        family=Family(len(compared), "Holm", f"interventions on {name} on {manifest.suite}: {len(compared)}"),
        label=name,
        departures=run_departures(manifest, OWN),
        suite_file=manifest.suite_file,
        n_asked=len(intact.items),
        seed=manifest.identity.seed,
        guess=uniform_accuracy([len(item.options) for item in answered]),
        shown_suite=suite_label(manifest),
    )


def _done(run: RunData) -> Intervention:
    if run.manifest.identity.intervention is None:
        raise DataError(f"{run.manifest.run} is no run of an ablation: take its folder out")
    return run.manifest.identity.intervention


def _place(run: RunData) -> tuple[int, int]:
    done = _done(run)
    return KINDS.index(done.kind), done.block or 0


def _effect(run: RunData, intact: RunData, comparison: Comparison, judgement: Judgement) -> Effect:
    done = _done(run)
    items = [item for item in run.answered if item.item_id in intact.greedy]
    letters, before = run.greedy.columns(items).letters, intact.greedy.columns(items).letters
    own = accuracy(run.rights(items), resampling_of(items))
    assert own is not None  # they were compared
    return Effect(
        intervention=done.name,
        kind=done.kind,
        block=done.block,
        run=run.manifest.run,
        n=len(items),
        accuracy=own,
        difference=comparison.difference,
        p_value=comparison.p_value,
        p_adjusted=judgement.p_adjusted,
        test=comparison.test,
        verdict=judgement.verdict,
        reason=judgement.reason,
        changed=int(np.count_nonzero(letters != before)),
        follows=_follows(run, intact, items) if done.kind == "transplant" else None,
    )


def _follows(run: RunData, intact: RunData, items: Sequence[Item]) -> Follows:
    given = donors(intact.items.values(), run.manifest.identity.seed or 0)
    of_donors = places(intact.items[str(given[item.item_id])].gold for item in items)
    donor = int(np.count_nonzero(run.greedy.columns(items).letters == of_donors))
    question, n = int(np.count_nonzero(run.rights(items))), len(items)
    return Follows(donor / n, question / n, (n - donor - question) / n)
