"""The plain form: one answer a row of JSONL, of a JSON array, or of CSV or TSV with a header line.

    {"item_id": "17", "predicted": "B", "gold": "C", "prompt_tokens": 240, "generated_tokens": 1}

`predicted` is null, or an empty cell, where there was no answer, and may be an option's text, with its letter or
without. `text` stands beside it, or in its place: then the letter is read from the text. A row with an `error`, or a
`status` that says so, was not answered, whatever else it holds; a text without a letter whose `finish_reason` is
"length" was cut off. Optional: `gold`, `sample` (0 greedy, 1.. draws) and `temperature` (above 0, none is greedy, and
samples from 0 on are draws from 1 on), the token counts, and `question` and `options` (a list, an object by letter,
or columns such as opa.. and A..), by which items are matched instead of by their ids. A row with a question needs no
id. Other usual names of these keys are read too: `SPELLINGS`.
"""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rimbench.extraction.spelling import compatible
from rimbench.importing.answers import AnswerFile, ForeignAnswer, Sampling, as_draws
from rimbench.importing.documents import option_lists
from rimbench.importing.reading import Glimpse, check_score
from rimbench.importing.rows import read_rows
from rimbench.importing.stated import CUT_OFF, one_line
from rimbench.records import LETTERS

EXPECTS = "JSONL, a JSON array or CSV of item_id and predicted or text"
SPELLINGS = {
    "item_id": ("custom_id", "id", "question_id", "qid", "realidx", "idx", "index"),
    "predicted": ("prediction", "pred", "predicted_answer", "predicted_letter", "pred_answer", "model_answer"),
    "text": ("response", "output", "completion", "generated_text", "generation", "model_output", "raw_output"),
    "stated_gold": ("answer_idx", "gold_answer", "correct_answer", "ground_truth", "label", "target", "answer"),
    "options": ("choices",),
    "prompt_tokens": ("input_tokens",),
    "generated_tokens": ("completion_tokens", "output_tokens"),
    "error": ("error_message", "exception"),
    "finish_reason": ("stop_reason",),
}
"""Other names of each key, the likeliest first. A gold answer under one of them may be an option's text."""


_DRESS = r"[\s().:;,\u3001\u3002\[\]{}<>*\"'`\u201c\u201d\u2018\u2019\u00ab\u00bb\u300c\u300d\u3010\u3011_#$]*"
_DRESSED = re.compile(
    r"(?:(?:the )?(?:final |correct |best |predicted )?(?:answer|option|choice|letter)(?: is)?\s*[:=]?|\\boxed)?"
    rf"{_DRESS}(?P<letter>[A-J]){_DRESS}",
    re.IGNORECASE | re.ASCII,
)
_NO_ERROR = ("", "0", "false", "no", "none", "null", "nan", "n/a", "-", "[]", "{}", "ok", "success")
"""What an error column holds where there was none."""
_HTTP_ERRORS = range(400, 600)
_FAILED = ("error", "errored", "failed", "failure", "timeout", "timed_out", "exception", "engine_error")
"""What a column `status` holds where there was one."""


def _as_letter(value: str) -> str:
    letter = _letter(value)
    if letter is None:
        raise PydanticCustomError("letter", f"expected a letter A to {LETTERS[-1]} or null")
    return letter


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("float_type", "expected a number")
    return value


_Number = BeforeValidator(_no_flag)
_Count = Annotated[int, Field(ge=0, lt=2**31), _Number]


class _Row(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    item_id: Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)] | None = None
    predicted: str | None = None
    text: str | None = None
    gold: Annotated[str, AfterValidator(_as_letter)] | None = None
    stated_gold: str | None = None
    sample: Annotated[int, Field(ge=0, le=1_000_000), _Number] = 0
    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False), _Number] | None = None
    error: Any = None
    status: Any = None
    finish_reason: Any = None
    question: str | None = None
    options: list[Any] | dict[str, Any] | None = None
    prompt_tokens: _Count | None = None
    generated_tokens: _Count | None = None

    @model_validator(mode="before")
    @classmethod
    def _spells_keys_as_we_do(cls, row: object) -> object:
        return _respelled(row) if isinstance(row, Mapping) else row

    @model_validator(mode="after")
    def _says_what_was_answered_to_what(self) -> Self:
        if not {"predicted", "text"} & self.model_fields_set and self.failure is None:
            raise PydanticCustomError("answer", "expected predicted or text")
        if self.item_id is None and not self.question:
            raise PydanticCustomError("item", "expected item_id or question")
        return self

    @property
    def failure(self) -> str | None:
        """The error that the row states in the place of an answer: a text, a document, or a flag."""
        if self.error in (None, False, 0, [], {}):
            failed = isinstance(self.status, str) and self.status.strip().casefold() in _FAILED
            return f"status: {self.status}" if failed else None
        said = one_line(self.error)
        if isinstance(self.error, str):
            return None if said.casefold() in _NO_ERROR else said
        if isinstance(self.error, int | float) and self.error not in (True, 1, *_HTTP_ERRORS):
            return None  # a measure of some kind
        return said or (f"error {self.error}" if self.error in _HTTP_ERRORS else "an error without a message")

    @property
    def offered(self) -> tuple[tuple[str, ...], ...]:
        """What may be the options: those under their key, or the row's numbered columns."""
        return tuple(option_lists(self.options if self.options is not None else self.model_extra))


