"""What packing saves: a stage-1 step against T separate passes, and a sweep over K = 0..8 against one pass at K = 8.

    python benchmarks/packing.py [tiny] [135m]

Both sides in turn, in one process, on the same weights; printed are medians of their ratios. Before timing, the two
losses, and the two tables of log-probabilities, are held against each other: a faster pass that says something else
would be no saving. Targets: the separate passes take at least 3 times as long as the packed step at T = 8; the sweep
takes at most 1.5 times one K = 8 pass at 260-token prompts.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from rimbench.rim.readout import ReadoutRequest, readouts
from rimbench.training.objectives import batch_loss, segment_nll, stage1_weights
from rimbench.training.packing import Segment, TrainingRow, collate

SIZES = {
    "tiny": {"hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 8, "num_attention_heads": 2,
             "num_key_value_heads": 1, "head_dim": 32, "vocab_size": 512},
    "135m": {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
             "num_key_value_heads": 3, "head_dim": 64, "vocab_size": 49152},
}  # fmt: skip
ROUNDS = {"tiny": 15, "135m": 4}
BATCH = {"tiny": 8, "135m": 1}
T, BLOCK, QUESTION, STEP, ANSWER, PROMPT = 8, 4, 160, 24, 10, 260


def example(model: Qwen3ForCausalLM, seed: int) -> TrainingRow:
    """A question, T blocks with a step after each, and the answer."""
    chance = torch.Generator().manual_seed(seed)

    def ids(n: int) -> tuple[int, ...]:
        return tuple(torch.randint(0, model.config.vocab_size, (n,), generator=chance).tolist())

    steps = [Segment(ids(STEP), block) for block in range(1, T + 1)]
    answer = Segment(ids(ANSWER), T, learned_from=ANSWER - 3, is_answer=True)
    return TrainingRow(ids(QUESTION), (ids(BLOCK),) * T, (*steps, answer))


def packed_step(model: Qwen3ForCausalLM, rows: list[TrainingRow]) -> float:
    """The loss and its gradient, all segments of a row in one pass."""
    return _step(model, rows)


def separate_steps(model: Qwen3ForCausalLM, rows: list[TrainingRow]) -> float:
    """The same loss and gradient by a pass for each block: its step (and after the last, the answer) alone."""
    total = 0.0
    for block in range(1, T + 1):
        alone = [
            replace(row, blocks=row.blocks[:block], segments=tuple(s for s in row.segments if s.block == block))
            for row in rows
        ]
        total += _step(model, alone)
    return total


def _step(model: Qwen3ForCausalLM, rows: list[TrainingRow]) -> float:
    batch = collate(rows, 0)
    loss = batch_loss(segment_nll(model, batch, "mean"), stage1_weights(batch, 0.0, 1.0), batch)
    loss.backward()
    return float(loss.detach())


def in_turn(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Median seconds of each, and the median of second over first."""
    times: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        marks = [time.perf_counter()]
        for call in (first, second):
            call()
            marks.append(time.perf_counter())
        times.append((marks[1] - marks[0], marks[2] - marks[1]))
    kept = times[1:]  # the first round warms up
    return (*(statistics.median(side) for side in zip(*kept, strict=True)), statistics.median(b / a for a, b in kept))


def measure(name: str) -> None:
    """Print both ratios at one size."""
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(
        Qwen3Config(  # type: ignore[call-arg]
            **SIZES[name],  # type: ignore[arg-type]
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            attn_implementation="sdpa",
        )
    )
    rows = [example(model, seed) for seed in range(BATCH[name])]
    model.train()
    together, apart = packed_step(model, rows), separate_steps(model, rows)
    assert abs(together - apart) < 1e-3 * abs(together), (together, apart)
    packed, separate, ratio = in_turn(
        lambda: packed_step(model, rows), lambda: separate_steps(model, rows), ROUNDS[name]
    )
    print(
        f"{name}: stage-1 step, T = {T}: packed {packed:.3f} s, {T} separate passes {separate:.3f} s, "
        f"{ratio:.2f} times as long (target 3 at least)",
        flush=True,
    )
    model.eval()
    chance = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, model.config.vocab_size, (BATCH[name], PROMPT), generator=chance).tolist()
    requests = [
        ReadoutRequest(tuple(row), (tuple(range(BLOCK)),) * T, (5, 6, 7, 8, 9), (1, 2, 3, 4)) for row in tokens
    ]
    one, every = readouts(model, requests, [T]), readouts(model, requests, range(T + 1))
    assert all(torch.allclose(a[0], b[T], atol=1e-4) for a, b in zip(one, every, strict=True))
    single, sweep, ratio = in_turn(
        lambda: readouts(model, requests, [T]), lambda: readouts(model, requests, range(T + 1)), 3 * ROUNDS[name]
    )
    print(
        f"{name}: K = {T} alone {single:.3f} s, sweep over K = 0..{T} {sweep:.3f} s, {ratio:.2f} times "
        f"(target 1.5 at most)",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", metavar="SIZE", help=", ".join(SIZES))
    for size in parser.parse_args().sizes or SIZES:
        measure(size)
