"""Qwen3-1.7B at full size, of random weights, through the real commands on the CPU: peak memory and time.

    nox -s fullsize [-- --items 4]

The checkpoint has Qwen3-1.7B's shape in bfloat16 (3.4 GB, one file), and a byte-level tokenizer in place of its own,
so that prompts are some hundred tokens long. `run` (read out by rim-v2, written by rim-v1), `sweep`, `latency` load
it in bfloat16; each is a process of its own, whose peak of resident memory is told beside the weights': at most 1.25
times is wanted, and exit code 1 says that it is more. What is resident holds pages of the mapped file, which the
kernel takes back where memory is short: without them it is told too.

A step of `train` is not among them: float32 weights, gradients and Adam's two states take 16 bytes a parameter,
27.5 GB, before any activation (`benchmarks/memory.py`: on a GPU).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scale import Cost, measure

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from tiny import make_tokenizer, write_suite

MOST = 1.25


def write_checkpoint(folder: Path) -> int:
    """Write the checkpoint; the bytes of its weights."""
    import torch
    from memory import qwen3_shape
    from transformers import Qwen3ForCausalLM

    torch.set_default_dtype(torch.bfloat16)
    tokenizer = make_tokenizer()
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    model = Qwen3ForCausalLM(qwen3_shape(**ends))
    model.save_pretrained(folder, max_shard_size="10GB")
    tokenizer.save_pretrained(folder)
    return sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())


def own_bytes(process: subprocess.Popen[bytes]) -> int:
    """What the process holds that no file backs."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))


def measured(arguments: list[str], folder: Path) -> tuple[Cost, int]:
    """What one command takes, and the most bytes that no file backs."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen([sys.executable, "-m", "rimbench", *arguments], cwd=folder, env=environment)
    own = [0]

    def look() -> int:
        own.append(own_bytes(process))
        return 0

    return measure(process, look), max(own)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        # In a process of its own: the peak of what is started later counts from this one's memory.
        made = [sys.executable, __file__, "--write", str(folder / "model")]
        weights = int(subprocess.run(made, check=True, capture_output=True, text=True).stdout)
        suite = write_suite(folder, asked.items)
        common = ["--suite", str(suite), "--model", "model", "--dtype", "bfloat16", "--batch-size", "2"]
        steps = {
            "run, read out": ["run", "--system", "rim-v2", "--engine", "transformers", *common],
            "sweep": ["sweep", "--system", "rim-v2", *common],
            "run, written": ["run", "--system", "rim-v1", "--engine", "transformers", *common],
            "latency": [
                "latency", "--system", "rim-v2", "--suite", str(suite), "--model", "model", "--dtype", "bfloat16",
                "--engine", "transformers", "--samples", "2", "--seconds", "0", "--processes", "1",
            ],
        }  # fmt: skip
        rows = {step: measured(arguments, folder) for step, arguments in steps.items()}
    print(f"weights: {weights / 1e9:.2f} GB in bfloat16; {asked.items} items")
    for step, (cost, own) in rows.items():
        told = f"peak {cost.peak_bytes / 1e9:.2f} GB, {cost.peak_bytes / weights:.2f} times the weights"
        alone = f"{own / weights:.2f} without pages of the file"
        print(f"{step:14} {told}, {alone}; {cost.wall_s:.0f} s, {cost.cpu_s:.0f} s of CPU")
    return int(any(cost.peak_bytes > MOST * weights for cost, _ in rows.values()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        print(write_checkpoint(Path(sys.argv[2])))
    else:
        sys.exit(main())
