"""How the matching of imported answers grows where questions stand inside whole prompts.

    python benchmarks/importing.py [SIZE ...]

As many answers as the suite has items, each a prompt with the question and its options in it, without ids: questions
of their own words, questions that differ in a number alone, and one question asked of every item with other options.
Ten times as many of both should take about ten times as long. Made from a seed; writing and reading of files is left
out.
"""

import dataclasses
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rimbench.importing import ForeignAnswer, Target, match
from rimbench.records import Item
from rimbench.records.items import Items, ItemTable
from rimbench.suites import Suite, load

SIZES = (2_000, 20_000, 200_000)
WORDS = [a + b + c for a in ("ba", "do", "mi", "ra", "su") for b in "lnrst" for c in ("", "ex", "ine", "ol", "um")]
TOML = (
    'description = "made for a benchmark"\nn = 1000\n[source]\npath = "seed.jsonl"\n[[layout]]\nname = "b"\n'
    'id = "id"\nquestion = "question"\noptions = "options"\ngold = { letter = "gold" }\n'
)


def own_words(place: int, chance: random.Random) -> str:
    return f"{' '.join(chance.choices(WORDS, k=40))} {place}?"


def numbered(place: int, chance: random.Random) -> str:
    return f"Which of the drugs that were named in the case of patient number {place} is given first?"


def the_same(place: int, chance: random.Random) -> str:
    return "Which of the following is true?"


def make_items(size: int, ask: Callable[[int, random.Random], str]) -> list[Item]:
    chance = random.Random(0)
    return [
        Item(
            f"i{place}",
            ask(place, chance),
            {letter: " ".join(chance.choices(WORDS, k=3)) + f" {place}" for letter in "ABCD"},
            chance.choice("ABCD"),
        )
        for place in range(size)
    ]


def prompt(item: Item) -> str:
    options = "\n".join(f"{letter}) {text}" for letter, text in item.options.items())
    return f"Answer with the letter alone.\n\nQuestion: {item.question}\n{options}\nAnswer:"


def measure(suite: Suite, items: list[Item]) -> float:
    answers = [
        ForeignAnswer(f"row {place}", 0, "letter", letter="A", texts=(prompt(item),))
        for place, item in enumerate(items)
    ]
    target = Target(dataclasses.replace(suite, items=Items(ItemTable(items))), tuple(items))
    start = time.perf_counter()
    matching = match(answers, target, "benchmark")
    seconds = time.perf_counter() - start
    assert len(matching.matches) == len(items)
    return seconds


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "seed.jsonl").write_text('{"id": "1", "question": "q", "options": ["a", "b"], "gold": "A"}\n')
        (folder / "seed.toml").write_text(TOML)
        suite = load(str(folder / "seed.toml"))
    for ask in (own_words, numbered, the_same):
        before = None
        for size in sizes:
            seconds = measure(suite, make_items(size, ask))
            growth = "" if before is None else f", {seconds / before[1]:.1f} times for {size / before[0]:.0f} times"
            peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(
                f"{ask.__name__.replace('_', ' ')}: {size:,} items in {seconds:.2f} s, "
                f"{1e6 * seconds / size:.0f} us each{growth}; peak {peak_gb:.2f} GB"
            )
            before = (size, seconds)


if __name__ == "__main__":
    main()
