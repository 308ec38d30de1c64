"""What the shipped memory does where no options are shown: `nox -s interventions`, in docs/interventions.json.

`rimbench ablate` asks suites, whose questions have options. The fresh chains of `open_ended.py` are asked here, the
value read out among all that there are, with the same interventions on the memory of nano-rim-v2: each against the
intact memory, item by item, with Holm over all of them. A donor is the next chain whose value is another.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from family import DOCS, PACKED
from open_ended import BLOCKS, MEMORY_TOKENS, batches, fresh_items, prompts

from rimbench import checkpoints
from rimbench.engines import Decoding, EngineFacts, Request
from rimbench.records import INTACT, Intervention, Prompt
from rimbench.rim.blocks import Memory, block_token_ids
from rimbench.rim.readout import ReadoutRequest
from rimbench.running.intervening import Ablated, PackedAblation
from rimbench.statistics.estimate import accuracy
from rimbench.statistics.verdict import compare_outcomes, judge_family
from rimbench.suites.titration import LARGEST_MG, Titration

FACTS = EngineFacts("transformers", "cpu", "float32")
SEED, AT_ONCE = 0, 16
INTERVENTIONS = (
    Intervention(INTACT),
    Intervention("filler"),
    Intervention("transplant"),
    Intervention("mean"),
    Intervention("noise"),
    Intervention("shuffle"),
    *(Intervention("drop-k", block=block) for block in range(1, BLOCKS + 1)),
    Intervention("blind-readout"),
)
NAMES = tuple(done.name for done in INTERVENTIONS)


def main() -> None:
    """Ask every chain under every intervention, and keep and print what comes of it."""
    items = fresh_items()
    answers = answered(items)
    values = [item.values[-1] for item in items]
    right = {name: [a == value for a, value in zip(given, values, strict=True)] for name, given in answers.items()}
    compared = {name: compare_outcomes(right[name], right[INTACT]) for name in NAMES[1:]}
    pairs = [pair for pair in compared.values() if pair is not None]
    intact = accuracy(right[INTACT])
    assert intact is not None and len(pairs) == len(compared)  # there are items
    found: list[dict[str, Any]] = []
    print(f"{INTACT:14} {100 * intact.value:5.1f}")
    for name, pair, judged in zip(compared, pairs, judge_family(pairs), strict=True):
        own = accuracy(right[name])
        changed = sum(a != b for a, b in zip(answers[name], answers[INTACT], strict=True))
        assert own is not None
        entry: dict[str, Any] = {"intervention": name, "accuracy": asdict(own), "difference": asdict(pair.difference)}
        entry |= {"p_adjusted": judged.p_adjusted, "verdict": judged.verdict, "changed": changed}
        told = f"{100 * own.value:5.1f}  {points(pair.difference)}  {judged.p_adjusted:8.2g}  {judged.verdict}"
        if name == "transplant":
            donors = [values[place] for place in donors_of(values)]
            follows = sum(a == value for a, value in zip(answers[name], donors, strict=True)) / len(items)
            entry["follows_donor"] = follows
            told += f"; {100 * follows:.1f}% give the donor's value"
        found.append(entry)
        print(f"{name:14} {told}; {changed} answers changed")
    document = {"system": "nano-rim-v2", "items": len(items), "intact": asdict(intact), "interventions": found}
    (DOCS / "interventions.json").write_text(json.dumps(document, indent=2) + "\n")


def points(difference: object) -> str:
    """A difference in points with its interval."""
    value, lo, hi = (100 * (getattr(difference, part) or 0) for part in ("value", "lo", "hi"))
    return f"{value:+6.1f} [{lo:+.1f}, {hi:+.1f}]"


def donors_of(values: Sequence[int]) -> list[int]:
    """By place, that of the next value which is another, from the last one on to the first."""
    count = len(values)
    return [
        next(place % count for place in range(i + 1, i + count) if values[place % count] != value)
        for i, value in enumerate(values)
    ]


def answered(items: Sequence[Titration]) -> dict[str, list[int]]:
    """By intervention, the value that is read out of each item."""
    folder = PACKED / "rim-v2"
    tokenizer = checkpoints.read_tokenizer(folder)
    tokens = {str(value): tokenizer.convert_tokens_to_ids(str(value)) for value in range(1, LARGEST_MG + 1)}
    block = block_token_ids(tokenizer, Memory(BLOCKS, MEMORY_TOKENS))
    prefix = tuple(tokenizer.encode(r"\boxed{", add_special_tokens=False))
    neutral = tuple(tokenizer.encode(".", add_special_tokens=False)) * len(block) * BLOCKS
    questions = [tuple(ids) for batch in batches(items) for ids in prompts(tokenizer, batch)]
    ids = list(map(str, range(len(items))))
    rows = {
        item_id: ReadoutRequest(question, (block,) * BLOCKS, prefix, tuple(tokens.values()))
        for item_id, question in zip(ids, questions, strict=True)
    }
    donors = dict(zip(ids, map(str, donors_of([item.values[-1] for item in items])), strict=True))
    ablated = Ablated(INTERVENTIONS, rows, dict.fromkeys(ids, neutral), donors, SEED)
    found: dict[str, list[int]] = {name: [] for name in NAMES}
    with PackedAblation(folder, FACTS, ablated) as model:
        for start in range(0, len(ids), AT_ONCE):
            for done in INTERVENTIONS:
                asked = [
                    Request(item_id, Prompt("", (), "", tokens), (0,), Decoding(True, 1), done)
                    for item_id in ids[start : start + AT_ONCE]
                ]
                found[done.name] += [int(a.text) for group in model.answer(asked, SEED) for _, [a] in group]
    return found


if __name__ == "__main__":
    main()
