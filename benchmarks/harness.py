"""What the harness itself costs: `rimbench run` against the bare engine on the same prompts, N = 1000.

    python benchmarks/harness.py

Both sides answer the same 1,000 generated questions with the same tiny random model, in this process, in turn, each
first in every other round, loading and tokenising left out: one side is `run_cell` with its records, the other hands
the engine the same batches, made beforehand, and throws the answers away. No text's extraction is remembered from an
earlier round. The smaller the model the larger the harness looms. Printed are the medians of the rounds' ratios, in
CPU seconds and by the clock. Targets: a ratio of at most 1.04 for a readout and 1.03 for 8 tokens.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from rimbench import engines, extraction
from rimbench.engines import Engine, EngineChoice, Limits
from rimbench.running.batches import plan
from rimbench.running.loop import run_cell
from rimbench.running.plans import PlannedRun, RunSettings, plan_runs
from rimbench.store import RunStore
from rimbench.suites import load
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import tiny  # the smallest checkpoint that both engines load

N = 1000
ROUNDS = 7

Seconds = tuple[float, float]
"""Of CPU, and of the clock."""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        checkpoint = tiny.make_checkpoint(folder / "checkpoint")
        suite = load(str(tiny.write_suite(folder, N)))
        styles = {
            "readout": (AnswerStyle("readout"), 1.04),
            "8 tokens, as RiM's card": (AnswerStyle("generate", "first_letter", max_new_tokens=8), 1.03),
            "free text, 32 tokens": (AnswerStyle("generate", max_new_tokens=32), 1.03),
        }
        for label, (style, most) in styles.items():
            system = System("tiny", "", Weights(path=str(checkpoint)), PromptStyle(), style)
            settings = RunSettings(folder / "results", engine="transformers")
            [run] = plan_runs([system], [suite], settings)
            facts = engines.find("transformers").describe(EngineChoice())
            with engines.open_engine(checkpoint, facts, Limits(1024, 0)) as engine:
                bare, harness = measure(run, engine, folder / label)
            cpu, wall = (statistics.median(h[j] / b[j] for h, b in zip(harness, bare, strict=True)) for j in range(2))
            print(
                f"{label}: bare engine {statistics.median(b[0] for b in bare):.3f} s of CPU, ratio {cpu:.3f} "
                f"(by the clock {wall:.3f}; target {most}), N = {N}, {ROUNDS} rounds"
            )


def measure(run: PlannedRun, engine: Engine, folder: Path) -> tuple[list[Seconds], list[Seconds]]:
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
    for number in range(ROUNDS):
        for ask, taken in sides[:: 1 if number % 2 else -1]:
            extraction._read_again.cache_clear()
            cpu, wall = time.process_time(), time.perf_counter()
            ask(number)
            taken.append((time.process_time() - cpu, time.perf_counter() - wall))
    return bare, harness


if __name__ == "__main__":
    main()
