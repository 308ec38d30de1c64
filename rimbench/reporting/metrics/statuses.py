"""What became of the answers: how many there are of each status, and the accuracy of those that name a letter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rimbench.display.tabular import Table
from rimbench.records import STATUSES, Item, Status
from rimbench.reporting.document import CellResult
from rimbench.reporting.metrics import Metric, whole_n
from rimbench.reporting.numbers import counted, percent
from rimbench.reporting.reading import RunData, resampling_of
from rimbench.statistics.estimate import Estimate, accuracy_given_parsed


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """Greedy answers, or of draws alone draws, by status; `given_ok` is the accuracy of greedy ones that are ok."""

    statuses: Mapping[Status, int]
    given_ok: Estimate | None


def _measure(run: RunData, items: Sequence[Item]) -> StatusCounts:
    """The statuses of a run's answers."""
    if run.by_draws:
        return StatusCounts({status: run.drawn_statuses.get(status, 0) for status in STATUSES}, None)
    found = run.greedy.columns(items).statuses
    counts = np.bincount(found, minlength=len(STATUSES)).tolist()
    given_ok = accuracy_given_parsed(run.rights(items), found == STATUSES.index("ok"), resampling_of(items))
    return StatusCounts(dict(zip(STATUSES, counts, strict=True)), given_ok)


def _table(cells: Sequence[CellResult]) -> Table:
    """A column for each status."""
    of_draws = any(cell.data.by_draws for cell in cells)
    return Table(
        f"What became of the {'answers' if of_draws else 'greedy answers'}",
        ("suite", "system", "n", *(status.replace("_", " ") for status in STATUSES), "accuracy given ok"),
        tuple(
            (
                cell.shown_suite,
                cell.label,
                counted(cell.n, cell.n_asked),
                *(str(count) for count in cell.metric(StatusCounts).statuses.values()),
                percent(cell.metric(StatusCounts).given_ok),
            )
            for cell in cells
        ),
        "Of draws alone, every draw is counted." if of_draws else "",
        optional=("refused", "truncated", "ambiguous", *whole_n(cells)),
    )


METRIC = Metric(8, StatusCounts, _measure, lambda figures: figures.statuses, _table)
