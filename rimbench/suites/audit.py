"""The label audit: what the rows hold -> the usable items, and what became of every row.

Layouts hand in one `Candidate`, `Skipped` or `Faulty` for each row; nothing that was read goes uncounted. The
kinds of fault: `not_text` and `malformed_messages` (a value of the wrong kind), `unreadable_options` (no list or
mapping), `option_labels` (they do not count up, or are not as many), `option_count` (not 2 to 10, or their letters
have gaps), `empty_text`, `equal_options`, `gold_out_of_range` (or missing), `answer_text_differs`
(the gold option against the file's own answer text), `repeated_question`, `contradicting_gold`, `repeated_id`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rimbench.errors import DataError
from rimbench.records import LETTERS, Item
from rimbench.records.items import ItemTable
from rimbench.suites.slices import folded
from rimbench.suites.suite import Audit, Fault

LARGEST_FAULTY_SHARE = 0.05
"""Above this share of faulty rows the file, or the layout that reads it, is taken to be wrong as a whole."""

_IDS_IN_A_LINE = 5


class Candidate(NamedTuple):
    """A labelled question as read. `gold` counts options from 0; None, or out of range, is a fault.

    `own_labels` says that its options bore their own letters in their texts, which are taken off.
    """

    item_id: str
    question: str
    options: tuple[str, ...]
    gold: int | None
    answer_text: str | None = None
    cluster: str | None = None
    facets: Mapping[str, str] | None = None
    own_labels: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is not faulty, but no item of this suite."""

    reason: str


@dataclass(frozen=True, slots=True)
class Faulty:
    """A row that cannot be read as a question, with the kind of fault."""

    item_id: str
    kind: str


AuditRow = Candidate | Skipped | Faulty


