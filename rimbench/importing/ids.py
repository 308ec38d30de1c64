"""Ids of answers against ids of items, where a file states nothing else: row numbers that count from another start.

A suite's ids are those of its rows (`id` of its layout) or else the row numbers of its source from 0, which a file
written elsewhere may count from 1. All but one of such ids still match, each the item beside its own. Of a suite of
conversations they are hashes of question and options, of a generated one "seed-number".
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from rimbench.errors import DataError
from rimbench.importing.answers import ForeignAnswer, listed
from rimbench.records import Item

KINDS = (
    "ids are those of the suite's rows, or the row numbers of its source from 0 where the rows have none; "
    "'rimbench suites show NAME --json' lists them"
)
"""What an id is, as errors say it."""

_NUMBERED = re.compile(r"(?P<stem>.*?)(?P<number>\d{1,15})")
_CLEAR = 0.9
_FEWEST = 5


def refuse_shifted(
    answers: Sequence[ForeignAnswer], items: Mapping[str, Item], faulty: Iterable[str], where: str
) -> None:
    """DataError where more ids are of the suite's rows once they are moved by one, unless gold letters say otherwise.

    `items` are all that the suite's source has, `faulty` the ids of its other rows.
    """
    ids, known = _stated_alone(answers), {*items, *faulty}
    hits = len(ids & known)
    stated = [(items[a.item_id].gold, a.gold) for a in answers if a.gold and not a.texts and a.item_id in items]
    if stated and sum(own == gold for own, gold in stated) >= _CLEAR * len(stated):
        return
    for step, start in ((-1, 1), (1, 0)):
        moved = sum(_moved(item_id, step) in known for item_id in ids)
        if moved > hits and moved >= _CLEAR * len(ids):
            lower = "lower" if step < 0 else "higher"
            raise DataError(
                f"{where}: {hits} of its {len(ids)} ids are rows of the suite, and {moved} once each is one {lower} "
                f"({_example(ids, step)}): the file counts from {start} and the suite from {1 - start}, so that "
                "every answer would go to the item beside its own; nothing was imported: make the ids one "
                f"{lower}, or give a column with the questions ({KINDS})"
            )


def explain_conflicts(answers: Sequence[ForeignAnswer], suite: Sequence[Item], items: Mapping[str, Item]) -> str:
    """How else the ids may be meant where gold letters differ; "" where no other way agrees."""
    stated = [(a.item_id, a.gold) for a in answers if a.gold is not None and not a.texts and a.sample < 2]
    readings: dict[str, Callable[[str], Item | None]] = {
        "each is one lower, as of rows counted from 1": lambda item_id: items.get(_moved(item_id, -1) or ""),
        "each is one higher": lambda item_id: items.get(_moved(item_id, 1) or ""),
        "they are places in the suite's frozen order, from 0": lambda item_id: _at(suite, item_id, 0),
        "they are places in the suite's frozen order, from 1": lambda item_id: _at(suite, item_id, 1),
    }
    for how, read in readings.items():
        found = [(item, gold) for item_id, gold in stated if (item := read(item_id)) is not None]
        agreeing = sum(item.gold == gold for item, gold in found)
        if len(found) >= _FEWEST and len(found) >= _CLEAR * len(stated) and agreeing >= _CLEAR * len(found):
            return f"; the gold letters of {agreeing} of {len(found)} agree once {how}: mend the ids ({KINDS})"
    return ""


def suspect_shift(answers: Sequence[ForeignAnswer], known: Iterable[str]) -> str | None:
    """A note where ids run from 1 without a gap, and the suite has a row 0 that no answer is to."""
    numbers = sorted(int(item_id) for item_id in _stated_alone(answers) if item_id.isdecimal() and len(item_id) < 16)
    unproved = all(a.gold is None for a in answers if not a.texts)
    if len(numbers) < _FEWEST or not unproved or numbers != list(range(1, len(numbers) + 1)) or "0" not in set(known):
        return None
    return (
        f"ids run from 1 to {len(numbers)}, and the suite counts its rows from 0: if the file counts from 1, every "
        "answer went to the item beside its own, and no gold letter is there to tell; give one, or the questions"
    )


def _stated_alone(answers: Sequence[ForeignAnswer]) -> set[str]:
    return {answer.item_id for answer in answers if not answer.texts}


def _moved(item_id: str, step: int) -> str | None:
    """The id with its last number moved, its leading zeros kept; None for one without, or for a negative one."""
    match = _NUMBERED.fullmatch(item_id)
    if match is None or int(match["number"]) + step < 0:
        return None
    number = str(int(match["number"]) + step)
    return match["stem"] + (number.zfill(len(match["number"])) if match["number"].startswith("0") else number)


def _example(ids: Iterable[str], step: int) -> str:
    item_id = min(ids, key=lambda each: (len(each), each))
    return listed([f"{item_id} is {_moved(item_id, step)}"])


def _at(suite: Sequence[Item], item_id: str, start: int) -> Item | None:
    place = int(item_id) - start if item_id.isdecimal() and len(item_id) < 16 else -1
    return suite[place] if 0 <= place < len(suite) else None
