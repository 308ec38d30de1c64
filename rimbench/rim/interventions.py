"""Interventions on memory: what a readout sees instead of its question and blocks, beside the intact one in one row.

Flows in: a model and requests. Flows out: readouts that hang in the packed row of `rimbench.rim.mask`, and the
log-probabilities that they give. Blocks a, b of two tokens behind a question q; a readout of one token r.

What the blocks hold is taken and replaced as the projections of keys and values give it, layer by layer, before keys
are rotated: the model then rotates it at the positions of the blocks that it stands for, so that a donor with a
longer question is no further away. Nothing else of a block reaches a readout.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from rimbench.errors import ModelError
from rimbench.rim.mask import PackedRow, Readout, check_model, pack
from rimbench.rim.readout import ReadoutRequest, has_plain_head, read_packed, run_body

PROJECTIONS = ("k_proj", "v_proj")
MemoryValues = Mapping[str, Tensor]
"""What the blocks of one question hold: by projection [tokens of all blocks, its width], before rotation."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A readout, and what its first tokens are made to hold in the place of what they would."""

    readout: Readout
    held: MemoryValues | None = None


def without_block(request: ReadoutRequest, block: int) -> Readout:
    """Block `block` (1..K) hidden from all that follows it: the later blocks are worked out again without it.

    They stand where they stood. Block 1 of two hidden; capitals are worked out again:

              q q a a b b B B r   position
            q x - - - - - - - -   0
            q x x - - - - - - -   1
            a x x x - - - - - -   2
            a x x x x - - - - -   3
            b x x x x x - - - -   4
            b x x x x x x - - -   5
            B x x - - - - x - -   4
            B x x - - - - x x -   5
            r x x - - - - x x x   6
    """
    later = chain(*request.blocks[block:])
    return Readout((*later, *request.prefix), block - 1, skipped=len(request.blocks[block - 1]))


def behind_blocks_alone(request: ReadoutRequest) -> Readout:
    """The readout sees the blocks, which have seen the question, and not the question:

      q q a a b b r   position
    q x - - - - - -   0
    q x x - - - - -   1
    a x x x - - - -   2
    a x x x x - - -   3
    b x x x x x - -   4
    b x x x x x x -   5
    r - - x x x x x   6
    """
    return Readout(request.prefix, len(request.blocks), blind=True)


def instead_of_blocks(request: ReadoutRequest, tokens: Sequence[int]) -> Readout:
    """As many other tokens (t) in the blocks' place, which the readout sees instead of them:

      q q a a b b t t t t r   position
    q x - - - - - - - - - -   0
    q x x - - - - - - - - -   1
    a x x x - - - - - - - -   2
    a x x x x - - - - - - -   3
    b x x x x x - - - - - -   4
    b x x x x x x - - - - -   5
    t x x - - - - x - - - -   2
    t x x - - - - x x - - -   3
    t x x - - - - x x x - -   4
    t x x - - - - x x x x -   5
    r x x - - - - x x x x x   6
    """
    return Readout((*tokens, *request.prefix), 0)


def holding(request: ReadoutRequest, held: MemoryValues) -> Branch:
    """The blocks' place holding other keys and values. The mask is that of `instead_of_blocks`.

    The tokens there are the question's last one, so that what is not replaced would show (`check_replacing`).
    """
    places = sum(map(len, request.blocks))
    return Branch(instead_of_blocks(request, request.question[-1:] * places), held)


def reordered(request: ReadoutRequest, held: MemoryValues, order: Sequence[int]) -> MemoryValues:
    """What the blocks hold with block `order[j]` (0..K-1) in the place of block j: the blocks' tokens are alike."""
    length = len(request.blocks[0])
    places = [length * block + token for block in order for token in range(length)]
    return {name: values[places] for name, values in held.items()}


def read_memory(model: PreTrainedModel, requests: Sequence[ReadoutRequest], pad_id: int = 0) -> list[MemoryValues]:
    """What the blocks of each request hold, from one pass over questions and blocks."""
    rows = [PackedRow(request.question, request.blocks, ()) for request in requests]
    check_model(model, max(len(row.token_ids) for row in rows))
    seen: dict[str, Tensor] = {}

    def keep(name: str, given: Tensor) -> None:
        seen[name] = given

    with torch.inference_mode(), _hooked(model, keep):
        run_body(model, pack(rows, pad_id))
    return [
        {name: values[index, len(row.question) : len(row.token_ids)].clone() for name, values in seen.items()}
        for index, row in enumerate(rows)
    ]


