"""evalscope: `reviews/<model>/<dataset>.jsonl`, and `predictions/` of the same name beside it.

A review holds the prompt, the text, the letter that was taken from it and the gold; its prediction the tokens and how
the text ended. Lines stand in the order in which answers came, and with repeats `index` counts answers: the item is
`group_id`, and the draw `generation_index`. Without reviews the predictions are read alone: draws of one prompt are
told apart by their `index`. Checked with 1.14.0.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rimbench.importing.answers import AnswerFile, ForeignAnswer, as_draws, mean_by_item
from rimbench.importing.documents import gold_letter, listed_options
from rimbench.importing.reading import Glimpse, check_score, glimpse
from rimbench.importing.rows import read_rows

EXPECTS = "reviews/*.jsonl"
_CUT_OFF = ("max_tokens", "length", "model_length", "content_filter")


class _Message(BaseModel):
    role: str
    content: str | list[Any]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        parts = [part for part in self.content if isinstance(part, Mapping) and part.get("type", "text") == "text"]
        return "\n".join(str(part.get("text") or "") for part in parts)


class _Line(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    index: int
    messages: list[_Message] = Field(min_length=1)

    @property
    def prompt(self) -> str:
        """What was asked last; the examples before it are messages of their own, or its beginning."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")


class _Score(BaseModel):
    value: dict[str, float]
    extracted_prediction: str | list[str] | None = None
    prediction: str | None = None
    main_score_name: str | None = None


class _SampleScore(BaseModel):
    score: _Score
    group_id: int | str
    generation_index: int = Field(default=0, ge=0)


class _Review(_Line):
    target: str | list[str]
    sample_score: _SampleScore


class _Usage(BaseModel):
    input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)


class _Choice(BaseModel):
    message: _Message
    stop_reason: str | None = None


class _Output(BaseModel):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: str | None = None


class _Prediction(_Line):
    model: str | None = None
    model_output: _Output | None = None

    @property
    def answered(self) -> dict[str, Any]:
        """What only the prediction tells of an answer."""
        output = self.model_output or _Output(error="the log holds no output")
        stop = output.choices[0].stop_reason if output.choices else None
        return {
            "finished": stop not in _CUT_OFF,
            "refused": stop == "content_filter",
            "failure": output.error,
            "prompt_tokens": output.usage.input_tokens if output.usage else None,
            "generated_tokens": output.usage.output_tokens if output.usage else None,
        }


def recognises(glimpse: Glimpse) -> bool:
    """Whether the first line is a review or a prediction."""
    return {"index", "messages"} <= glimpse.keys and bool({"sample_score", "model_output"} & glimpse.keys)


def source(path: Path) -> Path:
    """The reviews beside predictions, where there are any."""
    return _other(path, "predictions", "reviews") or path


def read(path: Path, score: str | None) -> AnswerFile:
    """Every answer: repeats are draws 1, 2, ..."""
    if "sample_score" not in glimpse(path).keys:
        return _unreviewed(path, score)
    reviews = read_rows(path, _Review)
    predictions = _other(path, "reviews", "predictions")
    asked = {line.index: line for line in (read_rows(predictions, _Prediction) if predictions else ())}
    names = list(dict.fromkeys(name for review in reviews for name in review.sample_score.score.value))
    check_score(score, names, path)
    stated = (review.sample_score.score.main_score_name for review in reviews)
    chosen = score or next(filter(None, stated), None) or next(iter(names), None)
    means = {}
    for name in names:
        scores = [
            (str(r.sample_score.group_id), r.sample_score.score.value[name])
            for r in reviews
            if name in r.sample_score.score.value
        ]
        by_item = mean_by_item(scores)
        means[name] = (sum(by_item.values()) / len(by_item), len(by_item))
    missing = sum(review.index not in asked for review in reviews)
    return AnswerFile(
        as_draws([_answer(review, asked.get(review.index), chosen) for review in reviews], drawn=False),
        "generate",
        model=next((line.model for line in asked.values()), None),
        score=chosen,
        figures=means,
        notes=(
            f"{missing} of {len(reviews)} reviews have no prediction beside them: their token counts are not "
            "known, nor whether they were cut off",
        )
        if missing
        else (),
    )


def _answer(review: _Review, prediction: _Prediction | None, score: str | None) -> ForeignAnswer:
    found = review.sample_score.score
    options = listed_options(review.prompt)
    targets = [review.target] if isinstance(review.target, str) else review.target
    taken = found.extracted_prediction
    value = found.value.get(score or "")
    said = review.messages[-1].text if review.messages[-1].role == "assistant" else ""
    return ForeignAnswer(
        item_id=str(review.sample_score.group_id),
        sample=review.sample_score.generation_index,
        given="text",
        text=said or found.prediction or "",
        texts=(review.prompt,),
        option_lists=options,
        gold=gold_letter(targets[0], options[0] if options else ()) if len(targets) == 1 else None,
        score=value if value is not None and 0 <= value <= 1 else None,
        taken=taken if isinstance(taken, str) else None,
        **(prediction.answered if prediction else {}),
    )


def _unreviewed(path: Path, score: str | None) -> AnswerFile:
    """Predictions alone: the letter is read here, and there is no gold."""
    check_score(score, (), path)
    answers: list[ForeignAnswer] = []
    before: Counter[str] = Counter()
    lines = sorted(read_rows(path, _Prediction), key=lambda line: line.index)
    for line in lines:
        output = line.model_output
        text = output.choices[0].message.text if output and output.choices else ""
        answers.append(
            ForeignAnswer(
                item_id=str(line.index),
                sample=before[line.prompt],
                given="text",
                text=text,
                texts=(line.prompt,),
                option_lists=listed_options(line.prompt),
                **line.answered,
            )
        )
        before[line.prompt] += 1
    return AnswerFile(as_draws(answers, drawn=False), "generate", model=next((line.model for line in lines), None))


def _other(path: Path, kind: str, other: str) -> Path | None:
    """The file of another kind of the same run: in a folder of that name, or with that word in its own name."""
    beside = path.with_name(path.name.replace(kind, other))
    laid_out = path.parents[1].with_name(other) / path.parent.name / path.name if len(path.parents) > 2 else beside
    found = beside if kind in path.name else laid_out if path.parents[1].name == kind else None
    return found if found is not None and found.is_file() else None
