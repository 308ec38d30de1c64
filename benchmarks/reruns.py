"""Whether a rerun falls inside the interval that a measurement stated: `rimbench latency`, ten times in turn.

    python benchmarks/reruns.py [--runs 10]

Each run measures nano-rim-v2 and nano-cot anew, at batch 1 and 64, in three processes of its own. Every run's
interval is held against the value of every other: printed are each run's times and ratio, and how many pairs hold.
Target: 9 of 10. Run it alone: what other programs do between two runs is no error of a run.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

BATCHES = ("1", "64")
SYSTEMS = ("nano-rim-v2", "nano-cot")


def measure(folder: Path) -> dict[str, tuple[float, float, float]]:
    """What one run states, by its name: a value and the ends of its interval."""
    command = [sys.executable, "-m", "rimbench", "latency", "--json", "--results", str(folder)]
    command += [part for name in SYSTEMS for part in ("--system", name)]
    command += [part for batch in BATCHES for part in ("--batch", batch)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    stated = {}
    for row in found["latency"]:
        times = row["answer_ms"]
        stated[f"{row['system']} at batch {row['batch']}, ms"] = (times["mean"], *times["ci95"])
    for row in found["speedups"]:
        stated[f"{row['system']} over {row['baseline']} at batch {row['batch']}"] = (row["ratio"], *row["ci95"])
    return stated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs: list[dict[str, tuple[float, float, float]]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(parser.parse_args().runs):
            runs.append(measure(Path(scratch) / str(number)))
            told = (f"{name} {value:.3g} [{low:.3g}, {high:.3g}]" for name, (value, low, high) in runs[-1].items())
            print(f"run {number + 1}: {', '.join(told)}", flush=True)
    for name in runs[0]:
        stated = [run[name] for run in runs]
        print(name)
        held = [low <= again[0] <= high for (_, low, high), again in itertools.permutations(stated, 2)]
        print(f"  a rerun falls inside: {sum(held)} of {len(held)} pairs, {sum(held) / len(held):.0%} (target 90%)")


if __name__ == "__main__":
    main()
