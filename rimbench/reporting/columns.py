"""A run's answers in columns, without their texts: as objects, the greedy ones to 200,000 items would take 80 MB."""

import math
import operator
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rimbench.records import LETTERS, STATUSES, Item, Status
from rimbench.statistics.bootstrap import FloatArray

ITEM_ID = operator.attrgetter("item_id")
PLACES = {letter: place for place, letter in enumerate(LETTERS)} | {"": len(LETTERS)}
"""The letters' places in `LETTERS`, and that of an answer which names none."""

Rows = NDArray[np.int64]
"""Numbers of items, samples, or places in a file, one for each of some lines."""


def as_rows(numbers: Iterable[int]) -> Rows:
    """One number a line."""
    return np.fromiter(numbers, dtype=np.int64)


def places(letters: Iterable[str]) -> NDArray[np.uint8]:
    """The letters' places in `LETTERS`."""
    return np.frombuffer(bytes(map(PLACES.__getitem__, letters)), dtype=np.uint8)


class Columns(NamedTuple):
    """Greedy answers to n items: `letters` are places in `LETTERS`, its length for none, `statuses` in `STATUSES`, of
    shape (n,); `logprobs` of shape (n, letters) and `masses` of (n,) are NaN where there are none; `tokens`, of shape
    (n, 2), are those of the prompt and those generated.
    """

    letters: NDArray[np.uint8]
    statuses: NDArray[np.uint8]
    logprobs: FloatArray
    masses: FloatArray
    tokens: NDArray[np.int64]

    @property
    def is_read_out(self) -> NDArray[np.bool_]:
        """Which have log-probabilities: then there is one of the first letter."""
        return ~np.isnan(self.logprobs[:, 0])


class GreedyAnswers(Mapping[str, str | None]):
    """The letters by item id, None where an answer names none, of the items that are answered, in their order.
    `places` numbers a run's items, from 0 on.
    """

    def __init__(self, places: Mapping[str, int]) -> None:
        count, letters = len(places), len(LETTERS)
        self._places, self._answered = places, np.zeros(count, dtype=bool)
        self.table = Columns(
            np.full(count, letters, dtype=np.uint8),
            np.zeros(count, dtype=np.uint8),
            np.full((count, letters), math.nan),
            np.full(count, math.nan),
            np.zeros((count, 2), dtype=np.int64),
        )
        self._rows: Mapping[str, int] | None = None
        self._last: tuple[Sequence[Item], Columns] | None = None

    def put(
        self,
        at: Rows,
        letters: NDArray[np.uint8],
        statuses: Iterable[Status],
        details: Iterable[tuple[Mapping[str, float | None] | None, int, int, float | None]],
    ) -> None:
        """Add the greedy answers to the items of these rows: the places of their letters, and of each its
        log-probabilities, where None is that of probability 0, the tokens of its prompt and those generated, and its
        label mass.
        """
        if not at.size:
            return
        logprobs, *tokens, masses = zip(*details, strict=True)
        self._answered[at], self._rows, self._last = True, None, None
        self.table.letters[at] = letters
        self.table.statuses[at] = list(map(STATUSES.index, statuses))
        self.table.logprobs[at] = _as_table([each or {} for each in logprobs])
        self.table.masses[at] = np.array(masses, dtype=float)
        self.table.tokens[at] = np.array(tokens, dtype=np.int64).T

    @property
    def rows(self) -> Mapping[str, int]:
        """The answers' rows in the table, by item id."""
        if self._rows is None:
            every = bool(self._answered.all())
            self._rows = self._places if every else {x: row for x, row in self._places.items() if self._answered[row]}
        return self._rows

    def columns(self, items: Sequence[Item]) -> Columns:
        """The answers to these items, in their order; kept for the next figure of the same items."""
        if self._last is None or self._last[0] is not items:
            self._last = items, self._columns(items)
        return self._last[1]

    def _columns(self, items: Sequence[Item]) -> Columns:
        if len(items) == len(self._places) and all(map(operator.eq, map(ITEM_ID, items), self.rows)):
            return self.table
        rows = np.fromiter(map(self.rows.__getitem__, map(ITEM_ID, items)), dtype=np.intp, count=len(items))
        every = self.table
        return Columns(
            every.letters[rows], every.statuses[rows], every.logprobs[rows], every.masses[rows], every.tokens[rows]
        )

    def __getitem__(self, item_id: str) -> str | None:
        return _LETTERS_OR_NONE[int(self.table.letters[self.rows[item_id]])]

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def _as_table(logprobs: Sequence[Mapping[str, float | None]]) -> FloatArray:
    """Log-probabilities (answers, letters), NaN where there is none."""
    table = np.full((len(logprobs), len(LETTERS)), math.nan)
    values = np.array([value for each in logprobs for value in each.values()], dtype=float)
    values[np.isnan(values)] = -math.inf
    rows = np.repeat(np.arange(len(logprobs)), list(map(len, logprobs)))
    table[rows, [PLACES[letter] for each in logprobs for letter in each]] = values
    return table


class Draws:
    """The letters of draws, in whatever order these come; `statuses` counts what became of all of them together."""

    def __init__(self) -> None:
        self.statuses: Counter[Status] = Counter()
        self._rows, self._samples = array("i"), array("i")
        self._letters = bytearray()

    def put(self, at: Rows, samples: Rows, letters: NDArray[np.uint8], statuses: Iterable[Status]) -> None:
        """Add draws to the items of these rows: the places of their letters."""
        self._rows.frombytes(at.astype(np.intc).tobytes())
        self._samples.frombytes(samples.astype(np.intc).tobytes())
        self._letters += letters.tobytes()
        self.statuses.update(statuses)

    def by_item(self, item_ids: Collection[str]) -> dict[str, tuple[str | None, ...]]:
        """The letters by item id, in the order of their samples, None for a draw that names none."""
        rows, samples = np.frombuffer(self._rows, dtype=np.intc), np.frombuffer(self._samples, dtype=np.intc)
        letters = np.frombuffer(self._letters, dtype=np.uint8)[np.lexsort((samples, rows))].tobytes()
        ends = np.cumsum(np.bincount(rows, minlength=len(item_ids))).tolist()
        named = lru_cache(maxsize=1 << 12)(lambda drawn: tuple(map(_LETTERS_OR_NONE.__getitem__, drawn)))
        return {
            item_id: named(letters[start:end])
            for item_id, start, end in zip(item_ids, [0, *ends], ends, strict=False)
            if start < end
        }


_LETTERS_OR_NONE: tuple[str | None, ...] = (*LETTERS, None)
