"""A system and a suite -> one run for every memory budget, planned together and answered together."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench import checkpoints, systems
from rimbench.errors import UsageError
from rimbench.records import Prompt
from rimbench.rim.blocks import Memory, block_token_ids
from rimbench.running.cell import identify, name_run
from rimbench.running.completion import Progress, run_all
from rimbench.running.plans import PlannedRun, RunSettings, plan_runs
from rimbench.running.prompts import hash_token_ids
from rimbench.store import SWEEP
from rimbench.suites import Suite
from rimbench.systems import System

if TYPE_CHECKING:
    from rimbench.rim.readout import ReadoutRequest


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that are planned and answered together, below one folder."""

    folder: Path
    runs: tuple[PlannedRun, ...]
    settings: RunSettings


def plan_sweep(system: System, suite: Suite, settings: RunSettings) -> RunGroup:
    """Resolve the weights and name a run for each budget, K = 0 first; nothing is answered yet.

    Raises UsageError for a system without memory blocks. A run's engine facts say that budgets shared a pass:
    its letters equal those of `rimbench run --blocks K --answer readout` but for rounding, so the two never
    share records.
    """
    largest_k = check_memory(system, "sweep over")
    system = systems.override(system, answer="readout")
    settings = replace(settings, engine="transformers", samples=0, fresh=False)
    (largest,) = plan_runs([system], [suite], settings)
    rows = packed_rows(largest)
    facts = replace(largest.facts, attention=f"sdpa, K 0 to {largest_k} in one packed pass")
    packed = replace(largest, facts=facts, rows=rows)
    planned = [_at_budget(packed, blocks, list(rows.values())) for blocks in range(largest_k + 1)]
    folder = settings.results / f"{planned[-1].name}{SWEEP}"
    runs = tuple(
        replace(run, folder=folder / f"k{blocks}", title=f"{system.name} K={blocks}")
        for blocks, run in enumerate(planned)
    )
    return RunGroup(folder, runs, settings)


def run_sweep(sweep: RunGroup, progress: Progress) -> None:
    """Answer what is missing at each budget, the largest first; complete ones are left as they are."""
    run_all(list(reversed(sweep.runs)), sweep.settings, progress)


def check_memory(system: System, doing: str) -> int:
    """How many memory blocks a system has; UsageError where it has none."""
    if system.memory is None or system.memory.blocks < 1:
        raise UsageError(
            f"system '{system.name}' has no memory blocks to {doing}: expected a RiM system with K of 1 or more, "
            "see 'rimbench systems'"
        )
    return system.memory.blocks


def packed_rows(run: PlannedRun) -> dict[str, "ReadoutRequest"]:
    """Each prompt of a RiM system taken apart again: question, blocks, prefix; UsageError for one without prefix."""
    from rimbench.rim.readout import ReadoutRequest  # torch comes with it

    memory = run.cell.system.memory
    assert memory is not None
    tokenizer = checkpoints.read_tokenizer(run.checkpoint.folder)
    blocks = (block_token_ids(tokenizer, memory),) * memory.blocks
    if not run.cell.system.prompt.prefix:
        raise UsageError(
            f"system '{run.cell.system.name}' has no [prompt] prefix: budgets are read out after one; expected the "
            r"prefix that the checkpoint was trained with, such as 'The final answer is \boxed{'"
        )
    rows = {}
    for shown, prompt in zip(run.cell.shown, run.cell.prompts, strict=True):
        options = tuple((prompt.option_token_ids or {}).values())
        question, prefix = _around(prompt.token_ids, tuple(itertools.chain(*blocks)))
        rows[shown.item.item_id] = ReadoutRequest(question, blocks, prefix, options)
    return rows


def _around(token_ids: tuple[int, ...], blocks: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What stands before the blocks, and behind them: the prefix as the tokenizer writes it before a letter."""
    starts = range(len(token_ids) - len(blocks), -1, -1)
    start = next(i for i in starts if token_ids[i : i + len(blocks)] == blocks)
    return token_ids[:start], token_ids[start + len(blocks) :]


def _at_budget(largest: PlannedRun, blocks: int, rows: "Sequence[ReadoutRequest]") -> PlannedRun:
    """The run with the first `blocks` blocks; its folder is the sweep's to say."""
    cell, memory = largest.cell, largest.cell.system.memory
    assert memory is not None
    prompts = tuple(_shortened(prompt, row, memory, blocks) for prompt, row in zip(cell.prompts, rows, strict=True))
    cell = replace(cell, system=systems.override(cell.system, blocks=blocks), prompts=prompts)
    return identified(replace(largest, cell=cell))


def identified(run: PlannedRun) -> PlannedRun:
    """A run whose cell or facts are others than it was planned with, under the identity and the name of these."""
    identity = identify(run.cell, run.checkpoint.sha256, run.identity.suite, run.facts)
    name = name_run(run.cell, run.suite.name, identity.name_sha256)
    return replace(run, identity=identity, name=name)


def _shortened(prompt: Prompt, row: "ReadoutRequest", memory: Memory, blocks: int) -> Prompt:
    token_ids = (*row.question, *itertools.chain(*row.blocks[:blocks]), *row.prefix)
    block = memory.begin + memory.memory * memory.memory_tokens + memory.end
    question, _, prefix = prompt.text.rpartition(block * memory.blocks)
    text = question + block * blocks + prefix
    return replace(prompt, text=text, token_ids=token_ids, sha256=hash_token_ids(token_ids))
