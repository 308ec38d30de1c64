"""Questions that arrive by themselves, as tables: what they wait, and what a limit leaves of a server."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rimbench.display.tabular import Table
from rimbench.latency.arrivals import Largest, Load, OpenLoop
from rimbench.latency.measured import Measured, noises_of
from rimbench.reporting.keys import as_value
from rimbench.reporting.numbers import milliseconds, times

PERCENTS = (50, 95, 99)


def load_tables(found: OpenLoop) -> list[Table]:
    """Systems at the rate that was asked for, or at the largest ones within a limit, each beside its time alone."""
    alone = {row.label: row for row in found.alone.rows}
    loads = [(alone[each.label], each.load) for each in found.systems if each.load]
    largest = [(alone[each.label], each.largest) for each in found.systems if each.largest]
    tables = [_at_rates(found.alone.suite, loads), _within(found.alone.suite, largest)]
    return [table for table in tables if table.rows]


def load_document(found: OpenLoop) -> dict[str, Any]:
    """The same for other programs; single arrivals are in the file that is kept."""
    alone = {row.label: row for row in found.alone.rows}
    return {
        "suite": found.alone.suite,
        "systems": [
            {
                "system": each.label,
                "alone_ms": as_value(alone[each.label].mean),
                "noise": alone[each.label].noises,
                "load": None if each.load is None else _told(each.load),
                "largest": None
                if each.largest is None
                else as_value(replace(each.largest, tried=())) | {"tried": list(map(_told, each.largest.tried))},
            }
            for each in found.systems
        ],
    }


def _told(load: Load) -> dict[str, Any]:
    told = {f"p{percent}_ms": load.percentile(percent) for percent in PERCENTS}
    counts = {"arrived": len(load.arrivals), "failed": load.failed, "late_ms": load.late_ms}
    return {"rate": load.rate, "seed": load.seed, **told, "right_per_s": load.right_per_s(), **counts}


def _at_rates(suite: str, loads: Sequence[tuple[Measured, Load]]) -> Table:
    rows = [
        (
            suite,
            row.label,
            f"{load.rate:.3g}",
            str(len(load.arrivals)),
            milliseconds(row.mean.value),
            *(milliseconds(load.percentile(percent)) for percent in PERCENTS),
            f"{load.right_per_s():.3g}",
            str(load.failed),
            milliseconds(load.late_ms),
            ", ".join(row.noises) or "-",
        )
        for row, load in loads
    ]
    columns = ("suite", "system", "arrive a s", "arrived", "alone, ms", "p50", "p95", "p99", "right a s")
    return Table(
        "As questions arrive",
        (*columns, "failed", "sent late, ms", "noise alone"),
        tuple(rows),
        "Poisson arrivals; ms from the moment when a question is due, with all that it waits. Alone: the mean of one "
        "question at a time. Sent late: at the most, by this machine.",
        ("sent late, ms", "arrived", "suite"),
    )


def _within(suite: str, found: Sequence[tuple[Measured, Largest]]) -> Table:
    """The ratios are those to the system with the lowest rate."""
    slowest = min(found, key=lambda each: each[1].rate.value, default=None)
    rows = [
        (
            suite,
            row.label,
            f"{largest.slo_ms:g}",
            milliseconds(row.mean.value),
            times(largest.rate),
            times(largest.right_per_s),
            "-" if slowest is None or row is slowest[0] else f"{slowest[0].mean.value / row.mean.value:.3g}",
            "-" if slowest is None or row is slowest[0] else f"{largest.rate.value / slowest[1].rate.value:.3g}",
            "; ".join(noises_of(_sides(row, slowest))) or "-",
        )
        for row, largest in found
    ]
    columns = ("suite", "system", "p99 within, ms", "alone, ms", "questions a s [95%]", "right a s [95%]")
    return Table(
        "What a limit leaves",
        (*columns, "times alone", "times in service", "noise alone"),
        tuple(rows),
        "The largest rate of Poisson arrivals whose p99, from the moment when a question is due, keeps to the limit: "
        "three searches, each with arrivals of its own. Times: against the system with the lowest rate, one question "
        "at a time, and in questions a second within the limit.",
        ("suite",),
    )


def _sides(row: Measured, slowest: tuple[Measured, Largest] | None) -> list[Measured]:
    """Both sides of a row's ratios: itself, and the system that it stands against."""
    return [row] if slowest is None or row is slowest[0] else [row, slowest[0]]
