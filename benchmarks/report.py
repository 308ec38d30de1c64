"""How long a report takes, start-up included, and whether its time grows with the records alone.

    python benchmarks/report.py [--million]

12 cells of 1,000 items with 9 answers each: `rimbench report --json` should take under 3 s. With
--million: a million records (111 cells of 1,000 x 9) under 30 s and 2 GB. Half the cells beside it: time grows
linearly. The runs are written by the project's own store, with answers drawn from a seed.
"""

import argparse
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rimbench.records import Item, Record
from rimbench.store import SCHEMA_VERSION, Manifest, ModelSource, RunStore, SuiteSource, identity_of

ITEMS, SAMPLES = 1000, 8
OPTIONS = {"A": "aspirin", "B": "bisoprolol", "C": "colchicine", "D": "digoxin"}


def write_runs(folder: Path, suites: int, systems: int) -> int:
    chance = random.Random(0)
    items = [Item(str(i), f"Question {i}?", OPTIONS, chance.choice("ABCD")) for i in range(ITEMS)]
    for suite in range(suites):
        for system in range(systems):
            write_run(folder, f"suite-{suite}", f"system-{system}", items, chance)
    return suites * systems * ITEMS * (SAMPLES + 1)


def write_run(folder: Path, suite: str, system: str, items: list[Item], chance: random.Random) -> None:
    identity = {
        "weights_sha256": "0" * 64,
        "suite": {"content_sha256": suite},
        "system": {"answer": {"mode": "readout", "temperature": 0.7}},
        "engine": {"name": "transformers", "device": "cpu", "dtype": "float32"},
    }
    run = f"{system}-{suite}"
    manifest = Manifest(
        SCHEMA_VERSION, run, system, suite, ITEMS, SAMPLES, identity_of(identity), SuiteSource(),
        ModelSource("made up"), {}, {}, None, None, "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00", 1,
    )  # fmt: skip
    with RunStore(folder / run) as store:
        store.write_manifest(manifest, items)
        for item in items:
            weights = [chance.random() for _ in OPTIONS]
            logprobs = {x: math.log(w / sum(weights)) for x, w in zip(OPTIONS, weights, strict=True)}
            letters = chance.choices(list(OPTIONS), weights, k=SAMPLES + 1)
            store.append(
                [
                    Record(item.item_id, i, item.gold, letter, "ok", letter, logprobs, 300, 0, "0" * 64)
                    for i, letter in enumerate(letters)
                ]
            )


def measure(folder: Path, form: str) -> tuple[float, float]:
    """Wall seconds and peak gigabytes of one report in a process of its own."""
    command = [sys.executable, "-m", "rimbench", "report", form, "--results", str(folder)]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true", help="also a million records")
    sizes = [(3, 2, 3.0), (3, 4, 3.0)] + ([(37, 3, 30.0)] if parser.parse_args().million else [])
    for suites, systems, target in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            records = write_runs(Path(scratch), suites, systems)
            rounds = 5 if records < 200_000 else 1
            for form in ("--json", "--markdown"):
                found = [measure(Path(scratch), form) for _ in range(rounds)]
                peak_gb = max(peak for _, peak in found)
                seconds = sorted(seconds for seconds, _ in found)
                print(
                    f"report {form}, {suites * systems} cells, {records:,} records: "
                    f"median {seconds[len(seconds) // 2]:.2f} s, best of {rounds} {seconds[0]:.2f} s, "
                    f"peak {peak_gb:.2f} GB, target under {target} s"
                )


if __name__ == "__main__":
    main()
