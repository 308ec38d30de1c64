"""A small real training, for tests: as a program it is what torchrun launches.

`python training_run.py CHECKPOINT FOLDER ROWS_PER_DEVICE [fsdp [STEP]]`: with `fsdp` the parameters are sharded as
`accelerate launch --use_fsdp` has them, and the process dies at a STEP of the second stage.
"""

import os
import sys
from pathlib import Path

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from torch.distributed.tensor import DTensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from rimbench.training.data import Corpus, Example, RowCounts
from rimbench.training.recipe import Recipe
from rimbench.training.stage import StageTrainer, Start
from rimbench.training.trainer import train

STAGE = {"epochs": 2, "learning_rate": 3e-3, "batch_size": 8, "rows_per_device": 4, "log_steps": 1, "save_steps": 3}
STAGE1 = {**STAGE, "objective": "rim-stage1", "weight_decay": 0.1}
STAGE2 = {**STAGE, "objective": "rim-stage2", "blocks": 3, "multiple_choice_weight": 2.0, "learning_rate": 1e-3}


def corpus(n=32):
    examples = []
    for i in range(n):
        end = str(2 * (i % 7 + 1))
        steps = (f"Up to {i % 7 + 1}.", f"Doubled, {end}.")[: 1 + i % 2 if i % 5 else 0]
        examples.append(Example(f"Start {i % 7}, what now?", " ".join(steps), steps, end, i % 3 == 0, row=i + 1))
    return Corpus(tuple(examples), RowCounts(read=n, kept=n), f"hash of {n}")


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


FSDP = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
}
"""What `accelerate launch --use_fsdp --fsdp_version 2 --fsdp_state_dict_type FULL_STATE_DICT ...` sets."""


def shard():
    """Shard over the CPU: accelerate does so for GPUs alone, so it is told that these processes are such."""
    os.environ.update(FSDP | os.environ)
    plain = PartialState.__init__

    def on_gpus(self, *arguments, **options):
        plain(self, *arguments, **options)
        if self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type = DistributedType.MULTI_GPU

    PartialState.__init__ = on_gpus


def die_at(step):
    """Kill this process in the second stage, and torchrun with it, when it is about to take a step."""
    plain = StageTrainer.compute_loss

    def dies(self, *arguments, **options):
        assert all(isinstance(parameter, DTensor) for parameter in self.model.parameters())
        if (self.guard.stage, self.state.global_step) == (2, step):
            os._exit(9)
        return plain(self, *arguments, **options)

    StageTrainer.compute_loss = dies


if __name__ == "__main__":
    torch.set_num_threads(1)
    checkpoint, folder, rows, *sharded = sys.argv[1:]
    if sharded:
        shard()
        die_at(int(sharded[1]) if len(sharded) > 1 else None)
    stages = [{**stage, "rows_per_device": int(rows)} for stage in (STAGE1, STAGE2)]
    train(recipe(*stages), corpus(), start(checkpoint), Path(folder), seed=1)