@dataclass(slots=True)
class Auditor:
    """Takes readings one by one and keeps the usable items.

    A question that comes again with the same options (in any order; case and spacing aside) is left out: as
    a fault in a table, where nobody asks twice, or as an ordinary repeat where `repeats_expected`. Where a
    table answers the same question differently, neither row is used.

    `items` are the usable ones so far, in the order of their rows.
    """

    repeats_expected: bool
    rows: int = 0
    items: ItemTable = field(default_factory=ItemTable)
    _gold: Counter[str] = field(default_factory=Counter)
    _widest: int = 0
    _used_labels: int = 0
    _skipped: Counter[str] = field(default_factory=Counter)
    _faults: dict[str, list[str]] = field(default_factory=dict)
    _asked: dict[int, str | None] = field(default_factory=dict)
    """By a hash of a question alone, the one item that may ask it; None where several may: see `_seen`."""
    _seen: dict[bytes, str | None] = field(default_factory=dict)
    """By the hash of a question and its options, which item of all is kept, or None where answers contradict."""
    _own_labels: set[str] = field(default_factory=set)

    def add(self, reading: AuditRow) -> None:
        """Count one row, and keep it if it is a sound item."""
        self.rows += 1
        if isinstance(reading, Skipped):
            self._skipped[reading.reason] += 1
        elif isinstance(reading, Faulty):
            self._fault(reading.kind, reading.item_id)
        elif (kind := _fault_of(reading)) is not None:
            self._fault(kind, reading.item_id)
        else:
            self._keep(reading)

    @property
    def usable(self) -> int:
        """How many usable items there are so far."""
        return len(self.items)

    def check(self, where: str) -> None:
        """Raise DataError if nothing is usable, or too much is faulty."""
        faulty = sum(map(len, self._faults.values()))
        if faulty > LARGEST_FAULTY_SHARE * (self.usable + faulty):
            kinds = "; ".join(f"{kind} {len(ids)} ({_some(ids)})" for kind, ids in self._faults.items())
            raise DataError(
                f"{where}: {faulty} of {self.usable + faulty} rows are faulty, more than "
                f"{LARGEST_FAULTY_SHARE:.0%}: {kinds}; mend the rows, or the [[layout]] that reads them"
            )
        if not self.usable:
            reasons = ", ".join(f"{reason} {count}" for reason, count in self._skipped.items())
            raise DataError(
                f"{where}: no usable item among {self.rows} rows{f' ({reasons})' if reasons else ''}: "
                "give rows with questions, options and labels"
            )

    def using(self, items: ItemTable) -> Iterator[tuple[str, str, list[str], str]]:
        """Pass on the contents of the items that the suite uses, and count them for the report."""
        for content in items.contents():
            item_id, _, options, gold = content
            self._used_labels += item_id in self._own_labels
            self._gold[gold] += 1
            self._widest = max(self._widest, len(options))
            yield content

    def report(self) -> Audit:
        """The audit, with the gold letters of the items that the suite uses."""
        return Audit(
            rows=self.rows,
            usable=self.usable,
            used=self._gold.total(),
            left_out=dict(self._skipped),
            faults=tuple(Fault(kind, tuple(ids)) for kind, ids in sorted(self._faults.items())),
            gold_histogram={letter: self._gold[letter] for letter in LETTERS[: self._widest]},
            own_labels=self._used_labels,
        )

    def _fault(self, kind: str, item_id: str) -> None:
        self._faults.setdefault(kind, []).append(item_id)

    def _keep(self, candidate: Candidate) -> None:
        asked, key = hash(folded(candidate.question)), b""
        if asked in self._asked:
            key = self._told_apart(asked, candidate)
            if key in self._seen:
                self._repeat(candidate, key)
                return
        item_id = candidate.item_id
        if item_id in self.items:
            self._fault("repeated_id", item_id)
            return
        if key:
            self._seen[key] = item_id
        else:
            self._asked[asked] = item_id
        gold = LETTERS[candidate.gold or 0]
        groups = (candidate.cluster, candidate.facets)
        self.items.put_lettered(item_id, candidate.question, candidate.options, gold, groups)
        if candidate.own_labels:
            self._own_labels.add(item_id)

    def _told_apart(self, asked: int, candidate: Candidate) -> bytes:
        """The hash of a question with its options, which is not needed before a second item may ask the same."""
        first = self._asked[asked]
        if first is not None:
            item = self.items[first]
            self._seen[_hash_question(item.question, item.options.values())] = first
            self._asked[asked] = None
        return _hash_question(candidate.question, candidate.options)

    def _repeat(self, candidate: Candidate, key: bytes) -> None:
        first = self._seen[key]
        if self.repeats_expected:
            self._skipped["repeated"] += 1
        elif first is not None and _same_answer(self.items[first], candidate):
            self._fault("repeated_question", candidate.item_id)
        else:
            if first is not None:
                self.items.drop(first)
                self._fault("contradicting_gold", first)
                self._seen[key] = None
            self._fault("contradicting_gold", candidate.item_id)


def _fault_of(candidate: Candidate) -> str | None:
    """The first thing that is wrong with one question by itself."""
    options, gold = candidate.options, candidate.gold
    if not 2 <= len(options) <= len(LETTERS):
        return "option_count"
    if not candidate.question or not all(options):
        return "empty_text"
    if len(set(options)) < len(options):
        return "equal_options"
    if gold is None or not 0 <= gold < len(options):
        return "gold_out_of_range"
    if candidate.answer_text is not None and folded(candidate.answer_text) != folded(options[gold]):
        return "answer_text_differs"
    return None


def _hash_question(question: str, options: Iterable[str]) -> bytes:
    """Of the question with its options in any order. A folded text holds no newline."""
    parts = [folded(question), *sorted(map(folded, options))]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).digest()


def _same_answer(item: Item, candidate: Candidate) -> bool:
    return folded(item.options[item.gold]) == folded(candidate.options[candidate.gold or 0])


def _some(ids: list[str]) -> str:
    more = len(ids) - _IDS_IN_A_LINE
    return ", ".join(ids[:_IDS_IN_A_LINE]) + (f" and {more} more" if more > 0 else "")
