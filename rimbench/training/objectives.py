"""Objectives: what a batch of packed rows is trained to predict, and how much each part of it counts.

Flows in: a model and a `TrainingBatch`. Flows out: one loss. Every objective has the same form,

    NLL_j   = mean over the learned tokens of segment j of -log p(token)     (`reduction` "sum": their sum)
    L_i     = sum over the segments j of row i of weight_j x NLL_j
    loss    = mean over the rows i of the batch of row_weight_i x L_i

and differs in the segments' weights alone. The mean over a segment's tokens is our choice, where the paper's
words, "the step's negative log-likelihood", would be the sum: a long step then drowns the answer's few
tokens; the sum is a setting. The mean over rows makes the loss of two equal batches the mean of theirs, so
gradient accumulation and several processes train as one with a larger batch.
"""

from typing import Literal

import torch
from torch import Tensor

from rimbench.training.packing import TrainingBatch

Reduction = Literal["mean", "sum"]


def anneal_weights(block: Tensor, blocks: Tensor, progress: float) -> Tensor:
    """Stage 1, the linear-relative supervision anneal: float32, the shape of `block`.

        lambda_t(s) = max(0, 1 - s / (t / T)),   block t of T,   progress s from 0 to 1

    Every weight starts at 1 and falls linearly; block t reaches 0 when the share t / T of training is done,
    so block 1 first, after a T-th, and block T only at the end. Deviation: the sources name the anneal and
    its properties (linear, 1 to 0, earlier blocks first), not the formula; this is the simplest that has
    them.
    """
    return (1 - progress * blocks / block).clamp(min=0).float()


def stage1_weights(batch: TrainingBatch, progress: float, answer_weight: float) -> Tensor:
    """Lambda of each segment's block, the final answer's times `answer_weight`: [S]."""
    weights = anneal_weights(batch.block, batch.blocks, progress)
    return torch.where(batch.is_answer, weights * answer_weight, weights)


def anytime_weights(batch: TrainingBatch) -> Tensor:
    """Stage 2: the answer after block k of K weighs 2k / (K (K + 1)): linear in k, 1 in all for a row: [S]."""
    return (2 * batch.block / (batch.blocks * (batch.blocks + 1))).float()


def any_budget_weights(batch: TrainingBatch) -> Tensor:
    """Stage 2 for any budget: the answer after k of K blocks weighs 1 / (K + 1), k = 0 included: [S]."""
    return 1 / (batch.blocks + 1).float()


def sft_weights(batch: TrainingBatch) -> Tensor:
    """Each completion counts once: [S]."""
    return torch.ones_like(batch.block, dtype=torch.float32)


def segment_nll(model: torch.nn.Module, batch: TrainingBatch, reduction: Reduction) -> Tensor:
    """Negative log-likelihood of every segment in one packed pass, in nats: float32 [S].

    `model` may be wrapped (DDP, FSDP): only its own forward is called. `logits_to_keep` as a boolean mask
    gives logits [p, rows] at the predicting positions alone.
    """
    logits = model(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        attention_mask=batch.mask,
        logits_to_keep=batch.predicts,
        use_cache=False,
    ).logits
    nll = torch.nn.functional.cross_entropy(logits.float()[batch.source], batch.target, reduction="none")
    sums = torch.zeros(batch.block.shape, device=nll.device).index_add(0, batch.segment, nll)
    if reduction == "sum":
        return sums
    return sums / torch.bincount(batch.segment, minlength=len(batch.block))


def batch_loss(nll: Tensor, weights: Tensor, batch: TrainingBatch) -> Tensor:
    """The mean over rows of the weighted sum of their segments, as at the head of this module: a scalar."""
    return (nll * weights * batch.row_weight[batch.row]).sum() / len(batch.row_weight)
