"""A run's answers in columns, without their texts: as objects, the greedy ones to 200,000 items would take 80 MB."""

import bisect
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rimbench.records import LETTERS, STATUSES, Item, Record, Status
from rimbench.statistics.bootstrap import FloatArray
from rimbench.store import Head

_NONE = math.nan
"""What stands for a number that there is none of: no record holds it."""
_NONES = (_NONE,) * len(LETTERS)
_ALIKE = 8
"""Up to so many draws, items that drew the same letters share them: there are few ways to draw them."""


@dataclass(frozen=True, slots=True)
class GreedyAnswer:
    """Sample 0 of an item, as a row of a table."""

    _table: "GreedyAnswers"
    _row: int

    @property
    def letter(self) -> str | None:
        """The letter that was read; None where the answer names none."""
        place = self._table.letters[self._row]
        return LETTERS[place] if place < len(LETTERS) else None

    @property
    def status(self) -> Status:
        """What became of the answer."""
        return STATUSES[self._table.statuses[self._row]]

    @property
    def is_read_out(self) -> bool:
        """Whether there are log-probabilities: then there is one of the first letter."""
        return not math.isnan(self._table.logprobs[self._row * len(LETTERS)])


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
        """Which have log-probabilities."""
        return ~np.isnan(self.logprobs[:, 0])


class GreedyAnswers(Mapping[str, GreedyAnswer]):
    """By item id, in the order in which they were kept."""

    def __init__(self) -> None:
        self.letters, self.statuses = bytearray(), bytearray()
        self.logprobs, self.masses = array("d"), array("d")
        self.tokens = array("q")  # of the prompt and generated, in turn
        self._rows: dict[str, int] = {}
        self._last: tuple[Sequence[Item], Columns] | None = None

    def put(self, item_id: str, record: Record) -> None:
        """Add the greedy answer to an item."""
        self._rows[item_id], self._last = len(self.letters), None
        letter = record.answer if record.status == "ok" else None
        logprobs = record.option_logprobs or {}
        self.letters.append(len(LETTERS) if letter is None else LETTERS.index(letter))
        self.statuses.append(STATUSES.index(record.status))
        self.logprobs.extend(map(logprobs.get, LETTERS, _NONES))
        self.masses.append(_NONE if record.label_mass is None else record.label_mass)
        self.tokens.extend((record.prompt_tokens, record.generated_tokens))

    def columns(self, items: Sequence[Item]) -> Columns:
        """The answers to these items, in their order; kept for the next figure of the same items."""
        if self._last is None or self._last[0] is not items:
            self._last = items, self._columns(items)
        return self._last[1]

    def _columns(self, items: Sequence[Item]) -> Columns:
        rows = np.array([self._rows[item.item_id] for item in items], dtype=np.intp)
        return Columns(
            np.frombuffer(self.letters, dtype=np.uint8)[rows],
            np.frombuffer(self.statuses, dtype=np.uint8)[rows],
            np.frombuffer(self.logprobs).reshape(-1, len(LETTERS))[rows],
            np.frombuffer(self.masses)[rows],
            np.frombuffer(self.tokens, dtype=np.int64).reshape(-1, 2)[rows],
        )

    def __getitem__(self, item_id: str) -> GreedyAnswer:
        return GreedyAnswer(self, self._rows[item_id])

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class Draws:
    """The letters of draws: by item id, in the order of their samples, None for a draw that names none.

    `statuses` counts what became of the draws of all items together.
    """

    def __init__(self) -> None:
        self.letters: dict[str, tuple[str | None, ...]] = {}
        self.statuses: Counter[Status] = Counter()
        self._samples: dict[str, list[int]] = {}  # of items whose draws did not come as 1, 2, 3, ...
        self._shared: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}

    def put(self, item_id: str, head: Head) -> None:
        """Add a draw."""
        self.statuses[head.status] += 1
        before = self.letters.get(item_id, ())
        if head.sample == len(before) + 1 and item_id not in self._samples:
            letters = (*before, head.answer)
        else:
            samples = self._samples.setdefault(item_id, list(range(1, len(before) + 1)))
            place = bisect.bisect(samples, head.sample)
            samples.insert(place, head.sample)
            letters = (*before[:place], head.answer, *before[place:])
        self.letters[item_id] = self._shared.setdefault(letters, letters) if len(letters) <= _ALIKE else letters
