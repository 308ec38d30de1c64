"""The heads of records' lines, in columns: which sample of which item each answers, and with what, not how that came.

Whoever counts answers needs no more, and reads them in a fraction of the time and memory of the whole records.
"""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import accumulate, compress
from pathlib import Path
from typing import Any
from zlib import crc32

from rimbench.records import Record, Status
from rimbench.store.lines import chunks, faulty_lines, is_intact, values_of

_LINE = re.compile(
    r'^\{"item_id": "([^"\\\x00-\x1f]*)", "sample": (0|[1-9][0-9]{0,5}), "gold": "([A-J])", '
    r'"answer": (?:"([A-J])", "status": "ok"|null, "status": "(no_answer|ambiguous|truncated|refused)"), '
    r'"text": ".*$',
    re.MULTILINE,
)
_CHECK = b', "check": "%08x"}'
_CHECK_LENGTH = len(_CHECK % 0)
_UNREAD = ("", "0", "A", "", "")
"""Stands for what `_LINE` finds, in a line that is to be read whole."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A record of an engine's failure, and where its line begins in the file, in bytes."""

    record: Record
    start: int


@dataclass(frozen=True, slots=True)
class Heads:
    """Some lines of records, in the file's order, a column for each thing that is said in them.

    An answer is "" where none is named; `starts` are the lines' places in the file, in bytes. An engine's failures
    stand apart, and so do the numbers of the lines that are not as they were written.
    """

    item_ids: Sequence[str]
    samples: Sequence[int]
    golds: Sequence[str]
    answers: Sequence[str]
    statuses: Sequence[Status]
    starts: Sequence[int]
    lines: Sequence[bytes]
    failures: Sequence[Failure] = ()
    edited: Sequence[int] = ()

    def some(self, wanted: Sequence[bool]) -> "Heads":
        """Those of the lines that are wanted."""
        if all(wanted):
            return self
        return replace(self, **{name: list(compress(getattr(self, name), wanted)) for name in _COLUMNS})


_COLUMNS = tuple(field.name for field in fields(Heads))[:7]


def read_heads(
    path: Path, find_fault: Callable[[Record], str | None], fit: Callable[[Heads], Sequence[bool]]
) -> Iterator[Heads]:
    """The heads of all lines, some at a time.

    A line in the very form in which records are written, whose checksum fits, is a record: what follows its head is
    not looked at, where the head is one of those that `fit`. Every other line is read whole. DataError as from
    `read_lines`.
    """
    number = start = 0
    for lines in chunks(path):
        *starts, start = accumulate(map(len, lines), lambda place, length: place + length + 1, initial=start)
        heads, written = _written(lines, starts)
        good = map(operator.and_, written, fit(heads)) if any(written) else written
        whole = [i for i, is_record in enumerate(good) if not is_record]
        if whole:
            records = values_of([lines[i] for i in whole], Record)
            if len(records) < len(whole) or any(map(find_fault, records)):
                raise faulty_lines(path, Record, "record", find_fault)
            heads = _with_records(heads, dict(zip(whole, records, strict=True)), number + 1)
        yield heads
        number += len(lines)


def _written(lines: Sequence[bytes], starts: Sequence[int]) -> tuple[Heads, list[bool]]:
    """What the lines say, and which of them are as they were written: the others may say anything."""
    written = [line[-_CHECK_LENGTH:] == _CHECK % crc32(line[:-_CHECK_LENGTH]) for line in lines]
    rows: list[Any] = []
    try:
        rows = _LINE.findall(b"\n".join(lines).decode()) if all(written) else []
        if len(rows) < len(lines):
            found = [_LINE.match(line.decode()) if good else None for line, good in zip(lines, written, strict=True)]
            written = [match is not None for match in found]
            rows = [match.groups("") if match else _UNREAD for match in found]
    except UnicodeDecodeError:
        written, rows = [False] * len(lines), [_UNREAD] * len(lines)
    item_ids, samples, golds, answers, others = zip(*rows, strict=True)
    statuses: list[Any] = [status or "ok" for status in others]
    return Heads(item_ids, list(map(int, samples)), golds, answers, statuses, starts, lines), written


def _with_records(heads: Heads, records: dict[int, Record], first: int) -> Heads:
    """The heads with what the records say in their places; the first line is that of the number `first`."""
    columns: dict[str, list[Any]] = {name: list(getattr(heads, name)) for name in _COLUMNS}
    answered = [True] * len(heads.lines)
    item_ids, samples, golds, answers, statuses = list(columns.values())[:5]
    for i, record in records.items():
        item_ids[i], samples[i], golds[i] = record.item_id, record.sample, record.gold
        answers[i], statuses[i] = record.answer or "", record.status
        answered[i] = record.status != "engine_error"
    failures = [Failure(record, heads.starts[i]) for i, record in records.items() if not answered[i]]
    edited = [first + i for i, record in records.items() if not is_intact(heads.lines[i], record)]
    return replace(Heads(**columns).some(answered), failures=failures, edited=edited)
