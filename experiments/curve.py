"""The learning curve: does memory pay, and with how many examples? `nox -s curve` runs it, resumably.

nano-direct, nano-rim-v2 and nano-cot are each trained from the same base on the first 500, 2,000, 8,000 and 32,000
examples of the same data, 65% of them open-ended, until their own validation stops improving (2,000 steps at most,
RiM 2,300: a third of what the shipped family has), with two seeds, and asked the 1,000 questions of demo-in-dist,
which nobody trained on. What is trained and answered is kept in the working folder. `docs/curve.json` holds every
accuracy with its interval, the paired differences, and every memory budget; it is printed, and `docs/curve.svg` shows
it. Arguments, if any, are the numbers of examples to do.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus import tuning_rows
from family import DOCS, PACKED, WORK, cores, train, write_rows
from figures import draw_curve

from rimbench.reporting.budgets import read_sweep
from rimbench.reporting.reading import RunData, read_run
from rimbench.statistics.estimate import Estimate, accuracy
from rimbench.statistics.verdict import compare_outcomes

SIZES = (500, 2_000, 8_000, 32_000)
OPEN_ENDED = 0.65
RECIPES = Path(__file__).with_name("recipes")
SYSTEMS = {
    "direct": str(RECIPES / "curve-direct.toml"),
    "rim-v2": str(RECIPES / "curve-rim-v2.toml"),
    "cot": "nano-cot",
}
"""What is trained, and by which recipe."""
SEEDS = (0, 1)
SUITE = "demo-in-dist"


@dataclass(frozen=True, slots=True)
class Point:
    """One training: which system, on how many examples, with which seed."""

    system: str
    examples: int
    seed: int

    @property
    def folder(self) -> Path:
        """Where it is trained and answered."""
        return WORK / "curve" / f"{self.system}-{self.examples}-{self.seed}"


def main() -> None:
    """Do what is missing of every point, then draw what is there."""
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    points = [Point(system, size, seed) for size in sizes for seed in SEEDS for system in SYSTEMS]
    for point in points:
        write_rows(data_of(point), tuning_rows(point.seed, point.examples, OPEN_ENDED))
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(measure, points))
    every = [Point(system, size, seed) for size in SIZES for seed in SEEDS for system in SYSTEMS]
    document = summarise([point for point in every if (point.folder / "done").exists()])
    DOCS.mkdir(exist_ok=True)
    (DOCS / "curve.json").write_text(json.dumps(document, indent=2) + "\n")
    draw_curve(document["accuracies"], document["budgets"], list(SYSTEMS), DOCS / "curve.svg")
    for entry in (*document["accuracies"], *document["differences"]):
        print(shown(entry, f"{entry['examples']:6,} examples, seed {entry['seed']}"))


def data_of(point: Point) -> Path:
    """The rows of a point: the same for every system."""
    return WORK / f"curve-{point.examples}-{point.seed}.jsonl"


def measure(point: Point) -> None:
    """Train a point and answer the suite with it; a RiM system at every memory budget."""
    done = point.folder / "done"
    if done.exists():
        return
    recipe = SYSTEMS[point.system]
    checkpoint = train(recipe, PACKED / "base", data_of(point), point.folder / "training", point.seed)
    ask(point.system, checkpoint, point.folder / "results")
    done.touch()


def ask(system: str, checkpoint: Path, results: Path) -> None:
    """Answer the suite; a RiM system at every memory budget."""
    kind = "sweep" if system.startswith("rim") else "run"
    command = [sys.executable, "-m", "rimbench", kind, "--system", f"nano-{system}", "--suite", SUITE]
    command += ["--model", str(checkpoint), "--batch-size", "64", "--results", str(results)]
    print(" ".join(command), flush=True)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")


def summarise(points: list[Point]) -> dict[str, Any]:
    """Every point's accuracy, and for each size and seed rim-v2 against direct and cot, and against its own K = 0."""
    runs = {point: read_run(run_folder(point)) for point in points}
    accuracies, differences = [], []
    for point, run in runs.items():
        entry = {
            "system": f"nano-{point.system}",
            "examples": point.examples,
            "seed": point.seed,
            "n": len(run.answered),
        }
        accuracies.append(entry | estimated(accuracy(run.rights(run.answered))))
        if point.system != "rim-v2":
            continue
        for name in ("direct", "cot"):
            other = runs.get(Point(name, point.examples, point.seed))
            if other is not None:
                differences.append(difference(point, run, other, f"nano-rim-v2 - nano-{name}"))
        without = read_run(run_folder(point, budget=0))
        differences.append(difference(point, run, without, "nano-rim-v2, K = 8 - K = 0"))
    return {"suite": SUITE, "accuracies": accuracies, "differences": differences, "budgets": budgets(points)}


def run_folder(point: Point, budget: int = 8) -> Path:
    """The one run of a point; of a sweep, the run at a memory budget."""
    return run_in(point.folder / "results", point.system, budget)


def run_in(results: Path, system: str, budget: int = 8) -> Path:
    """The one run of a results folder; of a RiM system's sweep, the run at a memory budget."""
    found = f"*-sweep/k{budget}/manifest.json" if system.startswith("rim") else "*/manifest.json"
    (manifest,) = results.glob(found)
    return manifest.parent


def in_order(folder: Path) -> list[bool]:
    """Whether each item of a run was answered right, by its id."""
    found = read_run(folder)
    right: list[bool] = found.rights(sorted(found.answered, key=lambda item: item.item_id)).tolist()
    return right


def difference(point: Point, run: RunData, other: RunData, name: str) -> dict[str, Any]:
    """One paired difference, item by item."""
    entry = {"pair": name, "examples": point.examples, "seed": point.seed}
    return entry | compared(run.rights(run.answered).tolist(), other.rights(run.answered).tolist())


def compared(a: Sequence[bool], b: Sequence[bool]) -> dict[str, Any]:
    """The first's accuracy minus the second's on the same items, as the document states it."""
    found = compare_outcomes(a, b)
    assert found is not None
    return estimated(found.difference) | {"p_value": found.p_value}


def shown(entry: dict[str, Any], of: str) -> str:
    """One line of a document's accuracies or differences."""
    sign = "+" if "pair" in entry else ""
    value, *ends = (f"{100 * share:{sign}.1f}" for share in (entry["value"], *(entry["ci95"] or ())))
    interval = f"[{', '.join(ends)}]" if ends else f"({entry['method']})"
    return f"{of}  {entry.get('system') or entry['pair']:38} {value:>5} {interval}"


def estimated(estimate: Estimate | None) -> dict[str, Any]:
    """An estimate as the document states it; its interval is null where the method has none to give."""
    assert estimate is not None
    known = estimate.lo is not None and estimate.hi is not None
    ends = [round(x, 4) for x in (estimate.lo, estimate.hi)] if known else None  # type: ignore[arg-type]
    return {"value": round(estimate.value, 4), "ci95": ends}


def budgets(points: list[Point]) -> list[dict[str, Any]]:
    """The accuracy at every memory budget of every RiM point."""
    found = []
    for point in points:
        if point.system.startswith("rim"):
            outcome = read_sweep([run_folder(point, budget) for budget in range(9)])
            shown = {str(b.k): round(b.accuracy.value, 4) for b in outcome.budgets if b.accuracy}
            found.append({"examples": point.examples, "seed": point.seed, "accuracy": shown})
    return found


if __name__ == "__main__":
    main()
