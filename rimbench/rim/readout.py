"""Readouts: the option letters' log-probabilities at every memory budget K, from one forward pass.

Flows in: a model and the token ids of questions. Flows out: log-probabilities over each question's own
options. `readouts` packs all budgets into one row a question; `readout` is the plain pass for one K that it
must equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers import PreTrainedModel

from rimbench.errors import ModelError
from rimbench.rim.checkpoint import head_module
from rimbench.rim.head import is_plain_head
from rimbench.rim.mask import PackedBatch, PackedRow, Readout, check_model, pack

_plain: WeakKeyDictionary[PreTrainedModel, bool] = WeakKeyDictionary()
"""By model, whether its head is plain: asked once of each."""


@dataclass(frozen=True, slots=True)
class ReadoutRequest:
    """One question to be read out: its prompt, its K blocks, the readout prefix, and one token per option."""

    question: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]
    prefix: tuple[int, ...]
    options: tuple[int, ...]


def readouts(
    model: PreTrainedModel, requests: Sequence[ReadoutRequest], budgets: Sequence[int], pad_id: int = 0
) -> list[Tensor]:
    """Read out every request at every budget (0..K) in one packed pass.

    Returns one float32 tensor [len(budgets), options] a request, on the CPU: natural log-probabilities over
    that request's options alone. Only the last prefix position of each budget meets the head, and there only
    the options' rows; a model that does more to its logits than multiply (Granite, Cohere, Gemma 2) is asked for
    them, row by row. Raises ModelError as `check_model`, UsageError for a budget beyond a request's blocks.
    """
    return [logits.log_softmax(dim=-1) for logits, _ in _packed(model, requests, budgets, pad_id, total=False)]


def readouts_with_mass(
    model: PreTrainedModel, requests: Sequence[ReadoutRequest], budgets: Sequence[int], pad_id: int = 0
) -> list[tuple[Tensor, Tensor]]:
    """`readouts`, each with the probability that the whole vocabulary leaves to the options: float32 [len(budgets)].

    The mass takes the whole head, at the same positions.
    """
    return [
        (logits.log_softmax(dim=-1), (logits.logsumexp(dim=-1) - total).clamp(max=0).exp())
        for logits, total in _packed(model, requests, budgets, pad_id, total=True)
    ]


def _packed(
    model: PreTrainedModel, requests: Sequence[ReadoutRequest], budgets: Sequence[int], pad_id: int, *, total: bool
) -> list[tuple[Tensor, Tensor]]:
    rows = [PackedRow(r.question, r.blocks, tuple(Readout(r.prefix, budget) for budget in budgets)) for r in requests]
    return read_packed(model, rows, [request.options for request in requests], pad_id, total=total)


def read_packed(
    model: PreTrainedModel,
    rows: Sequence[PackedRow],
    options: Sequence[tuple[int, ...]],
    pad_id: int = 0,
    *,
    total: bool = True,
) -> list[tuple[Tensor, Tensor]]:
    """The options' logits [readouts, options] a row, and log sum exp of all logits [readouts] if `total`."""
    if not rows:
        return []
    check_model(model, max(max(row.position_ids()) for row in rows) + 1)
    batch = pack(rows, pad_id)
    if not has_plain_head(model):
        every = [_own_logits(model, batch, index, _last_positions(row)) for index, row in enumerate(rows)]
        return [
            (logits[:, list(asked)].cpu(), logits.logsumexp(dim=-1).cpu())
            for logits, asked in zip(every, options, strict=True)
        ]
    with torch.inference_mode():
        hidden = run_body(model, batch)
        return [
            _option_logits(model, hidden[index, _last_positions(row)], asked, total=total)
            for index, (row, asked) in enumerate(zip(rows, options, strict=True))
        ]


def run_body(model: PreTrainedModel, batch: PackedBatch) -> Tensor:
    """The last hidden states [B, N, hidden] of a packed batch."""
    hidden: Tensor = model.base_model(
        input_ids=batch.input_ids.to(model.device),
        attention_mask=batch.mask.to(model.device),
        position_ids=batch.position_ids.to(model.device),
        use_cache=False,
    ).last_hidden_state
    return hidden


def has_plain_head(model: PreTrainedModel) -> bool:
    """Whether its logits are the plain product with its head: else rows are read one by one."""
    if model not in _plain:
        _plain[model] = is_plain_head(model)
    return _plain[model]


def readout(model: PreTrainedModel, request: ReadoutRequest, budget: int) -> Tensor:
    """Read out one request at one budget by a plain causal pass of its own: float32 [options], on the CPU."""
    ids = (*request.question, *chain(*request.blocks[:budget]), *request.prefix)
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids], device=model.device), use_cache=False).logits[0, -1]
    logprobs: Tensor = logits[list(request.options)].float().log_softmax(dim=-1)
    return logprobs.cpu()


def check_packed(model: PreTrainedModel, request: ReadoutRequest, pad_id: int = 0) -> None:
    """ModelError where the packed pass does not give what plain passes give, at the first and the last budget."""
    budgets = (0, len(request.blocks))
    (packed,) = readouts(model, [request], budgets, pad_id)
    plain = torch.stack([readout(model, request, budget) for budget in budgets])
    allowed = 1e-3 if model.dtype == torch.float32 else 0.25
    apart = float((packed - plain).abs().max())
    if not apart <= allowed:
        raise ModelError(
            f"model '{model.name_or_path or type(model).__name__}' reads budgets out of one packed row otherwise "
            f"than one by one (log-probabilities {apart:.3g} apart, expected at most {allowed:g}): its layers do not "
            "keep to a mask; ask it budget by budget with 'rimbench run --blocks K --answer readout'"
        )


def _own_logits(model: PreTrainedModel, batch: PackedBatch, index: int, positions: list[int]) -> Tensor:
    """The model's own logits [positions, vocabulary] of one row, in float32."""
    one, kept = slice(index, index + 1), torch.tensor(positions, device=model.device)
    with torch.inference_mode():
        logits: Tensor = model(
            input_ids=batch.input_ids[one].to(model.device),
            attention_mask=batch.mask[one].to(model.device),
            position_ids=batch.position_ids[one].to(model.device),
            use_cache=False,
            logits_to_keep=kept,
        ).logits[0]
    # A model that does not know the argument gives the logits of every position.
    return (logits if len(logits) == len(positions) else logits[kept]).float()


def _last_positions(row: PackedRow) -> list[int]:
    """The index of each readout's last token, which predicts what follows it."""
    return [start + len(r.token_ids) - 1 for start, r in zip(row.starts(), row.readouts, strict=True)]


def _option_logits(
    model: PreTrainedModel, hidden: Tensor, options: tuple[int, ...], *, total: bool
) -> tuple[Tensor, Tensor]:
    """Logits of the options, and log sum exp of every token's, from hidden states [budgets, hidden]: float32, CPU."""
    head, rows = head_module(model), list(options)
    bias = None if head.bias is None else head.bias[rows].float()
    logits = torch.nn.functional.linear(hidden.float(), head.weight[rows].float(), bias)
    if not total:
        return logits.cpu(), torch.zeros(len(hidden))
    every = head(hidden).float()
    every[:, rows] = logits
    return logits.cpu(), every.logsumexp(dim=-1).cpu()
