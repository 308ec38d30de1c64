"""The stored runs of all rotations of the options -> how often an answer follows the order, and what averaging gives.

They lie one level below the results of `rimbench run`, as `<name>-rotated/r0`, r1, ..., each an ordinary run that
shows every item's options moved up by so many places and records its answers in the item's own letters.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from rimbench.display.tabular import Table
from rimbench.errors import DataError
from rimbench.records import LETTERS, Item
from rimbench.reporting.keys import HIDDEN
from rimbench.reporting.numbers import counted, decimal, number, percent, points, share
from rimbench.reporting.reading import RunData, find_below, read_run, resampling_of
from rimbench.reporting.selection import EVERY, Selection
from rimbench.reporting.variants import name_of, run_departures, suite_label
from rimbench.statistics import estimate
from rimbench.statistics.bootstrap import FloatArray
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.passk import option_probabilities
from rimbench.statistics.verdict import Settings, compare_outcomes
from rimbench.store import ROTATED, find_inner


@dataclass(frozen=True, slots=True)
class Rotations:
    """A system's answers to `n` items in up to `rotations` orders of their options, `passes` of them an item.

    `flip_rate` is the share of items that did not get the same option in every order. The distance of two orders is
    half the summed difference of their option probabilities, 0 to 1: `mean_distance` is over each item's largest one,
    and `largest_distance` the largest of all. `accuracy` is that of the suite's own order, `lowest` and `highest` are
    of the orders, all items in each; `averaged` is the accuracy of the mean probabilities, of written answers that of
    most votes, and `gain` what it has above `accuracy`.
    """

    system: str
    suite: str
    n: int
    n_asked: int
    rotations: int
    passes: float
    flip_rate: Estimate
    mean_distance: Estimate | None
    largest_distance: float | None
    accuracy: Estimate
    lowest: float
    highest: float
    averaged: Estimate
    gain: Estimate
    label: str
    departures: Mapping[str, Sequence[Any]]
    suite_file: str | None
    content_sha256: str
    shown_suite: Annotated[str, HIDDEN]


OWN = ("rotate_options",)
"""What rotations themselves depart in from a system's own file: no label says it."""


def find_rotations(results: Path, say: Callable[[str], None], selection: Selection = EVERY) -> list[Rotations]:
    """Every folder of rotations in a results folder, or of a selection, by name; one that lacks a rotation yet, or
    cannot be read, is left out. `say` is told of these, and of those that lack answers.
    """
    found = []
    for name, rotated in find_below(results, (ROTATED, OWN), _read_below, say, selection):
        found.append(rotated)
        if rotated.n < rotated.n_asked:
            say(f"{name} is partial: {rotated.n} of {rotated.n_asked} items have an answer in every order")
    return found


def _read_below(folder: Path) -> Rotations:
    return read_rotations(find_inner(folder, "r"))


@dataclass(frozen=True, slots=True)
class InOrders:
    """The runs of all orders, the number of items, and those of them that are answered in each order of theirs."""

    runs: tuple[RunData, ...]
    asked: int
    items: tuple[Item, ...]
    answers: "tuple[Orders, ...]"


def read_orders(folders: Sequence[Path]) -> InOrders:
    """Read the runs that move options up by 0, 1, ... places; items that lack one of their orders are left out.

    DataError where a run is not there yet, or no item is complete.
    """
    runs = [read_run(folder) for folder in folders]
    known = list(runs[0].items.values())
    if len(runs) < max(len(item.options) for item in known):
        raise DataError(f"{folders[0].parent} lacks a rotation of the options yet: its command goes on with it")
    items = [item for item in known if all(item.item_id in run.greedy for run in runs[: len(item.options)])]
    if not items:
        raise DataError(
            f"{folders[0].parent} has no item that is answered in every order: its command goes on with it"
        )
    return InOrders(tuple(runs), len(known), tuple(items), tuple(Orders.of(item, runs) for item in items))


