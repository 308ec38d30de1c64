"""lm-evaluation-harness: `samples_<task>_<time>.jsonl`, as written with --log_samples.

Of `multiple_choice`, the option with the highest log-likelihood is the answer (the harness's `acc`, not
`acc_norm`); of `generate_until`, the letter is read from the whole text, not from what the task's filters left of
it. A task with several filters has a line for each, of the same texts: the first is read. The document of each
line, a row of the data set as the task saw it, says which item it is. Checked with 0.4.13.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rimbench.importing.answers import ForeignAnswer, Reading
from rimbench.importing.documents import option_lists, strings
from rimbench.importing.reading import Glimpse, read_rows
from rimbench.records import LETTERS

EXPECTS = "samples_*.jsonl with doc, target, arguments and resps"
_SCORES = ("acc", "exact_match")


class _Line(BaseModel):
    """Numbers come as such, or as text. `arguments` and `resps` have an entry for each request of the document."""

    model_config = ConfigDict(extra="allow", frozen=True)

    doc_id: int | str
    doc: dict[str, Any]
    target: Any
    arguments: dict[str, dict[str, Any]] | list[list[Any]]
    resps: Annotated[list[list[Any]], Field(min_length=1)]
    filter: str = "none"
    prompt_hash: str = ""

    @model_validator(mode="after")
    def _is_a_choice_or_a_text(self) -> Self:
        if self.texts:
            return self
        for answer in self.resps:
            if not answer or not isinstance(answer[0], list) or _number(answer[0][0] if answer[0] else None) is None:
                raise PydanticCustomError("resps", "resps: expected texts, or a log-likelihood an option")
        if len(self.resps) > len(self.requests) or any(len(request) < 2 for request in self.requests):
            raise PydanticCustomError("arguments", "arguments: expected context and continuation of each request")
        if len(self.choices) not in range(2, len(LETTERS) + 1):
            raise PydanticCustomError("options", "expected 2 to 10 options as continuations of one context")
        return self

    @property
    def texts(self) -> list[str]:
        """The texts that were generated, none for a choice."""
        return [text for text in self.resps[0] if isinstance(text, str)]

    @property
    def requests(self) -> list[list[Any]]:
        """Context and continuation of each request."""
        if isinstance(self.arguments, list):
            return self.arguments
        return [list(request.values()) for request in self.arguments.values()]

    @property
    def choices(self) -> list[tuple[str, float]]:
        """Continuation and log-likelihood of each option; requests without the context (a prior) are left out."""
        context = self.requests[0][0]
        pairs = zip(self.requests, self.resps, strict=False)
        return [(str(asked[1]), float(answer[0][0])) for asked, answer in pairs if asked[0] == context]


def recognises(glimpse: Glimpse) -> bool:
    """Whether the first line is a document with its requests and their responses."""
    return {"doc", "doc_id", "arguments", "resps"} <= glimpse.keys


def read(path: Path) -> Reading:
    """Every document's answers: repeated generations are samples 0, 1, 2, ..."""
    lines = read_rows(path, _Line)
    first = [line for line in lines if line.filter == lines[0].filter]
    notes = []
    if len(first) < len(lines):
        notes.append(f"read the lines of filter '{lines[0].filter}', of {len({line.filter for line in lines})}")
    if any(len(line.texts) > 1 for line in first):
        notes.append("the first of each item's repeated answers stands as sample 0, which is the headline's")
    answers = tuple(answer for line in first for answer in _answers(line))
    return Reading(answers, _mode(first), notes=tuple(notes))


def _mode(lines: Sequence[_Line]) -> Any:
    if any(line.texts for line in lines):
        return "generate"
    return "readout" if all(_letters(line.choices) for line in lines) else "likelihood"


def _answers(line: _Line) -> Iterator[ForeignAnswer]:
    common: dict[str, Any] = {
        "item_id": str(line.doc.get("id") or line.doc_id),
        "texts": tuple(strings(line.doc)),
        "prompt_sha256": line.prompt_hash,
    }
    right = next((_verdict(line.model_extra, key) for key in _SCORES if key in (line.model_extra or {})), None)
    lists = tuple(option_lists(line.doc))
    for sample, text in enumerate(line.texts):
        common |= {"gold": _gold(line.target, lists[0] if lists else ()), "right": None if sample else right}
        yield ForeignAnswer(sample=sample, given="text", text=text, option_lists=lists, **common)
    if line.texts:
        return
    letters = _letters(line.choices)
    if letters is None:  # the continuations are the options themselves
        letters = list(LETTERS[: len(line.choices)])
        lists = (tuple(text.strip() for text, _ in line.choices),)
    logprobs = {letter: value for letter, (_, value) in zip(letters, line.choices, strict=True)}
    common |= {"gold": _gold(line.target, letters), "right": right}
    yield ForeignAnswer(sample=0, given="logprobs", logprobs=logprobs, option_lists=lists, **common)


def _letters(choices: Sequence[tuple[str, float]]) -> list[str] | None:
    """The letters that the continuations are (" A", "(B)"), None where they are texts."""
    letters = [re.sub(r"\W", "", text).upper() for text, _ in choices]
    return letters if all(len(x) == 1 and x in LETTERS for x in letters) and len(set(letters)) > 1 else None


def _gold(target: object, choices: Sequence[str]) -> str | None:
    """The letter that a target means: a letter, a number from 0, or an option's text; None where it is none."""
    text = str(target).strip()
    letter = text.strip("(). ").upper()
    if len(letter) == 1 and letter in LETTERS:
        return letter
    if text in choices:
        return LETTERS[choices.index(text)]
    if text.isdecimal() and int(text) < len(choices):
        return choices[int(text)] if choices[int(text)] in tuple(LETTERS) else LETTERS[int(text)]
    return None


def _verdict(scores: Mapping[str, Any] | None, key: str) -> bool | None:
    value = _number((scores or {}).get(key))
    return bool(value) if value in (0.0, 1.0) else None


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return None if math.isnan(number) else number
