"""One machine, many questions: 200,000 of them, five answers each, through the engine `fake`.

    python benchmarks/scale.py [--items N] [--against CHECKOUT] [--workers N]

A run is killed when 90% of its records are there, started again, and started once more when it is complete; then its
store is opened alone, and a page is made of it. Targets at full size: the first record, and the first one after the
kill, in under 15 s and 400 MB (10 s and 500 MB for a suite without draws); the opened store in 3 s and 150 MB; the
page in 10 s and 300 MB; no record lost or doubled.

With --workers, the run's answers come from so many processes through Ray: the command alone is measured, of which
20,000 records a second, under 300 MB, and the first record after the kill in under 10 s are wanted.

With --against, each step is done in turn by the rimbench of another checkout too, and told is how many times more
that one took. Seconds of CPU stand beside those of the wall: on a machine with other work they are what to compare.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ITEMS, SAMPLES = 200_000, 4
KILLED_AT = 0.9
HERE = Path(__file__).resolve().parents[1]
OPEN = "import pathlib, sys; from rimbench.store import RunStore; RunStore(pathlib.Path(sys.argv[1])).__enter__()"
SUITE = """
description = "Many made-up questions"
n = 10000000
seed = 1

[[layout]]
name = "letters"
id = "id"
question = "question"
options = "options"
gold = { letter = "gold" }
"""


@dataclass(frozen=True)
class Cost:
    """Of a process, from its start: until its first new record where there is one, and in all."""

    first_wall_s: float | None
    first_cpu_s: float | None
    wall_s: float
    cpu_s: float
    peak_bytes: int
    bytes_a_second: float | None = None
    """By which the records grew, from the first one on."""


def write_suite(folder: Path, items: int) -> None:
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 10))) for _ in range(3000)]
    (folder / "scale.toml").write_text(SUITE)
    with (folder / "scale.jsonl").open("w") as file:
        for i in range(items):
            question = f"{i}: {' '.join(chance.choices(words, k=chance.randint(10, 25)))}?"
            options = {x: f"{' '.join(chance.choices(words, k=chance.randint(1, 4)))} {x}" for x in "ABCD"}
            row = {"id": f"q{i}", "question": question, "options": options, "gold": chance.choice("ABCD")}
            file.write(json.dumps(row) + "\n")


def start(checkout: Path, arguments: Iterable[str]) -> subprocess.Popen[bytes]:
    """Away from any checkout: Python looks for modules in the current folder first."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    folder = tempfile.gettempdir()
    return subprocess.Popen([sys.executable, *arguments], env=environment, cwd=folder, stdout=subprocess.DEVNULL)


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(process: subprocess.Popen[bytes], grown: Callable[[], int], kill_at: int | None = None) -> Cost:
    """Watch a process until it ends, or until its records have grown by `kill_at` bytes."""
    began, first, growth = time.perf_counter(), None, None
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        size = grown()
        if first is None and size > 0:
            first = (time.perf_counter() - began, cpu_s(process))
            before = size
        elif first is not None and size > before:
            growth = (size - before) / (time.perf_counter() - began - first[0])
        if kill_at is not None and size >= kill_at:
            process.kill()
        time.sleep(0.05)
    wall_s = time.perf_counter() - began
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in ((0,) if kill_at is None else (-9,)):
        raise RuntimeError(f"{process.args!r} ended with {os.waitstatus_to_exitcode(status)}")
    cpu = used.ru_utime + used.ru_stime
    first_wall_s, first_cpu_s = first or (None, None)
    return Cost(first_wall_s, first_cpu_s, wall_s, cpu, used.ru_maxrss * 1024, growth)