def read_rotations(folders: Sequence[Path]) -> Rotations:
    """What the runs come to; DataError as `read_orders`."""
    read = read_orders(folders)
    runs, items, answers = read.runs, read.items, read.answers
    manifest, how = runs[0].manifest, resampling_of(items)
    first = [own.letters[0] == item.gold for own, item in zip(answers, items, strict=True)]
    averaged = [own.averaged == item.gold for own, item in zip(answers, items, strict=True)]
    distances = [own.distance for own in answers if own.distance is not None]
    flips = estimate.accuracy([own.flips for own in answers], how)
    own_order, together = estimate.accuracy(first, how), estimate.accuracy(averaged, how)
    gain = compare_outcomes(averaged, first, Settings(how=how))
    assert flips is not None and own_order is not None and together is not None and gain is not None
    by_order = [
        np.mean(
            [own.letters[places % len(own.letters)] == item.gold for own, item in zip(answers, items, strict=True)]
        )
        for places in range(len(runs))
    ]
    return Rotations(
        system=manifest.system,
        suite=manifest.suite,
        n=len(items),
        n_asked=read.asked,
        rotations=len(runs),
        passes=float(np.mean([len(item.options) for item in items])),
        flip_rate=flips,
        mean_distance=estimate.bootstrap_share(distances, how) if len(distances) == len(items) else None,
        largest_distance=max(distances) if len(distances) == len(items) else None,
        accuracy=own_order,
        lowest=float(min(by_order)),
        highest=float(max(by_order)),
        averaged=together,
        gain=gain.difference,
        label=name_of(manifest, OWN),
        departures=run_departures(manifest, OWN),
        suite_file=manifest.suite_file,
        content_sha256=manifest.identity.suite.content_sha256,
        shown_suite=suite_label(manifest),
    )


@dataclass(frozen=True, slots=True)
class Orders:
    """An item's answers in its orders, in its own letters; probabilities (orders, options) where all have them."""

    letters: tuple[str | None, ...]
    probabilities: FloatArray | None

    @classmethod
    def of(cls, item: Item, runs: Sequence[RunData]) -> "Orders":
        """Of an item that is answered in each of its orders."""
        own = runs[: len(item.options)]
        letters = tuple(run.greedy[item.item_id] for run in own)
        if not all(run.read_out([item]) for run in own):
            return cls(letters, None)
        tables = [run.logprob_table([item])[0] for run in own]
        return cls(letters, option_probabilities(np.concatenate(tables)))

    @property
    def flips(self) -> bool:
        """Whether it is not the same option in every order."""
        return len(set(self.letters)) > 1

    @property
    def distance(self) -> float | None:
        """The largest total variation distance of two orders."""
        if self.probabilities is None:
            return None
        apart = np.abs(self.probabilities[:, None] - self.probabilities[None]).sum(axis=2)
        return min(1.0, float(apart.max()) / 2)

    @property
    def averaged(self) -> str | None:
        """The option of the largest mean probability, or of most votes; of equals the first one of the item."""
        if self.probabilities is not None:
            return LETTERS[int(self.probabilities.mean(axis=0).argmax())]
        votes = Counter(letter for letter in self.letters if letter is not None)
        return min(votes, key=lambda letter: (-votes[letter], letter), default=None)


def rotations_table(found: Sequence[Rotations]) -> Table:
    """A row for each system and suite that was asked in every order."""
    return Table(
        "When every option stands in every place",
        (
            *(
                "suite",
                "system",
                "n",
                "own order, % [95%]",
                "orders, %",
                "flips, % [95%]",
                "distance [95%]",
                "largest",
            ),
            *("averaged, % [95%]", "gain, points [95%]", "passes"),
        ),
        tuple(
            (
                own.shown_suite,
                own.label,
                counted(own.n, own.n_asked),
                percent(own.accuracy),
                f"{share(own.lowest)} to {share(own.highest)}",
                percent(own.flip_rate),
                "-" if own.mean_distance is None else number(own.mean_distance),
                "-" if own.largest_distance is None else decimal(own.largest_distance, 3),
                percent(own.averaged),
                points(own.gain),
                decimal(own.passes, 1),
            )
            for own in found
        ),
        "Flips: items that did not get the same option in every order. Distance: an item's largest total variation "
        "distance between two orders. Averaged: the mean probabilities of all orders, or the most votes, for so many "
        "passes an item; gain: above the suite's own order.",
        ("distance [95%]", "largest", "orders, %", "own order, % [95%]", "averaged, % [95%]"),
    )
