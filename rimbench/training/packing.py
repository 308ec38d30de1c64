"""Packing: an example -> the row that a stage trains on, and rows -> a batch with what is learned in it.

Flows in: examples and an `Encoding` (how a tokenizer writes questions, blocks and answers). Flows out: rows
of one question with segments hung on its blocks, and batches that say which hidden state predicts which
token of which segment. Weights of segments are the objectives'; here every segment stands alone.

    stage 1   question, T blocks; after block t a step (`shift` says which), after block T the final answer
              without blocks: the same T readouts on the question itself; each step's number is given before it
    stage 2   question, K blocks; after every block the final answer; for any budget, after the question too
    sft       question; then the completion, hung on the question itself (K = 0)

The answer segment is the readout prefix, which is given and not learned, then the answer, the closing brace
and the end token. Answer, brace and step are encoded apart, so that an option letter is the one token that
readouts compare: with the space before it where plain writing has one behind the prefix.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from rimbench.chat.letters import gap_after
from rimbench.chat.writing import ChatWriter
from rimbench.errors import ModelError
from rimbench.rim.blocks import Memory, block_token_ids
from rimbench.rim.mask import PackedRow, Readout, pack
from rimbench.training.data import Example
from rimbench.training.recipe import TrainingWording

Completion = Literal["reasoning", "answer"]
"""What sft learns: the reasoning and then the answer (cot), or the answer alone after the prefix (direct)."""


_IDS: dict[int, int] = {}
"""Every token id met so far, by itself: rows share one object for each."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Tokens hung on block `block` (0: the question); those from index `learned_from` on are learned."""

    token_ids: tuple[int, ...]
    block: int
    learned_from: int = 0
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One packed example: question, blocks, segments, its weight in the batch's mean, its row in the data."""

    question: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]
    segments: tuple[Segment, ...]
    weight: float = 1.0
    example: int = -1

    @property
    def layout(self) -> PackedRow:
        """The row as the mask sees it."""
        hung = tuple(Readout(segment.token_ids, segment.block) for segment in self.segments)
        return PackedRow(self.question, self.blocks, hung)

    @property
    def tokens(self) -> int:
        """Tokens in the row, which is what it costs."""
        return len(self.layout.token_ids)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a tokenizer writes an example: its wording, and the ids of one block (none without memory)."""

    tokenizer: PreTrainedTokenizerBase
    wording: TrainingWording
    block: tuple[int, ...]
    end: int

    def text(self, text: str) -> tuple[int, ...]:
        """Text without special tokens around it."""
        # A fresh integer object for every token of a data set would take several times the memory.
        return tuple(_IDS.setdefault(i, i) for i in self.tokenizer.encode(text, add_special_tokens=False))

    def question(self, question: str) -> tuple[int, ...]:
        """One user message through the chat template, generation prompt added: as prompts are built."""
        writer = ChatWriter(self.tokenizer, f"'{self.tokenizer.name_or_path}'", self.wording.chat_template)
        (ids,) = writer.encode(writer.write([question], ["of the training data"]))
        return tuple(_IDS.setdefault(i, i) for i in ids)

    def answer(self, answer: str, block: int) -> Segment:
        """The final answer read out after a block: learned from the first token after the prefix."""
        written = self.wording.prefix
        gap = " " if written.endswith(" ") else gap_after(written)
        prefix = self.text(written.removesuffix(" "))
        ids = (*prefix, *self.text(gap + answer), *self.text(self.wording.close), self.end)
        return Segment(ids, block, len(prefix), is_answer=True)


def encoding(tokenizer: PreTrainedTokenizerBase, memory: Memory | None, wording: TrainingWording) -> Encoding:
    """What every example shares; ModelError where the tokenizer lacks the block tokens or an end token."""
    if tokenizer.eos_token_id is None or tokenizer.chat_template is None:
        raise ModelError(
            f"tokenizer '{tokenizer.name_or_path}' has no end token or no chat template: "
            "expected that of an instruct model"
        )
    block = () if memory is None else block_token_ids(tokenizer, memory)
    return Encoding(tokenizer, wording, block, int(tokenizer.eos_token_id))


def stage1_row(example: Example, encoding: Encoding, shift: Literal[0, 1]) -> TrainingRow:
    """T steps on T blocks, and the final answer after block T.

    `shift` 0: block t is followed by step t. `shift` 1, the paper's: block t < T is followed by step t + 1,
    so that the block must hold what step t came to; step 1 is then read out nowhere. The example must have a
    step.

    Without memory the T blocks are empty: what is learned and how much it weighs is the same, and every readout sees
    the question alone. What tells the steps apart is then how many blocks stand before them no longer, so that a
    step's number is written before it, given and not learned.
    """
    count = len(example.steps)
    steps = []
    for block, step in enumerate(example.steps[shift:], start=1):
        given = () if encoding.block else encoding.text(f"{block + shift}:\n")
        if ids := encoding.text(step):
            steps.append(Segment((*given, *ids), block, len(given)))
    return TrainingRow(
        question=encoding.question(example.question),
        blocks=(encoding.block,) * count,
        segments=(*steps, encoding.answer(example.answer, count)),
    )


def stage2_row(
    example: Example,
    encoding: Encoding,
    blocks: int,
    multiple_choice_weight: float = 1.0,
    *,
    any_budget: bool = False,
) -> TrainingRow:
    """K blocks and the final answer after each, and for any budget after the question as well; multiple-choice
    examples weigh `multiple_choice_weight`.
    """
    return TrainingRow(
        question=encoding.question(example.question),
        blocks=(encoding.block,) * blocks,
        segments=tuple(encoding.answer(example.answer, block) for block in range(not any_budget, blocks + 1)),
        weight=multiple_choice_weight if example.multiple_choice else 1.0,
    )


def sft_row(
    example: Example, encoding: Encoding, completion: Completion, multiple_choice_weight: float = 1.0
) -> TrainingRow:
    """The question and one completion: `reasoning` learns all of it, `answer` all but the prefix; multiple-choice
    examples weigh `multiple_choice_weight`.

    A frame that opens before the reasoning stands also where there is none, as Qwen3's template writes an empty one.
    """
    answer, words = encoding.answer(example.answer, 0), encoding.wording
    if completion == "reasoning" and (example.reasoning or words.before_reasoning):
        reasoning = encoding.text(words.before_reasoning + example.reasoning + words.after_reasoning)
        answer = Segment((*reasoning, *answer.token_ids), 0, is_answer=True)
    weight = multiple_choice_weight if example.multiple_choice else 1.0
    return TrainingRow(encoding.question(example.question), (), (answer,), weight)


def balanced(rows: Sequence[TrainingRow]) -> tuple[TrainingRow, ...]:
    """The same rows with weights scaled to a mean of 1, so that weighting does not act as a learning rate."""
    mean = sum(row.weight for row in rows) / len(rows)
    return tuple(replace(row, weight=row.weight / mean) for row in rows)


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """Packed rows and what is learned in them; B rows, N tokens, S segments, n learned tokens, p <= n
    predictors.

    `input_ids`, `position_ids` int64 [B, N] and `mask` bool [B, 1, N, N]: as in `rimbench.rim.mask`.
    `predicts` bool [B, N]: the p positions whose hidden states meet the head, row by row.
    `source` int64 [n]: which of those p predicts each learned token; `target` int64 [n]: that token;
    `segment` int64 [n]: the segment it belongs to. A segment's first token is predicted by its block's last
    one. `row`, `block`, `blocks` int64 [S] and `is_answer` bool [S]: each segment's row, its block t and the
    row's T. `row_weight` float32 [B]; `example` int64 [B]: each row's number in the data, from 1, for messages.
    """

    input_ids: Tensor
    position_ids: Tensor
    mask: Tensor
    predicts: Tensor
    source: Tensor
    target: Tensor
    segment: Tensor
    row: Tensor
    block: Tensor
    blocks: Tensor
    is_answer: Tensor
    row_weight: Tensor
    example: Tensor


def collate(rows: Sequence[TrainingRow], pad_id: int) -> TrainingBatch:
    """Pack rows into a batch, on the CPU."""
    packed = pack([row.layout for row in rows], pad_id)
    length = packed.input_ids.shape[1]
    places, targets, owners = [], [], []
    hung = [(index, row, segment) for index, row in enumerate(rows) for segment in row.segments]
    starts = [start for row in rows for start in row.layout.starts()]
    for number, ((index, row, segment), start) in enumerate(zip(hung, starts, strict=True)):
        for offset in range(segment.learned_from, len(segment.token_ids)):
            before = start + offset - 1 if offset else row.layout.reach(segment.block) - 1
            places.append(index * length + before)
            targets.append(segment.token_ids[offset])
            owners.append(number)
    # A block's last token may predict the first token of several segments, so predictors are counted once.
    predictors, source = torch.tensor(places).unique(return_inverse=True)
    predicts = torch.zeros(len(rows) * length, dtype=torch.bool)
    predicts[predictors] = True
    return TrainingBatch(
        input_ids=packed.input_ids,
        position_ids=packed.position_ids,
        mask=packed.mask,
        predicts=predicts.view(len(rows), length),
        source=source,
        target=torch.tensor(targets),
        segment=torch.tensor(owners),
        row=torch.tensor([index for index, _, _ in hung]),
        block=torch.tensor([segment.block for _, _, segment in hung]),
        blocks=torch.tensor([len(row.blocks) for _, row, _ in hung]),
        is_answer=torch.tensor([segment.is_answer for _, _, segment in hung]),
        row_weight=torch.tensor([row.weight for row in rows]),
        example=torch.tensor([row.example for row in rows]),
    )
