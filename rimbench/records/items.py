"""Many items in little memory: packed, and unpacked when one is asked for.

As Python objects, the items of a suite of 200,000 questions take 160 MB, and the garbage collector goes through all
of them again and again; packed they take half of that, and are nothing to it.
"""

import marshal
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

from rimbench.records.values import LETTERS, Item

_LETTERS = tuple(LETTERS)
Groups = tuple[str | None, Mapping[str, str] | None]


class ItemTable(Mapping[str, Item]):
    """Items by id, in the order in which they were put in."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._packed: dict[str, bytes] = {}
        for item in items:
            self.put(item)

    def put(self, item: Item) -> None:
        """Add an item behind the others, or in the place of the one that has its id."""
        letters = tuple(item.options)
        kept = None if letters == _LETTERS[: len(letters)] else letters  # nearly always the first ones
        facets = dict(item.facets) if item.facets else None
        packed = (item.question, item.gold, item.cluster, facets, kept, *item.options.values())
        self._packed[item.item_id] = marshal.dumps(packed)

    def put_lettered(
        self, item_id: str, question: str, options: Iterable[str], gold: str, groups: Groups = (None, None)
    ) -> None:
        """Add an item by its parts, its options under the first letters: a third of the time of making it first.

        `groups` are its cluster and its facets.
        """
        cluster, facets = groups
        plain = dict(facets) if facets else None
        self._packed[item_id] = marshal.dumps((question, gold, cluster, plain, None, *options))

    def contents(self) -> Iterator[tuple[str, str, list[str], str]]:
        """Each item's id, question, options in their order, and gold letter, without making it."""
        for item_id, packed in self._packed.items():
            question, gold, _, _, _, *options = marshal.loads(packed)
            yield item_id, question, options, gold

    def drop(self, item_id: str) -> bool:
        """Take an item out; False where there is none of that id."""
        return self._packed.pop(item_id, None) is not None

    def in_order(self, item_ids: Iterable[str]) -> "ItemTable":
        """A table of these items, in the order of their ids here."""
        ordered = ItemTable()
        ordered._packed = {item_id: self._packed[item_id] for item_id in item_ids}
        return ordered

    def __getitem__(self, item_id: str) -> Item:
        return _unpacked(item_id, self._packed[item_id])

    def each(self) -> Iterator[Item]:
        """The items in their order, as `values` gives them, in half of its time."""
        return map(_unpacked, self._packed.keys(), self._packed.values())

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def _unpacked(item_id: str, packed: bytes) -> Item:
    question, gold, cluster, facets, letters, *texts = marshal.loads(packed)
    return Item(item_id, question, dict(zip(letters or _LETTERS, texts, strict=False)), gold, cluster, facets)


class Items(Sequence[Item]):
    """The items of a table in its order, by their places; equal to any sequence of the same items."""

    def __init__(self, by_id: ItemTable) -> None:
        self.by_id = by_id

    @cached_property
    def ids(self) -> Sequence[str]:
        """The items' ids, in their order."""
        return list(self.by_id)

    @overload
    def __getitem__(self, place: int) -> Item: ...

    @overload
    def __getitem__(self, place: slice) -> "Items": ...

    def __getitem__(self, place: int | slice) -> "Item | Items":
        if isinstance(place, slice):
            return Items(self.by_id.in_order(self.ids[place]))
        return self.by_id[self.ids[place]]

    def __iter__(self) -> Iterator[Item]:
        return self.by_id.each()

    def __len__(self) -> int:
        return len(self.by_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(operator.eq, self, other))

    __hash__ = None  # type: ignore[assignment]
