"""Two workers against one, on a model of 30 ms a question: the engine `fake`, which waits so long for each.

    python benchmarks/workers.py [--items 600] [--delay-ms 30]

Each run is the command alone. Timed are the answers between the first tenth of the records and the last, so that what
starting takes is left out; at least 1.7 times the questions a second is wanted. A million records through eight
workers: `benchmarks/scale.py --workers 8`.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from scale import HERE, start, write_suite


def questions_a_second(folder: Path, items: int, workers: int) -> float:
    """What one run answers a second, from its first tenth on."""
    results = folder / f"workers-{workers}"
    suite = ["--suite", str(folder / "scale.toml"), "--data", str(folder / "scale.jsonl"), "--limit", str(items)]
    given = ["--engine", "fake", "--system", "nano-direct", "--batch-size", "8", "--workers", str(workers)]
    process = start(HERE, ["-m", "rimbench", "run", *given, *suite, "--results", str(results)])
    seen: list[tuple[float, int]] = []
    while process.poll() is None:
        count = sum(path.read_bytes().count(b"\n") for path in results.glob("*/records.jsonl"))
        if count >= items / 10 and (not seen or count > seen[-1][1]):
            seen.append((time.perf_counter(), count))
        time.sleep(0.01)
    if process.returncode or not seen or seen[-1][1] != items:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}, {seen[-1:]} of {items} answers")
    (began, first), (ended, last) = seen[0], seen[-1]
    return (last - first) / (ended - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=600)
    parser.add_argument("--delay-ms", type=float, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_suite(folder, asked.items)
        (folder / "script.json").write_text(json.dumps({"delay_ms": asked.delay_ms}))
        os.environ["RIMBENCH_FAKE_SCRIPT"] = str(folder / "script.json")
        rates = {workers: questions_a_second(folder, asked.items, workers) for workers in (1, 2)}
    load = os.getloadavg()[0]
    for workers, rate in rates.items():
        print(f"{workers} worker{'s' if workers > 1 else ''}: {rate:.1f} questions a second")
    print(f"two against one: {rates[2] / rates[1]:.2f} times; {os.cpu_count()} cores, load {load:.1f}")


if __name__ == "__main__":
    main()
