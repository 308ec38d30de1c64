"""Shortcut controls: the same item shown with its options in another order, or without its question.

An item -> what is shown of it, and the way back from a shown letter to the item's own. Pure.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import overload

from rimbench.records import Item
from rimbench.records.items import Items


@dataclass(frozen=True, slots=True)
class Controls:
    """What is changed about every item: the order of its options, by a seed or moved up by so many places, or its
    question left out (`blind`).
    """

    permute_options: int | None = None
    blind: bool = False
    rotate_options: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An item as it is put to a model; `own_letters` maps each shown letter to the item's own one."""

    item: Item
    own_letters: Mapping[str, str]


def show_item(item: Item, controls: Controls) -> Shown:
    """The item under the controls. An order depends on the seed and the item alone, whatever the machine."""
    letters = list(item.options)
    order = list(letters)
    if controls.permute_options is not None:
        random.Random(f"options:{controls.permute_options}:{item.item_id}").shuffle(order)
    if controls.rotate_options is not None:
        places = controls.rotate_options % len(order)
        order = order[places:] + order[:places]
    own = dict(zip(letters, order, strict=True))
    if order == letters and not controls.blind:
        return Shown(item, own)
    shown = replace(
        item,
        question="" if controls.blind else item.question,
        options={letter: item.options[own[letter]] for letter in letters},
        gold=next(letter for letter in letters if own[letter] == item.gold),
    )
    return Shown(shown, own)


class ShownItems(Sequence[Shown]):
    """Items under the controls, each made when it is asked for."""

    def __init__(self, items: Items, controls: Controls) -> None:
        self._items, self._controls = items, controls

    @property
    def item_ids(self) -> Sequence[str]:
        """The items' ids, in their order."""
        return self._items.ids

    def of(self, item_id: str) -> Shown:
        """The item of that id."""
        return show_item(self._items.by_id[item_id], self._controls)

    @overload
    def __getitem__(self, place: int) -> Shown: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Shown, ...]: ...

    def __getitem__(self, place: int | slice) -> Shown | tuple[Shown, ...]:
        if isinstance(place, slice):
            return tuple(show_item(item, self._controls) for item in self._items[place])
        return show_item(self._items[place], self._controls)

    def __iter__(self) -> Iterator[Shown]:
        return (show_item(item, self._controls) for item in self._items)

    def __len__(self) -> int:
        return len(self._items)
