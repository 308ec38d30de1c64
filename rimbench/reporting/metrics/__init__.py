"""What is said of a cell: a metric is one file here, which is found by being here.

Each has a `METRIC`: its estimates with their intervals, whose fields are keys of the JSON document, a table for them,
and columns of the CSV.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rimbench import plugins
from rimbench.display.tabular import Table
from rimbench.records import Item
from rimbench.reporting.document import CellResult
from rimbench.reporting.reading import RunData


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `measure` gives a `kind` of a run and the items that it has answered; `table` and `csv` show it.

    `place` is that of its table among the others of a report (`rimbench.reporting.tables`).
    """

    place: float
    kind: type[Any]
    measure: Callable[[RunData, Sequence[Item]], Any]
    csv: Callable[[Any], Mapping[str, object]] = lambda figures: {}
    table: Callable[[Sequence[CellResult]], Table] | None = None


def whole_n(cells: Sequence[CellResult]) -> tuple[str, ...]:
    """The n of whole cells, which the first table has, may be left out; that of a partial one never."""
    return () if any(cell.partial or len(cell.data.sampled) not in (0, cell.n_asked) for cell in cells) else ("n",)


def find_metrics() -> list[Metric]:
    """Every metric, in the order of their places."""
    package = importlib.import_module(__name__)
    found = [plugins.load_module(package, name, "metric").METRIC for name in plugins.find_modules(package)]
    return sorted(found, key=lambda metric: metric.place)
