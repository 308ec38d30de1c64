"""What a lens saw, summed up: after which block which step is written, and how likely it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rimbench.display.tabular import Table
from rimbench.reporting.numbers import percent
from rimbench.statistics.estimate import Estimate, accuracy, bootstrap_share
from rimbench.store.lenses import Lens, SeenItem


@dataclass(frozen=True, slots=True)
class StepAfterBlock:
    """A block (0: the question itself) and a step (from 1), over the items that have it: the share whose text after
    the block begins with the step, and the step's mean probability there.
    """

    block: int
    step: int
    n: int
    written: Estimate
    probability: Estimate


def steps_after_blocks(lens: Lens) -> list[StepAfterBlock]:
    """Every block with every step; nothing where no steps are known."""
    steps = max((len(item.steps) for item in lens.items), default=0)
    blocks = max((len(item.blocks) for item in lens.items), default=0)
    found = []
    for block in range(blocks):
        for step in range(steps):
            of_it = [item.blocks[block] for item in lens.items if step < len(item.steps)]
            written = accuracy([step in after.begins for after in of_it])
            probability = bootstrap_share([after.probabilities[step] for after in of_it])
            assert written is not None and probability is not None  # an item has the step
            found.append(StepAfterBlock(block, step + 1, len(of_it), written, probability))
    return found


def lens_tables(lens: Lens) -> list[Table]:
    """How often each step is written after each block, and its mean probability; without steps, the first texts."""
    found = steps_after_blocks(lens)
    where = f"{lens.system} on {lens.suite}, {len(lens.items):,} items"
    if not found:
        return [_texts(lens.items, where)]
    remark = (
        "Block 0 is the question itself. What follows a block without the readout's prefix is trained in stage 1 "
        "alone: of a checkpoint of stage 2 it is what is left of that."
    )
    return [
        _by_step(f"Steps written after each block, %: {where}", found, lambda cell: cell.written, ""),
        _by_step(f"Probability of each step, %: {where}", found, lambda cell: cell.probability, remark),
    ]


def _by_step(
    title: str, found: Sequence[StepAfterBlock], value: Callable[[StepAfterBlock], Estimate], remark: str
) -> Table:
    counts = {cell.step: cell.n for cell in found}
    columns = ("block", *(f"step {step} (n {n:,})" for step, n in counts.items()))
    rows = tuple(
        (str(block), *(percent(value(cell)) for cell in found if cell.block == block))
        for block in np.unique([cell.block for cell in found])
    )
    return Table(title, columns, rows, remark, columns)


def _texts(items: Sequence[SeenItem], where: str) -> Table:
    first = items[0]
    rows = tuple((str(block), after.text) for block, after in enumerate(first.blocks))
    remark = f"Of the first item, {first.item_id}; the page shows them all. The steps of this suite are not known."
    return Table(f"Texts after each block: {where}", ("block", "text"), rows, remark, ("block",))
