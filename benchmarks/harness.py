"""What the harness itself costs: `rimbench run` against the bare engine on the same prompts.

    python benchmarks/harness.py [--data questions.jsonl]

Both sides answer the same questions with the same model, in this process, in turn, each first in every other round,
loading and tokenising left out: one side is `run_cell` with its records, the other hands the engine the same batches,
made beforehand, and throws the answers away. No text's extraction is remembered from an earlier round.

The smaller the model the larger the harness looms: 1,000 generated questions are put to the tests' tiny random one,
beside 32 of MedQA to SmolLM2-135M, from --data or the file that RIMBENCH_MEDQA names. Printed are the medians of the
rounds' ratios, in CPU seconds and by the clock. Targets: at most 1.04 for a readout, 1.03 for written text.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rimbench import engines, extraction, systems
from rimbench.engines import Engine, EngineChoice, Limits
from rimbench.errors import RimbenchError
from rimbench.running.batches import plan
from rimbench.running.loop import run_cell
from rimbench.running.plans import PlannedRun, RunSettings, plan_runs
from rimbench.store import RunStore
from rimbench.suites import Suite, load
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import tiny  # the smallest checkpoint that both engines load

STYLES = {
    "readout": (AnswerStyle("readout"), 1.04),
    "8 tokens, as RiM's card": (AnswerStyle("generate", "first_letter", max_new_tokens=8), 1.03),
    "free text, 32 tokens": (AnswerStyle("generate", max_new_tokens=32), 1.03),
}

Seconds = tuple[float, float]
"""Of CPU, and of the clock."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("RIMBENCH_MEDQA"))
    data: Path | None = parser.parse_args().data
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tiny_model = Weights(path=str(tiny.make_checkpoint(folder / "checkpoint")))
        tell("tiny", tiny_model, load(str(tiny.write_suite(folder, 1000))), 7, folder)
        if data is None:
            print("SmolLM2-135M: not measured, no --data and no RIMBENCH_MEDQA names a file of MedQA's questions")
            return
        try:
            suite, weights = load("medqa", data=data, limit=32), systems.load("smollm2").weights
            tell("SmolLM2-135M", weights, suite, 3, folder)
        except RimbenchError as error:
            print(f"SmolLM2-135M: not measured, {error}")


def tell(model: str, weights: Weights, suite: Suite, rounds: int, folder: Path) -> None:
    """Print what the harness costs beside a model, for each way of answering."""
    for label, (style, most) in STYLES.items():
        system = System(model, "", weights, PromptStyle(), style)
        [run] = plan_runs([system], [suite], RunSettings(folder / "results", engine="transformers"))
        facts = engines.find("transformers").describe(EngineChoice())
        with engines.open_engine(run.checkpoint.folder, facts, Limits(1024, 0)) as engine:
            bare, harness = measure(run, engine, folder / model / label, rounds)
        cpu, wall = (statistics.median(h[j] / b[j] for h, b in zip(harness, bare, strict=True)) for j in range(2))
        print(
            f"{model}, {label}: bare engine {statistics.median(b[0] for b in bare):.3f} s of CPU, ratio {cpu:.3f} "
            f"(by the clock {wall:.3f}; target {most}), N = {len(suite.items)}, {rounds} rounds"
        )


def measure(run: PlannedRun, engine: Engine, folder: Path, rounds: int) -> tuple[list[Seconds], list[Seconds]]:
    """What the bare engine took in each round, and what `run_cell` did."""
    batches = list(plan(run.cell, run.facts.batch_size, set(), together=engine.shares_prompts))

    def ask_engine(_: int) -> None:
        for batch in batches:
            list(engine.answer(batch, 0))

    def ask_all(number: int) -> None:
        with RunStore(folder / str(number)) as store:
            run_cell(run.cell, run.facts, engine, store, lambda records: None)

    bare, harness = list[Seconds](), list[Seconds]()
    sides = [(ask_engine, bare), (ask_all, harness)]
    for number in range(rounds):
        for ask, taken in sides[:: 1 if number % 2 else -1]:
            extraction._read_again.cache_clear()
            cpu, wall = time.process_time(), time.perf_counter()
            ask(number)
            taken.append((time.process_time() - cpu, time.perf_counter() - wall))
    return bare, harness


if __name__ == "__main__":
    main()
