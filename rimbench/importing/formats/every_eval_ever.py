"""Every Eval Ever: `<id>_samples.jsonl`, a row an item and metric, with the totals in the `<id>.json` beside it.

Rows of one metric are read: all hold the same answer. Options stand there twice where the source asked for each
without the question too (mutual information). The reference is a letter, an index from 0 or an option's text, alike
in a whole file; so is the answer of a likelihood, and a written one is a text. Rows of several epochs are draws 1,
2, ... Checked with 0.3.0.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from rimbench.errors import DataError
from rimbench.importing.answers import AnswerFile, ForeignAnswer, Sampling, as_draws, figures_of, occurrences
from rimbench.importing.documents import as_letters, listed_options
from rimbench.importing.reading import Glimpse, beside, check_score
from rimbench.importing.rows import read_rows
from rimbench.importing.stated import CUT_OFF, last_said, mapping, stated_sampling, unlike, verdict
from rimbench.records import LETTERS

EXPECTS = "*_samples.jsonl"


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
        turns = [(message.role, message.content) for message in self.messages or ()]
        return [last_said(turns, "assistant")] if "assistant" in dict(turns) else []

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


def source(glimpse: Glimpse) -> Path:
    """The samples beside totals; DataError where they are not there."""
    path = glimpse.path
    if "evaluation_results" not in glimpse.keys:
        return path
    named = str(mapping(glimpse.row.get("detailed_evaluation_results")).get("file_path") or "")
    found = (path.with_name(f"{path.stem}_samples.jsonl"), path.with_name(Path(named).name or "-"))
    samples = next((file for file in found if file.is_file()), None)
    if samples is None:
        raise DataError(f"{path} holds totals and no single answer: give the *_samples.jsonl that belongs to it")
    return samples


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every sample's answers, with the verdicts of one metric: the first, or that of the name `score`."""
    path = glimpse.path
    lines = read_rows(path, _Row)
    figures = figures_of((line.metric, line.sample_id, line.evaluation.score) for line in lines)
    check_score(score, figures, path)
    chosen = score or next(iter(figures), None)
    rows = sorted((line for line in lines if line.metric == chosen), key=lambda line: line.epoch)
    totals = path.with_name(path.name.replace("_samples.jsonl", ".json"))
    document = mapping(beside(totals) if totals != path else None)
    said = [text for row in rows for text in row.said]
    chooses = bool(said) and sum(row.by_text(text) is not None for row in rows for text in row.said) > len(said) / 2
    found = [
        (row, text, gold)
        for row, gold in zip(rows, _golds(rows), strict=True)
        for text in (row.said if row.error is None and row.said else [""])
    ]
    samples = occurrences(row.sample_id for row, _, _ in found)
    answers = [
        _answer(row, text, gold, chooses=chooses, sample=sample)
        for (row, text, gold), sample in zip(found, samples, strict=True)
    ]
    sampling = _sampling(document)
    return AnswerFile(
        as_draws(answers, (sampling.temperature or 0) > 0),
        "letters" if chooses else "generate",
        model=next((row.model_id for row in rows), None),
        sampling=sampling,
        versions=_versions(document),
        score=chosen,
        figures=figures,
        notes=tuple(_notes(document, totals.name, figures, len(lines))),
    )


def _answer(row: _Row, text: str, gold: str | None, *, chooses: bool, sample: int) -> ForeignAnswer:
    letter = row.by_text(text) if chooses else None
    stop = str((row.metadata or {}).get("stop_reason"))
    alone = len(row.said) == 1
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
        score=verdict(row.evaluation.score) if alone and row.error is None else None,
        finished=stop not in CUT_OFF,
        refused=stop == "content_filter",
        failure=row.error or (None if row.said else "the row holds no answer"),
        prompt_tokens=row.token_usage.input_tokens if row.token_usage else None,
        generated_tokens=row.token_usage.output_tokens if row.token_usage and alone else None,
    )


def _golds(rows: Sequence[_Row]) -> list[str | None]:
    """The letters of the references, all read in the one way that fits most rows, and then most verdicts."""
    ways: list[Callable[[_Row, str], str | None]] = [_Row.by_letter, _Row.by_text, _Row.by_index]
    taken = [row.by_text(row.said[0]) or row.by_letter(row.said[0]) if row.said else None for row in rows]
    found = [
        [way(row, row.input.reference[0]) if len(row.input.reference) == 1 else None for row in rows] for way in ways
    ]

    def fits(golds: Sequence[str | None]) -> tuple[int, int]:
        agreeing = sum(
            (one == gold) == row.evaluation.is_correct for one, gold, row in zip(taken, golds, rows, strict=True)
        )
        return sum(gold is not None for gold in golds), agreeing

    return max(found, key=fits) if rows else []


def _sampling(document: Mapping[str, Any]) -> Sampling:
    """What the answers were drawn with, as the first result states it."""
    results = document.get("evaluation_results")
    first = mapping(results[0] if isinstance(results, list) and results else None)
    made = mapping(mapping(first.get("generation_config")).get("generation_args"))
    return stated_sampling(made.get("temperature"), made.get("top_p"), made.get("max_tokens"))


def _versions(document: Mapping[str, Any]) -> dict[str, str]:
    named = mapping(document.get("eval_library"))
    return {str(named["name"]): str(named["version"])} if {"name", "version"} <= named.keys() else {}


def _notes(document: Mapping[str, Any], name: str, means: Mapping[str, tuple[float, int]], rows: int) -> list[str]:
    """What the totals beside the samples state otherwise."""
    notes = []
    results = document.get("evaluation_results")
    for result in map(mapping, results if isinstance(results, list) else ()):
        metric = str(result.get("evaluation_result_id") or result.get("evaluation_name"))
        notes += unlike(name, metric, mapping(result.get("score_details")).get("score"), means.get(metric))
    stated = mapping(document.get("detailed_evaluation_results")).get("total_rows")
    if isinstance(stated, int) and stated != rows:
        notes.append(f"{name} states {stated} rows of samples, and there are {rows}")
    return notes
