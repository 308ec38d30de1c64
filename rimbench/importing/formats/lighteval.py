"""lighteval: `details_<task>|<shots>_<time>.parquet`, a row a document, in the order in which they were drawn.

Of a multiple choice no answer is stated: it is the option with the best of `model_response.logprobs`, the first of
equal ones, or by a normalised score the best for that. The options are letters (" A"), whose texts stand in the
query, or the texts themselves. Of a written answer the letter is read from the whole text. Tokens of -1 are padding.
Model and sampling stand in the `results_<time>.json` of the same run. Checked with 0.13.0.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from rimbench.importing.answers import AnswerFile, ForeignAnswer, Sampling, as_draws, figures_of
from rimbench.importing.documents import as_letters, listed_options
from rimbench.importing.reading import Glimpse, beside, check_score, counterpart
from rimbench.importing.rows import read_rows
from rimbench.importing.stated import mapping, stated_sampling, verdict
from rimbench.records import LETTERS

EXPECTS = "details_*.parquet"
_BY = {"LogProbCharNorm": "acc_norm", "LogProbTokenNorm": "acc_token_norm", "LogProbPMINorm": "acc_pmi"}
"""What each normalisation of the metric `acc` is called here: its own name is a piece of Python."""


class _Doc(BaseModel):
    query: str
    choices: list[str]
    gold_index: int | list[int]
    id: str
    generation_size: int | None = None


class _Response(BaseModel):
    text: list[str] = []
    logprobs: list[float] = []
    output_tokens: list[list[int]] = []
    input_tokens: list[int] = []
    padded_tokens_count: int = 0
    unconditioned_logprobs: list[float] | None = None


class _Row(BaseModel):
    doc: _Doc
    metric: Annotated[dict[str, Any], Field(min_length=1)]
    model_response: _Response

    def score(self, name: str) -> float | None:
        return verdict(next((value for key, value in self.metric.items() if _name(key) == name), None))


def recognises(glimpse: Glimpse) -> bool:
    """Whether the rows are documents with metrics and responses."""
    return {"doc", "metric", "model_response"} <= glimpse.keys


def source(glimpse: Glimpse) -> Path:
    """The file itself."""
    return glimpse.path


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every document's answers; several texts are draws 1, 2, ..."""
    path = glimpse.path
    rows = read_rows(path, _Row)
    names = list(dict.fromkeys(_name(key) for row in rows for key in row.metric))
    check_score(score, names, path)
    chosen = score or next(iter(names), None)
    model, sampling = _made_by(path)
    answers = [answer for row in rows for answer in _answers(row, chosen or "")]
    by_letters = all(as_letters(row.doc.choices) for row in rows)
    written = any(answer.given == "text" for answer in answers)
    scores = ((name, str(i), row.score(name)) for name in names for i, row in enumerate(rows))
    others = ", ".join(name for name in names if name != chosen)
    return AnswerFile(
        as_draws(answers, (sampling.temperature or 0) > 0 and written),
        "generate" if written else "readout" if by_letters and chosen == "acc" else "likelihood",
        model=model,
        sampling=sampling if written else Sampling(),
        score=chosen,
        read_by={"score": chosen} if chosen and not written and chosen != "acc" else {},
        figures=figures_of((name, place, value) for name, place, value in scores if value is not None),
        notes=()
        if written
        else (
            f"the answer is the best option by {chosen}"
            + (f"; scored too: {others}: --score NAME" if others else ""),
        ),
    )


def _answers(row: _Row, score: str) -> list[ForeignAnswer]:
    doc, response = row.doc, row.model_response
    letters = as_letters(doc.choices)
    golds = doc.gold_index if isinstance(doc.gold_index, list) else [doc.gold_index]
    names = letters or LETTERS
    common: dict[str, Any] = {
        "item_id": doc.id,
        "texts": (doc.query,),
        "option_lists": listed_options(doc.query) if letters else (tuple(c.strip() for c in doc.choices),),
        "gold": names[golds[0]] if len(golds) == 1 and 0 <= golds[0] < len(names) else None,
        "prompt_tokens": max(0, len(response.input_tokens) - response.padded_tokens_count),
    }
    if response.text:
        made = [sum(token >= 0 for token in tokens) for tokens in response.output_tokens]
        return [
            ForeignAnswer(
                sample=sample,
                given="text",
                text=text,
                score=row.score(score) if len(response.text) == 1 else None,
                finished=sample >= len(made) or doc.generation_size is None or made[sample] < doc.generation_size,
                generated_tokens=made[sample] if sample < len(made) else None,
                **common,
            )
            for sample, text in enumerate(response.text)
        ]
    if len(response.logprobs) != len(doc.choices) or any(map(math.isnan, response.logprobs)):
        return [ForeignAnswer(sample=0, given="logprobs", failure="no log-probability an option", **common)]
    values = dict(zip(names, _normalised(row, score), strict=False))
    return [
        ForeignAnswer(
            sample=0, given="logprobs", logprobs=values, generated_tokens=0, score=row.score(score), **common
        )
    ]


def _normalised(row: _Row, score: str) -> Sequence[float]:
    """The values of which the best is the answer by a metric."""
    response, choices = row.model_response, row.doc.choices
    key = next((key for key in row.metric if _name(key) == score), "")
    if score == "acc_norm":
        skipped = "ignore_first_space=True" in key
        lengths = [len(text) - (skipped and text.startswith(" ")) for text in choices]
    elif score == "acc_token_norm":
        lengths = [sum(token >= 0 for token in tokens) for tokens in response.output_tokens]
    elif score == "acc_pmi" and response.unconditioned_logprobs:
        return [a - b for a, b in zip(response.logprobs, response.unconditioned_logprobs, strict=False)]
    else:
        return response.logprobs
    return [value / max(1, length) for value, length in zip(response.logprobs, lengths, strict=False)]


def _name(metric: str) -> str:
    return next((name for kind, name in _BY.items() if metric.startswith("acc:") and kind in metric), metric)


def _made_by(path: Path) -> tuple[str | None, Sampling]:
    """Model and sampling from the results of the same time: in the same folder, or as lighteval lays them out."""
    name = f"results_{path.stem.rpartition('_')[2]}.json"
    laid_out = counterpart(path.absolute().parent.with_name(name), "details", "results")
    found = beside(path.with_name(name)) or (beside(laid_out) if laid_out else None)
    config = mapping(mapping(found).get("config_general"))
    made = mapping(mapping(config.get("model_config")).get("generation_parameters"))
    sampling = stated_sampling(made.get("temperature"), made.get("top_p"), made.get("max_new_tokens"))
    return str(config.get("model_name") or "") or None, sampling
