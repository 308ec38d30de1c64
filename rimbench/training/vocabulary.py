"""What of the vocabulary is trained: all of it, the memory tokens' rows, or none.

Flows in: a model. Flows out: the same model with rows held still. Frozen rows stay bit for bit: their
gradient is zeroed before any optimizer sees it, and vocabulary matrices take no weight decay
(`frozen_names`).
"""

import hashlib

import torch
from torch import Tensor
from transformers import PreTrainedModel

from rimbench.rim.checkpoint import vocabulary_weights


def freeze_vocabulary(model: PreTrainedModel, trained_rows: tuple[int, ...]) -> None:
    """Hold still every row of embedding and head but `trained_rows`, in place; a tied head is the same
    matrix.

    With rows to train, the matrix keeps `requires_grad` and a hook zeroes the others' gradient, also the
    part that comes through a tied head; without any it takes no gradient at all. The hook sits on the
    parameter, where DDP meets its result; FSDP, which flattens or shards parameters, bypasses it:
    `vocabulary_digest` tells.
    """
    for weight in vocabulary_weights(model):
        if not trained_rows:
            weight.requires_grad_(False)
            continue
        kept = torch.zeros((weight.shape[0], 1), dtype=weight.dtype)
        kept[list(trained_rows)] = 1
        weight.register_hook(_RowMask(kept))  # type: ignore[no-untyped-call]


def vocabulary_names(model: PreTrainedModel) -> set[str]:
    """The names of the vocabulary's parameters, as `named_parameters` gives them."""
    weights = {id(weight) for weight in vocabulary_weights(model)}
    return {name for name, parameter in model.named_parameters() if id(parameter) in weights}


def vocabulary_digest(model: PreTrainedModel, except_rows: tuple[int, ...]) -> str:
    """sha256 of the bits of all vocabulary rows but these: equal before and after means that nothing moved."""
    digest = hashlib.sha256()
    for weight in vocabulary_weights(model):
        others = torch.ones(weight.shape[0], dtype=torch.bool)
        others[list(except_rows)] = False
        rows = weight.detach().cpu()[others].contiguous()
        digest.update(rows.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class _RowMask:
    """Multiplies a gradient by a mask of its rows, which it moves to the gradient's device once."""

    def __init__(self, kept: Tensor) -> None:
        self.kept = kept

    def __call__(self, gradient: Tensor) -> Tensor:
        if self.kept.device != gradient.device:
            self.kept = self.kept.to(gradient.device)
        return gradient * self.kept
