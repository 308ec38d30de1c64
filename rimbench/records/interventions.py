"""Interventions on an item's memory, as requests, records and reports name them, and who gives whom its memory."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from rimbench.records.values import Item

InterventionKind = Literal["intact", "filler", "transplant", "mean", "noise", "shuffle", "drop-k", "blind-readout"]
INTACT: Literal["intact"] = "intact"
KINDS: tuple[InterventionKind, ...] = get_args(InterventionKind)[1:]
"""Every intervention, in the order in which they are shown; `intact` is none."""


@dataclass(frozen=True, slots=True)
class Intervention:
    """What is done to the memory of every item: `block` (1..K) is the one that `drop-k` hides, `tokens` the number
    of neutral tokens that are the `filler`.
    """

    kind: InterventionKind
    block: int | None = None
    tokens: int | None = None

    @property
    def name(self) -> str:
        """What it is called where each block is dropped in turn."""
        return self.kind if self.block is None else f"drop-{self.block}"


def donors(items: Iterable[Item], seed: int) -> Mapping[str, str | None]:
    """By item, the one whose memory it is given: any of another gold letter that is among its own options.

    It depends on the seed and the items alone. None where there is no such item.
    """
    known = list(items)
    by_gold: dict[str, list[str]] = {}
    for item in known:
        by_gold.setdefault(item.gold, []).append(item.item_id)
    return {item.item_id: _donor(item, by_gold, seed) for item in known}


def _donor(item: Item, by_gold: Mapping[str, list[str]], seed: int) -> str | None:
    groups = [by_gold[letter] for letter in item.options if letter != item.gold and letter in by_gold]
    if not groups:
        return None
    place = random.Random(f"donor:{seed}:{item.item_id}").randrange(sum(map(len, groups)))
    for group in groups:
        if place < len(group):
            break
        place -= len(group)
    return group[place]
