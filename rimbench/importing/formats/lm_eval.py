"""lm-evaluation-harness: `samples_<task>_<time>.jsonl`, as written with --log_samples.

Of `multiple_choice`, the option with the highest log-likelihood is the answer (the harness's `acc`), or with the
score `acc_norm` the one with the highest for its length; of `generate_until`, the letter is read from the whole text,
not from what the task's filters left of it. A task with several filters has a line for each, of the same texts: the
first that takes no vote is read. The document of each line, a row of the data set as the task saw it, says which item
it is. The temperature stands in each line's arguments; model and versions in the `results_<time>.json` beside it,
which can be named in the samples' place. Checked with 0.4.13.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rimbench.importing.answers import AnswerFile, ForeignAnswer, Sampling, as_draws, figures_of
from rimbench.importing.documents import as_letters, gold_letter, option_lists, strings
from rimbench.importing.formats import _lm_eval_results as results
from rimbench.importing.reading import Glimpse, check_score
from rimbench.importing.rows import read_rows
from rimbench.importing.stated import mapping, stated_sampling, verdict
from rimbench.records import LETTERS

EXPECTS = "samples_*.jsonl"
_LIKELIHOOD_SCORES = ("acc", "acc_norm")
_USUAL_SCORES = ("exact_match", *_LIKELIHOOD_SCORES)


class _Line(BaseModel):
    """Numbers come as such, or as text. `arguments` and `resps` have an entry for each request of the document."""

    model_config = ConfigDict(extra="allow", frozen=True)

    doc_id: int | str
    doc: dict[str, Any]
    target: Any
    arguments: dict[str, dict[str, Any]] | list[list[Any]]
    resps: Annotated[list[list[Any]], Field(min_length=1)]
    filter: str = "none"
    metrics: list[str] = Field(default_factory=list)
    prompt_hash: str = ""

    @model_validator(mode="after")
    def _is_a_choice_or_a_text(self) -> Self:
        if self.texts:
            return self
        for answer in self.resps:
            if not answer or not isinstance(answer[0], list) or _number(answer[0][0] if answer[0] else None) is None:
                raise PydanticCustomError("resps", "resps: expected texts, or a log-likelihood an option")
        if len(self.resps) > len(self.requests) or not all(
            len(request) > 1 and isinstance(request[1], str) for request in self.requests
        ):
            raise PydanticCustomError("arguments", "arguments: expected context and continuation of each request")
        if len(self.choices) not in range(2, len(LETTERS) + 1):
            raise PydanticCustomError("options", "expected 2 to 10 options as continuations of one context")
        return self

    @property
    def texts(self) -> list[str | None]:
        """The texts that were generated, None for one that never came; none at all for a choice."""
        first = self.resps[0] or [None]
        return first if all(text is None or isinstance(text, str) for text in first) else []

    @property
    def requests(self) -> list[list[Any]]:
        """Context and continuation of each request, or context and settings."""
        if isinstance(self.arguments, list):
            return self.arguments
        return [list(request.values()) for request in self.arguments.values()]

    @property
    def choices(self) -> list[tuple[str, float]]:
        """Continuation and log-likelihood of each option; requests without the context (a prior) are left out."""
        context = self.requests[0][0]
        pairs = zip(self.requests, self.resps, strict=False)
        return [(asked[1], _number(answer[0][0]) or 0.0) for asked, answer in pairs if asked[0] == context]

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the text was generated with."""
        return mapping(self.requests[0][1] if self.requests and len(self.requests[0]) > 1 else None)

    @property
    def scored(self) -> list[str]:
        """The metrics by which the line is scored; logs of earlier versions do not name them."""
        return self.metrics or [name for name in _USUAL_SCORES if name in (self.model_extra or {})]

    def verdict(self, metric: str | None) -> float | None:
        """The line's own score by a metric, where it lies between 0 and 1."""
        return verdict(_number((self.model_extra or {}).get(metric or "")))


def recognises(glimpse: Glimpse) -> bool:
    """Whether the first line is a document with its requests and their responses, or the file holds totals."""
    return {"doc", "doc_id", "arguments", "resps"} <= glimpse.keys or {"results", "configs"} <= glimpse.keys


def source(glimpse: Glimpse) -> Path:
    """The samples beside a file of totals."""
    return results.samples_file_of(glimpse)


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every document's answers: repeated generations are draws 1, 2, ..."""
    path = glimpse.path
    lines = read_rows(path, _Line)
    if not lines:
        return AnswerFile((), "generate")
    filters = list(dict.fromkeys(line.filter for line in lines))
    single = [name for name in filters if not name.lower().startswith("maj")]
    chosen = (single or filters)[0]
    first = [line for line in lines if line.filter == chosen]
    mode = _mode(first)
    score = _score(first, mode, score, path)
    sampling, drawn = _sampling(first)
    found = [a for line in first for a in _answers(line, score, scored=bool(single))]
    figures = _figures(lines, filters)
    totals = results.totals_of(path, figures)
    return AnswerFile(
        as_draws(found, drawn),
        mode,
        model=totals.model,
        sampling=sampling,
        versions=totals.versions,
        score=f"{score} ({chosen})" if score and len(filters) > 1 else score,
        read_by={"score": score} if mode == "likelihood" and score == "acc_norm" else {},
        figures=figures,
        notes=(*_notes(filters, chosen, mode, score, first), *totals.notes),
    )


