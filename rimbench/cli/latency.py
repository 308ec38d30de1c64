"""`rimbench latency`: what an answer takes, at batch 1 and at larger ones, for several systems on the same items."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from rimbench.cli.options import AllowOutside, BaseUrl, Data, Dtype, Model, OwnName, Results
from rimbench.errors import EngineError, UsageError

if TYPE_CHECKING:
    from rimbench.latency.measured import Measured, Measurement, Quantity
    from rimbench.reporting.times import Timings
    from rimbench.running.plans import PlannedRun, RunSettings
    from rimbench.suites import Suite
    from rimbench.systems import System


def latency(
    system: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="System by name or TOML file; repeat, or 'all'. If not given: those here."),
    ] = None,
    suite: Annotated[
        str, typer.Option(metavar="NAME", help="Suite by name or TOML file: its items are asked.")
    ] = "demo-in-dist",
    batch: Annotated[
        list[int] | None, typer.Option(metavar="N", min=1, help="Questions answered at once; repeat. 1 if not given.")
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="auto, transformers, vllm or server; repeat.")
    ] = None,
    base_url: BaseUrl = None,
    quantity: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="answer, letter or readout; repeat. All there are, else.")
    ] = None,
    arrivals: Annotated[
        Literal["poisson"] | None,
        typer.Option(help="Questions that arrive by themselves at a server, instead of one after another."),
    ] = None,
    rate: Annotated[float | None, typer.Option(metavar="R", help="How many arrive a second.")] = None,
    slo: Annotated[
        float | None, typer.Option(metavar="MS", help="The largest rate is looked for that keeps p99 within it.")
    ] = None,
    prompt_tokens: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Prompts of exactly N tokens: questions cut or repeated.")
    ] = None,
    samples: Annotated[int, typer.Option(metavar="N", min=2, help="At least so many measured samples.")] = 32,
    processes: Annotated[
        int, typer.Option(metavar="N", min=1, help="Worker processes that share them; 1 takes them all here.")
    ] = 3,
    seconds: Annotated[
        float, typer.Option(metavar="S", min=0, help="Time for further samples, while intervals are wide.")
    ] = 60.0,
    dtype: Dtype = None,
    eager: Annotated[bool, typer.Option("--eager", help="No CUDA graphs, on either side.")] = False,
    price_per_hour: Annotated[
        float | None,
        typer.Option(metavar="PRICE", min=0, max=1e9, help="What the machine costs: prices 1,000 questions."),
    ] = None,
    allow_unfair: Annotated[
        bool, typer.Option("--allow-unfair", help="Label speed-ups between unlike conditions instead of refusing.")
    ] = False,
    data: Data = None,
    model: Model = None,
    name: OwnName = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw speed and speed-ups by batch size into this folder.")
    ] = None,
    allow_outside: AllowOutside = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    results: Results = None,
) -> None:
    """Measure how long answers take: systems in turn, in several processes, on the same items, after warm-up.

    Every raw sample is kept in the results folder, where 'rimbench report' finds it. With no --system: the systems
    whose weights are on this machine, those trained here first, or else the embedded family.

    Examples:

    \b
      rimbench latency --batch 1
      rimbench latency --system nano-rim-v2 --system nano-cot --suite demo-in-dist --batch 1
      rimbench latency --system rim-v2 --system base --suite medmcqa --batch 1 --batch 64 --json
      rimbench latency --system smollm2-direct --prompt-tokens 260 --engine transformers --engine vllm
      rimbench latency --system base --engine server --base-url http://localhost:8000 --batch 1 --batch 8
      rimbench latency --system base --engine server --arrivals poisson --rate 5 --slo 2000
    """
    from rimbench.api.project import read_project
    from rimbench.api.selection import Wanted, choose, explaining_weights, ready_systems
    from rimbench.cli.open_loop import arriving, measure_open_loop
    from rimbench.cli.output import note
    from rimbench.engines import at_server
    from rimbench.latency import machine, stored
    from rimbench.latency.measuring import measure, measure_in_turn
    from rimbench.latency.timing import StoppingRules
    from rimbench.running.plans import RunSettings

    machine.first_load()
    open_loop = arriving(arrivals, rate, slo, samples)
    sizes = list(dict.fromkeys(batch or [1]))
    if open_loop is not None and (sizes != [1] or quantity or plot or prompt_tokens or price_per_hour is not None):
        raise UsageError(
            "--arrivals: questions come one by one, as they are: --batch, --prompt-tokens, --price-per-hour, "
            "--quantity and --plot have no place"
        )
    if plot is not None and len(sizes) < 2:
        raise UsageError("--plot: expected at least two batch sizes, such as --batch 1 --batch 8 --batch 64")
    wanted = quantities_of(quantity or [])
    project = read_project(allow_outside=allow_outside)
    folder = project.results_or(results)
    stored.check_writable(folder)
    if not system:
        system, why = ready_systems(project)
        note(why)
    request = Wanted("latency", system, [suite], data or (), model, allow_outside=allow_outside, name=name)
    systems, loaded = choose(request, project, note)
    engines = engine or [project.engine_or(None)]
    asked = loaded[0].name if prompt_tokens is None else f"{prompt_tokens} tokens of {loaded[0].name}"
    rules = StoppingRules(least=samples, most=max(samples, 256), seconds=seconds)

    def planned(size: int) -> "list[PlannedRun]":
        settings = [RunSettings(folder, each, size, dtype=dtype, eager=eager) for each in engines]
        with explaining_weights(request, systems):
            return plan_alike(systems, loaded, settings, prompt_tokens)

    def keep(rows: "Sequence[Measured]", path: Path | None) -> "tuple[Measurement, Path]":
        meaning = rows if prompt_tokens is None else [without_gold(row) for row in rows]
        made = describe(meaning, asked, price_per_hour)
        return made, stored.keep_measurement(made, folder, path)

    note(f"{', '.join(s.name for s in systems)} on {asked}, {samples} samples or more")

    with at_server(base_url):
        if open_loop is not None:
            runs = planned(1)
            alone = partial(measure, runs, 1, rules, note, ("answer",), processes)
            measure_open_loop(open_loop, runs, alone, lambda rows: describe(rows, asked), (folder, json))
            return
        asking = [(planned(size), size) for size in sizes]
        measurement, path, failure = keep_each(measure_in_turn(asking, rules, note, wanted, processes), keep)
    show_times(measurement, plot, allow_unfair=allow_unfair, json=json)
    note(f"every raw sample is kept in {path}; 'rimbench report' shows it beside the accuracy of runs in {folder}")
    if failure is not None:
        raise failure


def show_times(measurement: "Measurement", plot: Path | None, *, allow_unfair: bool, json: bool) -> None:
    """Print what was measured, draw it if that was asked for, and say what makes it doubtful."""
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.reporting.document import as_document
    from rimbench.reporting.latency_tables import latency_tables
    from rimbench.reporting.timings import doubts, make_timings, refused

    timings = make_timings([measurement], {}, allow_unfair=allow_unfair)
    if json:
        print_json(as_document(timings))
    else:
        for table in latency_tables(timings):
            print_table(table)
    if plot is not None:
        note(f"wrote {' and '.join(map(str, draw(timings, plot)))}")
    for doubt in (*([] if allow_unfair else refused(measurement)), *doubts(measurement.rows)):
        note(doubt)


def plan_alike(
    systems: "Sequence[System]", suites: "Sequence[Suite]", settings: "Sequence[RunSettings]", tokens: int | None
) -> "list[PlannedRun]":
    """The runs of the systems under the settings, each once, with prompts of so many tokens if that is given."""
    from rimbench.latency.lengths import with_prompt_tokens
    from rimbench.running.plans import plan_runs

    runs = {run.folder: run for each in settings for run in plan_runs(systems, suites, each)}
    return [run if tokens is None else with_prompt_tokens(run, tokens) for run in runs.values()]


def keep_each(
    measured: "Iterable[Sequence[Measured]]",
    keep: "Callable[[Sequence[Measured], Path | None], tuple[Measurement, Path]]",
) -> "tuple[Measurement, Path, EngineError | None]":
    """Keep what there is whenever there is more: what follows may fail. What an engine failed with, if it did."""
    from rimbench.cli.output import note

    kept: tuple[Measurement, Path] | None = None
    try:
        for rows in measured:
            kept = keep(rows, kept[1] if kept else None)
    except EngineError as error:
        if kept is None:
            raise
        return *kept, error
    except (Exception, KeyboardInterrupt):
        if kept:
            note(f"what was measured before is kept in {kept[1]}")
        raise
    assert kept is not None
    return *kept, None


def quantities_of(names: "Sequence[str]") -> "list[Quantity]":
    """The quantities of those names; UsageError for a name that is none."""
    from rimbench.latency.measured import Quantity

    known = get_args(Quantity)
    for name in names:
        if name not in known:
            raise UsageError(f"--quantity {name}: expected one of {', '.join(known)}")
    return [quantity for quantity in known if quantity in names]


def draw(timings: "Timings", folder: Path) -> list[Path]:
    """Questions a second and speed-ups by batch size, as SVG and PNG."""
    from rimbench.reporting.plots import save_plots
    from rimbench.reporting.time_plots import plot_speedups, plot_throughput

    return save_plots(
        [plot for plot in (plot_throughput(timings.costs), plot_speedups(timings.speedups)) if plot], folder
    )


def without_gold(row: "Measured") -> "Measured":
    """The same times of questions that have lost their meaning: letters remain, right and wrong do not."""
    from dataclasses import replace

    return replace(row, told=replace(row.told, right=None)) if row.told else row


def describe(rows: "Sequence[Measured]", suite: str, price_per_hour: float | None = None) -> "Measurement":
    """What was measured, with where, when and by what."""
    from rimbench import provenance
    from rimbench.latency.measured import Measurement

    commit, dirty = provenance.commit()
    device, versions = provenance.describe_device(rows[0].device), provenance.library_versions()
    return Measurement(suite, provenance.now(), commit, dirty, device, versions, tuple(rows), price_per_hour)
