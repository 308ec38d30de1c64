"""What is read of a long text: its beginning, its end, and what stands around words for an answer in between.

The time to read a text is bounded so, however long it is and whatever it holds.
"""

import re

from rimbench.extraction.languages import answer_words

WHOLE_CHARS = 40_000
HEAD_CHARS = 8_000
TAIL_CHARS = 24_000
AROUND = (300, 1200)
EVERY_WORD = 4  # places of one word, from the beginning and from the end
PLACES = 20  # of all words, likewise
_NEXT = re.compile(
    r"\n[ \t#*>_]{0,8}(?:question|problem|exercise|example|case|user|human|instruction|q\d?:|\d\. A)", re.I
)
_BOXES = ("boxed", "Boxed", "fbox", "framebox", "bbox", "tcbox", "colorbox")
_ENGLISH = ("answer", "Answer", "ANSWER", "olution:", "choice", "ption is", "ption:")


def excerpt(text: str) -> str:
    """`text`, or its telling parts where it is longer than `WHOLE_CHARS`."""
    if len(text) <= WHOLE_CHARS:
        return text
    last = len(text) - TAIL_CHARS
    parts = [(0, HEAD_CHARS), *_around(text, HEAD_CHARS, last), (last, len(text))]
    kept: list[str] = []
    start, end = parts[0]
    for begins, ends in [*parts[1:], (len(text) + 1, len(text) + 1)]:
        if begins <= end:
            end = max(end, ends)
            continue
        kept.append(_whole_words(text, start, end))
        start, end = begins, ends
    return "\n\n".join(kept)


def _around(text: str, first: int, last: int) -> list[tuple[int, int]]:
    """What stands around the first and the last words for an answer between two places, and further questions."""
    boxes = {at for word in _BOXES for at in _places(text, word, first, last)}
    words = sorted({at for word in (*_ENGLISH, *answer_words()) for at in _places(text, word, first, last)})
    if len(words) > 2 * PLACES:
        words = [*words[:PLACES], *words[-PLACES:]]
    questions = [m.start() for _, m in zip(range(PLACES), _NEXT.finditer(text, first, last), strict=False)]
    around = [(max(first, at - AROUND[0]), min(last, at + AROUND[1])) for at in (*boxes, *words)]
    return sorted([*around, *((at, at + 100) for at in questions)])


def _places(text: str, word: str, first: int, last: int) -> set[int]:
    """The first and the last places of a word between two places."""
    places = set()
    at = first
    for _ in range(EVERY_WORD):
        if (at := text.find(word, at + 1, last)) < 0:
            break
        places.add(at)
    at = last
    for _ in range(EVERY_WORD):
        if (at := text.rfind(word, first, at)) < 0:
            break
        places.add(at)
    return places


def _whole_words(text: str, start: int, end: int) -> str:
    """The part between two places, less the words that they cut; a cut line says that it goes on."""
    begins = re.compile(r"\s").search(text, start, min(end, start + 200)) if start else None
    start = begins.end() if begins else start
    space = max(text.rfind(" ", end - 200, end), text.rfind("\n", end - 200, end)) if end < len(text) else -1
    end = space if space > start else end
    opening = "" if not start or text[start - 1] == "\n" else "... "
    return f"{opening}{text[start:end]}{'' if end == len(text) or text[end] == chr(10) else ' ...'}"
