"""A small real training, for tests: as a program it is what torchrun launches.

`python training_run.py CHECKPOINT FOLDER ROWS_PER_DEVICE`
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from rimbench.training.data import Corpus, Example, Tally
from rimbench.training.recipe import Recipe
from rimbench.training.stage import Start
from rimbench.training.trainer import train

STAGE = {"epochs": 2, "learning_rate": 3e-3, "batch_size": 8, "rows_per_device": 4, "log_steps": 1, "save_steps": 3}
STAGE1 = {**STAGE, "objective": "rim-stage1", "weight_decay": 0.1}
STAGE2 = {**STAGE, "objective": "rim-stage2", "blocks": 3, "multiple_choice_weight": 2.0, "learning_rate": 1e-3}


def corpus(n=32):
    examples = []
    for i in range(n):
        end = str(2 * (i % 7 + 1))
        steps = (f"Up to {i % 7 + 1}.", f"Doubled, {end}.")[: 1 + i % 2 if i % 5 else 0]
        examples.append(Example(f"Start {i % 7}, what now?", " ".join(steps), steps, end, i % 3 == 0))
    return Corpus(tuple(examples), Tally(read=n, kept=n), f"hash of {n}")


def recipe(*stages, **changes):
    fields = {
        "description": "made for a test",
        "base": {"repo": "tiny", "revision": "0"},
        "memory": {},
        "wording": {"prefix": "It is {"},
        "data": {"max_row_tokens": 256},
        "stages": list(stages),
    }
    return Recipe.model_validate(fields | changes)


def start(checkpoint):
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    return Start(model, AutoTokenizer.from_pretrained(checkpoint), "tiny", "abc123")


if __name__ == "__main__":
    torch.set_num_threads(1)
    checkpoint, folder, rows = sys.argv[1:]
    stage = {**STAGE1, "rows_per_device": int(rows)}
    train(recipe(stage), corpus(), start(checkpoint), Path(folder), seed=1)
