"""Training rows of the nano family, in the OpenMed layout, generated from a seed.

`base_rows` is what the common base learns: to find values among lettered options, to do single steps at once, and to
write out chains of steps in both wordings, as a real base can before any fine-tuning. `tuning_rows` is the fixed set
that every fine-tuned system learns from: chains of 2 to 4 steps in the plain wording, mostly open-ended, as the
card's mixture is. No question of a demo suite is in either.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rimbench.records import LETTERS
from rimbench.suites import catalogue, titration
from rimbench.suites.schema import read_suite
from rimbench.suites.titration import LARGEST_MG, TitrationSettings, generate

Row = dict[str, object]

SUITES = ("demo-in-dist", "demo-long", "demo-reworded")
OPEN_ENDED = 0.91
"""The share of open-ended rows among those for tuning, as in the card's mixture."""
KINDS = (
    {"chain": 0.4, "chosen chain": 0.25, "match": 0.15, "step": 0.08, "chosen step": 0.12},
    {"chain": 0.08, "chosen chain": 0.3, "told match": 0.4, "step": 0.02, "chosen step": 0.2},
    {"chain": 0.08, "chosen chain": 0.3, "close match": 0.4, "step": 0.02, "close step": 0.2},
    {"chain": 0.05, "chosen chain": 0.35, "chain match": 0.5, "close step": 0.1},
    {"chain": 0.05, "chosen chain": 0.4, "long match": 0.45, "close step": 0.1},
)
"""What the base learns, by share of rows: chains first, then mostly letters of values, then those of close ones, then
those of values that stand far behind, after a chain and after other letters."""
SOUGHT = {"match": 4, "told match": 6, "close match": 6, "chain match": 6, "long match": 10}
"""The most values to find in one row."""
FAR = ("chain match", "long match")
"""Of these, the options follow a chain."""
CLOSE = 16
"""Close options lie among so many values in a row."""
CLOSE_SHARE = 0.5
"""The share of close options among those that follow a chain."""
CHAIN_STEPS = (1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 6)
TUNING = TitrationSettings(steps=(2, 4), options=(4, 10), wording="plain")


def base_rows(seed: int, n: int, part: int = 0) -> Iterator[Row]:
    """n rows of all kinds for a part of the base's training; the same for a seed on every machine."""
    taken = suite_questions()
    chance = random.Random(f"base:{seed}")
    kinds = chance.choices(list(KINDS[part]), list(KINDS[part].values()), k=n)
    for i, kind in enumerate(kinds):
        if kind in SOUGHT:
            events = _events(chance) if kind in FAR else ""
            close = kind == "close match" or (kind in FAR and chance.random() < CLOSE_SHARE)
            yield _match(chance, SOUGHT[kind], told=kind != "match", close=close, events=events)
        elif kind.endswith("step"):
            yield _step(chance, chosen=kind != "step", close=kind == "close step")
        else:
            yield _chain(seed, i, chance, taken, chosen=kind == "chosen chain")


def tuning_rows(seed: int, n: int, open_ended: float = OPEN_ENDED) -> Iterator[Row]:
    """n rows, no question twice; the first m of n are the rows of a set of m, so that sets of several sizes nest.

    `open_ended` is the share of rows without options.
    """
    taken = suite_questions()
    chance = random.Random(f"tuning:{seed}")
    made = 0
    for i in itertools.count():
        if made == n:
            return
        item = generate(TUNING, 1_000_000 + seed, i)
        if item.question in taken:
            continue
        taken.add(item.question)
        made += 1
        chosen = chance.random() >= open_ended
        yield chain_row(item.question, item.values, item.options if chosen else (), item.gold)


def suite_questions() -> set[str]:
    """The questions of the demo suites, and each of them in the other wording: what nobody may train on."""
    found: set[str] = set()
    for name in SUITES:
        spec = read_suite(catalogue.find_suite(name))
        assert spec.source is not None and spec.source.settings is not None
        settings = TitrationSettings(**spec.source.settings.model_dump())
        for wording in titration.WORDINGS:
            rows = titration.rows(replace(settings, wording=wording), spec.seed, spec.n)
            found.update(str(row["question"]) for row in rows)
    return found


