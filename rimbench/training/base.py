"""A checkpoint folder -> what a training starts from: the model in float32 under sdpa, and its tokenizer."""

from pathlib import Path
from typing import Any

import transformers as hf

from rimbench import checkpoints
from rimbench.rim.blocks import block_token_ids
from rimbench.training.recipe import Recipe
from rimbench.training.stage import Start


def load_start(folder: Path, recipe: Recipe, name: str, commit: str | None) -> Start:
    """Load what to train; `name` is what the card calls the base.

    Weights are float32 whatever they were saved in: on a GPU the Trainer computes in bf16 beside them. Raises
    ModelError where the folder cannot be loaded, or a recipe that goes on from another one's checkpoint gets a
    tokenizer without memory tokens.
    """
    quiet: Any = hf.logging
    quiet.set_verbosity_error()
    tokenizer, model = checkpoints.read_tokenizer(folder), checkpoints.load_model(folder, "float32")
    if recipe.base.recipe is not None and recipe.block is not None:
        block_token_ids(tokenizer, recipe.block)
    return Start(model, tokenizer, name, commit)
