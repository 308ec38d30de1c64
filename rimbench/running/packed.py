"""An engine for readouts that answers a question at every memory budget at once, and remembers the answers.

The runner asks one budget after another, so that the records of a sweep are made as those of any run; the first
budget that meets an item costs the packed pass, the others are looked up. After a kill, items that the first
budget had kept are read out again for the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench import checkpoints
from rimbench.engines import EngineFacts, FinishedTogether, Request
from rimbench.records import Answer
from rimbench.rim.readout import ReadoutRequest, check_packed, readouts_with_mass

if TYPE_CHECKING:
    import torch


class PackedReadout:
    """A loaded model and the rows of its questions, by item id; `context_tokens` is the longest sequence it takes."""

    def __init__(
        self, folder: Path, facts: EngineFacts, rows: Mapping[str, ReadoutRequest], context_tokens: int
    ) -> None:
        self._model, self._pad_id = checkpoints.load_model(folder, facts.dtype).to(facts.device).eval(), 0
        self._device = facts.device
        self._rows = rows
        self._context_tokens = context_tokens
        self._read: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        check_packed(self._model, min(rows.values(), key=lambda row: len(row.question)), self._pad_id)

    def __enter__(self) -> "PackedReadout":
        return self

    def __exit__(self, *_: object) -> None:
        self._model = None
        if self._device == "cuda":
            import torch

            torch.cuda.empty_cache()

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Answer requests as one batch; see `rimbench.engines.Engine`. Draws nothing."""
        by_reach: dict[int, list[str]] = {}
        for request in requests:
            if request.item_id not in self._read:
                by_reach.setdefault(self._reach(request.item_id), []).append(request.item_id)
        for reach, item_ids in by_reach.items():
            rows = [self._rows[item_id] for item_id in item_ids]
            rows = [replace(row, blocks=row.blocks[:reach]) for row in rows]
            tables = readouts_with_mass(self._model, rows, range(reach + 1), self._pad_id)
            self._read.update(zip(item_ids, tables, strict=True))
        yield [(request, [self._letter(request)]) for request in requests]

    def _reach(self, item_id: str) -> int:
        """The most blocks of an item that its context has room for, with one token to spare for the answer."""
        row = self._rows[item_id]
        room = self._context_tokens - 1 - len(row.question) - len(row.prefix)
        return min(len(row.blocks), room // len(row.blocks[0]))

    def _letter(self, request: Request) -> Answer:
        row, letters = self._rows[request.item_id], request.prompt.option_token_ids
        assert letters is not None
        blocks = (len(request.prompt.token_ids) - len(row.question) - len(row.prefix)) // len(row.blocks[0])
        values, masses = self._read[request.item_id]
        logprobs = dict(zip(letters, values[blocks].tolist(), strict=True))
        # max() keeps the first of equals: a tie goes to the earlier letter.
        letter = max(logprobs, key=logprobs.__getitem__)
        return Answer(letter, 0, finished=True, option_logprobs=logprobs, label_mass=float(masses[blocks]))
