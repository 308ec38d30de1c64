"""What the harness itself costs: `rimbench run` against the bare engine on the same prompts, N = 1000.

    python benchmarks/harness.py

Both sides answer the same 1,000 generated questions with the same tiny random model, in this process, interleaved,
loading left out: one side is `run_cell` with its records, the other calls the engine on the same batches and throws
the answers away. The smaller the model the larger the harness looms. Targets: a ratio of
at most 1.04 for a readout and 1.03 for 8 tokens.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from rimbench import engines
from rimbench.engines import EngineChoice, Limits
from rimbench.running.batches import plan
from rimbench.running.loop import run_cell
from rimbench.running.plans import RunSettings, plan_runs
from rimbench.store import RunStore
from rimbench.suites import load
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import tiny  # the smallest checkpoint that both engines load

N = 1000
ROUNDS = 3


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
                bare, harness = [], []
                for i in range(ROUNDS):
                    start = time.perf_counter()
                    for batch in plan(run.cell, facts.batch_size, set(), together=engine.shares_prompts):
                        list(engine.answer(batch, 0))
                    bare.append(time.perf_counter() - start)
                    start = time.perf_counter()
                    with RunStore(folder / "results" / f"{label}-{i}") as store:
                        run_cell(run.cell, facts, engine, store, lambda records: None)
                    harness.append(time.perf_counter() - start)
            ratio = statistics.median(h / b for h, b in zip(harness, bare, strict=True))
            print(
                f"{label}: bare engine {statistics.median(bare):.3f} s, rimbench {statistics.median(harness):.3f} s, "
                f"median ratio {ratio:.3f} (target {most}), N = {N}, {ROUNDS} rounds"
            )


if __name__ == "__main__":
    main()
