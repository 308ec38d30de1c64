"""RiM checkpoints: the three tokens added to any tokenizer and model, and a folder that others load.

Flows in: a tokenizer and a causal language model of transformers. Flows out: both with the memory tokens, and
a folder that plain `AutoModelForCausalLM.from_pretrained` of transformers 4 and 5 and vLLM read. No training and no
forward pass here.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AddedToken, PreTrainedModel, PreTrainedTokenizerBase

from rimbench import portability
from rimbench.errors import ModelError
from rimbench.files.writing import sync
from rimbench.rim.blocks import Memory, token_id

NOISE = 0.1
"""Spread of a new row around the mean row, as a fraction of the existing rows' own spread."""


def add_memory_tokens(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, memory: Memory, generator: torch.Generator
) -> tuple[int, int, int]:
    """Add the three memory tokens to both, in place, and return their ids.

    Spare embedding rows are used where the model has more rows than the tokenizer has tokens; only where
    they do not suffice is the matrix resized. Each new row is the mean of the old ones plus normal noise
    (`NOISE`), so that the three differ and none stands out among the logits; an untied head gets its own new
    rows the same way, a tied head stays tied. Raises ModelError where the tokenizer already has one of the
    tokens.
    """
    present = [token for token in memory.tokens if token_id(tokenizer, token) is not None]
    if present:
        raise ModelError(
            f"tokenizer '{tokenizer.name_or_path}' already has the token {', '.join(present)}: expected a "
            "base model; continue from a RiM checkpoint without adding tokens, or name other tokens"
        )
    old_tokens = len(tokenizer)
    tokenizer.add_tokens(
        [AddedToken(token, special=True, normalized=False) for token in memory.tokens], special_tokens=True
    )
    begin, mid, end = (token_id(tokenizer, token) for token in memory.tokens)
    if begin is None or mid is None or end is None:
        raise ModelError(f"tokenizer '{tokenizer.name_or_path}' takes no new tokens: cannot carry memory blocks")
    rows = max(begin, mid, end) + 1
    if rows > embedding_weight(model).shape[0]:
        model.resize_token_embeddings(rows, mean_resizing=False)
    for weight in vocabulary_weights(model):
        _initialise(weight, (begin, mid, end), min(old_tokens, begin), generator)
    return begin, mid, end


def embedding_weight(model: PreTrainedModel) -> Tensor:
    """The input embedding matrix, [rows, hidden]; ModelError where the model has none of that form."""
    module = model.get_input_embeddings()
    if not isinstance(module, torch.nn.Embedding):
        raise ModelError(f"{type(model).__name__} has no plain embedding matrix: not a model that RiM can extend")
    return module.weight


def head_module(model: PreTrainedModel) -> torch.nn.Linear:
    """The output head, weight [rows, hidden]; ModelError where the model is no causal language model."""
    module: object = model.get_output_embeddings()
    if not isinstance(module, torch.nn.Linear):
        raise ModelError(f"{type(model).__name__} has no linear output head: expected a causal language model")
    return module


def vocabulary_weights(model: PreTrainedModel) -> tuple[Tensor, ...]:
    """The embedding matrix and, where it is another one, the head's: one parameter for a tied head."""
    embedding, head = embedding_weight(model), head_module(model).weight
    return (embedding,) if head is embedding else (embedding, head)


def save_checkpoint(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    card: str = "",
    weights: dict[str, Tensor] | None = None,
) -> None:
    """Write model, tokenizer and card (`README.md`) into `folder`, which appears whole or not at all.

    Written beside it under a hidden name and renamed; a folder of that name that exists is replaced, and is
    gone only once the new one is complete. `weights` stand in for the model's own where these are sharded over
    processes. ModelError where the tokenizer has ids beyond the model's rows.
    """
    rows = embedding_weight(model).shape[0]
    if len(tokenizer) > rows or model.config.vocab_size != rows:
        raise ModelError(
            f"cannot save to {folder}: {len(tokenizer)} tokens, {rows} embedding rows and a vocab_size of "
            f"{model.config.vocab_size} do not fit; expected tokens <= rows = vocab_size"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
    try:
        fresh.chmod(0o755)
        model.save_pretrained(fresh, state_dict=weights)
        tokenizer.save_pretrained(fresh)
        _rewrite(fresh / "config.json", portability.config_for_all)
        _rewrite(fresh / "tokenizer_config.json", portability.tokenizer_for_all)
        if card:
            (fresh / "README.md").write_text(card, encoding="utf-8")
        for file in fresh.iterdir():
            sync(file)
        sync(fresh)
        replace_folder(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _rewrite(path: Path, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    settings = change(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def replace_folder(fresh: Path, folder: Path) -> None:
    """Rename `fresh` to `folder`, and remove what was there once the new one stands in its place."""
    if not folder.exists():
        fresh.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old-", dir=folder.parent))
    folder.rename(old / folder.name)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _initialise(weight: Tensor, ids: tuple[int, ...], old_rows: int, generator: torch.Generator) -> None:
    """Set the new rows of [rows, hidden] from the first `old_rows`; noise is drawn on the CPU in float32."""
    with torch.no_grad():
        old = weight[:old_rows].float()
        mean, spread = old.mean(dim=0), old.std(dim=0, correction=0)
        noise = torch.randn((len(ids), weight.shape[1]), generator=generator).to(weight.device)
        weight[list(ids)] = (mean + NOISE * spread * noise).to(weight.dtype)
