"""The answers that a run keeps, read: the one rule for whoever reads records, whole or in columns."""

import itertools
import operator
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rimbench.errors import DataError
from rimbench.records import Asked, Item, Record, find_fault
from rimbench.store.folder import ITEMS, RECORDS
from rimbench.store.heads import Failure, Heads, read_heads
from rimbench.store.kept import Kept
from rimbench.store.lines import is_intact, read_lines


class Answers:
    """The answers that a run keeps, each item and sample once: the one rule for whoever reads records.

    Every record is checked in itself and, where `items` are given, beside its item; DataError names file, line and
    key of those that cannot be. Of several lines for one item and sample, equal ones count once, an engine's failure
    gives way to an answer and to a final failure, and two different answers are a DataError. `prompts` are the hashes
    of what is asked now, by item: an answer to another prompt is no answer of this run. Once all is read, `kept`
    holds what is answered but for failures, `failures` those that stand, by item and sample, and `edited` lists the
    lines that were changed after they were written.
    """

    def __init__(
        self, folder: Path, items: Mapping[str, Item] | None = None, prompts: Mapping[str, str] | None = None
    ) -> None:
        self.kept = Kept()
        self.edited: list[int] = []
        self.failures: dict[tuple[str, int], Failure] = {}
        self._path = folder / RECORDS
        self._items = items
        self._asked = None if items is None else _AskedOf(items)
        self._prompts = prompts or {}

    def __iter__(self) -> Iterator[Record]:
        self._begin()
        doubled = set[tuple[str, int]]()
        for number, line, record in read_lines(self._path, Record, "record", self.find_fault):
            if not is_intact(line, record):
                self.edited.append(number)
            if record.status == "engine_error":
                self._put_failure(Failure(record, 0))
            elif self.kept.add(record.item_id, record.sample):
                yield record
            else:
                doubled.add((record.item_id, record.sample))
        self._end(doubled)
        yield from (failure.record for failure in self.failures.values())

    def heads(self) -> Iterator[Heads]:
        """What every answer says, some at a time, without how it came; the whole of a line is read only where it may
        be faulty.
        """
        self._begin()
        doubled = set[tuple[str, int]]()
        for heads in read_heads(self._path, self.find_fault, self._fit):
            self.edited += heads.edited
            for failure in heads.failures:
                self._put_failure(failure)
            new = self.kept.add_all(heads.item_ids, heads.samples)
            if not all(new):
                pairs = zip(heads.item_ids, heads.samples, strict=True)
                doubled.update(itertools.compress(pairs, map(operator.not_, new)))
            yield heads.some(new)
        self._end(doubled)

    def _begin(self) -> None:
        self.kept = Kept()
        self.kept.expect(self._items or ())
        self.edited.clear()
        self.failures.clear()

    def _put_failure(self, failure: Failure) -> None:
        key = (failure.record.item_id, failure.record.sample)
        if key not in self.failures or not self.failures[key].record.final:
            self.failures[key] = failure

    def _end(self, doubled: set[tuple[str, int]]) -> None:
        for key in [key for key in self.failures if key in self.kept]:
            del self.failures[key]
        if self._asked is not None:
            self._asked.clear()  # of many items, some megabytes
        if doubled:
            self._refuse_different(doubled)

    def _fit(self, heads: Heads) -> Sequence[bool]:
        """Which answers may be some to their items, and to what is asked of them."""
        fits = [True] * len(heads.lines)
        if self._prompts:
            prompts = map(self._prompts.get, heads.item_ids)
            fits = [
                prompt is None or b'"prompt_sha256": "%b"' % prompt.encode() in line  # no text holds bare quotes
                for prompt, line in zip(prompts, heads.lines, strict=True)
            ]
        if self._asked is not None:
            kinds = list(zip(map(self._asked.__getitem__, heads.item_ids), heads.golds, heads.answers, strict=True))
            good = {kind: self._asked.may_be(*kind) for kind in set(kinds)}
            if not all(good.values()):
                fits = [fit and good[kind] for fit, kind in zip(fits, kinds, strict=True)]
        return fits

    def find_fault(self, record: Record) -> str | None:
        """What of a record cannot be in this run; see `rimbench.records.find_fault`."""
        asks_now = self._prompts.get(record.item_id, record.prompt_sha256)
        if asks_now != record.prompt_sha256:
            answered = record.prompt_sha256[:12]
            return f"prompt_sha256: answers {answered}, and item {record.item_id!r} asks {asks_now[:12]}"
        if self._asked is None:
            return find_fault(record)
        asked = self._asked.few[self._asked[record.item_id]]
        if asked is None:
            return f"item_id: answers item {record.item_id!r}, which is not in its {ITEMS}"
        return find_fault(record, asked)

    def _refuse_different(self, doubled: set[tuple[str, int]]) -> None:
        """DataError for lines that answer one sample differently: read again, since that is rare."""
        first: dict[tuple[str, int], tuple[int, Record]] = {}
        for number, _, record in read_lines(self._path, Record, "record"):
            key = (record.item_id, record.sample)
            if key not in doubled or record.status == "engine_error":
                continue
            line, earlier = first.setdefault(key, (number, record))
            if earlier != record:
                raise DataError(
                    f"{self._path}: lines {line} and {number} answer sample {record.sample} of item "
                    f"{record.item_id!r} differently: delete one of them, or start over with --fresh"
                )


class _AskedOf(dict[str, int]):
    """What each item's records are checked by, as its place in `few`; worked out when it is wanted.

    One value stands for all items of the same letters and gold, and None for all that there are not.
    """

    def __init__(self, items: Mapping[str, Item]) -> None:
        super().__init__()
        self._items, self._places = items, dict[Asked | None, int]()
        self.few: list[Asked | None] = []

    def __missing__(self, item_id: str) -> int:
        item = self._items.get(item_id)
        asked = None if item is None else Asked(tuple(item.options), item.gold)
        if asked not in self._places:
            self._places[asked] = len(self.few)
            self.few.append(asked)
        if item is not None:
            self[item_id] = self._places[asked]
        return self._places[asked]

    def may_be(self, place: int, gold: str, answer: str) -> bool:
        """Whether a head of this gold letter, and this answer or "", may be one to the items of this place."""
        asked = self.few[place]
        return asked is not None and asked.gold == gold and (not answer or answer in asked.letters)
