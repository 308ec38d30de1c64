"""Does memory pay, and on which questions? `nox -s open_ended` trains and asks, resumably.

The shipped regime with two seeds: nano-direct, nano-rim-v2 and nano-cot, tuned from the base on 8,000 examples in the
card's mixture, 91% of them open-ended, until their own validation stops improving; direct may take as many steps as
both stages of RiM together. They are asked the multiple-choice questions of demo-in-dist, and 1,000 fresh chains of 2
to 4 steps without options, as no suite asks, since its answers are letters: there the value is read out in one pass
over every whole dose, RiM's at each memory budget; CoT writes it. Whoever has no options has no letter to find and,
but for memory, no tokens after the events to work in. With one seed RiM is trained without the shift of steps, too.

`docs/open-ended.json` holds every accuracy with its interval and the paired differences; they are printed, and
`docs/open-ended.svg` shows them.
"""

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from corpus import tuning_rows
from curve import RECIPES, ask, compared, estimated, in_order, run_in, shown
from family import DOCS, PACKED, SEED, TUNING_ROWS, WORK, cores, tune
from figures import draw_budgets

from rimbench import checkpoints
from rimbench.rim.blocks import Memory, block_token_ids
from rimbench.rim.readout import ReadoutRequest, readouts
from rimbench.statistics.estimate import accuracy
from rimbench.suites.titration import LARGEST_MG, Titration, TitrationSettings, generate

TRAINED = ("rim-v2", "direct", "cot")
NO_SHIFT, NO_SHIFT_RECIPE = "rim-v2-shift-0", RECIPES / "rim-v2-shift-0.toml"
SEEDS = (SEED, SEED + 1)
ITEMS, ITEMS_SEED = 1000, 97
BLOCKS, MEMORY_TOKENS = 8, 2
"""As `nano-rim-v2` has them."""
AT_ONCE, MOST_TOKENS = 50, 64
OPEN, CHOICE = "open-ended", "multiple-choice"

Outcomes = list[bool]


def main() -> None:
    """Train what is missing, ask all, and keep what came out."""
    points = [(name, seed, None) for seed in SEEDS for name in TRAINED]
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(lambda point: tune(*point), [*points, (NO_SHIFT, SEED, str(NO_SHIFT_RECIPE))]))
    items = fresh_items()
    base = {"nano-base, one pass": read_out(PACKED / "base", items)[0], "nano-base": write(PACKED / "base", items)}
    document: dict[str, Any] = {"items": ITEMS, "examples": TUNING_ROWS, "accuracies": [], "differences": []}
    drawn: dict[str, dict[int, tuple[list[float], float]]] = {CHOICE: {}, OPEN: {}}
    for seed in SEEDS:
        budgets = read_out(tune("rim-v2", seed), items, BLOCKS)
        direct, cot = read_out(tune("direct", seed), items)[0], write(tune("cot", seed), items)
        found = {OPEN: (budgets, direct, cot, base), CHOICE: (*chosen(seed), {})}
        for kind, (rim, plain, written, others) in found.items():
            by_budget = {f"nano-rim-v2, K = {blocks}": outcomes for blocks, outcomes in enumerate(rim)}
            for name, outcomes in {**others, "nano-cot": written, "nano-direct": plain, **by_budget}.items():
                entry = {"system": name, "kind": kind, "seed": seed}
                document["accuracies"].append(entry | estimated(accuracy(outcomes)))
            pairs = {"nano-direct": plain, "nano-rim-v2, K = 0": rim[0], "nano-cot": written}
            document["differences"] += [
                difference(rim[-1], other, f"nano-rim-v2 - {name}", kind, seed) for name, other in pairs.items()
            ]
            drawn[kind][seed] = ([sum(right) / len(right) for right in rim], sum(plain) / len(plain))
        if seed == SEED:
            unshifted = read_out(tune(NO_SHIFT, seed, str(NO_SHIFT_RECIPE)), items, BLOCKS)[-1]
            pair = "nano-rim-v2 - the same without shift"
            document["differences"].append(difference(budgets[-1], unshifted, pair, OPEN, seed))
    (DOCS / "open-ended.json").write_text(json.dumps(document, indent=2) + "\n")
    draw_budgets(drawn, DOCS / "open-ended.svg")
    for entry in (*document["accuracies"], *document["differences"]):
        print(shown(entry, f"{entry['kind']:15} seed {entry['seed']}"))


