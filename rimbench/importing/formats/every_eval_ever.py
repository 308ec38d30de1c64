"""Every Eval Ever: `<id>_samples.jsonl`, a row an item and metric, with the totals in the `<id>.json` beside it.

Rows of one metric are read: all hold the same answer. Options stand there twice where the source asked for each
without the question too (mutual information). The reference is a letter, an index from 0 or an option's text, alike
in a whole file; so is the answer of a likelihood, and a written one is a text. Rows of several epochs are draws 1,
2, ... Checked with 0.3.0.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from rimbench.errors import DataError
from rimbench.importing.answers import (
    AnswerFile,
    ForeignAnswer,
    Sampling,
    as_draws,
    mean_by_item,
    stated_sampling,
    unlike,
)
from rimbench.importing.documents import as_letters, listed_options
from rimbench.importing.reading import Glimpse, check_score
from rimbench.importing.rows import parse, read_object, read_rows
from rimbench.records import LETTERS

EXPECTS = "*_samples.jsonl"
_CUT_OFF = ("max_tokens", "length", "model_length", "content_filter")


class _Input(BaseModel):
    raw: str
    reference: list[str]
    choices: list[str] | None = None


class _Output(BaseModel):
    raw: list[str]


class _Message(BaseModel):
    role: str
    content: str | None = None


class _Evaluation(BaseModel):
    score: float
    is_correct: bool


class _Usage(BaseModel):
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)


class _Row(BaseModel):
    model_id: str
    evaluation_name: str
    evaluation_result_id: str | None = None
    sample_id: str
    input: _Input
    output: _Output | None = None
    messages: list[_Message] | None = None
    evaluation: _Evaluation
    token_usage: _Usage | None = None
    error: str | None = None
    metadata: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _has_an_answer(self) -> Self:
        if self.output is None and self.messages is None:
            raise PydanticCustomError("answer", "expected output or messages")
        return self

    @property
    def metric(self) -> str:
        return self.evaluation_result_id or self.evaluation_name

    @property
    def choices(self) -> list[str]:
        """The options, each once."""
        every = [choice.strip() for choice in self.input.choices or ()]
        half = len(every) // 2
        return every[:half] if half > 1 and every[:half] == every[half:] else every

    @property
    def letters(self) -> Sequence[str]:
        """The letters of the options, by place."""
        return as_letters(self.choices) or LETTERS

    @property
    def said(self) -> list[str]:
        """The answers: all of a single turn, the last of several turns."""
        if self.output is not None:
            return self.output.raw
        turns = [message.content or "" for message in self.messages or () if message.role == "assistant"]
        return turns[-1:]

    @property
    def epoch(self) -> int:
        stated = str((self.metadata or {}).get("epoch", ""))
        return int(stated) if stated.isdecimal() and len(stated) < 10 else 0

    def by_text(self, text: str) -> str | None:
        """The letter of the one option with this text."""
        places = [place for place, choice in enumerate(self.choices) if choice == text.strip()]
        return self.letters[places[0]] if len(places) == 1 and places[0] < len(self.letters) else None

    def by_letter(self, text: str) -> str | None:
        letter = text.strip("(). ").upper()
        return letter if len(letter) == 1 and letter in self.letters else None

    def by_index(self, text: str) -> str | None:
        place = int(text) if text.strip().isdecimal() and len(text) < 4 else -1
        return self.letters[place] if 0 <= place < min(len(self.letters), len(self.choices)) else None


def recognises(glimpse: Glimpse) -> bool:
    """Whether the first row is of a sample and metric, or the object holds totals."""
    return {"schema_version", "evaluation_id"} <= glimpse.keys and bool(
        {"sample_id", "evaluation_results"} & glimpse.keys
    )


def source(path: Path) -> Path:
    """The samples beside totals; DataError where they are not there."""
    if path.suffix.lower() != ".json":
        return path
    details = read_object(path).get("detailed_evaluation_results")
    named = str(details.get("file_path") or "") if isinstance(details, Mapping) else ""
    found = [
        file
        for file in (path.with_name(f"{path.stem}_samples.jsonl"), path.with_name(Path(named).name or "-"))
        if file.is_file()
    ]
    if not found:
        raise DataError(f"{path} holds totals and no single answer: give the *_samples.jsonl that belongs to it")
    return found[0]


def read(path: Path, score: str | None) -> AnswerFile:
    """Every sample's answers, with the verdicts of one metric: the first, or that of the name `score`."""
    lines = read_rows(path, _Row)
    metrics = list(dict.fromkeys(line.metric for line in lines))
    check_score(score, metrics, path)
    chosen = score or next(iter(metrics), None)
    rows = sorted((line for line in lines if line.metric == chosen), key=lambda line: line.epoch)
    totals = path.with_name(path.name.replace("_samples.jsonl", ".json"))
    found = parse(totals.read_bytes()) if totals != path and totals.is_file() else None
    document = found if isinstance(found, Mapping) else {}
    said = [text for row in rows for text in row.said]
    chooses = bool(said) and sum(row.by_text(text) is not None for row in rows for text in row.said) > len(said) / 2
    before: Counter[str] = Counter()
    answers = []
    for row, gold in zip(rows, _golds(rows), strict=True):
        for text in row.said if row.error is None and row.said else [""]:
            answers.append(_answer(row, text, gold, chooses=chooses, sample=before[row.sample_id]))
            before[row.sample_id] += 1
    means = {}
    for name in metrics:
        by_item = mean_by_item((line.sample_id, line.evaluation.score) for line in lines if line.metric == name)
        means[name] = (sum(by_item.values()) / len(by_item), len(by_item))
    sampling = _sampling(document)
    return AnswerFile(
        as_draws(answers, (sampling.temperature or 0) > 0),
        "letters" if chooses else "generate",
        model=next((row.model_id for row in rows), None),
        sampling=sampling,
        versions=_versions(document),
        score=chosen,
        figures=means,
        notes=tuple(_notes(document, totals.name, means, len(lines))),
    )