def _respelled(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row under our names of its keys; a key that is spelled our way, or cannot be what it is called, stays."""
    found = {key: value for key, value in row.items() if not (key == "sample" and value is None)}
    for usage in ("token_usage", "usage"):
        if isinstance(found.get(usage), Mapping):
            found = dict(found.pop(usage)) | found
    if isinstance(found.get("options"), str):
        found["options"] = _parsed(found["options"])
    offered = tuple(option_lists(found.get("options") or found.get("choices") or found))
    for key, others in SPELLINGS.items():
        if key not in found and not (key == "stated_gold" and "gold" in found):
            other = next((name for name in others if name in found and _can_be(key, found[name], offered)), None)
            if other is not None:
                found[key] = found.pop(other)
    return found


def _can_be(key: str, value: object, offered: Sequence[Sequence[str]]) -> bool:
    if key in ("predicted", "text"):
        return value is None or isinstance(value, str)
    if key == "stated_gold":
        return isinstance(value, str) and bool(_letter(value) or _letter_of_text(value, offered))
    return not (key == "options" and isinstance(value, str))


def _parsed(cell: str) -> Any:
    """The options in a cell of a table, as JSON or as Python writes them."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return cell


def _letter_of_text(value: str, offered: Sequence[Sequence[str]]) -> str | None:
    """The letter of the one option with exactly this text."""
    for texts in offered:
        same = [place for place, text in enumerate(texts) if text.strip() == value.strip()]
        if len(same) == 1 and same[0] < len(LETTERS):
            return LETTERS[same[0]]
    return None


def _letters(values: Sequence[str | None], rows: Sequence[_Row]) -> list[str | None]:
    """The letter that each value of a column means, by what most of the column holds: an option may read "B"."""
    said = [value for value in values if value]
    by_text = sum(_letter(value) is None for value in said) > len(said) / 2
    found = []
    for value, row in zip(values, rows, strict=True):
        readings = [_letter(value or ""), _letter_of_text(value or "", row.offered)]
        found.append(next(filter(None, reversed(readings) if by_text else readings), None))
    return found


def _letter(value: str) -> str | None:
    """The letter that a value is, in any of its usual dresses: b, (B), B., **B**, full-width, Option B."""
    match = _DRESSED.fullmatch(compatible(value).strip())
    return match["letter"].upper() if match else None


def recognises(glimpse: Glimpse) -> bool:
    """Whether the first row has an answer, and an id or a question."""
    row = glimpse.row

    def has(key: str) -> bool:
        named = {key, *SPELLINGS.get(key, ())} & glimpse.keys
        return any(_can_be(key, row[name], ()) for name in named)

    replies = [row.get("response", ""), row.get("error", "")]
    if "custom_id" in row and not any(isinstance(reply, str) for reply in replies):
        return False  # OpenAI's batches, whose own ids are of their requests
    return (has("item_id") or has("question")) and (has("predicted") or has("text") or has("error"))


def source(glimpse: Glimpse) -> Path:
    """The file itself."""
    return glimpse.path


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every row as an answer."""
    path = glimpse.path
    check_score(score, (), path)
    rows = read_rows(path, _Row, glimpse.whole)
    written = any("text" in row.model_fields_set and "predicted" not in row.model_fields_set for row in rows)
    predicted = _letters([row.predicted for row in rows], rows)
    stated = _letters([row.stated_gold for row in rows], rows)
    answers = tuple(
        ForeignAnswer(
            item_id=row.item_id or str(place),
            sample=row.sample,
            given="letter" if "predicted" in row.model_fields_set else "text",
            letter=letter,
            prediction="" if letter else (row.predicted or "").strip(),
            text=row.text or "",
            failure=row.failure,
            finished=row.finish_reason not in CUT_OFF,
            texts=(row.question,) if row.question else (),
            option_lists=row.offered if row.question or row.options else (),
            gold=row.gold or gold,
            prompt_tokens=row.prompt_tokens,
            generated_tokens=row.generated_tokens,
        )
        for place, (row, letter, gold) in enumerate(zip(rows, predicted, stated, strict=True))
    )
    drawn = any(row.temperature for row in rows if row.sample == 0)
    return AnswerFile(
        as_draws(answers, drawn) if drawn else answers,
        "generate" if written else "letters",
        sampling=Sampling(_temperature(rows)),
        notes=tuple(_notes(rows)),
        lists={"predictions_without_letter": ()},
    )


def _temperature(rows: Sequence[_Row]) -> float | None:
    """That of the draws, or of the single answers, where all state the same."""
    draws = [row for row in rows if row.sample] or rows
    stated = {row.temperature for row in draws}
    return stated.pop() if len(stated) == 1 else None


def _notes(rows: Sequence[_Row]) -> list[str]:
    unread = sorted({key for row in rows for key in row.model_extra or {}})
    return [f"not part of a record, and not kept: {', '.join(unread)}"] if unread else []
