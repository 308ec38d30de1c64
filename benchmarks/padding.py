"""What share of the tokens in the batches that the runner plans is padding, on MedQA at batch 16.

    python benchmarks/padding.py [--data phrases_no_exclude_test.jsonl]

Without --data the questions come from the file that RIMBENCH_MEDQA names, or else from the hub.

Counts the batches that the runner plans, as the transformers engine pads them. Target: under 10%. What is answered
first has to be a random part of the items, so batches are sorted by length within random windows alone. Beside that:
the least there could be, all items sorted at once, windows of other sizes, and the suite's own order.
"""

import argparse
import os
from pathlib import Path

from rimbench import suites, systems
from rimbench.errors import RimbenchError
from rimbench.running import batches
from rimbench.running.batches import plan
from rimbench.running.cell import Cell
from rimbench.running.plans import make_ready
from rimbench.suites.controls import Controls, show_item

BATCH = 16


def padding_share(batches: list[list[int]]) -> float:
    padded = sum(max(batch) * len(batch) for batch in batches)
    return 1 - sum(map(sum, batches)) / padded


def cut(lengths: list[int]) -> list[list[int]]:
    return [lengths[i : i + BATCH] for i in range(0, len(lengths), BATCH)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("RIMBENCH_MEDQA"))
    try:
        suite = suites.load("medqa", data=parser.parse_args().data)
    except RimbenchError as error:
        print(f"padding on MedQA: not measured, {error}")
        return
    system = systems.load("smollm2-direct")
    ready = make_ready(system)
    shown = tuple(show_item(item, Controls()) for item in suite.items)
    prompts = ready.prompts(suite, [each.item for each in shown])
    cell = Cell(system, shown, prompts, 0, 0, ready.context_tokens)
    planned = [[len(r.prompt.token_ids) for r in batch] for batch in plan(cell, BATCH, set())]
    lengths = [len(prompt.token_ids) for prompt in prompts]
    print(f"{len(lengths)} MedQA prompts of {min(lengths)} to {max(lengths)} tokens, batches of {BATCH}")
    share = padding_share(planned)
    print(f"padding, sorted within windows of {batches.WINDOW_BATCHES} batches: {share:.1%} (target under 10%)")
    for window in (1, 4, 16):
        batches.WINDOW_BATCHES = window
        planned = [[len(r.prompt.token_ids) for r in batch] for batch in plan(cell, BATCH, set())]
        print(f"padding, sorted within windows of {window} batches: {padding_share(planned):.1%}")
    print(f"padding, all sorted at once, longest first: {padding_share(cut(sorted(lengths, reverse=True))):.1%}")
    print(f"padding, in the suite's order: {padding_share(cut(lengths)):.1%}")


if __name__ == "__main__":
    main()
