"""OpenAI's batch API: the `.jsonl` of outputs, with the file of errors and the file of requests beside it, if there.

A line of outputs has no question: the item is its `custom_id`, unless the requests of the same ids lie beside it,
which also state how the answers were drawn. Lines stand in any order. A request that failed or expired stands in the
file of errors, and one whose response is no success in that of outputs: neither was answered. Several choices of one
request are draws.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from rimbench.errors import DataError
from rimbench.importing.answers import AnswerFile, ForeignAnswer, as_draws, listed
from rimbench.importing.documents import listed_options
from rimbench.importing.reading import Glimpse, check_score, glimpse
from rimbench.importing.rows import read_rows
from rimbench.importing.stated import CUT_OFF, finite_number, last_said, mapping, one_line, stated_sampling, text_of

EXPECTS = "*.jsonl of a batch's outputs"
_HEAD = 2**20
"""Bytes of a file beside in which the word `custom_id` stands where it is of a batch."""


class _Named(BaseModel):
    custom_id: Annotated[str, Field(min_length=1)]


class _Line(_Named):
    response: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _has_one_of_both(self) -> Self:
        if self.response is None and self.error is None:
            raise PydanticCustomError("batch", "expected a response or an error")
        return self

    @property
    def body(self) -> Mapping[str, Any]:
        return mapping((self.response or {}).get("body"))

    @property
    def failure(self) -> str | None:
        """Why there is no answer, None where there is one."""
        error = self.error or self.body.get("error")
        status = (self.response or {}).get("status_code", 200)
        if not error and status == 200:
            return None
        return one_line(error) or f"status {status}"


class _Request(_Named):
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """What was asked last."""
        asked = self.body.get("messages") or self.body.get("input") or self.body.get("prompt")
        turns = map(mapping, asked if isinstance(asked, list) else ())
        return last_said(((turn.get("role", ""), turn.get("content")) for turn in turns), "user") or text_of(asked)


@dataclass(frozen=True, slots=True)
class _Batch:
    """The files of a batch that belong together: what was asked, by id, and the lines of each file of answers.

    `unread` are errors of files beside that may be of it, and cannot be read.
    """

    asked: Mapping[str, _Request]
    parts: Mapping[Path, Sequence[_Line]]
    unread: tuple[str, ...]


def recognises(glimpse: Glimpse) -> bool:
    """Whether the first line is an output, an error or a request of a batch."""
    replies = {"response", "error"} <= glimpse.keys and not any(
        isinstance(glimpse.row[key], str) for key in ("response", "error")
    )
    return "custom_id" in glimpse.keys and (_asks(glimpse) or replies)


def source(glimpse: Glimpse) -> Path:
    """The outputs, of requests or errors beside them."""
    if not _asks(glimpse) and _is_answered(glimpse.row):
        return glimpse.path
    parts = _batch(glimpse).parts
    if not _asks(glimpse):
        return max(parts, key=lambda part: (_has_answers(parts[part]), part == glimpse.path))
    if len(parts) == 1:
        return next(iter(parts))
    raise DataError(
        f"{glimpse.path} holds a batch's requests, and {len(parts)} files beside it answers: give one of outputs"
    )


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every request's answer; DataError where outputs and errors beside them answer one request."""
    check_score(score, (), glimpse.path)
    batch = _batch(glimpse)
    asked, lines = batch.asked, [line for part in batch.parts.values() for line in part]
    answers = [answer for line in lines for answer in _answers(line, asked.get(line.custom_id))]
    settings = [row.body for row in asked.values()]
    temperature, top_p, most = (
        _same(settings, *keys)
        for keys in (("temperature",), ("top_p",), ("max_completion_tokens", "max_tokens", "max_output_tokens"))
    )
    notes = [f"left out: {fault}" for fault in batch.unread]
    if not asked:
        notes.append("the requests do not lie beside the outputs: items are found by custom_id alone")
    found = {line.custom_id for line in lines}
    if silent := [custom_id for custom_id in asked if custom_id not in found]:
        notes.append(f"requests without a line of outputs or errors: {len(silent)} ({listed(silent, 5)})")
    return AnswerFile(
        as_draws(answers, (temperature or 0) > 0),
        "generate",
        model=next((model for line in lines if isinstance(model := line.body.get("model"), str)), None),
        sampling=stated_sampling(temperature, top_p, most),
        notes=tuple(notes),
    )


def _asks(glimpse: Glimpse) -> bool:
    return {"method", "url", "body"} <= glimpse.keys


def _is_answered(row: Mapping[str, Any]) -> bool:
    try:
        return _Line.model_validate(row).failure is None
    except ValidationError:
        return True  # reading the file says what is wrong with it


