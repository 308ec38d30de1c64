"""Where does memory pay against every control? Tasks and depths made for it: `nox -s regimes` tries them, resumably.

    few-layers    chains of 5 to 8 steps in a model of 2 layers: more steps than layers
    long-chains   chains of 7 and 8 steps in a model of 8 layers, twice as long as the shipped family's
    table-last    what each event does is drawn for every question and told last: nothing can be known by heart, and
                  nothing done before the table is read
    pairs         which two of six doses make a total that is told last? Every dose has to be tried, side by side
    narrow-pairs  the same in 3 layers of half the width, so that one position holds less

In one pass blocks add width and no depth: a position's states after layer l depend on l layers, with blocks or
without. So the last three are where memory should pay: what is left to do when the last number is read has to be done
at the few positions behind it, or in the blocks.

Each regime has a base of its own, trained from nothing to write its chains out, and from it, on the same examples and
with the same seeds, systems of `controls.py`. They are asked 1,000 fresh questions without options; none of these is
trained on, by the base or by anything made of it. `--steps`, `--batch` and `--examples` are as in `controls.py`; the
base takes the same share of its rows. `docs/regimes.json` holds of each regime the scale that it was last tried at,
every accuracy, and K = 8 less each control, by seed, and over seeds where there are some.
"""

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from controls import SEEDS, Trained, answer, arguments, of_seed, summarise, there
from corpus import Row, chain_row
from curve import shown
from family import DOCS, WORK, Scale, texts, train_here, write_rows
from open_ended import ITEMS
from start import make_start

from rimbench.suites.titration import LARGEST_MG, WORDINGS, Operation, Step, Titration, follow, tell

SYSTEMS = ("rim-v2", "any-k", "curriculum-only", "direct-equal-flop")
BASE_ROWS = 200_000
LARGEST = 20
"""Doses are from 1 to this many mg, so that a base learns every step of one operation in minutes."""
CHANGES = range(1, 5)
CODES = "PQRS"
"""No letters of options."""
DOSES = 6
"""The doses among which a pair is sought."""
VOCABULARY_ROWS = 5_000

Walk = tuple[int, list[Step], tuple[int, ...]]
"""A dose, what is done to it in turn, and the dose after each."""


