"""Generated questions that need several dependent steps: a dose changed by a chain of events, what is it now?

    Dose: 40 mg. Day 1: raised by 6. Day 2: halved. Day 3: lowered by 4. Dose now, in mg?
    steps: 46, 23, 19     A: 27   B: 13   C: 19   D: 64     gold C

Doses are whole, from 1 to 60 mg, so that a tiny model can know every sum of one step by heart, and what is hard is
to do several in turn.

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

from rimbench.errors import DataError
from rimbench.records import LETTERS

Operation = Literal["raise", "lower", "double", "halve"]
TURNED: dict[Operation, Operation] = {"raise": "lower", "lower": "raise", "double": "halve", "halve": "double"}
START_MG = range(8, 41)
CHANGE_MG = range(1, 7)
LARGEST_MG = 60
REPEATS_AT_MOST = 10_000
"""So many questions in a row that were there already: there are no others, or hardly any."""
ATTEMPTS_AT_MOST = 10_000
"""The hardest settings that work at all, 20 steps and 10 options, take some 150 draws for an item."""
TURNED_STEPS_AT_MOST = 5
"""So many steps may be turned round: 2^5 chains are plenty for ten options."""

WORDINGS: dict[str, dict[str, str]] = {
    "plain": {
        "opening": "Dose: {value} mg.",
        "raise": "Day {day}: raised by {amount}.",
        "lower": "Day {day}: lowered by {amount}.",
        "double": "Day {day}: doubled.",
        "halve": "Day {day}: halved.",
        "question": "Dose now, in mg?",
    },
    "unseen": {
        "opening": "Treatment begins at {value} mg.",
        "raise": "Visit {day}: {amount} mg more.",
        "lower": "Visit {day}: {amount} mg less.",
        "double": "Visit {day}: twice as much.",
        "halve": "Visit {day}: half as much.",
        "question": "How much is it now, in mg?",
    },
}


@dataclass(frozen=True, slots=True)
class TitrationSettings:
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


def rows(settings: TitrationSettings, seed: int, n: int) -> Iterator[dict[str, object]]:
    """The first n items of a seed, as rows of a suite, no question twice; `steps` holds the values on the way.

    DataError where the settings do not give so many different ones.
    """
    seen: set[str] = set()
    repeats = 0
    for i in itertools.count():
        if len(seen) == n:
            return
        made = generate(settings, seed, i)
        repeats = repeats + 1 if made.question in seen else 0
        if repeats == REPEATS_AT_MOST:
            raise DataError(
                f"{_told(settings)} give about {len(seen)} different questions, {n} were asked for: ask for fewer (n "
                "in the suite's TOML), or allow more steps"
            )
        if repeats:
            continue
        seen.add(made.question)
        yield {
            "id": f"{seed}-{i}",
            "question": made.question,
            "options": [str(value) for value in made.options],
            "gold": LETTERS[made.gold],
            "steps": [str(value) for value in made.values],
        }


def generate(settings: TitrationSettings, seed: int, i: int) -> Titration:
    """Item i of a seed: the same on every machine. DataError where the settings give none."""
    chance = random.Random(f"titration:{seed}:{i}")
    for _ in range(ATTEMPTS_AT_MOST):
        made = _attempt(settings, chance)
        if made is not None:
            return made
    raise DataError(
        f"{_told(settings)} give no question in {ATTEMPTS_AT_MOST} draws: so few steps have too few ways to turn for "
        "so many options; allow fewer options or more steps"
    )


def _told(settings: TitrationSettings) -> str:
    return f"titration: the settings steps = {list(settings.steps)}, options = {list(settings.options)}"


def _attempt(settings: TitrationSettings, chance: random.Random) -> Titration | None:
    """One draw, or None where too few turned chains stay whole, positive and apart."""
    start = chance.choice(START_MG)
    kinds: list[Operation] = ["raise", "lower", "double", "halve"]
    chain = [Step(chance.choice(kinds), chance.choice(CHANGE_MG)) for _ in range(chance.randint(*settings.steps))]
    turned = chance.sample(range(len(chain)), min(len(chain), TURNED_STEPS_AT_MOST))
    ends: dict[int, tuple[list[Step], list[int]]] = {}
    for choice in itertools.product((False, True), repeat=len(turned)):
        flipped = {place for place, turn in zip(turned, choice, strict=True) if turn}
        other = [Step(TURNED[s.operation], s.amount) if i in flipped else s for i, s in enumerate(chain)]
        values = follow(start, other)
        if values is not None:
            ends.setdefault(values[-1], (other, values))
    wanted = chance.randint(*settings.options)
    if len(ends) < wanted:
        return None
    options = chance.sample(sorted(ends), wanted)
    # Drawn last, from the options alone: this is what keeps a reader of the options at chance.
    gold = chance.randrange(wanted)
    told, values = ends[options[gold]]
    return Titration(tell(settings.wording, start, told), tuple(values), tuple(options), gold)


def follow(start: int, chain: Sequence[Step]) -> list[int] | None:
    """The value after each step; None where a half is not whole, or a value leaves 1 to 60 mg."""
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


def tell(wording: str, start: int, chain: Sequence[Step]) -> str:
    """The question that a chain of events makes, in one of the `WORDINGS`."""
    words = WORDINGS[wording]
    events = [words[step.operation].format(day=day, amount=step.amount) for day, step in enumerate(chain, start=1)]
    return " ".join([words["opening"].format(value=start), *events, words["question"]])
