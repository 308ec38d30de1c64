"""The packed layout: a question, its memory blocks, and readouts that each hang on one block, in one row.

Flows in: token ids. Flows out: one batch of input ids, position ids and the 4D mask under which every readout
sees exactly what it would see in a row of its own: the question, the blocks up to its own, and itself.

One question of two tokens (q), two blocks of two tokens (a, b), a readout of two tokens hung on block 1 (r),
one of one token hung on block 2 (s), and two pads. Rows attend, columns are attended to; a row's position is
on the right. Blocks never see a readout, readouts never see each other:

          q q a a b b r r s . .   position
        q x - - - - - - - - - -   0
        q x x - - - - - - - - -   1
        a x x x - - - - - - - -   2
        a x x x x - - - - - - -   3
        b x x x x x - - - - - -   4
        b x x x x x x - - - - -   5
        r x x x x - - x - - - -   4
        r x x x x - - x x - - -   5
        s x x x x x x - - x - -   6
        . - - - - - - - - - x -   0
        . - - - - - - - - - - x   0

A pad attends to itself alone: its softmax has one term, so that no row is NaN, and nobody attends to it.
Position ids go on right after the block that a readout hangs on, whatever stands before it in the row.

One row holds one question. Several questions in a row are left out: a row is already as long as its readouts
make it, and rows of one batch are padded to the longest, so sort by length.

transformers passes a 4D mask on as it is, before it looks at position ids for packed sequences
(`masking_utils._preprocess_mask_arguments`); without one it would take the jumps in the position ids for
borders between independent sequences, and the readouts would lose the question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor
from transformers import PreTrainedModel

from rimbench.errors import ModelError, UsageError


@dataclass(frozen=True, slots=True)
class Readout:
    """Tokens that follow block `block` (1..K), or the question itself for block 0.

    `skipped` positions are left out before them, and a `blind` readout sees the blocks and not the question: both are
    interventions (`rimbench.rim.interventions`).
    """

    token_ids: tuple[int, ...]
    block: int
    skipped: int = 0
    blind: bool = False


@dataclass(frozen=True, slots=True)
class PackedRow:
    """One question, its K blocks and the readouts hung on them, in the order of the row."""

    question: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]
    readouts: tuple[Readout, ...]

    def __post_init__(self) -> None:
        if not self.question:
            raise UsageError("packed row without a question: expected at least one token before the blocks")
        for readout in self.readouts:
            if not readout.token_ids:
                raise UsageError(f"empty readout on block {readout.block}: expected at least one token")
            if not 0 <= readout.block <= len(self.blocks):
                raise UsageError(f"readout hung on block {readout.block}: the row has {len(self.blocks)} blocks")

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The row's tokens: question, blocks, readouts."""
        return (*self.question, *chain(*self.blocks), *chain(*(r.token_ids for r in self.readouts)))

    def reach(self, block: int) -> int:
        """How many tokens stand up to the end of block `block`: what a readout hung there sees."""
        return len(self.question) + sum(map(len, self.blocks[:block]))

    def starts(self) -> tuple[int, ...]:
        """The index in the row of each readout's first token."""
        ends = [self.reach(len(self.blocks))]
        for readout in self.readouts:
            ends.append(ends[-1] + len(readout.token_ids))
        return tuple(ends[:-1])

    def position_ids(self) -> tuple[int, ...]:
        """The position of each token in the sequence that it belongs to."""
        starts = (self.reach(r.block) + r.skipped for r in self.readouts)
        hung = (range(start, start + len(r.token_ids)) for start, r in zip(starts, self.readouts, strict=True))
        return (*range(self.reach(len(self.blocks))), *chain(*hung))

    def unpacked(self, index: int) -> tuple[int, ...]:
        """Readout `index` as the plain causal sequence that it stands for, without the other readouts."""
        readout = self.readouts[index]
        return (*self.question, *chain(*self.blocks[: readout.block]), *readout.token_ids)


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """Rows padded on the right to one length N: ids and positions int64 [B, N], `mask` bool [B, 1, N, N].

    True in the mask means: may attend. That is what sdpa takes, in any dtype and under autocast; eager
    attention would add it to the scores as 0 and 1 and leak every readout, so `check_model` wants sdpa.
    """

    input_ids: Tensor
    position_ids: Tensor
    mask: Tensor


def pack(rows: Sequence[PackedRow], pad_id: int) -> PackedBatch:
    """Lay out rows as one batch, on the CPU, as drawn above; UsageError without rows."""
    if not rows:
        raise UsageError("no rows to pack: expected at least one")
    tokens = [row.token_ids for row in rows]
    length = max(map(len, tokens))
    ids = [[*t, *[pad_id] * (length - len(t))] for t in tokens]
    positions = [[*p, *[0] * (length - len(p))] for p in (row.position_ids() for row in rows)]
    return PackedBatch(torch.tensor(ids), torch.tensor(positions), attention_mask(rows, length))


def attention_mask(rows: Sequence[PackedRow], length: int) -> Tensor:
    """Who may attend to whom, bool [B, 1, length, length], as drawn at the head of this module.

    Every token belongs to a group: 0 the question and blocks, 1.. the readouts, and each pad its own.
    A token sees its own group and the first `reach` tokens of group 0, of which a blind readout leaves the question
    out, never anything to its right.
    """
    groups, reaches, begins = [], [], []
    for row in rows:
        trunk_length = row.reach(len(row.blocks))
        group, reach, begin = [0] * trunk_length, [0] * trunk_length, [0] * trunk_length
        for number, readout in enumerate(row.readouts, start=1):
            group += [number] * len(readout.token_ids)
            reach += [row.reach(readout.block)] * len(readout.token_ids)
            begin += [len(row.question) if readout.blind else 0] * len(readout.token_ids)
        pads = range(length - len(group))
        groups.append(group + [-1 - pad for pad in pads])
        reaches.append(reach + [0 for _ in pads])
        begins.append(begin + [0 for _ in pads])
    group_of, reach_of, begin_of = torch.tensor(groups), torch.tensor(reaches), torch.tensor(begins)
    index = torch.arange(length)
    own = group_of[:, :, None] == group_of[:, None, :]
    trunk = (index[None, None, :] < reach_of[:, :, None]) & (index[None, None, :] >= begin_of[:, :, None])
    causal = index[:, None] >= index[None, :]
    return ((own | trunk) & causal)[:, None]


def check_model(model: PreTrainedModel, length: int) -> None:
    """ModelError where the model cannot honour the mask, or its context is shorter than `length` positions.

    A layer with a sliding window would be given the same mask and silently see further than it should.
    """
    config, name = model.config, model.name_or_path or type(model).__name__
    if config._attn_implementation != "sdpa":
        raise ModelError(
            f"model '{name}' was loaded with attention '{config._attn_implementation}', which misreads "
            "a boolean 4D mask: load it with attn_implementation='sdpa'"
        )
    if "sliding_attention" in (config.to_dict().get("layer_types") or ()):
        raise ModelError(f"model '{name}' has sliding-window layers: the packed mask knows full attention only")
    if length > config.max_position_embeddings:
        raise ModelError(
            f"question, blocks and readout need {length} positions, model '{name}' has "
            f"{config.max_position_embeddings}: shorten the question or use fewer blocks"
        )
