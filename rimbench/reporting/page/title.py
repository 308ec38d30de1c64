"""What a report compares, in a line: its systems and suites, its questions, days and machines."""

from collections.abc import Iterable, Sequence

from rimbench.reporting.document import Ablation, BudgetSweep, CellResult, Report
from rimbench.reporting.drawing import short
from rimbench.reporting.origin_tables import machine_of
from rimbench.reporting.rotations import Rotations

MOST_CHARACTERS = 100
"""Of the names of systems, or of suites; of more, it is said how many."""


def say_compared(report: Report) -> str:
    """The systems and the suites, by name."""
    parts = _parts(report)
    return f"{_listed(part.label for part in parts)} on {_listed(part.shown_suite for part in parts)}"


def say_circumstances(report: Report) -> str:
    """How many questions a system was asked on a suite, when, and on which machines."""
    counts = sorted({part.n_asked for part in _parts(report)})
    origins = [cell.origin for cell in report.cells]
    said = [
        f"N = {_from_to([f'{count:,}' for count in counts])}",
        _from_to(sorted({origin.started_at[: len("2026-01-01")] for origin in origins})),
        _listed(machine_of(origin) for origin in origins),
    ]
    return " · ".join(filter(None, said))


def _parts(report: Report) -> tuple[CellResult | BudgetSweep | Ablation | Rotations, ...]:
    return (*report.cells, *report.sweeps, *report.ablations, *report.rotations)


def _from_to(ordered: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys((*ordered[:1], *ordered[-1:])))


def _listed(names: Iterable[str]) -> str:
    """Names once each, as many as there is room for."""
    every = [short(name) for name in dict.fromkeys(names)]
    shown = [name for i, name in enumerate(every) if i == 0 or len(", ".join(every[: i + 1])) <= MOST_CHARACTERS]
    last = [f"{len(every) - len(shown)} more"] if len(shown) < len(every) else shown[-1:]
    return " and ".join(filter(None, [", ".join(shown[: len(every) - 1]), *last]))
