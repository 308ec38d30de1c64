"""How long a cascade takes from stored answers, start-up and reading included: `python benchmarks/cascade.py`.

12 cells of 1,000 items with 9 answers each: `rimbench cascade A B --json`, which gives the whole frontier on each of
three suites, should take under 2 s. The statistics alone beside it: every threshold of a sweep of 9 budgets.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from report import write_runs

from rimbench.statistics import stopping

SUITES, SYSTEMS, ROUNDS = 3, 4, 5


def measure(folder: Path) -> float:
    command = [
        sys.executable,
        "-m",
        "rimbench",
        "cascade",
        "system-0",
        "system-1",
        "--json",
        "--results",
        str(folder),
    ]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def frontier_ms() -> float:
    rng = np.random.default_rng(0)
    margin, right = rng.uniform(size=(1000, 8)), rng.integers(0, 2, size=(1000, 9))
    start = time.perf_counter()
    for _ in range(12):
        _ = stopping.steps(margin, right).frontier
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        records = write_runs(Path(scratch), SUITES, SYSTEMS)
        seconds = sorted(measure(Path(scratch)) for _ in range(ROUNDS))
    print(
        f"cascade, {SUITES * SYSTEMS} cells, {records:,} records: median {seconds[ROUNDS // 2]:.2f} s, "
        f"best of {ROUNDS} {seconds[0]:.2f} s, target under 2.0 s"
    )
    print(f"12 frontiers of 1,000 items with 9 stages, statistics alone: {frontier_ms():.0f} ms")


if __name__ == "__main__":
    main()
