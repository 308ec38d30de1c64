"""The summary as tables of plain text, in the order of a reader's questions; every format prints these."""

from collections.abc import Sequence
from dataclasses import dataclass

from rimbench.records import STATUSES
from rimbench.report.summary import Cell, Summary
from rimbench.statistics.estimate import Estimate

DISCLAIMER = "A research tool: nothing here is fit for clinical use."


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of plain text, with a sentence on how to read them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""


def make_tables(summary: Summary) -> list[Table]:
    """Accuracy, pass@k where there are draws, what became of the answers, and where they come from."""
    cells = summary.cells
    tables = [_accuracy(cells)]
    if any(cell.pass_at_k for cell in cells):
        tables.append(_pass_at_k(cells))
    return [*tables, _statuses(cells), _provenance(cells)]


def _accuracy(cells: Sequence[Cell]) -> Table:
    methods = sorted({cell.greedy_accuracy.method for cell in cells if cell.greedy_accuracy})
    return Table(
        "Accuracy",
        ("suite", "system", "n", "greedy accuracy, % [95%]"),
        tuple((*_who(cell), str(cell.n), _percent(cell.greedy_accuracy)) for cell in cells),
        f"Intervals: {', '.join(methods) or 'none'}. An answer that names no letter counts as wrong.",
    )


def _pass_at_k(cells: Sequence[Cell]) -> Table:
    rows = [
        (
            *_who(cell),
            str(passed.k),
            _percent(passed.estimate),
            f"{100 * passed.chance:.1f}" if passed.chance is not None else "-",
            _percent(cell.maj_at_k.get(passed.k)),
        )
        for cell in cells
        for passed in cell.pass_at_k
    ]
    return Table(
        "Several answers a question",
        ("suite", "system", "k", "pass@k, % [95%]", "guesser's pass@k, %", "maj@k, % [95%]"),
        tuple(rows),
        "pass@k: the unbiased estimator, bootstrapped over questions. A pass@k near the uniform guesser's says little.",
    )


def _statuses(cells: Sequence[Cell]) -> Table:
    return Table(
        "What became of the greedy answers",
        ("suite", "system", *(status.replace("_", " ") for status in STATUSES)),
        tuple((*_who(cell), *(str(cell.statuses[status]) for status in STATUSES)) for cell in cells),
    )


def _provenance(cells: Sequence[Cell]) -> Table:
    return Table(
        "Where the answers come from",
        ("run", "model", "suite hash", "engine", "commit"),
        tuple(_origin(cell) for cell in cells),
    )


def _origin(cell: Cell) -> tuple[str, ...]:
    manifest = cell.manifest
    engine = manifest.identity["engine"]
    revision = manifest.model_source["revision"] or manifest.identity["weights_sha256"]
    return (
        manifest.run,
        f"{manifest.model_source['source']} {revision[:10]}",
        manifest.identity["suite"]["content_sha256"][:10],
        f"{engine['name']}, {engine['device']}, {engine['dtype']}",
        (manifest.commit or "-")[:10] + (" (changed)" if manifest.dirty else ""),
    )


def _who(cell: Cell) -> tuple[str, str]:
    return cell.manifest.suite, cell.manifest.system


def _percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    value = f"{100 * estimate.value:.1f}"
    if estimate.lo is None or estimate.hi is None:
        return value
    return f"{value} [{100 * estimate.lo:.1f}, {100 * estimate.hi:.1f}]"