def _chain(seed: int, i: int, chance: random.Random, taken: set[str], *, chosen: bool) -> Row:
    wording = chance.choice(list(titration.WORDINGS))
    steps = chance.choice(CHAIN_STEPS)
    wanted = (4, min(10, 2**steps)) if chosen and steps > 1 else (2, 2)
    for attempt in itertools.count():
        settings = TitrationSettings((steps, steps), wanted, wording)
        item = generate(settings, 2_000_000 + seed, i * 1000 + attempt)
        if item.question not in taken:
            break
    if chosen and steps == 1:
        options, gold = _with_others(item.values[-1], chance, close=False)
        return chain_row(item.question, item.values, options, gold)
    return chain_row(item.question, item.values, item.options if chosen else (), item.gold)


def _step(chance: random.Random, *, chosen: bool, close: bool) -> Row:
    """One step, answered at once: no reasoning."""
    wording = chance.choice(list(titration.WORDINGS))
    item = generate(TitrationSettings((1, 1), (2, 2), wording), chance.randrange(2**40), 0)
    options, gold = _with_others(item.values[-1], chance, close=close) if chosen else ((), 0)
    return _row(item.question, options, "", LETTERS[gold] if chosen else str(item.values[-1]))


def _events(chance: random.Random) -> str:
    """A chain of 1 to 6 steps, told without asking for its end."""
    wording = chance.choice(list(titration.WORDINGS))
    steps = chance.randint(1, 6)
    item = generate(TitrationSettings((steps, steps), (2, 2), wording), chance.randrange(2**40), 0)
    return item.question.removesuffix(titration.WORDINGS[wording]["question"])


def _match(chance: random.Random, most: int, *, told: bool, close: bool, events: str = "") -> Row:
    """Values to find among lettered options: several answers in one row, each told after its value or alone."""
    first = chance.randint(1, LARGEST_MG - CLOSE + 1) if close else 1
    options = chance.sample(range(first, first + CLOSE if close else LARGEST_MG + 1), chance.randint(4, 10))
    sought = chance.sample(range(len(options)), min(len(options), most))
    letters = [LETTERS[place] for place in sought]
    if told:
        # Boxes stay open: a letter and its brace would be one token, and that is not the token of an answer's letter.
        lines = [f"{options[place]}\n\\boxed{{{letter}" for place, letter in zip(sought, letters, strict=True)]
        lines[-1] = str(options[sought[-1]])  # its letter is the answer
    else:
        lines = letters
    question = f"{events}Find {', '.join(str(options[place]) for place in sought)}."
    return _row(question, options, "\n".join(lines), letters[-1])


def _with_others(value: int, chance: random.Random, *, close: bool) -> tuple[tuple[int, ...], int]:
    """A value among 3 to 9 others, and its place."""
    reach = CLOSE // 2 if close else LARGEST_MG
    values = range(max(1, value - reach), min(LARGEST_MG, value + reach) + 1)
    others = chance.sample([v for v in values if v != value], min(chance.randint(3, 9), len(values) - 1))
    place = chance.randint(0, len(others))
    return (*others[:place], value, *others[place:]), place


def chain_row(question: str, values: Sequence[int], options: Sequence[int] = (), gold: int = 0) -> Row:
    """A row whose reasoning is these values, a line each, and whose answer is the last, or its option's letter."""
    return _row(question, options, "\n".join(map(str, values)), LETTERS[gold] if options else str(values[-1]))


def _row(question: str, options: Sequence[int], reasoning: str, answer: str) -> Row:
    lines = [question, *(f"{letter}: {value}" for letter, value in zip(LETTERS, options, strict=False))]
    reply = {"role": "assistant", "content": rf"\boxed{{{answer}}}", "reasoning_content": reasoning}
    return {"messages": [{"role": "user", "content": "\n".join(lines)}, reply]}
