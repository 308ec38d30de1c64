"""What interventions on memory cost: all of them on the embedded family, and one block after another dropped.

    python benchmarks/ablation.py

First `rimbench ablate --system nano-rim-v2 --suite demo-in-dist`, N = 1000, as a user starts it (target: 60 s at
most). Then `drop-k` over all k in one packed pass against one K = 8 pass, in turn, medians of their ratios, at
260-token prompts as in `benchmarks/packing.py` (target: 2.5 times at most) and, for comparison, at the 28 tokens that
a question of the embedded family has on average, where the blocks that are worked out again weigh more. Before
timing, the blocks that are dropped are held against the slow way: one pass each.
"""

import subprocess
import sys
import tempfile
import time

import torch
from packing import BATCH, BLOCK, PROMPT, ROUNDS, SIZES, T, in_turn
from transformers import Qwen3Config, Qwen3ForCausalLM

from rimbench.rim.interventions import Branch, read_branches, without_block
from rimbench.rim.readout import ReadoutRequest, readouts

FAMILY_PROMPT = 28
COMMAND = ("ablate", "--system", "nano-rim-v2", "--suite", "demo-in-dist", "--results")


def main() -> None:
    with tempfile.TemporaryDirectory() as results:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "rimbench", *COMMAND, results], check=True, capture_output=True)
        print(f"every intervention, nano-rim-v2, N = 1000: {time.perf_counter() - began:.1f} s (target 60 at most)")
    for prompt in (PROMPT, FAMILY_PROMPT):
        measure(prompt)


def measure(prompt: int) -> None:
    """Print the ratio at prompts of so many tokens."""
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(
        Qwen3Config(  # type: ignore[call-arg]
            **SIZES["tiny"],  # type: ignore[arg-type]
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            attn_implementation="sdpa",
        )
    ).eval()
    tokens = torch.randint(0, model.config.vocab_size, (BATCH["tiny"], prompt)).tolist()
    requests = [
        ReadoutRequest(tuple(row), (tuple(range(BLOCK)),) * T, (5, 6, 7, 8, 9), (1, 2, 3, 4)) for row in tokens
    ]
    dropped = [[Branch(without_block(request, block)) for block in range(1, T + 1)] for request in requests]
    together = read_branches(model, requests, dropped)
    for block in range(T):
        alone = read_branches(model, requests, [[own[block]] for own in dropped])
        assert all(torch.allclose(a[0][block], b[0][0], atol=1e-4) for a, b in zip(together, alone, strict=True))
    single, every, ratio = in_turn(
        lambda: readouts(model, requests, [T]), lambda: read_branches(model, requests, dropped), 3 * ROUNDS["tiny"]
    )
    print(
        f"prompts of {prompt} tokens: K = {T} alone {single:.3f} s, each block dropped in turn {every:.3f} s, "
        f"{ratio:.2f} times (target 2.5 at most)"
    )


if __name__ == "__main__":
    main()
