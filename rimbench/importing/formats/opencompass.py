"""OpenCompass: `results/<model>/<dataset>.json`, or `predictions/` of the same name where there are no results.

The answers stand under "0" to "N" of one object, in results among other keys such as "type". They have no ids: an
item is found by its prompt. Of a dataset that is asked n times the whole set stands n times, block by block: the same
prompt again is the next draw. Accuracy is stated in per cent, and no verdict of a single item: it is right where its
prediction is its reference. Checked with 0.5.4.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from rimbench.errors import DataError
from rimbench.importing.answers import AnswerFile, ForeignAnswer, as_draws, unlike
from rimbench.importing.documents import gold_letter, listed_options
from rimbench.importing.reading import Glimpse, check_score
from rimbench.importing.rows import read_object, validated

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
        return next((turn.prompt for turn in reversed(self.asked) if turn.role == "HUMAN"), "")


class _Prediction(_Item):
    asked: str | list[_Turn] = Field(validation_alias="origin_prompt")
    text: str = Field(validation_alias="prediction")
    taken: None = None
    reference: Any = Field(default=None, validation_alias="gold")


def recognises(glimpse: Glimpse) -> bool:
    """Whether the object is results with their details, or numbered predictions."""
    first = glimpse.row.get("0")
    return (_SCORE in glimpse.keys and isinstance(glimpse.row.get("details"), Mapping)) or (
        isinstance(first, Mapping) and {"origin_prompt", "prediction"} <= first.keys()
    )


def source(path: Path) -> Path:
    """The results beside predictions, where there are any."""
    beside = path.with_name(path.name.replace("predictions", "results"))
    laid_out = path.parents[1].with_name("results") / path.parent.name / path.name if len(path.parents) > 2 else path
    found = beside if "predictions" in path.name else laid_out if path.parents[1].name == "predictions" else path
    return found if found.is_file() else path


def read(path: Path, score: str | None) -> AnswerFile:
    """Every answer: of a prompt that stands there several times, draws 1, 2, ..."""
    check_score(score, (_SCORE,), path)
    document = read_object(path)
    details = document.get("details")
    kind = details.get("type") if isinstance(details, Mapping) else "GEN"
    if kind != "GEN":
        raise DataError(f"{path}: its details are of type {str(kind)[:20]!r}: expected 'GEN', written answers")
    numbered = details if isinstance(details, Mapping) else document
    places = sorted((key for key in numbered if key.isdecimal() and len(key) < 10), key=int)
    rows = ((f'entry "{place}"', numbered[place]) for place in places)
    items = validated(path, rows, _Item if isinstance(details, Mapping) else _Prediction)
    before: Counter[str] = Counter()
    answers = []
    for place, item in zip(places, items, strict=True):
        asked = json.dumps(item.prompt)
        answers.append(_answer(place, item, before[asked]))
        before[asked] += 1
    scores = [answer.score for answer in answers if answer.score is not None]
    mean = (sum(scores) / len(scores), len(scores)) if scores else None
    stated = document.get(_SCORE)
    share = stated / 100 if isinstance(stated, int | float) else None
    return AnswerFile(
        as_draws(answers, drawn=False),
        "generate",
        score=_SCORE if scores else None,
        figures={_SCORE: mean} if mean else {},
        notes=tuple(unlike(path.name, _SCORE, share, mean)) if mean else (),
    )


def _answer(place: str, item: _Item, sample: int) -> ForeignAnswer:
    options = listed_options(item.prompt)
    common: dict[str, Any] = (
        {} if item.taken is None else {"score": float(item.taken == item.reference), "taken": item.taken}
    )
    return ForeignAnswer(
        item_id=place,
        sample=sample,
        given="text",
        text=item.text,
        texts=(item.prompt,),
        option_lists=options,
        gold=gold_letter(item.reference, options[0] if options else ()),
        **common,
    )
