"""What the shipped memory does where no options are shown: `nox -s interventions`, in docs/interventions.json.

`rimbench ablate` asks suites, whose questions have options. The fresh chains of `open_ended.py` are asked here, the
value read out among all that there are, with the same interventions on the memory of nano-rim-v2: each against the
intact memory, item by item, with Holm over all of them. A donor is the next chain whose value is another.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import torch
from family import DOCS, PACKED
from open_ended import BLOCKS, MEMORY_TOKENS, batches, fresh_items, load, prompts

from rimbench.rim.blocks import Memory, block_token_ids
from rimbench.rim.interventions import (
    Branch,
    MemoryValues,
    Moments,
    behind_blocks_alone,
    holding,
    instead_of_blocks,
    read_branches,
    read_memory,
    reordered,
    without_block,
)
from rimbench.rim.mask import Readout
from rimbench.rim.readout import ReadoutRequest
from rimbench.statistics.estimate import accuracy
from rimbench.statistics.verdict import compare_outcomes, judge_family
from rimbench.suites.titration import LARGEST_MG, Titration

INTACT = "intact"
DROPS = [f"drop-{k}" for k in range(1, BLOCKS + 1)]
NAMES = (INTACT, "filler", "transplant", "mean", "noise", "shuffle", *DROPS, "blind-readout")
SEED = 0


def main() -> None:
    """Ask every chain under every intervention, and keep and print what comes of it."""
    items = fresh_items()
    answers = dict(zip(NAMES, zip(*answered(items), strict=True), strict=True))
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


def answered(items: Sequence[Titration]) -> Iterator[list[int]]:
    """The value that is read out of each item, under every intervention in the order of their names."""
    tokenizer, model = load(PACKED / "rim-v2")
    options = tuple(tokenizer.convert_tokens_to_ids(str(value)) for value in range(1, LARGEST_MG + 1))
    block = block_token_ids(tokenizer, Memory(BLOCKS, MEMORY_TOKENS))
    prefix = tuple(tokenizer.encode(r"\boxed{", add_special_tokens=False))
    neutral = tokenizer.encode(".", add_special_tokens=False) * len(block) * BLOCKS
    rows = [
        ReadoutRequest(tuple(ids), (block,) * BLOCKS, prefix, options)
        for batch in batches(items)
        for ids in prompts(tokenizer, batch)
    ]
    with torch.inference_mode():
        held = [own for batch in some(rows) for own in read_memory(model, batch)]
        moments = Moments()
        for own in held:
            moments.add(own)
        donors = donors_of([item.values[-1] for item in items])
        for places in some(range(len(rows))):
            asked = [rows[i] for i in places]
            given = [
                branches(row, i, held, donors[i], moments, neutral) for row, i in zip(asked, places, strict=True)
            ]
            for table, _ in read_branches(model, asked, given):
                yield [int(best) + 1 for best in table.argmax(-1)]


def branches(  # noqa: PLR0913 - what the interventions are made of
    row: ReadoutRequest, place: int, held: Sequence[MemoryValues], donor: int, moments: Moments, neutral: list[int]
) -> list[Branch]:
    """One readout under every intervention, in the order of `NAMES`."""
    order, chance = list(range(BLOCKS)), random.Random(f"{SEED}:{place}")
    while order == list(range(BLOCKS)):
        chance.shuffle(order)
    drawn = moments.noise(torch.Generator().manual_seed(chance.getrandbits(63)))
    return [
        Branch(Readout(row.prefix, BLOCKS)),
        Branch(instead_of_blocks(row, neutral)),
        holding(row, held[donor]),
        holding(row, moments.mean()),
        holding(row, drawn),
        holding(row, reordered(row, held[place], order)),
        *(Branch(without_block(row, k)) for k in range(1, BLOCKS + 1)),
        Branch(behind_blocks_alone(row)),
    ]


def some(sequence: Sequence) -> Iterator[Sequence]:  # type: ignore[type-arg]
    """A few at a time."""
    return (sequence[start : start + 16] for start in range(0, len(sequence), 16))


if __name__ == "__main__":
    main()
