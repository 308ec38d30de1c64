"""The memory lens: what a model writes right after a block, as stage 1 trains it, and how likely texts are there.

Flows in: a model and token ids of questions, blocks and texts. Flows out, for every block and for the question
itself (block 0), the greedy continuation, and the probability of each text. The texts are hung on the blocks in the
layout of `rimbench.rim.mask`, all of a question in one pass; the continuations are the library's `generate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from transformers import GenerationConfig, PreTrainedModel

from rimbench.rim.mask import PackedRow, Readout, check_model, pack


@dataclass(frozen=True, slots=True)
class LensRow:
    """One question, its K blocks, and the texts whose probability is asked for, each of one token or more."""

    question: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]
    texts: tuple[tuple[int, ...], ...] = ()

    def up_to(self, block: int) -> tuple[int, ...]:
        """The tokens up to the end of a block."""
        return (*self.question, *chain(*self.blocks[:block]))


def continuations(
    model: PreTrainedModel, rows: Sequence[LensRow], new_tokens: int, pad_id: int, stop_ids: Sequence[int] = ()
) -> list[list[tuple[int, ...]]]:
    """By row and block, 0 to K, the tokens that the model writes greedily after it; a stop token ends them."""
    prompts = [row.up_to(block) for row in rows for block in range(len(row.blocks) + 1)]
    width = max(map(len, prompts))
    padded = torch.tensor([[pad_id] * (width - len(ids)) + list(ids) for ids in prompts], device=model.device)
    seen = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts], device=model.device)
    # A checkpoint's own settings (sampling, penalties) must not leak in.
    settings = GenerationConfig(
        max_new_tokens=new_tokens, do_sample=False, pad_token_id=pad_id, eos_token_id=list(stop_ids) or None
    )
    with torch.inference_mode():
        out = model.generate(padded, attention_mask=seen, generation_config=settings)  # type: ignore[operator]
    written = iter(out[:, width:].tolist())
    return [[_ended(next(written), stop_ids) for _ in range(len(row.blocks) + 1)] for row in rows]


def text_probabilities(model: PreTrainedModel, rows: Sequence[LensRow], pad_id: int) -> list[list[list[float]]]:
    """By row, block (0 to K) and text, the probability that the text's tokens follow the block.

    One packed pass; ModelError as `check_model`.
    """
    layouts = [PackedRow(row.question, row.blocks, _hung(row)) for row in rows]
    check_model(model, max(max(layout.position_ids()) for layout in layouts) + 1)
    batch = pack(layouts, pad_id)
    length = batch.input_ids.shape[1]
    places, targets, owners = list[int](), list[int](), list[int]()
    readouts = [(place, layout, r) for place, layout in enumerate(layouts) for r in layout.readouts]
    starts = chain.from_iterable(layout.starts() for layout in layouts)
    for owner, ((place, layout, readout), start) in enumerate(zip(readouts, starts, strict=True)):
        before = (layout.reach(readout.block) - 1, *range(start, start + len(readout.token_ids) - 1))
        places += [place * length + position for position in before]
        targets += readout.token_ids
        owners += [owner] * len(before)
    if not places:
        return [[[] for _ in range(len(row.blocks) + 1)] for row in rows]
    # One position may predict the first tokens of several texts: it meets the head once.
    wanted, source = torch.tensor(places).unique(return_inverse=True)
    kept = torch.zeros(len(rows) * length, dtype=torch.bool)
    kept[wanted] = True
    with torch.inference_mode():
        logits = model(
            input_ids=batch.input_ids.to(model.device),
            attention_mask=batch.mask.to(model.device),
            position_ids=batch.position_ids.to(model.device),
            logits_to_keep=kept.view(len(rows), length).to(model.device),
            use_cache=False,
        ).logits.float()
    logprobs = logits.log_softmax(-1).cpu()[source, torch.tensor(targets)]
    sums = torch.zeros(len(readouts)).index_add(0, torch.tensor(owners), logprobs)
    found = iter(sums.exp().tolist())
    return [[[next(found) for _ in row.texts] for _ in range(len(row.blocks) + 1)] for row in rows]


def _hung(row: LensRow) -> tuple[Readout, ...]:
    return tuple(Readout(text, block) for block in range(len(row.blocks) + 1) for text in row.texts)


def _ended(tokens: list[int], stop_ids: Sequence[int]) -> tuple[int, ...]:
    """What follows a stop token is padding."""
    end = next((place for place, token in enumerate(tokens) if token in stop_ids), len(tokens))
    return tuple(tokens[:end])
