"""What a grid of runs will take, in hours and money: an estimate from a probe, with its spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rimbench.api.project import read_project
from rimbench.api.run import Notes
from rimbench.api.selection import Wanted, choose, explaining_weights
from rimbench.engines import at_server
from rimbench.running.plans import RunSettings, plan_runs
from rimbench.running.probing import Probe, probe_all
from rimbench.statistics.times import mean_time

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Expected:
    """What one run lacks, and hours to load its model and to answer; `low_h` and `high_h` are None where one batch
    alone was timed. With a price, hours times that are money.
    """

    run: str
    answers: int
    load_h: float
    answer_h: float
    low_h: float | None
    high_h: float | None


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid that is asked about: what `rimbench run` is given."""

    systems: Sequence[str]
    suites: Sequence[str]
    data: Sequence[str] = ()
    model: str | None = None
    limit: int | None = None
    samples: int = 0
    engine: str | None = None
    batch_size: int | None = None
    workers: int = 1
    tensor_parallel: int | None = None
    allow_outside: bool = False
    results: Path | None = None


def expect(grid: Grid, base_url: str | None = None) -> list[Expected]:
    """Probe every run, and say what each will take on workers that take nothing from each other."""
    project, teller = read_project(allow_outside=grid.allow_outside), Notes()
    asked = Wanted(
        "plan", grid.systems, grid.suites, grid.data, grid.model, limit=grid.limit, allow_outside=grid.allow_outside
    )
    chosen, loaded = choose(asked, project, teller.note)
    folder, engine = project.results_or(grid.results), project.engine_or(grid.engine)
    settings = RunSettings(
        folder, engine, grid.batch_size, samples=grid.samples, tensor_parallel=grid.tensor_parallel
    )
    with at_server(base_url):
        with explaining_weights(asked, chosen):
            planned = plan_runs(chosen, loaded, settings)
        return costs_of(probe_all(planned, teller), grid.workers)


def costs_of(probes: Sequence[Probe], workers: int) -> list[Expected]:
    """What each run will take, from its probe."""
    return [_cost(probe, workers) for probe in probes]


def total(costs: Sequence[Expected]) -> Expected:
    """Of all runs; its spread is from all low ends to all high ends, wider than if they were independent."""
    lows, highs = [cost.low_h for cost in costs], [cost.high_h for cost in costs]
    known = None not in lows and None not in highs
    return Expected(
        "all",
        sum(cost.answers for cost in costs),
        sum(cost.load_h for cost in costs),
        sum(cost.answer_h for cost in costs),
        sum(low or 0.0 for low in lows) if known else None,
        sum(high or 0.0 for high in highs) if known else None,
    )


def _cost(probe: Probe, workers: int) -> Expected:
    load_h = 1000 * probe.load_s / HOUR_MS
    if not probe.item_ms:
        return Expected(probe.run.told, 0, 0.0, 0.0, 0.0, 0.0)
    found = mean_time(probe.item_ms, [len(probe.item_ms)])
    each = probe.items / workers / HOUR_MS
    low, high = (None if ms is None else ms * each for ms in (found.lo, found.hi))
    return Expected(probe.run.told, probe.answers, load_h, found.value * each, low, high)
