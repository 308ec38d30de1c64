"""Which token an option's letter is, where an answer begins with it.

A tokenizer has several: `A` after an opening brace, ` A` after a word or a colon. The one that counts is what it
writes when the letter stands behind what the prompt ends with, and all letters of a run are of one form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rimbench.rim.blocks import token_id

_OPENING = "([{<>«“‘„/\\|~^@#&=-"
"""What a letter follows without a space: what opens, and what joins."""
_PAIRED = ("**", "__", "*", "_", "`", "$", '"', "'")
"""Marks that open and close alike."""
_ARROWS = "=>-|→"
"""What joins, unless a space stands before it."""
_UNSPACED = (("\u3000", "\u30ff"), ("\u3400", "\u9fff"), ("\uf900", "\ufaff"), ("\uff00", "\uffef"))
"""Japanese and Chinese, with their punctuation, are written without spaces."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The end of a prompt and the letters behind it: its text, its ids, and each letter's one token."""

    text: str
    token_ids: tuple[int, ...]
    letters: Mapping[str, int]


def gap_after(text: str) -> str:
    """What stands between a text and a letter in plain writing: a space, or nothing.

    A space follows a word, a closing mark or a full stop ("Answer:" is followed by " A"), nothing follows an opening
    mark ("(", "{", the first "**"), a space, or a script that is written without.
    """
    if not text or text[-1].isspace():
        return ""
    last = text[-1]
    if any(low <= last <= high for low, high in _UNSPACED):
        return ""
    mark = next((mark for mark in _PAIRED if text.endswith(mark)), None)
    if mark is not None:
        opens = text[: -len(mark)][-1:].strip() == "" or text.count(mark) % 2 == 1
        return "" if opens else " "
    if last in _ARROWS and text.rstrip(_ARROWS)[-1:].isspace():
        return " "
    return "" if last in _OPENING else " "


def find_opening(tokenizer: Any, prefix: str, letters: Sequence[str]) -> Opening | None:
    """How an answer goes on behind a prefix; None where some letter has no token of its own there.

    Where the tokenizer writes the space before a letter with the letter, the prompt ends before the space; where it
    does not, the prompt ends behind it. A tokenizer that would write the prefix's last mark with the letter (`{A`)
    is asked for the letter alone: training writes the prefix for itself too.
    """
    gap = gap_after(prefix)
    forms = [(prefix, gap), (prefix + gap, "")] if gap else [(prefix, "")]
    if prefix.endswith(" "):
        forms.append((prefix[:-1], " "))
    for text, before in forms:
        found = _behind(tokenizer, text, before, letters)
        if found is not None:
            return Opening(text, _ids(tokenizer, text), found)
    return letters_alone(tokenizer, letters, prefix)


def letters_behind_chat(tokenizer: Any, end: str, gap: str, letters: Sequence[str]) -> Opening | None:
    """How an answer goes on behind the end of a chat, where the template writes `gap` before what is answered."""
    for before in dict.fromkeys((gap, "")):
        found = _behind(tokenizer, end, before, letters)
        if found is not None:
            return Opening("", (), found)
    return letters_alone(tokenizer, letters)


def letters_alone(tokenizer: Any, letters: Sequence[str], prefix: str = "") -> Opening | None:
    """Each letter's token with nothing around it."""
    found = {letter: number for letter in letters if (number := token_id(tokenizer, letter)) is not None}
    ids = _ids(tokenizer, prefix) if prefix else ()
    return Opening(prefix, ids, found) if len(found) == len(letters) else None


def _behind(tokenizer: Any, text: str, gap: str, letters: Sequence[str]) -> Mapping[str, int] | None:
    """The one token that each letter adds to a text; None where a letter adds more, or changes the text's own."""
    ids, found = _ids(tokenizer, text), {}
    for letter in letters:
        *before, last = _ids(tokenizer, text + gap + letter)
        if tuple(before) != ids:
            return None
        found[letter] = last
    return found if len(set(found.values())) == len(found) else None


def _ids(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text, add_special_tokens=False))
