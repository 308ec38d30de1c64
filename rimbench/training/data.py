"""Training data: rows in the OpenMed layout -> examples of question, reasoning steps and final answer.

Flows in: rows of `messages`, each `{role, content, reasoning_content}`, from anywhere. Flows out: examples,
and a tally of what was left out and why. How options and letters are read is the caller's (`RowRules`), so that
training and suites read the same text the same way.

How a trace becomes steps: at lines that begin with a number ("2.", "2)", "Step 2:") where at least two do;
else at blank lines; else at line ends; else at sentence ends, not counting a full stop after an
abbreviation, an initial or a number. The first of these rules that finds two steps or more decides; text
without any is one step, and an empty trace has none.
"""

import hashlib
import heapq
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, ValidationError

from rimbench.errors import DataError

LONGEST_ANSWER = 200
"""Characters: the first line of a reply that is longer than this is prose, not a final answer."""

_NUMBERED = re.compile(r"^[ \t]*(?:\*\*)?(?:step[ \t]*)?\d{1,2}[.):][ \t]", re.IGNORECASE | re.MULTILINE)
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_LINE = re.compile(r"\n\s*")
_BRACE = re.compile(r"(?:\\boxed)?\{|\}")
_SENTENCE = re.compile(
    r"(?<=[.!?])(?<!\b[A-Za-z\d]\.)(?<!\b(?:Dr|vs|cf|no)\.)(?<!\b(?:e\.g|i\.e|etc|Fig|Ans)\.)\s+(?=[A-Z\d\"'(\[])"
)


class _Message(BaseModel):
    # Hubs add columns to their rows; what a row needs is checked, what else it has is its own affair.
    model_config = ConfigDict(extra="ignore", strict=True)

    role: str
    content: str
    reasoning_content: str | None = None


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    messages: list[_Message]


@dataclass(frozen=True, slots=True)
class Example:
    """One question, its reasoning as written and as steps, and its final answer (a letter or a short text).

    `row` is where in the data it stands, counted from 1.
    """

    question: str
    reasoning: str
    steps: tuple[str, ...]
    answer: str
    multiple_choice: bool
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What became of the rows read. `no_steps` counts examples that are kept but have nothing for stage 1."""

    read: int = 0
    kept: int = 0
    faulty: int = 0
    held_out: int = 0
    no_answer: int = 0
    no_steps: int = 0

    def plus(self, *names: str) -> "RowCounts":
        """The tally with one more in each of these counts."""
        return replace(self, **{name: getattr(self, name) + 1 for name in names})

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, f.name)} {f.name.replace('_', ' ')}" for f in fields(self))


@dataclass(frozen=True, slots=True)
class RowRules:
    """How rows are read: the caller's own readers, and the cap on steps (more are merged with their
    neighbours).

    `options_of(question)` is empty for an open-ended question; `letter_of(content, options)` is None where
    the text names no letter; `held_out(question)` says which questions belong to a suite and are never
    trained on.
    """

    max_steps: int
    options_of: Callable[[str], Mapping[str, str]]
    letter_of: Callable[[str, Mapping[str, str]], str | None]
    held_out: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Corpus:
    """The examples of one source in their order, what was left out, and a hash of the examples.

    `remarks` are lines for the checkpoint's card: what else is known of the data, such as its overlap with suites.
    """

    examples: tuple[Example, ...]
    tally: RowCounts
    sha256: str
    remarks: tuple[str, ...] = ()


def read_corpus(rows: Iterable[object], rules: RowRules, limit: int | None = None) -> Corpus:
    """Read rows into examples, the first `limit` of them if that is given; DataError, with the tally, for none."""
    examples, tally, digest = [], RowCounts(), hashlib.sha256()
    for number, row in enumerate(rows, start=1):
        example, fault = read_row(row, rules)
        if example is None:
            tally = tally.plus("read", fault)
            continue
        tally = tally.plus("read", "kept", *([] if example.steps else ["no_steps"]))
        examples.append(replace(example, row=number))
        text = [example.question, example.reasoning, example.steps, example.answer]
        digest.update(json.dumps(text).encode() + b"\n")
        if len(examples) == limit:
            break
    if not examples:
        raise DataError(
            f"no training example in the data ({tally}): expected rows of `messages` in the OpenMed layout"
        )
    return Corpus(tuple(examples), tally, digest.hexdigest())


def read_row(row: object, rules: RowRules) -> tuple[Example | None, str]:
    """One row -> its example, or None and the count of the tally that it falls under.

    The question is the last user message before the first reply; system messages are not asked again.
    """
    try:
        messages = _Row.model_validate(row).messages
    except ValidationError:
        return None, "faulty"
    replies = [i for i, message in enumerate(messages) if message.role == "assistant"]
    asked = [m.content.strip() for m in messages[: replies[0]] if m.role == "user"] if replies else []
    if not asked or not asked[-1]:
        return None, "faulty"
    question, reply = asked[-1], messages[replies[0]]
    if rules.held_out(question):
        return None, "held_out"
    options = rules.options_of(question)
    answer = rules.letter_of(reply.content, options) if options else open_answer(reply.content)
    if answer is None:
        return None, "no_answer"
    reasoning = (reply.reasoning_content or "").strip()
    return Example(question, reasoning, split_steps(reasoning, rules.max_steps), answer, bool(options)), ""


def is_for_validation(example: Example, fraction: float) -> bool:
    """Whether an example is kept from training, to see when to stop: equal questions fall on the same side."""
    digest = hashlib.sha256(f"validation:{' '.join(example.question.split())}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < fraction


def last_box(content: str) -> str | None:
    """What the last complete `\\boxed{...}` holds, braces within it balanced; None without one."""
    last = (0, 0)
    opened: list[int | None] = []  # by brace that is not closed yet: where its box's content starts, if it is one's
    for brace in _BRACE.finditer(content):
        if brace[0] != "}":
            opened.append(brace.end() if brace[0] != "{" else None)
        elif opened and (start := opened.pop()) is not None:
            last = max(last, (start, brace.start()))
    return content[slice(*last)].strip() or None


def open_answer(content: str) -> str | None:
    """An open-ended reply's final answer: what is boxed, else its first line; None if that is long prose."""
    if (inside := last_box(content)) is not None:
        return inside
    first = content.strip().partition("\n")[0].strip("*#_ \t").removesuffix(".")
    return first if 0 < len(first) <= LONGEST_ANSWER else None


