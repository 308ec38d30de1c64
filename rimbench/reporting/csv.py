"""The report as CSV for a spreadsheet or a data frame, a line for each cell, or pair, or time. Undefined is empty."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from rimbench.display.plaintext import plain
from rimbench.reporting.breakdown import Breakdown, Group
from rimbench.reporting.document import CellResult, Report, as_document
from rimbench.reporting.metrics import find_metrics
from rimbench.reporting.numbers import csv_columns

FORMULA_STARTS = tuple("=+-@＝＋－＠")
"""What a spreadsheet takes for the start of a formula; such texts get an apostrophe before them."""


RowsOf = Literal["cells", "comparisons", "latency", "speedups"]


def as_csv(report: Report, of: RowsOf = "cells") -> str:
    """The cells of the report, or where it is broken down a row a cell and group, or another list of its document;
    shares from 0 to 1.
    """
    if of != "cells":
        return document_csv(as_document(report)[of])
    rows = [_group_row(found, each) for found in report.breakdowns for each in found.groups]
    rows = rows or [_row(cell) for cell in report.cells]
    return _written(rows)


def document_csv(values: Iterable[Mapping[str, Any]]) -> str:
    """Values of the JSON document, a row each: a column for each number or text, named by the keys leading to it."""
    rows = [dict(_flat(value)) for value in values]
    names = dict.fromkeys(name for row in rows for name in row)
    spread = {name for name in names if any(other.startswith(f"{name}_") for other in names)}
    unused = {name for name in spread if all(row.get(name) is None for row in rows)}  # null here, an object there
    return _written([{name: row.get(name) for name in names if name not in unused} for row in rows])


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, each in value.items():
        name = f"{above}{key}"
        if isinstance(each, Mapping) and each:
            yield from _flat(each, f"{name}_")
        elif key.endswith(("ci95", "interval")) and (each is None or isinstance(each, list)):
            yield from zip((f"{name}_lo", f"{name}_hi"), each or (None, None), strict=True)
        else:
            yield name, _text(each) if isinstance(each, str) else each if _is_plain(each) else _text(json.dumps(each))


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, int | float)


def _written(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows below their header; nothing without rows, as of sweeps alone, which are no cells."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _group_row(found: Breakdown, each: Group) -> dict[str, Any]:
    return {
        "suite": _text(found.suite),
        "system": _text(found.system),
        "run": _text(found.run),
        "label": _text(found.label),
        "facet": _text(found.facet),
        "group": _text(each.group),
        "n": each.n,
        **csv_columns("accuracy", each.accuracy),
        **csv_columns("delta", each.against_rest),
        "p_value": each.p_value,
        "p_adjusted": each.p_adjusted,
    }


def _row(cell: CellResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "suite": _text(cell.suite),
        "system": _text(cell.system),
        "run": _text(cell.run),
        "label": _text(cell.label),
        "departures": _text(json.dumps({k: list(v) for k, v in cell.departures.items()}) if cell.departures else ""),
        "blind": cell.controls.blind,
        "permute_options": cell.controls.permute_options,
        "suite_file": _text(cell.origin.suite_file or ""),
        "n": cell.n,
        "n_planned": cell.n_asked,
        "n_asked": cell.n_asked,
        "partial": cell.partial,
    }
    for metric in find_metrics():
        found |= metric.csv(cell.metric(metric.kind))
    return found


def _text(value: str) -> str:
    text = plain(value)
    return f"'{text}" if text.lstrip().startswith(FORMULA_STARTS) else text
