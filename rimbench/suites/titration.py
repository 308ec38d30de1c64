"""Generated questions that need several dependent steps: a dose changed by a chain of events, what is it now?

    A patient takes 40 mg a day. The dose is raised by 20 mg. It is halved. It is lowered by 10 mg. ...
    steps: 60, 30, 20     A: 30 mg   B: 55 mg   C: 20 mg   D: 45 mg     gold C

Nothing but the chain tells the answer. The options are values of one chain in which some steps are turned round
(raised <-> lowered, doubled <-> halved): every option is reached by a chain of its own, and which of these chains the
question tells is drawn last, uniformly. Whoever sees the options alone is therefore at chance, exactly.

Item i depends on the seed and i alone, so that any number of fresh items exists.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rimbench.records import LETTERS

Operation = Literal["raise", "lower", "double", "halve"]
TURNED: dict[Operation, Operation] = {"raise": "lower", "lower": "raise", "double": "halve", "halve": "double"}
START_MG = range(20, 201, 4)
CHANGE_MG = range(4, 61, 4)
LARGEST_MG = 999
TURNED_STEPS_AT_MOST = 5
"""So many steps may be turned round: 2^5 chains are plenty for ten options."""

WORDINGS: dict[str, dict[str, str]] = {
    "plain": {
        "opening": "A patient takes {value} mg a day.",
        "raise": "The dose is raised by {amount} mg.",
        "lower": "The dose is lowered by {amount} mg.",
        "double": "The dose is doubled.",
        "halve": "The dose is halved.",
        "question": "What is the daily dose now?",
    },
    "unseen": {
        "opening": "Treatment begins at {value} mg daily.",
        "raise": "After a review, {amount} mg more is given.",
        "lower": "Side effects take {amount} mg off.",
        "double": "The ward then gives twice as much.",
        "halve": "The ward then gives half as much.",
        "question": "How much does the patient end up on?",
    },
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How items are made: the least and the most steps and options of an item, and the wording."""

    steps: tuple[int, int] = (3, 5)
    options: tuple[int, int] = (4, 4)
    wording: str = "plain"


@dataclass(frozen=True, slots=True)
class Step:
    """One event: what is done, by how many mg where it is an amount."""

    operation: Operation
    amount: int


@dataclass(frozen=True, slots=True)
class Titration:
    """One item: its question, the value after each step in mg, its options in order, and the gold's index."""

    question: str
    values: tuple[int, ...]
    options: tuple[int, ...]
    gold: int


def rows(settings: Settings, seed: int, n: int) -> Iterator[dict[str, object]]:
    """The first n items of a seed, as rows of a suite, no question twice; `steps` holds the values on the way."""
    seen: set[str] = set()
    for i in itertools.count():
        if len(seen) == n:
            return
        made = generate(settings, seed, i)
        if made.question in seen:
            continue
        seen.add(made.question)
        yield {
            "id": f"{seed}-{i}",
            "question": made.question,
            "options": [f"{value} mg" for value in made.options],
            "gold": LETTERS[made.gold],
            "steps": [f"{value} mg" for value in made.values],
        }


def generate(settings: Settings, seed: int, i: int) -> Titration:
    """Item i of a seed: the same on every machine."""
    chance = random.Random(f"titration:{seed}:{i}")
    while True:
        made = _attempt(settings, chance)
        if made is not None:
            return made


def _attempt(settings: Settings, chance: random.Random) -> Titration | None:
    """One draw, or None where too few turned chains stay whole, positive and apart."""
    start = chance.choice(START_MG)
    kinds: list[Operation] = ["raise", "lower", "double", "halve"]
    chain = [Step(chance.choice(kinds), chance.choice(CHANGE_MG)) for _ in range(chance.randint(*settings.steps))]
    turned = chance.sample(range(len(chain)), min(len(chain), TURNED_STEPS_AT_MOST))
    ends: dict[int, tuple[list[Step], list[int]]] = {}
    for choice in itertools.product((False, True), repeat=len(turned)):
        flipped = {place for place, turn in zip(turned, choice, strict=True) if turn}
        other = [Step(TURNED[s.operation], s.amount) if i in flipped else s for i, s in enumerate(chain)]
        values = _follow(start, other)
        if values is not None:
            ends.setdefault(values[-1], (other, values))
    wanted = chance.randint(*settings.options)
    if len(ends) < wanted:
        return None
    options = chance.sample(sorted(ends), wanted)
    # Drawn last, from the options alone: this is what keeps a reader of the options at chance.
    gold = chance.randrange(wanted)
    told, values = ends[options[gold]]
    return Titration(_tell(settings.wording, start, told), tuple(values), tuple(options), gold)


def _follow(start: int, chain: Sequence[Step]) -> list[int] | None:
    """The value after each step; None where a half is not whole, or a value leaves 1 to 999 mg."""
    values, value = [], start
    for step in chain:
        if step.operation == "halve" and value % 2:
            return None
        value = {
            "raise": value + step.amount,
            "lower": value - step.amount,
            "double": value * 2,
            "halve": value // 2,
        }[step.operation]
        if not 1 <= value <= LARGEST_MG:
            return None
        values.append(value)
    return values


def _tell(wording: str, start: int, chain: Sequence[Step]) -> str:
    words = WORDINGS[wording]
    events = [words[step.operation].format(amount=step.amount) for step in chain]
    return " ".join([words["opening"].format(value=start), *events, words["question"]])