@dataclass(frozen=True, slots=True)
class Regime:
    """Questions of so many steps, made from chance, for models of so many layers and so wide states."""

    name: str
    steps: tuple[int, int]
    layers: int
    make: Callable[[random.Random, int], Titration | None]
    width: int = 64

    suite = None

    @property
    def folder(self) -> Path:
        """Where all that belongs to it is kept."""
        return WORK / "regimes" / self.name

    def base(self, scale: Scale) -> Path:
        """A model that writes its chains out, trained from nothing; chains are shorter there, too."""
        folder = self.folder / str(scale) / "base"
        if (folder / "checkpoint").exists():
            return folder / "checkpoint"
        rows = list(self.rows("base", round(BASE_ROWS * scale.steps), shortest=1))
        data = write_rows(folder.with_suffix(".jsonl"), rows)
        start = folder.with_name("start")
        if not (start / "config.json").exists():
            numbers = [str(value) for value in range(1, LARGEST_MG + 1)] * 2
            size = {"num_hidden_layers": self.layers, "hidden_size": self.width}
            size |= {"intermediate_size": 3 * self.width, "head_dim": self.width // 2}
            make_start(start, [*texts(rows[:VOCABULARY_ROWS]), *numbers], 0, **size)
        return train_here("nano-base", scale, start, data, folder, 0)

    def tuning_rows(self, seed: int, n: int) -> Iterator[Row]:
        """What every system of a seed learns from."""
        return self.rows(f"tuning {seed}", n)

    def rows(self, purpose: str, n: int, shortest: int | None = None) -> Iterator[Row]:
        """n training rows; nothing that is asked is among them."""
        asked = {item.question for item in self.items()}
        fresh = (item for item in self.questions(purpose, shortest) if item.question not in asked)
        return (chain_row(item.question, item.values) for item in itertools.islice(fresh, n))

    def items(self) -> list[Titration]:
        """What is asked, no question twice."""
        found: dict[str, Titration] = {}
        for item in self.questions("asked"):
            found.setdefault(item.question, item)
            if len(found) == ITEMS:
                break
        return list(found.values())

    def questions(self, purpose: str, shortest: int | None = None) -> Iterator[Titration]:
        """Questions without end, the same for a purpose on every machine."""
        chance = random.Random(f"regime:{self.name}:{purpose}")
        least, most = self.steps
        while True:
            made = self.make(chance, chance.randint(least if shortest is None else shortest, most))
            if made is not None:
                yield made


def chain(chance: random.Random, steps: int) -> Titration | None:
    """A dose and what is done to it day by day, in the plain wording of the demo suites."""
    changes = [Step(kind, by) for kind in ("raise", "lower") for by in CHANGES]
    found = walk(chance, [*changes, *[Step("double", 0), Step("halve", 0)] * len(CHANGES)], steps)
    if found is None:
        return None
    start, events, values = found
    return Titration(tell("plain", start, events), values, (), 0)


def table_last(chance: random.Random, steps: int) -> Titration | None:
    """A dose and a code a day; what the codes do is drawn anew, and told at the end."""
    kinds: list[Operation] = chance.choices(("raise", "lower", "double", "halve"), k=len(CODES))
    table = [Step(kind, chance.choice(CHANGES) if kind in ("raise", "lower") else 0) for kind in kinds]
    found = walk(chance, table, steps)
    if found is None or len(set(table)) < len(CODES):
        return None
    start, events, values = found
    days = [f"Day {day}: {CODES[table.index(event)]}." for day, event in enumerate(events, start=1)]
    words = {kind: text.partition(": ")[2] for kind, text in WORDINGS["plain"].items()}
    means = [
        f"\n{code}: {words[step.operation].format(amount=step.amount)}"
        for code, step in zip(CODES, table, strict=True)
    ]
    opening = WORDINGS["plain"]["opening"].format(value=start)
    return Titration(" ".join([opening, *days, "Dose then, in mg, where"]) + "".join(means), values, (), 0)


def pairs(chance: random.Random, steps: int) -> Titration | None:
    """Doses of which exactly two make a total, told last: what each one lacks, and then the smaller of the two."""
    total = chance.randint(11, LARGEST)
    doses = chance.sample(range(1, total), min(max(2, steps - 1), DOSES))
    lacking = tuple(total - dose for dose in doses)
    both = [dose for dose in doses if dose in lacking]
    if len(both) != 2:
        return None
    told = ", ".join(map(str, doses))
    return Titration(f"Doses: {told} mg. The smaller of the two that make {total}?", (*lacking, min(both)), (), 0)


def walk(chance: random.Random, events: Sequence[Step], steps: int) -> Walk | None:
    """All doses whole and within reach; None where no event leads on."""
    start = value = chance.randint(1, LARGEST)
    told: list[Step] = []
    values: list[int] = []
    for _ in range(steps):
        open_ones = [(event, reached) for event in events if (reached := after(value, event)) is not None]
        if not open_ones:
            return None
        event, value = chance.choice(open_ones)
        told.append(event)
        values.append(value)
    return start, told, tuple(values)


def after(value: int, event: Step) -> int | None:
    """The dose after an event; None where it is not whole, or out of reach."""
    found = follow(value, [event])
    return found[0] if found is not None and found[0] <= LARGEST else None


REGIMES = {
    regime.name: regime
    for regime in (
        Regime("pairs", (DOSES + 1, DOSES + 1), 2, pairs),
        Regime("narrow-pairs", (DOSES + 1, DOSES + 1), 3, pairs, 32),
        Regime("table-last", (3, 5), 3, table_last),
        Regime("few-layers", (5, 8), 2, chain),
        Regime("long-chains", (7, 8), 8, chain),
    )
}


def main() -> None:
    """Train and ask what is missing, regime after regime and seed after seed; keep and print what is there."""
    parser = arguments(__doc__)
    parser.add_argument("--regime", action="append", choices=REGIMES, help="only this one; repeat")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="the first so many")
    options = parser.parse_args()
    scale = Scale(options.steps, options.batch, options.examples)
    wanted = [REGIMES[name] for name in options.regime or REGIMES]
    for regime in wanted if not options.summary else ():
        for seed, system in itertools.product(SEEDS[: options.seeds], SYSTEMS):
            answer(Trained(system, seed, scale, regime))
    file = DOCS / "regimes.json"
    document: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for regime in wanted:
        found = there(Trained(system, seed, scale, regime) for seed in SEEDS for system in SYSTEMS)
        if found:
            stated = asdict(scale) | {"layers": regime.layers, "width": regime.width}
            document[regime.name] = stated | summarise(found)
    file.write_text(json.dumps(document, indent=2) + "\n")
    for name, entry in document.items():
        over_seeds = [line for line in entry["over_seeds"] if line["seeds"] > 1]
        for line in (*entry["accuracies"], *entry["differences"], *over_seeds):
            print(shown(line, f"{name:12} {of_seed(line)}"))
        print(f"{name:12} wall time, s: " + "; ".join(f"{who}: {taken}" for who, taken in entry["seconds"].items()))


if __name__ == "__main__":
    main()
