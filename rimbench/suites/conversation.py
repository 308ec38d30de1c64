"""Rows of chat messages -> readings for the audit: the multiple-choice questions among them.

A row counts when it has one user message, which offers 2 to 10 options, and an assistant message after it
whose `content` states one letter; what it wrote as `reasoning_content` is never looked at. The rest is not
faulty, but left out: `not_multiple_choice`, `more_than_10_options`, `no_letter_stated` (none, or several that
differ), `several_turns`, `other_slice`. An item's id is a hash of its question and options, so it stays when
the rows are shuffled; of several answers to one question the first counts.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from rimbench.extraction import extract
from rimbench.records import LETTERS
from rimbench.suites.audit import AuditRow, Candidate, Faulty, Skipped
from rimbench.suites.choices import MultipleChoice, split_choices
from rimbench.suites.options import is_whole
from rimbench.suites.rows import Row
from rimbench.suites.slices import folded


class _Message(BaseModel):
    """One turn; keys that a publisher adds (tool calls, names) do not matter here."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: str
    content: str | None


_MESSAGES = TypeAdapter(list[_Message])


def message_readings(rows: Iterable[Row], column: str, keep: Callable[[str], bool]) -> Iterator[AuditRow]:
    """One reading a row, in order; rows whose question `keep` turns down are skipped as another slice's."""
    for number, row in enumerate(rows):
        try:
            messages = _messages(row.get(column))
        except ValidationError:
            yield Faulty(str(number), "malformed_messages")
        else:
            whole = all(is_whole(message.content or "") for message in messages)
            yield _reading(messages, keep) if whole else Faulty(str(number), "not_text")


def _messages(value: object) -> list[_Message]:
    """The turns but for the system's; a CSV holds them as JSON."""
    messages = _MESSAGES.validate_json(value) if isinstance(value, str) else _MESSAGES.validate_python(value)
    return [message for message in messages if message.role != "system"]


def _reading(messages: list[_Message], keep: Callable[[str], bool]) -> AuditRow:
    if [message.role for message in messages] != ["user", "assistant"]:
        return Skipped("several_turns")
    user, assistant = (message.content or "" for message in messages)
    asked = split_choices(user)
    if asked is None:
        return Skipped("not_multiple_choice")
    if len(asked.options) > len(LETTERS):
        return Skipped(f"more_than_{len(LETTERS)}_options")
    if not keep(asked.question):
        return Skipped("other_slice")
    options = dict(zip(LETTERS, asked.options, strict=False))
    letter = extract(assistant, options).letter
    if letter is None:
        return Skipped("no_letter_stated")
    return Candidate(_item_id(asked), asked.question, asked.options, LETTERS.index(letter))


def _item_id(asked: MultipleChoice) -> str:
    """Punctuation counts here: two questions can differ in a sign alone."""
    content = [folded(asked.question), *map(folded, asked.options)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
