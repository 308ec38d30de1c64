"""Peak memory of one training step at Qwen3-1.7B size, calculated: the recipe's own step on tensors without storage.

The model, the packed batch, the loss, the backward pass and the optimizer are those of a training, under bf16
autocast with float32 weights as the Trainer has them; every tensor that would be allocated is counted, none is. Rows
are of the longest kind that the recipe keeps, steps and answer shared out as a long trace has them.
"""

import logging
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from transformers import Qwen3Config, Qwen3ForCausalLM

from rimbench.training.objectives import batch_loss, segment_nll, sft_weights
from rimbench.training.packing import Segment, TrainingBatch, TrainingRow, collate
from rimbench.training.recipe import find_recipe

GIB = 1 << 30
GPU_BYTES = 80e9
QUESTION, BLOCKS, BLOCK, ANSWER = 300, 8, 4, 12


def qwen3_shape(**more: Any) -> Qwen3Config:
    """Qwen3-1.7B's."""
    return Qwen3Config(
        vocab_size=151936, hidden_size=2048, intermediate_size=6144, num_hidden_layers=28,
        num_attention_heads=16, num_key_value_heads=8, head_dim=128, tie_word_embeddings=True,
        max_position_embeddings=40960, **more,
    )  # fmt: skip


def longest_row(tokens: int) -> TrainingRow:
    """A question, eight blocks, eight steps that fill the row, and the answer."""
    step = (tokens - QUESTION - BLOCKS * BLOCK - ANSWER) // BLOCKS
    segments = [Segment((1,) * step, block) for block in range(1, BLOCKS + 1)]
    answer = Segment((1,) * ANSWER, BLOCKS, learned_from=ANSWER - 3, is_answer=True)
    return TrainingRow((1,) * QUESTION, ((1,) * BLOCK,) * BLOCKS, (*segments, answer))


def peak(rows: int, tokens: int) -> tuple[int, int]:
    batch = collate([longest_row(tokens)] * rows, 0)
    # How many positions predict depends on values, which tensors without storage do not have: all of a step's tokens.
    learned = int(batch.predicts.sum())
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        model = Qwen3ForCausalLM(qwen3_shape(attn_implementation="sdpa"))
        model.train()
        model.gradient_checkpointing_enable({"use_reentrant": False})
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
        fake = TrainingBatch(**{name: mode.from_tensor(getattr(batch, name)) for name in TrainingBatch.__slots__})
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()  # its states are there from now on, as in every step but the first
        optimizer.zero_grad()
        tracker = MemTracker()
        tracker.track_external(model, optimizer)
        with tracker:
            with torch.autocast("cpu", torch.bfloat16):
                nll = segment_nll(_Kept(model, learned), fake, "sum")  # type: ignore[arg-type]
                loss = batch_loss(nll, sft_weights(fake), fake)
            loss.backward()
            optimizer.step()
    snapshot = tracker.get_tracker_snapshot("peak")
    return sum(kinds["Total"] for kinds in snapshot.values()), learned


class _Kept:
    """The model with as many kept positions as the mask has, which tensors without values cannot count."""

    def __init__(self, model: Any, learned: int) -> None:
        self.model, self.learned = model, learned

    def __call__(self, **inputs: Any) -> Any:
        inputs.pop("logits_to_keep")
        hidden = self.model.model(**inputs).last_hidden_state
        kept = hidden.reshape(-1, hidden.shape[-1])[: self.learned]
        return type("Output", (), {"logits": self.model.lm_head(kept)})


def main() -> None:
    logging.disable(logging.WARNING)
    recipe = find_recipe("rim-v2")
    stage = recipe.stages[0]
    tokens = recipe.data.max_row_tokens
    print("Qwen3-1.7B, stage 1, float32 weights and Adam, bf16 autocast, gradient checkpointing")
    print(f"{'rows':>5} {'tokens a row':>13} {'predicted':>10} {'peak GB':>8}   of 80 GB")
    for rows in (2, 4):
        bytes_, learned = peak(rows, tokens)
        mark = "  <- the recipe" if rows == stage.rows_per_device else ""
        print(f"{rows:5} {tokens:13} {learned:10} {bytes_ / 1e9:8.1f}   {bytes_ / GPU_BYTES:.0%}{mark}", flush=True)


if __name__ == "__main__":
    main()
