"""An engine for readouts that answers a question under every intervention at once, and remembers the answers.

As `rimbench.running.packed` for memory budgets: the first run that meets an item costs the packed pass. What the
blocks of the question and of its donor hold is read in a pass before it, and the mean over all items in one before
the first.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from rimbench import checkpoints
from rimbench.engines import EngineFacts, FinishedTogether, Request
from rimbench.records import Answer, Intervention
from rimbench.rim.interventions import (
    Branch,
    MemoryValues,
    Moments,
    behind_blocks_alone,
    check_replacing,
    holding,
    instead_of_blocks,
    read_branches,
    read_memory,
    reordered,
    without_block,
)
from rimbench.rim.mask import Readout
from rimbench.rim.readout import ReadoutRequest

if TYPE_CHECKING:
    from torch import Tensor

AT_ONCE = 16
"""Questions whose memory is read in one pass for the mean."""
OF_ALL, OF_OWN = {"mean", "noise"}, {"shuffle", "transplant"}
"""What needs the mean over the items, and what needs what the blocks of a question and of its donor hold."""


@dataclass(frozen=True, slots=True)
class Ablated:
    """What the runs of an ablation share: their interventions, and by item its row, its filler and its donor."""

    interventions: tuple[Intervention, ...]
    rows: Mapping[str, ReadoutRequest]
    fillers: Mapping[str, tuple[int, ...]]
    donors: Mapping[str, str]
    seed: int


class PackedAblation:
    """A loaded model under every intervention of an ablation."""

    def __init__(self, folder: Path, facts: EngineFacts, ablated: Ablated) -> None:
        self._model = checkpoints.load_model(folder, facts.dtype).to(facts.device).eval()
        self._device, self._ablated = facts.device, ablated
        self._read: dict[str, tuple[Tensor, Tensor]] = {}
        self._places = {intervention: i for i, intervention in enumerate(ablated.interventions)}
        self._kinds = {intervention.kind for intervention in ablated.interventions}
        if self._kinds & (OF_ALL | OF_OWN):
            check_replacing(self._model, min(ablated.rows.values(), key=lambda row: len(row.question)))

    def __enter__(self) -> "PackedAblation":
        return self

    def __exit__(self, *_: object) -> None:
        self._model = None
        if self._device == "cuda":
            torch.cuda.empty_cache()

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Answer requests as one batch; see `rimbench.engines.Engine`."""
        asked = [request.item_id for request in requests if request.item_id not in self._read]
        if asked:
            rows = [self._ablated.rows[item_id] for item_id in asked]
            tables = read_branches(self._model, rows, self._branches(asked))
            self._read.update(zip(asked, tables, strict=True))
        yield [(request, [self._letter(request)]) for request in requests]

    def _branches(self, item_ids: Sequence[str]) -> list[list[Branch]]:
        held: dict[str, MemoryValues] = {}
        if self._kinds & OF_OWN:
            given = [self._ablated.donors[i] for i in item_ids] if "transplant" in self._kinds else []
            wanted = list(dict.fromkeys([*item_ids, *given]))
            held = dict(zip(wanted, read_memory(self._model, [self._ablated.rows[i] for i in wanted]), strict=True))
        return [[self._branch(i, each, held) for each in self._ablated.interventions] for i in item_ids]

    def _branch(self, item_id: str, done: Intervention, held: Mapping[str, MemoryValues]) -> Branch:
        row = self._ablated.rows[item_id]
        match done.kind:
            case "intact":
                return Branch(Readout(row.prefix, len(row.blocks)))
            case "filler":
                return Branch(instead_of_blocks(row, self._ablated.fillers[item_id]))
            case "blind-readout":
                return Branch(behind_blocks_alone(row))
            case "drop-k":
                assert done.block is not None
                return Branch(without_block(row, done.block))
        return holding(row, self._held(item_id, done, held))

    def _held(self, item_id: str, done: Intervention, held: Mapping[str, MemoryValues]) -> MemoryValues:
        """The keys and values that an intervention puts in the place of a question's own."""
        chance = random.Random(f"{done.kind}:{self._ablated.seed}:{item_id}")
        match done.kind:
            case "transplant":
                return held[self._ablated.donors[item_id]]
            case "shuffle":
                row = self._ablated.rows[item_id]
                return reordered(row, held[item_id], _another_order(len(row.blocks), chance))
            case "mean":
                return self._moments.mean()
        return self._moments.noise(torch.Generator().manual_seed(chance.getrandbits(63)))

    @cached_property
    def _moments(self) -> Moments:
        moments, rows = Moments(), list(self._ablated.rows.values())
        for start in range(0, len(rows), AT_ONCE):
            for held in read_memory(self._model, rows[start : start + AT_ONCE]):
                moments.add(held)
        return moments

    def _letter(self, request: Request) -> Answer:
        letters, done = request.prompt.option_token_ids, request.intervention
        assert letters is not None and done is not None
        values, masses = self._read[request.item_id]
        place = self._places[done]
        logprobs = dict(zip(letters, values[place].tolist(), strict=True))
        # max() keeps the first of equals: a tie goes to the earlier letter.
        letter = max(logprobs, key=logprobs.__getitem__)
        return Answer(letter, 0, finished=True, option_logprobs=logprobs, label_mass=float(masses[place]))


def _another_order(blocks: int, chance: random.Random) -> list[int]:
    """An order of so many blocks, any but the one in which they stand; one block has no other."""
    own, order = list(range(blocks)), list(range(blocks))
    while blocks > 1 and order == own:
        chance.shuffle(order)
    return order
