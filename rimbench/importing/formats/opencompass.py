"""OpenCompass: `results/<model>/<dataset>.json`, or `predictions/` of the same name where there are no results.

The answers stand under "0" to "N" of one object, in results among other keys such as "type". They have no ids: an
item is found by its prompt. Of a dataset that is asked n times the whole set stands n times, block by block: the same
prompt again is the next draw. Accuracy is stated in per cent, and no verdict of a single item: it is right where its
prediction is its reference. Checked with 0.5.4.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from rimbench.errors import DataError
from rimbench.importing.answers import AnswerFile, ForeignAnswer, as_draws, figures_of, occurrences
from rimbench.importing.documents import gold_letter, listed_options
from rimbench.importing.reading import Glimpse, check_score, counterpart
from rimbench.importing.rows import validated
from rimbench.importing.stated import finite_number, last_said, mapping, unlike

EXPECTS = "results/*.json"
_SCORE = "accuracy"


class _Turn(BaseModel):
    role: str
    prompt: str


class _Item(BaseModel):
    asked: str | list[_Turn] = Field(validation_alias="prompt")
    text: str = Field(validation_alias="origin_prediction")
    taken: str | None = Field(validation_alias="predictions")
    reference: Any = Field(validation_alias="references")

    @property
    def prompt(self) -> str:
        """What was asked last."""
        if isinstance(self.asked, str):
            return self.asked
        return last_said(((turn.role, turn.prompt) for turn in self.asked), "HUMAN")


class _Prediction(_Item):
    asked: str | list[_Turn] = Field(validation_alias="origin_prompt")
    text: str = Field(validation_alias="prediction")
    taken: None = None
    reference: Any = Field(default=None, validation_alias="gold")


def recognises(glimpse: Glimpse) -> bool:
    """Whether the object is results with their details, or numbered predictions."""
    return (_SCORE in glimpse.keys and isinstance(glimpse.row.get("details"), Mapping)) or (
        {"origin_prompt", "prediction"} <= mapping(glimpse.row.get("0")).keys()
    )


def source(glimpse: Glimpse) -> Path:
    """The results beside predictions, where there are any."""
    scored = _SCORE in glimpse.keys
    return glimpse.path if scored else counterpart(glimpse.path, "predictions", "results") or glimpse.path


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every answer: of a prompt that stands there several times, draws 1, 2, ..."""
    path, document = glimpse.path, glimpse.document
    check_score(score, (_SCORE,), path)
    details = document.get("details")
    kind = details.get("type") if isinstance(details, Mapping) else "GEN"
    if kind != "GEN":
        raise DataError(f"{path}: its details are of type {str(kind)[:20]!r}: expected 'GEN', written answers")
    numbered = details if isinstance(details, Mapping) else document
    places = sorted((key for key in numbered if key.isdecimal() and len(key) < 10), key=int)
    rows = ((f'entry "{place}"', numbered[place]) for place in places)
    items = validated(path, rows, _Item if isinstance(details, Mapping) else _Prediction)
    samples = occurrences(item.prompt for item in items)
    answers = [_answer(*found) for found in zip(places, items, samples, strict=True)]
    figures = figures_of((_SCORE, answer.item_id, answer.score) for answer in answers if answer.score is not None)
    percent = finite_number(document.get(_SCORE))
    share = None if percent is None else percent / 100
    return AnswerFile(
        as_draws(answers, drawn=False),
        "generate",
        score=_SCORE if figures else None,
        figures=figures,
        notes=tuple(unlike(path.name, _SCORE, share, figures.get(_SCORE))),
    )


def _answer(place: str, item: _Item, sample: int) -> ForeignAnswer:
    prompt = item.prompt
    options = listed_options(prompt)
    return ForeignAnswer(
        item_id=place,
        sample=sample,
        given="text",
        text=item.text,
        texts=(prompt,),
        option_lists=options,
        gold=gold_letter(item.reference, options[0] if options else ()),
        score=None if item.taken is None else float(item.taken == item.reference),
        taken=item.taken,
    )
