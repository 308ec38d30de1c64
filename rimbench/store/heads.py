"""The head of a record's line: which sample of which item it answers, and with what, but not how that came.

Whoever counts answers needs no more, and reads them in a third of the time and memory of the whole records.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, repeat
from pathlib import Path
from typing import Any
from zlib import crc32

from rimbench.records import LETTERS, STATUSES, Record, Status
from rimbench.store.lines import chunks, faulty_lines, is_intact, records_of, values_of

_HEAD = re.compile(
    rb'\{"item_id": "([^"\\\x00-\x1f]*)", "sample": (0|[1-9]\d{0,5}), "gold": "([A-J])", '
    rb'"answer": (?:"([A-J])", "status": "(ok)"|null, "status": "(no_answer|ambiguous|truncated|refused)"), "text": "'
)
_WORDS: dict[bytes | None, Any] = {None: None, **{letter.encode(): letter for letter in LETTERS}}
_STATUS: dict[bytes, Status] = {status.encode(): status for status in STATUSES}
_CHECK_LENGTH = len(', "check": "00000000"}')


@dataclass(slots=True)
class Head:
    """A line of records and what stands at its beginning; `final` belongs to an engine's failure, as in a record.

    `start` is the line's place in the file, in bytes.
    """

    item_id: str
    sample: int
    gold: str
    answer: str | None
    status: Status
    line: bytes
    final: bool = False
    start: int = 0

    @property
    def answered(self) -> bool:
        """As of a record."""
        return self.status != "engine_error" or self.final

    @property
    def correct(self) -> bool:
        """As of a record."""
        return self.status == "ok" and self.answer == self.gold

    def is_to(self, prompt_sha256: str) -> bool:
        """Whether the line, as it is written, answers the prompt of this hash: no text holds bare quotation marks."""
        return b'"prompt_sha256": "%b"' % prompt_sha256.encode() in self.line

    @property
    def record(self) -> Record:
        """The whole record."""
        [record] = records_of([self.line])
        return record


def read_heads(
    path: Path, find_fault: Callable[[Record], str | None], fits: Callable[[Head], bool] | None
) -> Iterator[tuple[int, bool, Head]]:
    """Each line's number, whether it is as it was written, and its head.

    A line in the very form in which records are written, whose checksum fits, is a record: what follows its head is
    not looked at, where the head `fits`. Every other line is read whole. DataError as from `read_lines`.
    """
    number = start = 0
    for lines in chunks(path):
        heads, others = list[Head](), dict[int, int]()
        for line in lines:
            head = _written_head(line, start)
            if head is None or (fits is not None and not fits(head)):
                others[len(heads)] = start
                head = _UNREAD
            heads.append(head)
            start += len(line) + 1
        edited = set()
        if others:
            records = values_of([lines[i] for i in others], Record)
            if len(records) < len(others) or any(map(find_fault, records)):
                raise faulty_lines(path, Record, "record", find_fault)
            for (i, place), record in zip(others.items(), records, strict=True):
                heads[i] = _head_of(record, lines[i], place)
                if not is_intact(lines[i], record):
                    edited.add(i)
        intact = (i not in edited for i in range(len(heads))) if edited else repeat(True)
        yield from zip(count(number + 1), intact, heads)
        number += len(heads)


def _written_head(line: bytes, start: int) -> Head | None:
    """The head of a line that is as it was written; None for one to be read whole."""
    found = _HEAD.match(line)
    if found is None:
        return None
    try:
        if int(line[-10:-2], 16) != crc32(line[:-_CHECK_LENGTH]):
            return None
        item_id, sample, gold, answer, ok, other = found.groups()
        status = _STATUS[ok or other]
        return Head(item_id.decode(), int(sample), _WORDS[gold], _WORDS[answer], status, line, False, start)
    except ValueError:  # no checksum, or no UTF-8
        return None


def _head_of(record: Record, line: bytes, start: int) -> Head:
    return Head(record.item_id, record.sample, record.gold, record.answer, record.status, line, record.final, start)


_UNREAD = Head("", 0, "", None, "ok", b"")
"""Stands for a line that is to be read whole, until it is."""
