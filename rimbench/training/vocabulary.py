"""What of the vocabulary is trained: all of it, the memory tokens' rows, or none.

Flows in: a model. Flows out: the same model with rows held still. Frozen rows stay bit for bit: their gradient is
zeroed before clipping and the optimizer see it, and vocabulary matrices take no weight decay (`vocabulary_names`).
"""

import hashlib

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers import PreTrainedModel

from rimbench.rim.checkpoint import vocabulary_weights


class TrainedRows:
    """The rows of embedding and head that are trained; a tied head is the same matrix.

    Without any, the matrices take no gradient at all. With some, a matrix takes a gradient, and `zero_others` zeroes
    that of every other row after each backward pass, also the part that comes through a tied head. It works on what
    a process holds: the whole gradient alone or under DDP, its shard under FSDP.
    """

    def __init__(self, model: PreTrainedModel, rows: tuple[int, ...]) -> None:
        self.rows = rows
        self._kept: dict[int, Tensor] = {}
        for weight in vocabulary_weights(model):
            weight.requires_grad_(bool(rows))

    def zero_others(self, model: PreTrainedModel) -> None:
        """Zero the gradient of every row of the model's vocabulary but the trained ones, in place."""
        for index, weight in enumerate(vocabulary_weights(model)):
            if weight.grad is not None:
                if index not in self._kept:
                    self._kept[index] = self._mask(weight.grad)
                weight.grad.mul_(self._kept[index])

    def _mask(self, gradient: Tensor) -> Tensor:
        """1 for a trained row, else 0: [rows, 1], where the gradient is and as it is sharded."""
        kept = torch.zeros((gradient.shape[0], 1), dtype=gradient.dtype, device=gradient.device)
        kept[list(self.rows)] = 1
        if isinstance(gradient, DTensor):
            return distribute_tensor(kept, gradient.device_mesh, gradient.placements, src_data_rank=None)
        return kept


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
