"""Systems x suites -> runs: every answer asked for, and kept."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rimbench.api.arguments import StrPath, checked, texts
from rimbench.api.notebook import ShowsTables
from rimbench.api.project import read_project
from rimbench.api.selection import Wanted, choose, explaining_weights
from rimbench.display.notes import note
from rimbench.display.tabular import Table
from rimbench.errors import RimbenchError, UsageError
from rimbench.records import MOST_SAMPLES
from rimbench.systems import AnswerMode

if TYPE_CHECKING:
    from rimbench.running.plans import PlannedRun
    from rimbench.store import RunStore


@dataclass(frozen=True, slots=True)
class Run:
    """One cell that was run, and the folder that keeps its answers."""

    system: str
    suite: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Runs(ShowsTables):
    """What `rimbench.run` did: one `Run` a cell. `rimbench.report` of the folder `results` has their figures.

    `unloaded` are the suites of `all` that could not be loaded, and why.
    """

    results: Path
    runs: tuple[Run, ...]
    unloaded: Mapping[str, RimbenchError] = field(default_factory=dict)

    @property
    def tables(self) -> Sequence[Table]:
        """Which runs there are."""
        rows = [(run.system, run.suite, str(run.folder)) for run in self.runs]
        remark = f"Their figures: rimbench.report({str(self.results)!r})."
        return [Table("Runs", ("system", "suite", "folder"), rows, remark)]


@checked
def run(
    systems: str | Sequence[str],
    suites: str | Sequence[str],
    *,
    data: StrPath | Sequence[str] | Mapping[str, StrPath] = (),
    limit: int | None = None,
    samples: int = 0,
    seed: int = 0,
    model: StrPath | None = None,
    name: str | None = None,
    blocks: int | None = None,
    answer: AnswerMode | None = None,
    max_new_tokens: int | None = None,
    permute_options: int | None = None,
    rotate_options: bool = False,
    blind: bool = False,
    engine: str | None = None,
    base_url: str | None = None,
    batch_size: int | None = None,
    dtype: Literal["float32", "bfloat16"] | None = None,
    workers: int = 1,
    ray_address: str | None = None,
    tensor_parallel: int | None = None,
    max_errors: float = 0.05,
    keep_errors: bool = False,
    fresh: bool = False,
    allow_outside: bool = False,
    results: StrPath | None = None,
    progress: Any = None,
) -> Runs:
    """Answer the questions of suites with systems, and keep every answer; `rimbench run` in Python.

    Systems and suites are names or TOML files; `data` is the file of one suite's rows, or such files by suite. The
    other arguments are the command's options. Where `results`, `engine`, a model or rows are not given, the current
    folder's `rimbench.toml` may have them. The same call goes on where an earlier one was cut off. `progress` is told
    what happens; without it, notes go to stderr. Raises a RimbenchError, which says what to do.
    """
    counts = {"limit": limit, "batch_size": batch_size, "workers": workers, "max_new_tokens": max_new_tokens}
    counts["tensor_parallel"] = tensor_parallel
    _refuse_below(counts, 1)
    _refuse_below({"samples": samples, "seed": seed, "permute_options": permute_options, "max_errors": max_errors}, 0)
    if samples >= MOST_SAMPLES:
        raise UsageError(f"samples {samples}: expected fewer than {MOST_SAMPLES:,}, which is all that a run can hold")
    from rimbench.engines import at_server, facts_for

    if rotate_options and (samples or permute_options is not None):
        raise UsageError(
            "--rotate-options asks for the greedy answer in orders of its own: leave out --samples and "
            "--permute-options"
        )
    from rimbench.running.cell import ErrorRules
    from rimbench.running.cluster import RayCluster, Workers
    from rimbench.running.completion import run_all
    from rimbench.running.plans import RunSettings, plan_runs
    from rimbench.suites.controls import Controls

    project, teller = read_project(allow_outside=allow_outside), progress or Notes()
    asked = Wanted(
        "run", texts(systems), texts(suites), _as_options(data), None if model is None else os.fspath(model),
        blocks, answer, limit, allow_outside, max_new_tokens, name,
    )  # fmt: skip
    unloaded: dict[str, RimbenchError] = {}
    controls, errors = Controls(permute_options, blind), ErrorRules(max_errors, keep_errors)
    folder = project.results_or(results)
    settings = RunSettings(
        folder, project.engine_or(engine), batch_size, seed, samples, fresh, controls, dtype=dtype, errors=errors,
        rotate=rotate_options, workers=Workers(workers, ray_address), tensor_parallel=tensor_parallel,
    )  # fmt: skip
    with at_server(base_url), RayCluster(settings.workers) as cluster:
        if settings.workers.wanted:
            cluster.begin_soon(facts_for(settings.engine, settings.choice))
        chosen, loaded = choose(asked, project, teller.note, unloaded)
        with explaining_weights(asked, chosen):
            planned = plan_runs(chosen, loaded, settings)
        run_all(planned, settings, teller, cluster)
    made = [
        Run(each.cell.system.name, each.suite.name, each.folder.parent if rotate_options else each.folder)
        for each in planned
    ]
    return Runs(folder, tuple(dict.fromkeys(made)), unloaded)


def _refuse_below(given: Mapping[str, float | None], least: int) -> None:
    for name, value in given.items():
        if value is not None and value < least:
            raise UsageError(f"{name} {value:g}: expected {least} or more")


class Notes:
    """Says what happens on stderr, a line when a cell begins and one when it ends."""

    def note(self, message: str) -> None:
        """As it is."""
        note(message)

    def start(self, run: "PlannedRun", store: "RunStore") -> None:
        """What is to go."""
        note(f"{run.told} through {run.facts.name}: {run.lacks(store.done)} of {run.cell.total} answers to go")

    def advance(self, answers: int) -> None:
        """A notebook's cell has no place for a bar."""

    def finish(self, run: "PlannedRun", store: "RunStore") -> None:
        """How many are right."""
        note(f"{run.told}: {store.correct} of {store.greedy} right")


def _as_options(data: StrPath | Sequence[str] | Mapping[str, StrPath]) -> tuple[str, ...]:
    """Files of rows as `--data` has them."""
    if isinstance(data, Mapping):
        return tuple(f"{name}={os.fspath(file)}" for name, file in data.items())
    return (os.fspath(data),) if isinstance(data, str | Path) else tuple(data)
