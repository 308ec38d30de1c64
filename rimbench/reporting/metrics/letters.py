"""Letters: how often each is gold, and how often it is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rimbench.display.tabular import Table
from rimbench.records import LETTERS, Item
from rimbench.reporting.columns import places
from rimbench.reporting.document import CellResult
from rimbench.reporting.metrics import Metric, whole_n
from rimbench.reporting.numbers import counted, letter_counts
from rimbench.reporting.reading import RunData


@dataclass(frozen=True, slots=True)
class LetterCounts:
    """How often each letter is gold, of the items answered, and how often it was answered."""

    gold: Mapping[str, int]
    answered: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of a cell."""

    letters: LetterCounts


def _measure(run: RunData, items: Sequence[Item]) -> Letters:
    """The letters of a run's items and of its answers."""
    if run.by_draws:
        answered = places(letter for letters in run.drawn.values() for letter in letters if letter is not None)
    else:
        answered = run.greedy.columns(items).letters
    return Letters(LetterCounts(_histogram(places(item.gold for item in items)), _histogram(answered)))


def _histogram(letters: NDArray[np.uint8]) -> dict[str, int]:
    counts = np.bincount(letters, minlength=len(LETTERS)).tolist()
    return {letter: count for letter, count in zip(LETTERS, counts, strict=False) if count}


def _table(cells: Sequence[CellResult]) -> Table:
    """A row for each cell."""
    found = [(cell, cell.metric(Letters).letters) for cell in cells]
    return Table(
        "Letters",
        ("suite", "system", "n", "gold", "answered"),
        tuple(
            (
                cell.shown_suite,
                cell.label,
                counted(cell.n, cell.n_asked),
                letter_counts(own.gold),
                letter_counts(own.answered),
            )
            for cell, own in found
        ),
        "A system that answers one letter far more often than it is gold follows the position, not the question.",
        whole_n(cells),
    )


METRIC = Metric(9, Letters, _measure, table=_table)
