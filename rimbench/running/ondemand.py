"""Sequences whose values are made when they are asked for: a suite may have more prompts than memory holds."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")

HELD = 8192
"""So many values are made once and held, which saves making them again for every pass over them."""
BLOCK = 256
"""At most so many are made at once: what making them takes besides grows with their number."""


class OnDemand(Sequence[T]):
    """A sequence of which `make` gives the values at any places."""

    def __init__(self, count: int, make: Callable[[Sequence[int]], Sequence[T]]) -> None:
        self._count, self._make = count, make
        self._held: Sequence[T] | None = None

    def take(self, places: Sequence[int]) -> Sequence[T]:
        """The values at these places, made together."""
        if self._count > HELD:
            return self._make_in_blocks(places)
        if self._held is None:
            self._held = self._make_in_blocks(range(self._count))
        return [self._held[place] for place in places]

    def _make_in_blocks(self, places: Sequence[int]) -> list[T]:
        blocks = (self._make(places[start : start + BLOCK]) for start in range(0, len(places), BLOCK))
        return list(itertools.chain.from_iterable(blocks))

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...

    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        places = range(self._count)[place]
        return tuple(self.take(places)) if isinstance(places, range) else self.take([places])[0]

    def __iter__(self) -> Iterator[T]:
        for start in range(0, self._count, BLOCK):
            yield from self.take(range(self._count)[start : start + BLOCK])

    def __len__(self) -> int:
        return self._count


def take(values: Sequence[T], places: Sequence[int]) -> Sequence[T]:
    """The values at these places of any sequence."""
    return values.take(places) if isinstance(values, OnDemand) else [values[place] for place in places]
