"""The open loop of `rimbench latency`: questions that arrive by themselves, at a rate or within a limit."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench.errors import UsageError

if TYPE_CHECKING:
    from rimbench.latency.measured import Measured, Measurement
    from rimbench.running.plans import PlannedRun

FEWEST = 100
"""Arrivals at one rate: a p99 takes so many."""


@dataclass(frozen=True, slots=True)
class Arriving:
    """What was asked for: questions a second, the ms within which p99 is to stay, and how many arrive at one rate."""

    rate: float | None
    slo_ms: float | None
    count: int


def arriving(arrivals: str | None, rate: float | None, slo_ms: float | None, samples: int) -> Arriving | None:
    """The open loop that the options ask for, None for none; UsageError where they do not make one."""
    if arrivals is None:
        if rate is not None or slo_ms is not None:
            raise UsageError("--rate and --slo are of questions that arrive by themselves: add --arrivals poisson")
        return None
    if rate is None and slo_ms is None:
        raise UsageError("--arrivals: expected --rate R, questions a second, or --slo MS, to look for the largest")
    if rate is not None:
        from rimbench.latency.arrivals import check_rate

        check_rate(rate)
    if slo_ms is not None and not 0 < slo_ms < math.inf:
        raise UsageError(f"--slo {slo_ms:g}: expected more than 0 ms, and a finite number")
    return Arriving(rate, slo_ms, max(FEWEST, samples))


def measure_open_loop(
    asked: Arriving,
    runs: "Sequence[PlannedRun]",
    alone: "Callable[[], list[Measured]]",
    describe: "Callable[[Sequence[Measured]], Measurement]",
    shown: tuple[Path, bool],
) -> None:
    """Time every system alone, then as questions arrive; print it, and keep every arrival in the results folder."""
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.latency import stored
    from rimbench.latency.arrivals import OpenLoop, under_load
    from rimbench.reporting.load_tables import load_document, load_tables
    from rimbench.reporting.timings import doubts

    own = [run.facts.name for run in runs if run.server is None]
    if own:
        raise UsageError(
            f"--arrivals: engine '{own[0]}' answers what it is asked at once and lets nothing wait: expected "
            "--engine server"
        )
    results, json = shown
    rows = alone()
    made, path = OpenLoop(describe(rows), ()), None
    for doubt in doubts(rows):
        note(doubt)
    for run, row in zip(runs, rows, strict=True):
        note(f"{row.label}: {asked.count} questions arrive at a rate, {row.per_question_ms:.3g} ms each alone")
        found = under_load(run, row, asked.count, asked.rate, asked.slo_ms, note)
        made = replace(made, systems=(*made.systems, found))
        path = stored.keep_measurement(made, results, path, "arrivals")  # a later one may fail
    if json:
        print_json(load_document(made))
    else:
        for table in load_tables(made):
            print_table(table)
    note(f"every arrival is kept in {path}")
