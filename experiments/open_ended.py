"""Does memory pay where no options are shown? `nox -s open_ended` trains and asks, resumably.

nano-direct, nano-rim-v2 and nano-cot are trained from the shipped base on 8,000 examples in the card's mixture, 91%
of them open-ended, with two seeds, until their own validation stops improving; direct may take as many steps as both
stages of RiM together. They are asked 1,000 fresh chains of 2 to 4 steps without options, as no suite asks, since its
answers are letters. The value is read out in one pass over every whole dose, RiM's at each memory budget; CoT writes.
Whoever has no options has no letter to find and, but for memory, no tokens after the events to work in.

`docs/open-ended.json` holds every accuracy with its interval and the paired differences; they are printed too.
"""

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from corpus import Row, tuning_rows
from curve import estimated
from family import DOCS, PACKED, WORK, cores, train, write_rows

from rimbench.rim.blocks import Memory, block_token_ids
from rimbench.rim.readout import ReadoutRequest, readouts
from rimbench.statistics.estimate import accuracy
from rimbench.statistics.verdict import compare_outcomes
from rimbench.suites.titration import LARGEST_MG, Settings, Titration, generate

RECIPES = Path(__file__).with_name("recipes")
TRAINED = {
    "rim-v2": str(RECIPES / "open-rim-v2.toml"),
    "direct": str(RECIPES / "open-direct.toml"),
    "cot": "nano-cot",
}
EXAMPLES, OPEN_ENDED, SEEDS = 8_000, 0.91, (0, 1)
ITEMS, ITEMS_SEED = 1000, 97
BLOCKS, MEMORY_TOKENS = 8, 2
"""As `nano-rim-v2` has them."""
AT_ONCE, MOST_TOKENS = 50, 64

Outcomes = list[bool]


def main() -> None:
    """Train what is missing, ask all, and keep what came out."""
    asked = {row["messages"][0]["content"] for seed in SEEDS for row in rows(seed)}  # type: ignore[index]
    items = fresh_items(asked)
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(lambda point: trained(*point), [(name, seed) for name in TRAINED for seed in SEEDS]))
    base = {"nano-base, one pass": read_out(PACKED / "base", items)[0], "nano-base": write(PACKED / "base", items)}
    document: dict[str, Any] = {"items": ITEMS, "examples": EXAMPLES, "accuracies": [], "differences": []}
    for seed in SEEDS:
        budgets = read_out(trained("rim-v2", seed), items, BLOCKS)
        rim = {f"nano-rim-v2, K = {blocks}": outcomes for blocks, outcomes in enumerate(budgets)}
        direct, cot = read_out(trained("direct", seed), items)[0], write(trained("cot", seed), items)
        for name, outcomes in {**base, "nano-cot": cot, "nano-direct": direct, **rim}.items():
            document["accuracies"].append({"system": name, "seed": seed} | estimated(accuracy(outcomes)))
        for name, other in {"nano-direct": direct, "nano-rim-v2, K = 0": budgets[0], "nano-cot": cot}.items():
            found = compare_outcomes(budgets[-1], other)
            assert found is not None
            entry = {"pair": f"nano-rim-v2 - {name}", "seed": seed}
            document["differences"].append(entry | estimated(found.difference) | {"p_value": found.p_value})
    (DOCS / "open-ended.json").write_text(json.dumps(document, indent=2) + "\n")
    for entry in (*document["accuracies"], *document["differences"]):
        low, high = entry["ci95"]
        name = entry.get("system") or entry["pair"]
        print(f"seed {entry['seed']}  {name:32} {100 * entry['value']:+6.1f} [{100 * low:.1f}, {100 * high:.1f}]")


def rows(seed: int) -> Iterator[Row]:
    """What every system of a seed is trained on."""
    return tuning_rows(seed, EXAMPLES, OPEN_ENDED)


def trained(name: str, seed: int) -> Path:
    """The checkpoint of a system."""
    data = write_rows(WORK / f"open-{EXAMPLES}-{seed}.jsonl", rows(seed))
    return train(TRAINED[name], PACKED / "base", data, WORK / "open" / f"{name}-{seed}", seed)


def fresh_items(asked: set[str]) -> list[Titration]:
    """Questions that nobody was trained on, no question twice."""
    found: dict[str, Titration] = {}
    place = 0
    while len(found) < ITEMS:
        item = generate(Settings((2, 4), (4, 10)), ITEMS_SEED, place)
        if not any(question.startswith(item.question) for question in asked):
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
    return hf.AutoTokenizer.from_pretrained(folder), hf.AutoModelForCausalLM.from_pretrained(folder).eval()


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
