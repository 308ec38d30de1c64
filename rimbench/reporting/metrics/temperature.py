"""One temperature for a readout's probabilities, fitted on one half of the items and judged on the other.

Its columns stand in the table of what a readout may answer by itself.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rimbench.records import Item
from rimbench.reporting.metrics import Metric
from rimbench.reporting.numbers import csv_columns
from rimbench.reporting.reading import RunData
from rimbench.reporting.trust import Trust, trust_at
from rimbench.statistics.temperature import fit_temperature


@dataclass(frozen=True, slots=True)
class Temperature:
    """Fitted on `n_fitted` items, `before` (at 1) and `after` on the others; above 1 a readout is too sure."""

    value: float
    n_fitted: int
    before: Trust
    after: Trust


@dataclass(frozen=True, slots=True)
class Heat:
    """The temperature of a cell; None where the likelihood has no maximum, and where nothing is read out."""

    temperature: Temperature | None


def judging_items(run: RunData) -> tuple[list[Item], list[Item]]:
    """The items that are read out on which a temperature is fitted, and those on which it is judged."""
    return list(itertools.compress(run.all_read_out, run.choosing_half)), list(
        itertools.compress(run.all_read_out, ~run.choosing_half)
    )


def _measure(run: RunData, items: Sequence[Item]) -> Heat:
    """The temperature of the greedy answers that have option probabilities."""
    fitting, judging = judging_items(run)
    if not judging:
        return Heat(None)
    value = fit_temperature(*run.logprob_table(fitting))
    if value is None:
        return Heat(None)
    before, after = (trust_at(run, judging, temperature) for temperature in (1.0, value))
    return Heat(Temperature(value, len(fitting), before, after))


def _csv(figures: Heat) -> Mapping[str, object]:
    own = figures.temperature
    return {
        "temperature": own.value if own else None,
        **csv_columns("ece_after", own.after.ece if own else None),
        **csv_columns("brier_after", own.after.brier if own else None),
    }


METRIC = Metric(10.2, Heat, _measure, _csv)