class Side:
    """The rimbench of one checkout, with a results folder of its own."""

    def __init__(self, checkout: Path, folder: Path, name: str, more: Sequence[str]) -> None:
        self.checkout, self.folder, self.results, self.more = checkout, folder, folder / name, more

    def records(self) -> Path | None:
        return next(self.results.glob("*/records.jsonl"), None)

    def size(self) -> int:
        records = self.records()
        return records.stat().st_size if records else 0

    def run(self, *more: str, kill_at: int | None = None) -> Cost:
        arguments = ["-m", "rimbench", "run", "--engine", "fake", "--system", "nano-direct"]
        arguments += ["--samples", str(SAMPLES)]
        arguments += ["--suite", str(self.folder / "scale.toml"), "--data", str(self.folder / "scale.jsonl")]
        arguments += ["--results", str(self.results), *self.more, *more]
        before = self.size()
        return measure(start(self.checkout, arguments), lambda: self.size() - before, kill_at)

    def first(self, items: int) -> Cost:
        """Killed at 90%, which is counted in bytes: a first part of the records says how long a line is."""
        self.run("--limit", "1000")
        self.bytes_each = self.size() / 1000
        (self.records() or self.results).parent.rename(self.folder / f"{self.results.name}-small")
        return self.run(kill_at=int(KILLED_AT * self.bytes_each * items))

    def open_store(self) -> Cost:
        folder = str((self.records() or self.results).parent)
        return measure(start(self.checkout, ["-c", OPEN, folder]), lambda: 0)

    def page(self) -> Cost:
        file = self.folder / f"{self.results.name}.html"
        arguments = ["-m", "rimbench", "report", "--html", str(file), "--results", str(self.results)]
        return measure(start(self.checkout, arguments), lambda: 0)

    def check(self, items: int) -> None:
        """Every answer is there, once."""
        seen = bytearray(items * (SAMPLES + 1))  # the peak of what is started counts from this process's memory
        lines = 0
        with (self.records() or self.results).open() as file:
            for line in file:
                record = json.loads(line)
                seen[int(record["item_id"][1:]) * (SAMPLES + 1) + record["sample"]] = 1
                lines += 1
        if not lines == sum(seen) == items * (SAMPLES + 1):
            raise RuntimeError(f"{lines} lines hold {sum(seen)} answers of {items * (SAMPLES + 1)}")


def tell(step: str, costs: list[Cost]) -> None:
    for cost, name in zip(costs, ("", ", the other build"), strict=False):
        line = f"{step}{name}: {cost.wall_s:.1f} s, {cost.cpu_s:.1f} s of CPU, peak {cost.peak_bytes / 2**20:.0f} MB"
        if cost.first_wall_s is not None:
            line += f"; first record after {cost.first_wall_s:.1f} s, {cost.first_cpu_s:.1f} s of CPU"
        print(line, flush=True)
    if len(costs) > 1:
        ours, theirs = costs
        ratios = [("CPU", theirs.cpu_s / ours.cpu_s), ("peak", theirs.peak_bytes / ours.peak_bytes)]
        if ours.first_cpu_s and theirs.first_cpu_s:
            ratios.append(("CPU to the first record", theirs.first_cpu_s / ours.first_cpu_s))
        print(f"{step}: the other takes {', '.join(f'{ratio:.2f} x {name}' for name, ratio in ratios)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--against", type=Path, help="a checkout of another build")
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_suite(folder, asked.items)
        checkouts = [HERE, *([asked.against.resolve()] if asked.against else [])]
        more = ["--workers", str(asked.workers), "--batch-size", "64"] if asked.workers > 1 else []
        sides = [Side(checkout, folder, f"side-{i}", more) for i, checkout in enumerate(checkouts)]
        costs = [side.first(asked.items) for side in sides]
        tell(f"{asked.items} x {SAMPLES + 1}, killed at 90%", costs)
        for side, cost in zip(sides, costs, strict=True):
            rate = (cost.bytes_a_second or 0) / side.bytes_each * (SAMPLES + 1)
            print(f"{rate:.0f} records a second from the first one on, load {os.getloadavg()[0]:.1f}", flush=True)
        tell("gone on with", [side.run() for side in sides])
        for side in sides:
            side.check(asked.items)
        print("no record was lost or doubled", flush=True)
        tell("nothing left to answer", [side.run() for side in sides])
        tell("the store opened", [side.open_store() for side in sides])
        tell("report --html", [side.page() for side in sides])


if __name__ == "__main__":
    main()
