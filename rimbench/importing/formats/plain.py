"""The plain form: JSONL, one answer a line, with its item's id and the letter that was predicted.

    {"item_id": "17", "predicted": "B", "gold": "C", "prompt_tokens": 240, "generated_tokens": 1}

`predicted` is null where there was no answer. `text` stands beside it, or in its place: then the letter is read
from the text. Optional: `gold`, `sample` (0 greedy, 1.. draws), the token counts, `question` and `options`
(a list, or an object by letter), by which items are matched instead of by their ids.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rimbench.importing.answers import ForeignAnswer, Reading, listed
from rimbench.importing.reading import Glimpse, read_lines
from rimbench.records import LETTERS

EXPECTS = "JSONL with item_id and predicted or text"


def _as_letter(value: str) -> str:
    letter = value.strip().upper()
    if len(letter) != 1 or letter not in LETTERS:
        raise PydanticCustomError("letter", f"expected a letter A to {LETTERS[-1]} or null")
    return letter


class _Line(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    item_id: Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]
    predicted: str | None = None
    text: str | None = None
    gold: Annotated[str, AfterValidator(_as_letter)] | None = None
    sample: Annotated[int, Field(ge=0)] = 0
    question: str | None = None
    options: list[str] | dict[str, str] | None = None
    prompt_tokens: Annotated[int, Field(ge=0)] | None = None
    generated_tokens: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _has_an_answer(self) -> Self:
        if not {"predicted", "text"} & self.model_fields_set:
            raise PydanticCustomError("answer", "expected predicted or text")
        return self


def recognises(glimpse: Glimpse) -> bool:
    """Whether the first line has an id and an answer."""
    return "item_id" in glimpse.keys and bool({"predicted", "text"} & glimpse.keys)


def read(path: Path) -> Reading:
    """Every line as an answer."""
    lines = read_lines(path, _Line)
    written = any("predicted" not in line.model_fields_set for line in lines)
    return Reading(tuple(map(_answer, lines)), "generate" if written else "letters", notes=tuple(_notes(lines)))


def _answer(line: _Line) -> ForeignAnswer:
    predicted = _spoken(line).upper()
    options = line.options or ()
    if isinstance(options, dict):
        options = [options[letter] for letter in sorted(options)]
    return ForeignAnswer(
        item_id=line.item_id,
        sample=line.sample,
        given="letter" if "predicted" in line.model_fields_set else "text",
        letter=predicted if _is_letter(predicted) else None,
        text=line.text or "",
        texts=(line.question,) if line.question else (),
        option_lists=(tuple(options),) if options else (),
        gold=line.gold,
        prompt_tokens=line.prompt_tokens,
        generated_tokens=line.generated_tokens,
    )


def _spoken(line: _Line) -> str:
    return (line.predicted or "").strip()


def _is_letter(value: str) -> bool:
    return len(value) == 1 and value in ascii_uppercase


def _notes(lines: Sequence[_Line]) -> list[str]:
    notes = []
    unread = sorted({key for line in lines for key in line.model_extra or {}})
    if unread:
        notes.append(f"not part of a record, and not kept: {', '.join(unread)}")
    odd = Counter(_spoken(line) for line in lines if _spoken(line) and not _is_letter(_spoken(line).upper()))
    if odd:
        values = [f"{value[:40]!r} ({count})" for value, count in odd.most_common()]
        notes.append(f"predictions that are no letter, and count as no answer: {listed(values)}")
    return notes
