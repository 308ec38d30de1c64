"""simple-evals: `<eval>_<model>_allresults.json`, whose `htmls` and `convos` have an entry an answer, in one order.

The conversation is what was asked and answered, and the page beside it states the right letter, the letter that was
taken and the score: it is HTML, and its texts are escaped. No item has an id: it is found by the prompt, and the same
prompt again is the next draw. An eval that shuffles the options asks each draw in an order of its own.
"""

import html
import json
import re
from collections import Counter
from pathlib import Path

from pydantic import BaseModel

from rimbench.errors import DataError
from rimbench.importing.answers import AnswerFile, ForeignAnswer, as_draws, unlike
from rimbench.importing.documents import gold_letter, listed_options
from rimbench.importing.reading import Glimpse, check_score
from rimbench.importing.rows import read_object, validated

EXPECTS = "*_allresults.json"
_STATED = re.compile(
    r"<p>Correct Answer: (?P<gold>.*?)</p>\s*<p>Extracted Answer: (?P<taken>.*?)</p>\s*"
    r"<p>Score: (?P<score>.*?)</p>\s*\Z",
    re.DOTALL,
)
_SCORE = "score"


class _Message(BaseModel):
    role: str
    content: str


class _Answer(BaseModel):
    convo: list[_Message]
    page: str

    def said(self, role: str) -> str:
        return next((message.content for message in reversed(self.convo) if message.role == role), "")


def recognises(glimpse: Glimpse) -> bool:
    """Whether the object holds conversations and their pages."""
    return {"score", "htmls", "convos"} <= glimpse.keys


def source(path: Path) -> Path:
    """The file itself."""
    return path


def read(path: Path, score: str | None) -> AnswerFile:
    """Every answer: of a question that stands there several times, draws 1, 2, ..."""
    check_score(score, (_SCORE,), path)
    document = read_object(path)
    convos, htmls = document.get("convos"), document.get("htmls")
    if not isinstance(convos, list) or not isinstance(htmls, list) or len(convos) != len(htmls):
        raise DataError(f"{path}: expected as many htmls as convos, two lists: fetch or write it again")
    pairs = ({"convo": convo, "page": page} for convo, page in zip(convos, htmls, strict=True))
    rows = validated(path, ((f"answer {i}", pair) for i, pair in enumerate(pairs, start=1)), _Answer)
    before: Counter[str] = Counter()
    answers = []
    for place, row in enumerate(rows):
        question = _question(row.said("user"))
        answers.append(_read(str(place), row, before[question]))
        before[question] += 1
    scores = [answer.score for answer in answers if answer.score is not None]
    mean = (sum(scores) / len(scores), len(scores)) if scores else None
    return AnswerFile(
        as_draws(answers, drawn=False),
        "generate",
        score=_SCORE if scores else None,
        figures={_SCORE: mean} if mean else {},
        notes=tuple(unlike(path.name, _SCORE, document.get("score"), mean)) if mean else (),
    )


def _question(prompt: str) -> str:
    """What tells one item from another in whatever order its options stand."""
    options = listed_options(prompt)
    first = prompt.find(options[0][0]) if options else len(prompt)
    return json.dumps([prompt[:first].strip(), sorted(options[0]) if options else []])


def _read(place: str, row: _Answer, sample: int) -> ForeignAnswer:
    prompt = row.said("user")
    options = listed_options(prompt)
    stated = _STATED.search(row.page)
    try:
        score = float(stated["score"]) if stated else None
    except ValueError:
        score = None
    taken = stated["taken"].strip() if stated else None
    return ForeignAnswer(
        item_id=place,
        sample=sample,
        given="text",
        text=row.said("assistant"),
        texts=(prompt,),
        option_lists=options,
        gold=gold_letter(html.unescape(stated["gold"]), options[0] if options else ()) if stated else None,
        score=score if score is not None and 0 <= score <= 1 else None,
        taken="" if taken == "None" else taken,
    )
