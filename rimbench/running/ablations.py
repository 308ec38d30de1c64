"""A system and a suite -> the intact run, and one for each intervention on its memory, answered together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rimbench import engines, systems
from rimbench.errors import EngineError, UsageError
from rimbench.plugins import unknown
from rimbench.records import INTACT, KINDS, Intervention, InterventionKind, donors
from rimbench.rim.blocks import Memory
from rimbench.running.completion import Progress, run_all
from rimbench.running.plans import PlannedRun, RunSettings, plan_runs
from rimbench.running.sweeps import RunGroup, identified, packed_rows
from rimbench.store import ABLATION
from rimbench.suites import Suite
from rimbench.systems import System

DIRECT_FILLER = Memory(8)
"""A system without memory gets as many neutral tokens as the card's 8 blocks of 2 memory tokens have."""


def plan_ablation(system: System, suite: Suite, settings: RunSettings, only: Sequence[str] = ()) -> RunGroup:
    """Resolve the weights and name the intact run, and one for each intervention or for those that are named.

    UsageError where the system or the suite has not what they need, EngineError where the engine cannot.
    """
    for name in only:
        if name not in KINDS:
            raise unknown("intervention", name, KINDS)
    kinds = [kind for kind in KINDS if not only or kind in only]
    _check_system(system, kinds)
    if system.memory is not None and system.memory.blocks == 1 and "shuffle" in kinds:
        kinds.remove("shuffle")  # one block has no other order
    engine = engines.find(settings.engine)
    cannot = [kind for kind in kinds if kind not in engine.interventions]
    if cannot:
        raise EngineError(
            f"engine '{settings.engine}' can do {', '.join(engine.interventions)} and not {', '.join(cannot)}: take "
            f"--engine transformers, or --only {' --only '.join(engine.interventions)}"
        )
    system = systems.override(system, answer="readout")
    settings = replace(settings, samples=0)
    (intact,) = plan_runs([system], [suite], replace(settings, intervention=Intervention(INTACT)))
    asked = _interventions(system.memory or DIRECT_FILLER, kinds)
    runs = [intact, *(_plan(intact, done, settings) for done in asked)]
    if system.memory is not None and intact.facts.name == "transformers":
        runs = _packed(runs, suite)
    folder = settings.results / f"{runs[0].name}{ABLATION}"
    planned = (_placed(run, folder) for run in runs)
    return RunGroup(folder, tuple(planned), settings)


def run_ablation(ablation: RunGroup, progress: Progress) -> None:
    """Answer what is missing under each intervention; complete runs are left as they are."""
    run_all(ablation.runs, ablation.settings, progress)


def _check_system(system: System, kinds: Sequence[InterventionKind]) -> None:
    if system.memory is not None and system.memory.blocks < 1:
        raise UsageError(
            f"system '{system.name}' with K = 0 has no memory to intervene on: expected --blocks 1 or more"
        )
    if system.memory is None and list(kinds) != ["filler"]:
        raise UsageError(
            f"system '{system.name}' has no memory blocks to intervene on: expected a RiM system, see 'rimbench "
            "systems', or --only filler, which asks whether so many more tokens alone help"
        )


def _interventions(memory: Memory, kinds: Sequence[InterventionKind]) -> list[Intervention]:
    found = []
    for kind in kinds:
        if kind == "drop-k":
            found += [Intervention(kind, block=block) for block in range(1, memory.blocks + 1)]
        else:
            tokens = memory.blocks * memory.block_length if kind == "filler" else None
            found.append(Intervention(kind, tokens=tokens))
    return found


def _plan(intact: PlannedRun, done: Intervention, settings: RunSettings) -> PlannedRun:
    """The intact run again under an intervention; a filler's prompts are its own."""
    if done.kind == "filler":
        (run,) = plan_runs([intact.cell.system], [intact.suite], replace(settings, intervention=done))
        return run
    return replace(intact, cell=replace(intact.cell, intervention=done))


def _packed(runs: Sequence[PlannedRun], suite: Suite) -> list[PlannedRun]:
    """The runs as parts of one packed pass an item, which their engine facts say."""
    from rimbench.running.intervening import Ablated  # torch comes with it

    cell = runs[0].cell
    _check_room(runs[0])
    rows = packed_rows(runs[0])
    facts = replace(runs[0].facts, attention="sdpa, interventions in one packed pass")
    interventions = tuple(run.cell.intervention for run in runs if run.cell.intervention is not None)
    kinds = {done.kind for done in interventions}
    filled = [run.cell for run in runs if run.cell.intervention and run.cell.intervention.kind == "filler"]
    fillers = {
        item_id: prompt.token_ids[len(rows[item_id].question) : len(prompt.token_ids) - len(rows[item_id].prefix)]
        for each in filled
        for item_id, prompt in zip(each.item_ids, each.prompts, strict=True)
    }
    given = _check_donors(suite, cell.seed) if "transplant" in kinds else {}
    ablated = Ablated(interventions, rows, fillers, given, cell.seed)
    return [identified(replace(run, facts=facts, ablated=ablated)) for run in runs]


def _check_donors(suite: Suite, seed: int) -> dict[str, str]:
    found = donors(suite.items, seed)
    without = [item_id for item_id, donor in found.items() if donor is None]
    if without:
        raise UsageError(
            f"suite '{suite.name}' has no item whose gold letter is another one of the options of item "
            f"'{without[0]}': no memory can be transplanted into it; take more items, or leave transplant out, as in "
            "--only drop-k"
        )
    return {item_id: donor for item_id, donor in found.items() if donor is not None}


def _check_room(run: PlannedRun) -> None:
    """UsageError for a prompt that is too long: the mean is over all items, and each of them may be a donor."""
    for item_id, prompt in zip(run.cell.item_ids, run.cell.prompts, strict=True):
        if not run.cell.has_room(prompt):
            raise UsageError(
                f"item '{item_id}' of suite '{run.suite.name}' needs {len(prompt.token_ids) + run.cell.new_tokens} "
                f"tokens, the model's context has {run.cell.context_tokens}: an ablation needs every item; take "
                "fewer --blocks, or a model with a longer context"
            )


def _placed(run: PlannedRun, folder: Path) -> PlannedRun:
    done = run.cell.intervention
    assert done is not None
    return replace(run, folder=folder / done.name, title=f"{run.cell.system.name}, {done.name}")