def _has_answers(lines: Sequence[_Line]) -> bool:
    return any(line.failure is None for line in lines)


def _batch(shown: Glimpse) -> _Batch:
    """The requests of a batch, and its outputs and errors by their file; without requests, the file alone."""
    asking: dict[Path, Mapping[str, _Request]] = {}
    answering: dict[Path, list[_Line]] = {}
    unread = []
    for file in [shown.path, *(file for file in sorted(shown.path.parent.iterdir()) if file != shown.path)]:
        try:
            one = shown if file == shown.path else _beside(file)
            if one is not None and _asks(one):
                asking[file] = {row.custom_id: row for row in read_rows(file, _Request)}
            elif one is not None:
                answering[file] = read_rows(file, _Line)
        except (DataError, OSError) as error:
            if file == shown.path:
                raise
            unread.append(str(error))
    path = shown.path
    own = asking[path].keys() if path in asking else {line.custom_id for line in answering[path]}
    for asked in [asking[path]] if path in asking else asking.values():
        if own <= asked.keys():
            ids = {file: {line.custom_id for line in lines} for file, lines in answering.items()}
            parts = {file: lines for file, lines in answering.items() if ids[file] <= asked.keys()}
            if path in asking:
                return _Batch(asked, _joined(parts), tuple(unread))
            clash = any(ids[file] & own for file in parts if file != path)
            return _Batch(asked, {path: parts[path]} if clash else parts, tuple(unread))
    return _Batch({}, {path: answering[path]}, tuple(unread))


def _beside(file: Path) -> Glimpse | None:
    """What a file beside shows, None where it is of no batch; DataError for one that may be, and cannot be read."""
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        if b"custom_id" not in opened.read(_HEAD):
            return None
    one = glimpse(file)
    if not one.keys:
        raise DataError(f"{file} names a custom_id, and its first line is no JSON object: fetch or write it again")
    return one if recognises(one) else None


def _joined(parts: Mapping[Path, Sequence[_Line]]) -> Mapping[Path, Sequence[_Line]]:
    """The files as one under the name of that with answers, where no two answer one request."""
    answered = [file for file, lines in parts.items() if _has_answers(lines)]
    every = [line for lines in parts.values() for line in lines]
    if len(answered) == 1 and len({line.custom_id for line in every}) == len(every):
        return {answered[0]: every}
    return parts


def _answers(line: _Line, request: _Request | None) -> Iterator[ForeignAnswer]:
    prompt = request.prompt if request else ""
    common: dict[str, Any] = {
        "item_id": line.custom_id,
        "given": "text",
        "texts": (prompt,) if prompt else (),
        "option_lists": listed_options(prompt),
    }
    usage = mapping(line.body.get("usage"))
    written = _count(usage, "completion_tokens", "output_tokens")
    said = list(_choices(line.body)) if line.failure is None else []
    if not said:
        yield ForeignAnswer(sample=0, failure=line.failure or "the response holds no choice", **common)
    for sample, (text, ended, refusal) in enumerate(said):
        yield ForeignAnswer(
            sample=sample,
            text=text or refusal,
            finished=ended not in CUT_OFF,
            refused=bool(refusal) or ended == "content_filter",
            prompt_tokens=_count(usage, "prompt_tokens", "input_tokens"),
            generated_tokens=written if len(said) == 1 else None,
            **common,
        )


def _choices(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Text, how it ended and refusal of each choice, of whichever endpoint."""
    choices = [choice for choice in map(mapping, _list(body.get("choices"))) if choice]
    for choice in sorted(choices, key=lambda each: each["index"] if isinstance(each.get("index"), int) else 0):
        message = mapping(choice.get("message")) or {"content": choice.get("text")}
        yield text_of(message.get("content")), str(choice.get("finish_reason")), str(message.get("refusal") or "")
    output = body.get("output")
    if isinstance(output, list):
        parts = [mapping(part) for each in map(mapping, output) for part in _list(each.get("content"))]
        refusal = " ".join(str(part["refusal"]) for part in parts if part.get("refusal"))
        yield text_of([part for part in parts if part.get("type") == "output_text"]), str(body.get("status")), refusal


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(usage: Mapping[str, Any], *keys: str) -> int | None:
    return next((value for key in keys if isinstance(value := usage.get(key), int) and value >= 0), None)


def _same(settings: list[dict[str, Any]], *keys: str) -> float | None:
    """A number that all requests state alike."""
    stated = {
        next((found for key in keys if (found := finite_number(body.get(key))) is not None), None)
        for body in settings
    }
    return stated.pop() if len(stated) == 1 else None
