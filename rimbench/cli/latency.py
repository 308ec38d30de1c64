"""`rimbench latency`: what an answer takes, at batch 1 and at larger ones, for several systems on the same items."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rimbench.cli.run import RESULTS_OPTION

if TYPE_CHECKING:
    from rimbench.latency.stored import Measured, Measurement


def latency(
    system: Annotated[list[str], typer.Option(metavar="NAME", help="System by name or TOML file; repeat, or 'all'.")],
    suite: Annotated[str, typer.Option(metavar="NAME", help="Suite by name or TOML file: its items are asked.")],
    batch: Annotated[
        list[int] | None, typer.Option(metavar="N", min=1, help="Questions answered at once; repeat. 1 if not given.")
    ] = None,
    samples: Annotated[int, typer.Option(metavar="N", min=2, help="At least so many measured samples.")] = 32,
    seconds: Annotated[
        float, typer.Option(metavar="S", min=0, help="Time for further samples, while intervals are wide.")
    ] = 60.0,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="Rows of the suite from a local file.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="PATH", help="Weights: a checkpoint folder, or org/name@revision.")
    ] = None,
    engine: Annotated[str, typer.Option(metavar="NAME", help="auto, transformers or vllm.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    results: Annotated[Path, RESULTS_OPTION] = Path("results"),
) -> None:
    """Measure how long answers take: systems in turn, A B A B, on the same items, after warm-up.

    Every raw sample is kept in the results folder, where 'rimbench report' finds it.

    Examples:

    \b
      rimbench latency --system nano-rim-v2 --system nano-cot --suite demo-in-dist --batch 1
      rimbench latency --system rim-v2 --system base --suite medmcqa --batch 1 --batch 64 --json
    """
    from rimbench import grid
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.cli.selection import load_suites, load_systems
    from rimbench.latency import stored
    from rimbench.latency.measuring import measure
    from rimbench.latency.timing import Rules
    from rimbench.report.cost_tables import cost_table, speedup_table
    from rimbench.report.costs import find_costs
    from rimbench.report.document import latency_document

    systems = load_systems(system, note, model=model)
    loaded = load_suites([suite], [str(data)] if data else [], None, note)
    rules = Rules(least=samples, most=max(samples, 256), seconds=seconds)
    rows = []
    for size in batch or [1]:
        runs = grid.plan_runs(systems, loaded, grid.RunSettings(results, engine, size))
        note(f"batch {size}: {', '.join(s.name for s in systems)} on {suite}, {samples} samples or more")
        rows += measure(runs, size, rules)
    measurement = describe(rows, loaded[0].name)
    path = stored.keep(measurement, results)
    costs, speedups = find_costs([measurement], {})
    if json:
        print_json(latency_document(costs, speedups))
    else:
        for table in (cost_table(costs), speedup_table(speedups)):
            if table.rows:
                print_table(table)
    note(f"every raw sample is kept in {path}; 'rimbench report' shows it beside the accuracy")


def describe(rows: "Sequence[Measured]", suite: str) -> "Measurement":
    """What was measured, with where, when and by what."""
    from rimbench import provenance
    from rimbench.latency.stored import Measurement

    commit, dirty = provenance.commit()
    device = provenance.describe_device(rows[0].device)
    return Measurement(suite, provenance.now(), commit, dirty, device, provenance.library_versions(), tuple(rows))
