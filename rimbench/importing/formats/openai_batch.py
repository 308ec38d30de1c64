"""OpenAI's batch API: the `.jsonl` of outputs, with the file of errors and the file of requests beside it, if there.

A line of outputs has no question: the item is its `custom_id`, unless the requests of the same ids lie beside it,
which also state how the answers were drawn. Lines stand in any order. A request that failed or expired stands in the
file of errors, and one whose response is no success in that of outputs: neither was answered. Several choices of one
request are draws.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from rimbench.errors import DataError
from rimbench.importing.answers import AnswerFile, ForeignAnswer, as_draws, listed, stated_sampling
from rimbench.importing.documents import listed_options, strings
from rimbench.importing.reading import Glimpse, check_score, glimpse
from rimbench.importing.rows import read_rows

EXPECTS = "*.jsonl of a batch's outputs"
_CUT_OFF = ("length", "content_filter", "max_output_tokens", "incomplete")


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
        body = (self.response or {}).get("body")
        return body if isinstance(body, Mapping) else {}

    @property
    def failure(self) -> str | None:
        """Why there is no answer, None where there is one."""
        error = self.error or self.body.get("error")
        status = (self.response or {}).get("status_code", 200)
        if not error and status == 200:
            return None
        return " ".join(" ".join(strings(error)).split())[:1000] or f"status {status}"


class _Request(_Named):
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """What was asked last."""
        asked = self.body.get("messages") or self.body.get("input") or self.body.get("prompt")
        turns = [turn for turn in asked if isinstance(turn, Mapping)] if isinstance(asked, list) else []
        return next(
            (_text(turn.get("content")) for turn in reversed(turns) if turn.get("role") == "user"), _text(asked)
        )


def recognises(glimpse: Glimpse) -> bool:
    """Whether the first line is an output, an error or a request of a batch."""
    return "custom_id" in glimpse.keys and (_asks(glimpse) or {"response", "error"} <= glimpse.keys)


def source(path: Path) -> Path:
    """The outputs, of requests or errors beside them."""
    requests, parts = _batch(path)
    if path != requests:
        return max(parts, key=lambda part: (any(row.failure is None for row in parts[part]), part == path))
    if len(parts) == 1:
        return next(iter(parts))
    raise DataError(f"{path} holds a batch's requests, and {len(parts)} files beside it answers: give one of outputs")


def read(path: Path, score: str | None) -> AnswerFile:
    """Every request's answer; DataError where outputs and errors beside them answer one request."""
    check_score(score, (), path)
    requests, parts = _batch(path)
    asked = {row.custom_id: row for row in read_rows(requests, _Request)} if requests else {}
    lines = [line for part in parts.values() for line in part]
    answers = [answer for line in lines for answer in _answers(line, asked.get(line.custom_id))]
    settings = [row.body for row in asked.values()]
    temperature, top_p, most = (
        _same(settings, *keys)
        for keys in (("temperature",), ("top_p",), ("max_completion_tokens", "max_tokens", "max_output_tokens"))
    )
    notes = [] if asked else ["the requests do not lie beside the outputs: items are found by custom_id alone"]
    silent = [custom_id for custom_id in asked if custom_id not in {line.custom_id for line in lines}]
    if silent:
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


def _batch(path: Path) -> tuple[Path | None, dict[Path, list[_Line]]]:
    """The requests of a batch, and its outputs and errors by their file; without requests, the file alone."""
    kin = [
        file
        for file in sorted(path.parent.glob("*.jsonl"))
        if file.stat().st_size and "custom_id" in glimpse(file).keys
    ]
    asking = [file for file in kin if _asks(glimpse(file))]
    own = {row.custom_id for row in read_rows(path, _Named)}
    for requests in asking if path not in asking else [path]:
        ids = {row.custom_id for row in read_rows(requests, _Named)}
        if own <= ids:
            parts = {file: read_rows(file, _Line) for file in kin if file not in asking}
            parts = {file: lines for file, lines in parts.items() if {line.custom_id for line in lines} <= ids}
            others = {line.custom_id for file, lines in parts.items() if file != path for line in lines}
            if path == requests or not own & others:
                return requests, _joined(parts) if path == requests else parts
            return requests, {path: parts[path]}
    return None, {path: read_rows(path, _Line)}


def _joined(parts: Mapping[Path, list[_Line]]) -> dict[Path, list[_Line]]:
    """The files as one under the name of that with answers, where no two answer one request."""
    answered = [file for file, lines in parts.items() if any(line.failure is None for line in lines)]
    every = [line for lines in parts.values() for line in lines]
    if len(answered) == 1 and len({line.custom_id for line in every}) == len(every):
        return {answered[0]: every}
    return dict(parts)


def _answers(line: _Line, request: _Request | None) -> Iterator[ForeignAnswer]:
    prompt = request.prompt if request else ""
    common: dict[str, Any] = {
        "item_id": line.custom_id,
        "given": "text",
        "texts": (prompt,) if prompt else (),
        "option_lists": listed_options(prompt),
    }
    usage = line.body.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    written = _count(usage, "completion_tokens", "output_tokens")
    said = list(_choices(line.body)) if line.failure is None else []
    if not said:
        yield ForeignAnswer(sample=0, failure=line.failure or "the response holds no choice", **common)
    for sample, (text, ended, refusal) in enumerate(said):
        yield ForeignAnswer(
            sample=sample,
            text=text or refusal,
            finished=ended not in _CUT_OFF,
            refused=bool(refusal) or ended == "content_filter",
            prompt_tokens=_count(usage, "prompt_tokens", "input_tokens"),
            generated_tokens=written if len(said) == 1 else None,
            **common,
        )


def _choices(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Text, how it ended and refusal of each choice, of whichever endpoint."""
    choices = [choice for choice in _list(body.get("choices")) if isinstance(choice, Mapping)]
    for choice in sorted(choices, key=lambda each: each["index"] if isinstance(each.get("index"), int) else 0):
        message = choice.get("message")
        message = message if isinstance(message, Mapping) else {"content": choice.get("text")}
        yield _text(message.get("content")), str(choice.get("finish_reason")), str(message.get("refusal") or "")
    output = body.get("output")
    if isinstance(output, list):
        parts = [part for each in output if isinstance(each, Mapping) for part in _list(each.get("content"))]
        parts = [part for part in parts if isinstance(part, Mapping)]
        refusal = " ".join(str(part["refusal"]) for part in parts if part.get("refusal"))
        yield _text([part for part in parts if part.get("type") == "output_text"]), str(body.get("status")), refusal


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(content: object) -> str:
    """A text, or the texts among the parts of a message."""
    if isinstance(content, list):
        return "\n".join(str(part["text"]) for part in content if isinstance(part, Mapping) and "text" in part)
    return content if isinstance(content, str) else ""


def _count(usage: Mapping[str, Any], *keys: str) -> int | None:
    return next((value for key in keys if isinstance(value := usage.get(key), int) and value >= 0), None)


def _same(settings: list[dict[str, Any]], *keys: str) -> float | None:
    """A number that all requests state alike."""
    stated = {next((body[key] for key in keys if isinstance(body.get(key), int | float)), None) for body in settings}
    return stated.pop() if len(stated) == 1 else None
