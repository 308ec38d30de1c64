"""evalscope: `reviews/<model>/<dataset>.jsonl`, and `predictions/` of the same name beside it.

A review holds the prompt, the text, the letter that was taken from it and the gold; its prediction the tokens and how
the text ended. Lines stand in the order in which answers came, and with repeats `index` counts answers: the item is
`group_id`, and the draw `generation_index`. Without reviews the predictions are read alone: draws of one prompt are
told apart by their `index`. Checked with 1.14.0.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from rimbench.importing.answers import AnswerFile, ForeignAnswer, as_draws, figures_of, occurrences
from rimbench.importing.documents import gold_letter, listed_options
from rimbench.importing.reading import Glimpse, check_score, counterpart
from rimbench.importing.rows import read_rows
from rimbench.importing.stated import CUT_OFF, last_said, text_of, verdict

EXPECTS = "reviews/*.jsonl"


class _Message(BaseModel):
    role: str
    content: str | list[Any]


class _Line(BaseModel):
    index: int
    messages: list[_Message] = Field(min_length=1)

    @property
    def prompt(self) -> str:
        """What was asked last; the examples before it are messages of their own, or its beginning."""
        return last_said(((m.role, m.content) for m in self.messages), "user")


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
            "finished": stop not in CUT_OFF,
            "refused": stop == "content_filter",
            "failure": output.error,
            "prompt_tokens": output.usage.input_tokens if output.usage else None,
            "generated_tokens": output.usage.output_tokens if output.usage else None,
        }


def recognises(glimpse: Glimpse) -> bool:
    """Whether the first line is a review or a prediction."""
    return {"index", "messages"} <= glimpse.keys and bool({"sample_score", "model_output"} & glimpse.keys)


def source(glimpse: Glimpse) -> Path:
    """The reviews beside predictions, where there are any."""
    reviewed = "sample_score" in glimpse.keys
    return glimpse.path if reviewed else counterpart(glimpse.path, "predictions", "reviews") or glimpse.path


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every answer: repeats are draws 1, 2, ..."""
    if "sample_score" not in glimpse.keys:
        return _unreviewed(glimpse.path, score)
    reviews = read_rows(glimpse.path, _Review)
    predictions = counterpart(glimpse.path, "reviews", "predictions")
    asked = {line.index: line for line in (read_rows(predictions, _Prediction) if predictions else ())}
    scores = [
        (name, str(review.sample_score.group_id), value)
        for review in reviews
        for name, value in review.sample_score.score.value.items()
    ]
    figures = figures_of(scores)
    check_score(score, figures, glimpse.path)
    stated = (review.sample_score.score.main_score_name for review in reviews)
    chosen = score or next(filter(None, stated), None) or next(iter(figures), None)
    missing = sum(review.index not in asked for review in reviews)
    return AnswerFile(
        as_draws([_answer(review, asked.get(review.index), chosen) for review in reviews], drawn=False),
        "generate",
        model=next((line.model for line in asked.values()), None),
        score=chosen,
        figures=figures,
        notes=(
            f"{missing} of {len(reviews)} reviews have no prediction beside them: their token counts are not "
            "known, nor whether they were cut off",
        )
        if missing
        else (),
    )


def _answer(review: _Review, prediction: _Prediction | None, score: str | None) -> ForeignAnswer:
    found, last, prompt = review.sample_score.score, review.messages[-1], review.prompt
    options = listed_options(prompt)
    targets = [review.target] if isinstance(review.target, str) else review.target
    taken = found.extracted_prediction
    said = text_of(last.content) if last.role == "assistant" else ""
    return ForeignAnswer(
        item_id=str(review.sample_score.group_id),
        sample=review.sample_score.generation_index,
        given="text",
        text=said or found.prediction or "",
        texts=(prompt,),
        option_lists=options,
        gold=gold_letter(targets[0], options[0] if options else ()) if len(targets) == 1 else None,
        score=verdict(found.value.get(score or "")),
        taken=taken if isinstance(taken, str) else None,
        **(prediction.answered if prediction else {}),
    )


def _unreviewed(path: Path, score: str | None) -> AnswerFile:
    """Predictions alone: the letter is read here, and there is no gold."""
    check_score(score, (), path)
    lines = sorted(read_rows(path, _Prediction), key=lambda line: line.index)
    prompts = [line.prompt for line in lines]
    answers = [
        ForeignAnswer(
            item_id=str(line.index),
            sample=sample,
            given="text",
            text=text_of(line.model_output.choices[0].message.content)
            if line.model_output and line.model_output.choices
            else "",
            texts=(prompt,),
            option_lists=listed_options(prompt),
            **line.answered,
        )
        for line, prompt, sample in zip(lines, prompts, occurrences(prompts), strict=True)
    ]
    return AnswerFile(as_draws(answers, drawn=False), "generate", model=next((line.model for line in lines), None))
