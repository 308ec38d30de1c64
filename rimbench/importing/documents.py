"""What a row of a data set holds, whatever its columns are called: its texts, its options, and which is the gold."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from rimbench.records import LETTERS

DEEPEST = 20
"""Levels of a document that are looked into: no data set nests its question or its options deeper."""

_LISTED = re.compile(r"^[ \t]*\(?(?P<letter>[A-J])[.)\u3001\uff0e][ \t]*(?=\S)", re.MULTILINE)
_NUMBERED = re.compile(r"(?P<stem>.*?)[ _-]?(?P<place>[A-Ja-j]|\d)")


def strings(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif depth < DEEPEST and isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from strings(inner, depth + 1)


def option_lists(value: object, depth: int = 0) -> Iterator[tuple[str, ...]]:
    """What may be the options: lists of texts, and texts under numbered keys (opa.., ending0.., A..), in order."""
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(inner, str) for inner in value):
            yield tuple(value)
        keyed = [inner.get("value") for inner in value if isinstance(inner, Mapping)]
        if len(keyed) > 1 and all(isinstance(text, str) for text in keyed):
            yield tuple(map(str, keyed))
    elif isinstance(value, Mapping):
        stems: dict[str, dict[str, str]] = {}
        for key, inner in value.items():
            match = _NUMBERED.fullmatch(str(key))
            if match and isinstance(inner, str):
                stems.setdefault(match["stem"], {})[match["place"].upper()] = inner
        for places in stems.values():
            if len(places) > 1:
                yield tuple(places[place] for place in sorted(places))
        for inner in value.values() if depth < DEEPEST else ():
            yield from option_lists(inner, depth + 1)


def listed_options(text: str) -> tuple[tuple[str, ...], ...]:
    """What may be the options that a prompt lists last, "A. first" a line; empty where it lists none.

    Where the last one ends is not told: it goes to the end of the text, of its paragraph or of its line.
    """
    marks = list(_LISTED.finditer(text))
    for start in (i for i in reversed(range(len(marks))) if marks[i]["letter"] == "A"):
        run: list[re.Match[str]] = []
        for mark in marks[start:]:
            if mark["letter"] == LETTERS[len(run)]:
                run.append(mark)
        if len(run) > 1:
            first = [text[a.end() : b.start()].strip() for a, b in pairwise(run)]
            rest = text[run[-1].end() :]
            ends = (rest, rest.partition("\n\n")[0], rest.partition("\n")[0])
            return tuple(dict.fromkeys((*first, end.strip()) for end in ends))
    return ()


def as_letters(choices: Sequence[str]) -> list[str] | None:
    """The letters that choices are (" A", "(B)"), None where they are texts."""
    letters = [re.sub(r"\W", "", text).upper() for text in choices]
    known = all(len(letter) == 1 and letter in LETTERS for letter in letters)
    return letters if known and len(set(letters)) == len(letters) else None


def gold_letter(target: object, choices: Sequence[str]) -> str | None:
    """The letter that a target means: a letter, a number from 0, or an option's text; None where it is none."""
    text = str(target).strip() if isinstance(target, str | int) else ""
    letter = text.strip("(). ").upper()
    if len(letter) == 1 and letter in LETTERS:
        return letter
    if text in choices:
        return LETTERS[choices.index(text)] if choices.index(text) < len(LETTERS) else None
    if text.isdecimal() and len(text) < 3 and int(text) < min(len(choices), len(LETTERS)):
        return choices[int(text)] if choices[int(text)] in tuple(LETTERS) else LETTERS[int(text)]
    return None
