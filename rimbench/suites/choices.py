"""A user's message -> the question and its options, where the message is a multiple-choice question. Pure.

Options are written `A: x`, `A) x`, `A. x`, `(A) x` or `[A] x`, each on a line of its own (bullets, bold and
blank lines between them allowed; `A - x` counts on lines only) or one after the other in running text. A
message can hold other letters that look like options (`hepatitis A. ...`, lettered statements, "answer (A) or
(B)"), so every run of consecutive letters from A is a candidate, and `_best` chooses between them.

What follows the options is left out, since it tells some other model how to answer: everything after the
first blank line in the last option, or after its first line break if no other option has one. So is a heading
such as `Options:` before them.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

_BOLD = r"(?:\*\*|__)?"
_DELIMITED = {
    "(A)": rf"[(\[](?P<letter>[A-Z])[)\]]{_BOLD}:?",
    "A)": rf"(?P<letter>[A-Z]){_BOLD}\)",
    "A.": rf"(?P<letter>[A-Z]){_BOLD}\.",
    "A:": rf"(?P<letter>[A-Z]){_BOLD}:",
}
_ON_LINES = {
    style: re.compile(rf"^[ \t>]*(?:[-*•+][ \t]+)?{_BOLD}{marker}{_BOLD}", re.MULTILINE)
    for style, marker in {**_DELIMITED, "A -": rf"(?P<letter>[A-Z]){_BOLD}[ \t]+[-–—](?=[ \t])"}.items()
}
_IN_TEXT = {
    style: re.compile(rf"(?<![^\s:?;,]){_BOLD}{marker}{_BOLD}" + ("" if style.endswith(")") else r"(?=\s)"))
    for style, marker in _DELIMITED.items()
}
_HEADING = re.compile(
    r"(?:(?:^|\n)[ \t#*_]*(?:answer\s+)?(?:options|choices)\b[ \t:*_]*"
    r"|(?<=[.?!:])\s+(?:answer\s+)?(?:options|choices)\s*:)\s*$",
    re.IGNORECASE,
)
_SAID = re.compile(r"[^ \t\r\n,;|/*_]")  # what makes an option more than punctuation
_HEADING_CHARS = 200


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """A question without its options, and the options' texts from A on (there can be more than 10)."""

    question: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Marker:
    letter: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Run:
    """Markers of consecutive letters from A, in one style."""

    markers: tuple[_Marker, ...]

    @property
    def start(self) -> int:
        return self.markers[0].start

    @property
    def length(self) -> int:
        return len(self.markers)


def split_choices(text: str) -> MultipleChoice | None:
    """The question and the options of a message, or None where it is no multiple-choice question."""
    run = _best(text)
    if run is None:
        return None
    question = text[: run.start].rstrip()
    heading = _HEADING.search(question, max(0, len(question) - _HEADING_CHARS))
    question = question[: heading.start() if heading else None].strip()
    if not any(character.isalnum() for character in question):
        return None
    return MultipleChoice(question, _option_texts(text, run))


def _best(text: str) -> _Run | None:
    """The run that is most likely the options: on lines rather than in running text, and the last such run.

    Running text wins where it has more options and comes after the lines: those are part of the question.
    """
    on_lines = [_longest(text, _markers(text, pattern)) for pattern in _ON_LINES.values()]
    in_text = [_longest(text, _markers(text, pattern)) for pattern in _IN_TEXT.values()]
    lines = max((run for run in on_lines if run is not None), key=lambda run: run.start, default=None)
    running = max(
        (run for run in in_text if run is not None and _is_convincing(text, run)),
        key=lambda run: (run.length > 2, run.start),
        default=None,
    )
    if lines is None or running is None:
        return lines or running
    return running if running.start > lines.start and running.length > lines.length else lines


def _markers(text: str, pattern: re.Pattern[str]) -> list[_Marker]:
    return [_Marker(match["letter"], match.start(), match.end()) for match in pattern.finditer(text)]


def _longest(text: str, markers: Sequence[_Marker]) -> _Run | None:
    """The longest run of at least two letters; of equally long ones the last, as options end a question.

    From one letter on, the next one stands at the first place that leaves the option before it a text. Runs are
    followed from the end of the text, where each marker's run is that of its next letter and itself: time is linear.
    """
    following: dict[str, deque[int]] = {}  # by letter, the markers that are already seen, the first of the text first
    following_of: dict[int, int] = {}
    lengths: dict[int, int] = {}
    for index in range(len(markers) - 1, -1, -1):
        marker = markers[index]
        said = _SAID.search(text, marker.end)
        if said is None:
            continue
        lengths[index] = 1
        for after in following.get(chr(ord(marker.letter) + 1), ()):
            if markers[after].start > said.start():
                following_of[index], lengths[index] = after, lengths[after] + 1
                break
        following.setdefault(marker.letter, deque()).appendleft(index)
    starts = [i for i, length in lengths.items() if markers[i].letter == "A" and length >= 2]
    if not starts:
        return None
    run = [max(starts, key=lambda i: (lengths[i], markers[i].start))]
    while run[-1] in following_of:
        run.append(following_of[run[-1]])
    return _Run(tuple(markers[i] for i in run))


def _is_convincing(text: str, run: _Run) -> bool:
    """Whether a run in running text can be options: two letters alone need a break before the first.

    "vitamin A: ... and vitamin B: ..." names two things; "Is it so? A: yes B: no" offers two.
    """
    before = text[: run.start].rstrip(" \t")
    return run.length > 2 or text[run.start] in "([" or not before or not before[-1].isalnum()


def _option_texts(text: str, run: _Run) -> tuple[str, ...]:
    ends = [marker.start for marker in run.markers[1:]] + [len(text)]
    texts = [text[marker.end : end].strip() for marker, end in zip(run.markers, ends, strict=True)]
    one_line_each = not any("\n" in option for option in texts[:-1])
    texts[-1] = re.split(r"\n" if one_line_each else r"\n[ \t]*\n", texts[-1], maxsplit=1)[0].rstrip()
    separator = texts[0][-1]
    if separator in ",;|/" and all(option.endswith(separator) for option in texts[:-1]):
        texts = [option.removesuffix(separator).rstrip() for option in texts]
    return tuple(_without_open_bold(option) for option in texts)


def _without_open_bold(option: str) -> str:
    """`**A. x**` opens its bold type in the marker, and closes it in the text."""
    for bold in ("**", "__"):
        if option.endswith(bold) and option.count(bold) % 2:
            return option.removesuffix(bold).rstrip()
    return option
