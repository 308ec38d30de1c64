"""The summary as CSV, one line a cell, for a spreadsheet or a data frame. Undefined is empty."""

import csv
import io
import json
from typing import Any

from rimbench.display.plaintext import plain
from rimbench.records import STATUSES
from rimbench.report.cells import Cell
from rimbench.report.summary import Summary
from rimbench.report.variants import controls_of
from rimbench.statistics.estimate import Estimate

FORMULA_STARTS = tuple("=+-@＝＋－＠")
"""What a spreadsheet takes for the start of a formula; such texts get an apostrophe before them."""


def as_csv(summary: Summary) -> str:
    """The cells of the report; shares from 0 to 1."""
    rows = [_row(cell) for cell in summary.cells]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _row(cell: Cell) -> dict[str, Any]:
    controls = controls_of(cell.manifest)
    found: dict[str, Any] = {
        "suite": _text(cell.manifest.suite),
        "system": _text(cell.manifest.system),
        "run": _text(cell.manifest.run),
        "label": _text(cell.label),
        "departures": _text(json.dumps({k: list(v) for k, v in cell.departures.items()}) if cell.departures else ""),
        "blind": controls.blind,
        "permute_options": controls.permute_options,
        "suite_file": _text(cell.manifest.suite_file or ""),
        "n": cell.n,
        "n_planned": cell.n_planned,
        "n_asked": cell.n_planned,
        "partial": cell.partial,
        **_estimate("greedy_accuracy", cell.greedy_accuracy),
        "headline_of": cell.of,
        **_estimate("headline", cell.headline),
        "guess": cell.uniform,
    }
    passed = cell.pass_at_k[0] if cell.pass_at_k else None
    found |= {"k": passed.k if passed else None, "pass_at_k_n": passed.estimate.n if passed else None}
    found |= _estimate("pass_at_k", passed.estimate if passed else None)
    found |= {"pass_at_k_guess": passed.chance if passed else None}
    found |= _estimate("maj_at_k", cell.maj_at_k.get(passed.k) if passed else None)
    found |= {status: cell.statuses[status] for status in STATUSES}
    found |= _estimate("ece", cell.calibration.error.ece if cell.calibration else None)
    found |= _estimate("ece_corrected", cell.calibration.error.corrected if cell.calibration else None)
    found |= {"ece_floor": cell.calibration.error.floor if cell.calibration else None}
    found |= _estimate("brier", cell.calibration.brier if cell.calibration else None)
    return found | {"label_mass": cell.label_mass}


def _estimate(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return {name: None, f"{name}_lo": None, f"{name}_hi": None}
    return {name: estimate.value, f"{name}_lo": estimate.lo, f"{name}_hi": estimate.hi}


def _text(value: str) -> str:
    text = plain(value)
    return f"'{text}" if text.lstrip().startswith(FORMULA_STARTS) else text