def _answer(row: _Row, text: str, gold: str | None, *, chooses: bool, sample: int) -> ForeignAnswer:
    letter = row.by_text(text) if chooses else None
    stop = str((row.metadata or {}).get("stop_reason"))
    alone = len(row.said) == 1
    value = row.evaluation.score
    return ForeignAnswer(
        item_id=row.sample_id,
        sample=sample,
        given="letter" if letter else "text",
        letter=letter,
        text=text,
        texts=(row.input.raw,),
        option_lists=listed_options(row.input.raw)
        if as_letters(row.choices) or not row.choices
        else (tuple(row.choices),),
        gold=gold,
        score=value if alone and row.error is None and 0 <= value <= 1 else None,
        finished=stop not in _CUT_OFF,
        refused=stop == "content_filter",
        failure=row.error or (None if row.said else "the row holds no answer"),
        prompt_tokens=row.token_usage.input_tokens if row.token_usage else None,
        generated_tokens=row.token_usage.output_tokens if row.token_usage and alone else None,
    )


def _golds(rows: Sequence[_Row]) -> list[str | None]:
    """The letters of the references, all read in the one way that fits most rows, and then most verdicts."""
    ways: list[Callable[[_Row, str], str | None]] = [_Row.by_letter, _Row.by_text, _Row.by_index]
    found = [
        [way(row, row.input.reference[0]) if len(row.input.reference) == 1 else None for row in rows] for way in ways
    ]

    def fits(golds: Sequence[str | None]) -> tuple[int, int]:
        taken = [row.by_text(row.said[0]) or row.by_letter(row.said[0]) if row.said else None for row in rows]
        agreeing = sum(
            (one == gold) == row.evaluation.is_correct for one, gold, row in zip(taken, golds, rows, strict=True)
        )
        return sum(gold is not None for gold in golds), agreeing

    return max(found, key=fits) if rows else []


def _sampling(document: Mapping[str, Any]) -> Sampling:
    """What the answers were drawn with, as the first result states it."""
    results = document.get("evaluation_results")
    first = results[0] if isinstance(results, list) and results and isinstance(results[0], Mapping) else {}
    config = first.get("generation_config")
    made = config.get("generation_args") if isinstance(config, Mapping) else None
    made = made if isinstance(made, Mapping) else {}
    return stated_sampling(made.get("temperature"), made.get("top_p"), made.get("max_tokens"))


def _versions(document: Mapping[str, Any]) -> dict[str, str]:
    library = document.get("eval_library")
    named = library if isinstance(library, Mapping) else {}
    return {str(named["name"]): str(named["version"])} if {"name", "version"} <= named.keys() else {}


def _notes(document: Mapping[str, Any], name: str, means: Mapping[str, tuple[float, int]], rows: int) -> list[str]:
    """What the totals beside the samples state otherwise."""
    notes = []
    results = document.get("evaluation_results")
    for result in results if isinstance(results, list) else ():
        details = result.get("score_details") if isinstance(result, Mapping) else None
        if isinstance(details, Mapping):
            metric = str(result.get("evaluation_result_id") or result.get("evaluation_name"))
            notes += unlike(name, metric, details.get("score"), means[metric]) if metric in means else []
    details = document.get("detailed_evaluation_results")
    stated = details.get("total_rows") if isinstance(details, Mapping) else None
    if isinstance(stated, int) and stated != rows:
        notes.append(f"{name} states {stated} rows of samples, and there are {rows}")
    return notes
