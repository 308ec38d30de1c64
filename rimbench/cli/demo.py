"""`rimbench demo`: the whole comparison on the embedded models, offline, in minutes."""

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rimbench.running.plans import PlannedRun, RunSettings
    from rimbench.suites import Suite
    from rimbench.systems import System

SYSTEMS = ("nano-base", "nano-cot", "nano-base-direct", "nano-direct", "nano-rim-v1", "nano-rim-v2")
SUITES = ("demo-in-dist", "demo-long", "demo-reworded")
SWEPT = "nano-rim-v2"
SAMPLES = 8
BATCH = 128
LARGE_BATCH = 64
RESULTS_OPTION = typer.Option("--results", help="Folder of the runs.", file_okay=False, show_default=True)


def demo(
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", metavar="N", min=1, help="Only the first n of each suite."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Print every table, not the verdict alone.")] = False,
    results: Annotated[Path, RESULTS_OPTION] = Path("results/demo"),
) -> None:
    """Compare the embedded models on the generated suites: accuracy, pass@8, memory budgets, latency, the verdict.

    Needs no network and no GPU. The same command goes on where it was cut off; what is complete is not asked again.

    Examples:

    \b
      rimbench demo
      rimbench demo --limit 100
      rimbench demo --all
    """
    from rimbench.api.project import Project
    from rimbench.api.selection import Wanted, choose
    from rimbench.cli.latency import describe
    from rimbench.cli.output import note, print_table, print_text
    from rimbench.cli.progress import RunProgress
    from rimbench.latency import machine, stored
    from rimbench.latency.measuring import measure
    from rimbench.latency.timing import StoppingRules
    from rimbench.reporting import conclusions, summary, tables
    from rimbench.reporting.timings import superseded
    from rimbench.running.completion import run_all
    from rimbench.running.plans import RunSettings, plan_runs
    from rimbench.running.sweeps import plan_sweep, run_sweep

    began = time.monotonic()
    machine.first_load()
    with RunProgress(brief=True) as progress:
        systems, suites = choose(Wanted("run", SYSTEMS, SUITES, limit=limit), Project(), progress.note)
        settings = RunSettings(results, "transformers", BATCH)
        runs = _plan(systems, suites, settings)
        swept = next(system for system in systems if system.name == SWEPT)
        planned = plan_sweep(swept, suites[0], dataclasses.replace(settings, batch_size=BATCH // 2))
        run_all(runs, settings, progress)
        run_sweep(planned, progress)
        measured = []
        for batch, least in ((1, 32), (LARGE_BATCH, 8)):
            progress.say(f"latency at batch {batch}: the {len(SYSTEMS)} systems in turn")
            at_batch = plan_runs(systems, suites[:1], dataclasses.replace(settings, batch_size=batch))
            measured += measure(at_batch, batch, StoppingRules(least=least, most=least, seconds=0))
    stored.keep_measurement(describe(measured, suites[0].name), results)
    summed = summary.summarise(results)
    for table in tables.make_tables(summed) if every else conclusions.summary_tables(summed.summary):
        print_table(table)
    for said in superseded(stored.read_measurements(results, note)):
        note(said)
    note(f"{time.monotonic() - began:.0f} s in all; every answer is kept")
    print_text(f"Next: rimbench report --results {results} --html report.html")
    print_text("      rimbench run --system smollm2 --suite demo-in-dist")


def _plan(systems: "list[System]", suites: "list[Suite]", settings: "RunSettings") -> "list[PlannedRun]":
    """Every system on every suite, with draws in distribution; runs that share weights one after another."""
    from rimbench.running.plans import plan_runs

    with_draws = plan_runs(systems, suites[:1], dataclasses.replace(settings, samples=SAMPLES))
    runs = [*with_draws, *plan_runs(systems, suites[1:], settings)]
    return sorted(runs, key=lambda run: (SYSTEMS.index(run.cell.system.name), SUITES.index(run.suite.name)))
