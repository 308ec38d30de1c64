"""Overlap: how many of a suite's questions share words in a row with the training data. Pure.

Words are those of `suites.slices.normalised`. A question counts as shared where 13 of its words in a row stand in a
training example, in its question or in its reasoning (13-grams: Brown et al. 2020, appendix C). One of 8 to 12 words
counts where all of it stands in a training question; a shorter one says too little to tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rimbench.records import Item
from rimbench.suites.slices import normalised
from rimbench.training.data import Example

WORDS = 13
FEWEST_WORDS = 8

Gram = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """One suite against the training data: of `n` questions, those shared, and how many are too short to tell."""

    suite: str
    n: int
    shared: tuple[str, ...]
    too_short: int

    def __str__(self) -> str:
        share = f" ({100 * len(self.shared) / self.n:.1f}%)" if self.n else ""
        short = f", {self.too_short} too short to tell" if self.too_short else ""
        return f"{self.suite}: {len(self.shared)} of {self.n} questions share {WORDS} words in a row{share}{short}"


def find_overlap(suites: Mapping[str, Sequence[Item]], examples: Iterable[Example]) -> tuple[Overlap, ...]:
    """Each suite's overlap with the examples, which are read once; memory grows with the suites alone."""
    grams: dict[int, set[Gram]] = {}
    asked = {name: [_grams_of(item.question) for item in items] for name, items in suites.items()}
    for item_grams in (found for items in asked.values() for found in items):
        for gram in item_grams:
            grams.setdefault(len(gram), set()).add(gram)
    found: set[Gram] = set()
    for example in examples:
        found |= _found_in(example, grams)
    return tuple(
        Overlap(
            suite=name,
            n=len(items),
            shared=tuple(i.item_id for i, own in zip(items, asked[name], strict=True) if not found.isdisjoint(own)),
            too_short=sum(not own for own in asked[name]),
        )
        for name, items in suites.items()
    )


def _grams_of(question: str) -> set[Gram]:
    """All runs of 13 words, or the whole of a shorter question; nothing for one below 8 words."""
    words = normalised(question).split()
    return _runs(words, WORDS) or ({tuple(words)} if len(words) >= FEWEST_WORDS else set())


def _found_in(example: Example, grams: Mapping[int, set[Gram]]) -> set[Gram]:
    question, reasoning = normalised(example.question).split(), normalised(example.reasoning).split()
    found: set[Gram] = set()
    for length, wanted in grams.items():
        found |= wanted & _runs(question, length)
        if length == WORDS:
            found |= wanted & _runs(reasoning, length)
    return found


def _runs(words: Sequence[str], length: int) -> set[Gram]:
    return set(zip(*(words[start:] for start in range(length)), strict=False))