def _mode(lines: Sequence[_Line]) -> Any:
    choices = [line for line in lines if not line.texts]
    if not choices:
        return "generate"
    return "readout" if all(as_letters([text for text, _ in line.choices]) for line in choices) else "likelihood"


def _score(lines: Sequence[_Line], mode: str, asked: str | None, path: Path) -> str | None:
    """The metric to read by."""
    stated = dict.fromkeys(name for line in lines for name in line.scored)
    numeric = [name for name in stated if any(line.verdict(name) is not None for line in lines)]
    if mode != "generate":
        check_score(asked, _LIKELIHOOD_SCORES, path)
        return asked or _LIKELIHOOD_SCORES[0]
    check_score(asked, numeric, path)
    return asked or next((name for name in (*_USUAL_SCORES, *numeric) if name in numeric), None)


def _sampling(lines: Sequence[_Line]) -> tuple[Sampling, bool]:
    """What the texts were drawn with, where all lines agree, and whether any was drawn at a temperature above 0."""
    temperatures, drawn = set(), False
    for line in lines:
        settings = line.settings
        temperature = 0.0 if settings.get("do_sample") is False else _number(settings.get("temperature"))
        drawn |= (temperature or 0) > 0 or (settings.get("do_sample") is True and temperature != 0)
        temperatures.add(temperature)
    others = ({_number(line.settings.get(key)) for line in lines} for key in ("top_p", "max_gen_toks"))
    return stated_sampling(*(found.pop() if len(found) == 1 else None for found in (temperatures, *others))), drawn


def _answers(line: _Line, score: str | None, *, scored: bool) -> Iterator[ForeignAnswer]:
    """A line's answers; the score of a text is that of the first, unless it is of a vote."""
    common: dict[str, Any] = {
        "item_id": _id(line),
        "texts": tuple(strings(line.doc)),
        "prompt_sha256": line.prompt_hash,
    }
    lists = tuple(option_lists(line.doc))
    if line.texts:
        common |= {
            "given": "text",
            "option_lists": lists,
            "gold": gold_letter(line.target, lists[0] if lists else ()),
        }
        for sample, text in enumerate(line.texts):
            verdict = line.verdict(score) if scored and sample == 0 and text is not None else None
            failure = "the log holds no response" if text is None else None
            yield ForeignAnswer(sample=sample, text=text or "", score=verdict, failure=failure, **common)
        return
    letters, values = as_letters([text for text, _ in line.choices]), [value for _, value in line.choices]
    if letters is None:  # the continuations are the options themselves
        letters = list(LETTERS[: len(line.choices)])
        lists = (tuple(text.strip() for text, _ in line.choices),)
        if score == "acc_norm":
            values = [value / max(1, len(text.lstrip())) for text, value in line.choices]
    logprobs = dict(zip(letters, values, strict=True))
    common |= {"gold": gold_letter(line.target, letters), "score": line.verdict(score)}
    yield ForeignAnswer(sample=0, given="logprobs", logprobs=logprobs, option_lists=lists, **common)


def _id(line: _Line) -> str:
    own = line.doc.get("id")
    return str(own) if isinstance(own, str | int) and str(own) else str(line.doc_id)


def _figures(lines: Sequence[_Line], filters: Sequence[str]) -> dict[str, tuple[float, int]]:
    """Mean and number of every metric, by the filter too where there are several."""
    scores = (
        (f"{metric} ({line.filter})" if len(filters) > 1 else metric, str(place), line.verdict(metric))
        for place, line in enumerate(lines)
        for metric in line.scored
    )
    return figures_of((metric, place, value) for metric, place, value in scores if value is not None)


def _notes(filters: Sequence[str], chosen: str, mode: str, score: str | None, lines: Sequence[_Line]) -> list[str]:
    notes = []
    if len(filters) > 1:
        notes.append(f"read the lines of filter '{chosen}', of {len(filters)}")
    if mode != "generate":
        also = any("acc_norm" in line.scored for line in lines)
        other = next(name for name in _LIKELIHOOD_SCORES if name != score)
        kind = "log-likelihood" + (" for its length" if score == "acc_norm" else "")
        more = f"; the log scores {other} too: --score {other}" if also else ""
        notes.append(f"the answer is the option of the highest {kind} ({score}){more}")
    return notes


def _number(value: object) -> float | None:
    """A number, given as such, as a text or as a truth; None for anything else, and for NaN."""
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number
