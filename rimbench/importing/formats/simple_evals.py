"""simple-evals: `<eval>_<model>_allresults.json`, whose `htmls` and `convos` have an entry an answer, in one order.

The conversation is what was asked and answered, and the page beside it states the right letter, the letter that was
taken and the score: it is HTML, and its texts are escaped. No item has an id: it is found by the prompt, and the same
prompt again is the next draw. An eval that shuffles the options asks each draw in an order of its own.
"""

import html
import json
import re
from pathlib import Path

from pydantic import BaseModel

from rimbench.errors import DataError
from rimbench.importing.answers import AnswerFile, ForeignAnswer, as_draws, figures_of, occurrences
from rimbench.importing.documents import gold_letter, listed_options
from rimbench.importing.reading import Glimpse, check_score
from rimbench.importing.rows import validated
from rimbench.importing.stated import last_said, unlike, verdict

EXPECTS = "*_allresults.json"
_STATED = re.compile(
    r"<p>Correct Answer: (?P<gold>.*?)</p>\s*<p>Extracted Answer: (?P<taken>.*?)</p>\s*"
    r"<p>Score: (?P<score>.*?)</p>\s*\Z",
    re.DOTALL,
)
_SCORE = "score"
_Lists = tuple[tuple[str, ...], ...]


class _Message(BaseModel):
    role: str
    content: str


class _Answer(BaseModel):
    convo: list[_Message]
    page: str

    def said(self, role: str) -> str:
        return last_said(((message.role, message.content) for message in self.convo), role)


def recognises(glimpse: Glimpse) -> bool:
    """Whether the object holds conversations and their pages."""
    return {"score", "htmls", "convos"} <= glimpse.keys


def source(glimpse: Glimpse) -> Path:
    """The file itself."""
    return glimpse.path


def read(glimpse: Glimpse, score: str | None) -> AnswerFile:
    """Every answer: of a question that stands there several times, draws 1, 2, ..."""
    path, document = glimpse.path, glimpse.document
    check_score(score, (_SCORE,), path)
    convos, htmls = document.get("convos"), document.get("htmls")
    if not isinstance(convos, list) or not isinstance(htmls, list) or len(convos) != len(htmls):
        raise DataError(f"{path}: expected as many htmls as convos, two lists: fetch or write it again")
    pairs = ({"convo": convo, "page": page} for convo, page in zip(convos, htmls, strict=True))
    rows = validated(path, ((f"answer {i}", pair) for i, pair in enumerate(pairs, start=1)), _Answer)
    prompts = [row.said("user") for row in rows]
    options = [listed_options(prompt) for prompt in prompts]
    samples = occurrences(map(_question, prompts, options))
    places = map(str, range(len(rows)))
    answers = [_read(*found) for found in zip(places, rows, prompts, options, samples, strict=True)]
    figures = figures_of((_SCORE, answer.item_id, answer.score) for answer in answers if answer.score is not None)
    return AnswerFile(
        as_draws(answers, drawn=False),
        "generate",
        score=_SCORE if figures else None,
        figures=figures,
        notes=tuple(unlike(path.name, _SCORE, document.get("score"), figures.get(_SCORE))),
    )


def _question(prompt: str, options: _Lists) -> str:
    """What tells one item from another in whatever order its options stand."""
    first = prompt.find(options[0][0]) if options else len(prompt)
    return json.dumps([prompt[:first].strip(), sorted(options[0]) if options else []])


def _read(place: str, row: _Answer, prompt: str, options: _Lists, sample: int) -> ForeignAnswer:
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
        score=verdict(score),
        taken="" if taken == "None" else taken,
    )