def split_steps(reasoning: str, max_steps: int) -> tuple[str, ...]:
    """Split a trace by the rule at the head of this module; at most `max_steps`, all of its words kept in
    order.

    Too many are merged: always the two neighbours that are shortest together, the leftmost of equals.
    """
    text = reasoning.replace("\r\n", "\n").strip()
    if not text:
        return ()
    starts = [match.start() for match in _NUMBERED.finditer(text)]
    if len(starts) > 1:
        cuts = sorted({0, *starts, len(text)})
        return _merge([text[a:b].strip() for a, b in pairwise(cuts)], max_steps, "\n")
    for border, joint in ((_PARAGRAPH, "\n\n"), (_LINE, "\n"), (_SENTENCE, " ")):
        steps = [step for step in border.split(text) if step.strip()]
        if len(steps) > 1:
            return _merge(steps, max_steps, joint)
    return (text,)


def _merge(steps: list[str], most: int, joint: str) -> tuple[str, ...]:
    """Join neighbours until at most `most` steps are left."""
    texts: list[str | None] = [*steps]
    before, after = [*range(-1, len(steps) - 1)], [*range(1, len(steps) + 1)]
    pairs = [(len(a) + len(b), left, left + 1) for left, (a, b) in enumerate(pairwise(steps))]
    heapq.heapify(pairs)
    parts = len(steps)
    while parts > most:
        together, left, right = heapq.heappop(pairs)
        a, b = texts[left], texts[right]
        if a is None or b is None or after[left] != right or len(a) + len(b) != together:
            continue  # a pair that was, before one of the two was merged with another
        merged = a + joint + b
        texts[left], texts[right] = merged, None
        after[left] = further = after[right]
        if further < len(texts):
            before[further] = left
            heapq.heappush(pairs, (len(merged) + len(texts[further] or ""), left, further))
        if before[left] >= 0:
            heapq.heappush(pairs, (len(texts[before[left]] or "") + len(merged), before[left], left))
        parts -= 1
    return tuple(text.strip() for text in texts if text is not None)
