"""The report as CSV, one line a cell, for a spreadsheet or a data frame. Undefined is empty."""

import csv
import io
import json
from typing import Any

from rimbench.display.plaintext import plain
from rimbench.reporting.breakdown import Breakdown, Group
from rimbench.reporting.document import CellResult, Report
from rimbench.reporting.metrics import find_metrics
from rimbench.reporting.numbers import csv_columns

FORMULA_STARTS = tuple("=+-@＝＋－＠")
"""What a spreadsheet takes for the start of a formula; such texts get an apostrophe before them."""


def as_csv(report: Report) -> str:
    """The cells of the report, or where it is broken down a row a cell and group; shares from 0 to 1."""
    rows = [_group_row(found, each) for found in report.breakdowns for each in found.groups]
    rows = rows or [_row(cell) for cell in report.cells]
    if not rows:  # sweeps, rotations or interventions alone, which are no cells
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