def read_branches(
    model: PreTrainedModel, requests: Sequence[ReadoutRequest], branches: Sequence[Sequence[Branch]], pad_id: int = 0
) -> list[tuple[Tensor, Tensor]]:
    """Every branch of every request in one packed pass.

    Returns, a request, float32 [branches, options] natural log-probabilities over its options and the probability
    that the whole vocabulary leaves to these [branches], on the CPU, as `readouts_with_mass`.
    """
    if not has_plain_head(model) and len(requests) > 1:
        alone = zip(requests, branches, strict=True)
        return [found for one, own in alone for found in read_branches(model, [one], [own], pad_id)]
    rows = [
        PackedRow(request.question, request.blocks, tuple(branch.readout for branch in own))
        for request, own in zip(requests, branches, strict=True)
    ]
    replaced = [
        (index, start, branch.held)
        for index, (row, own) in enumerate(zip(rows, branches, strict=True))
        for start, branch in zip(row.starts(), own, strict=True)
        if branch.held is not None
    ]

    def replace(name: str, given: Tensor) -> Tensor:
        changed = given.clone()
        for index, start, held in replaced:
            changed[index, start : start + len(held[name])] = held[name]
        return changed

    with _hooked(model, replace if replaced else None):
        found = read_packed(model, rows, [request.options for request in requests], pad_id)
    return [
        (logits.log_softmax(dim=-1), (logits.logsumexp(dim=-1) - total).clamp(max=0).exp()) for logits, total in found
    ]


def check_replacing(model: PreTrainedModel, request: ReadoutRequest, pad_id: int = 0) -> None:
    """ModelError where a readout beside the memory's own keys and values is not the intact one."""
    (held,) = read_memory(model, [request], pad_id)
    intact = Branch(Readout(request.prefix, len(request.blocks)))
    ((logprobs, _),) = read_branches(model, [request], [[intact, holding(request, held)]], pad_id)
    allowed = 1e-3 if model.dtype in (torch.float32, torch.float64) else 0.25
    apart = float((logprobs[0] - logprobs[1]).abs().max())
    if not apart <= allowed:
        raise ModelError(
            f"model '{model.name_or_path or type(model).__name__}' answers otherwise when its memory is replaced by "
            f"itself (log-probabilities {apart:.3g} apart, expected at most {allowed:g}): its keys and values are "
            "not those of its projections; leave out what replaces them: --only filler, drop-k or blind-readout"
        )


class Moments:
    """Mean and spread of what the blocks of many questions hold, place by place."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: dict[str, tuple[Tensor, Tensor]] = {}

    def add(self, held: MemoryValues) -> None:
        """Count one question."""
        self._count += 1
        for name, values in held.items():
            exact = values.double().cpu()
            sums = self._sums.get(name)
            squares = exact.square()
            self._sums[name] = (exact, squares) if sums is None else (sums[0] + exact, sums[1] + squares)

    def mean(self) -> MemoryValues:
        """The mean over the questions."""
        return {name: total / self._count for name, (total, _) in self._sums.items()}

    def noise(self, generator: torch.Generator) -> MemoryValues:
        """Normal noise of that mean and spread, each key and value of every place by itself."""
        drawn = {}
        for name, (total, squares) in self._sums.items():
            mean = total / self._count
            spread = (squares / self._count - mean.square()).clamp(min=0).sqrt()
            drawn[name] = mean + spread * torch.randn(mean.shape, generator=generator, dtype=torch.float64)
        return drawn


@contextmanager
def _hooked(model: PreTrainedModel, use: Any) -> Iterator[None]:
    """With every projection of keys and values giving what `use` makes of its name and what it gave, if anything."""
    if use is None:
        yield
        return
    found = [(name, module) for name, module in model.named_modules() if name.rpartition(".")[2] in PROJECTIONS]
    if len(found) != len(PROJECTIONS) * model.config.num_hidden_layers:
        raise ModelError(
            f"model '{model.name_or_path or type(model).__name__}' has no {' and '.join(PROJECTIONS)} in each of its "
            "layers: the keys and values of its memory cannot be replaced; expected a model such as Qwen3 or Llama, "
            "or --only filler, drop-k or blind-readout"
        )
    hooks = [
        module.register_forward_hook(lambda _module, _given, output, name=name: use(name, output))
        for name, module in found
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