def chosen(seed: int) -> tuple[list[Outcomes], Outcomes, Outcomes]:
    """Whether each question of the suite is answered right: by RiM at each budget, by direct, by CoT."""
    for name in TRAINED:
        ask(name, tune(name, seed), WORK / "open-ended" / f"{name}-{seed}")

    def outcomes(name: str, budget: int = BLOCKS) -> Outcomes:
        return in_order(run_in(WORK / "open-ended" / f"{name}-{seed}", name, budget))

    return [outcomes("rim-v2", budget) for budget in range(BLOCKS + 1)], outcomes("direct"), outcomes("cot")


def difference(a: Outcomes, b: Outcomes, pair: str, kind: str, seed: int) -> dict[str, Any]:
    """One paired difference, item by item."""
    return {"pair": pair, "kind": kind, "seed": seed} | compared(a, b)


def fresh_items(seeds: Sequence[int] = SEEDS, count: int = ITEMS, drawn: int = ITEMS_SEED) -> list[Titration]:
    """So many questions of a draw that nobody was tuned on with these seeds, no question twice."""
    asked = {row["messages"][0]["content"] for seed in seeds for row in tuning_rows(seed, TUNING_ROWS)}  # type: ignore[index]
    questions = {text.partition("\n")[0] for text in asked}
    found: dict[str, Titration] = {}
    place = 0
    while len(found) < count:
        item = generate(TitrationSettings((2, 4), (4, 10)), drawn, place)
        if item.question not in questions:
            found.setdefault(item.question, item)
        place += 1
    return list(found.values())


def read_out(folder: Path, items: Sequence[Titration], blocks: int = 0) -> list[Outcomes]:
    """Whether each item's value is read out in one pass: a list for each budget from K = 0 to `blocks`."""
    tokenizer, model = load(folder)
    values = tuple(tokenizer.convert_tokens_to_ids(str(value)) for value in range(1, LARGEST_MG + 1))
    block = block_token_ids(tokenizer, Memory(blocks, MEMORY_TOKENS)) if blocks else ()
    prefix = tuple(tokenizer.encode(r"\boxed{", add_special_tokens=False))
    found: list[Outcomes] = [[] for _ in range(blocks + 1)]
    for batch in batches(items):
        asked = prompts(tokenizer, batch)
        requests = [ReadoutRequest(tuple(ids), (block,) * blocks, prefix, values) for ids in asked]
        for item, table in zip(batch, readouts(model, requests, range(blocks + 1)), strict=True):
            for outcomes, best in zip(found, table.argmax(-1).tolist(), strict=True):
                outcomes.append(best + 1 == item.values[-1])
    return found


def write(folder: Path, items: Sequence[Titration]) -> Outcomes:
    """Whether each item's value stands in the box at the end of what is written, greedily."""
    tokenizer, model = load(folder)
    found: Outcomes = []
    for batch in batches(items):
        ids = prompts(tokenizer, batch)
        width = max(map(len, ids))
        padded = torch.tensor([[tokenizer.pad_token_id] * (width - len(row)) + row for row in ids])
        seen = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ids])
        written = model.generate(padded, attention_mask=seen, do_sample=False, max_new_tokens=MOST_TOKENS)
        for item, text in zip(batch, tokenizer.batch_decode(written[:, width:]), strict=True):
            box = re.search(r"\\boxed\{(\d+)\}", text)
            found.append(box is not None and int(box[1]) == item.values[-1])
    return found


def load(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and model of a checkpoint."""
    return checkpoints.read_tokenizer(folder), checkpoints.load_model(folder, "float32").eval()


def prompts(tokenizer: Any, items: Sequence[Titration]) -> list[list[int]]:
    """Token ids of the questions alone, up to the reply."""
    asked = [[{"role": "user", "content": item.question}] for item in items]
    found: list[list[int]] = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False)
    return found


def batches(items: Sequence[Titration]) -> Iterator[Sequence[Titration]]:
    """The items, some at a time."""
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


if __name__ == "__main__":
    main()
