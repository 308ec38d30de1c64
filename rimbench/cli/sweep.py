"""`rimbench sweep`: accuracy at every memory budget K, from one packed pass a batch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rimbench.cli.options import AllowOutside
from rimbench.cli.run import RESULTS_OPTION

if TYPE_CHECKING:
    from rimbench.report.budgets import SweepOutcome
    from rimbench.sweeping import Sweep


def sweep(
    system: Annotated[str, typer.Option(metavar="NAME", help="RiM system by name or TOML file.")],
    suite: Annotated[str, typer.Option(metavar="NAME", help="Suite by name or TOML file.")],
    model: Annotated[
        str | None, typer.Option(metavar="PATH", help="Weights: a checkpoint folder, or org/name@revision.")
    ] = None,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="Rows of the suite from a local file.")] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the first n of the frozen order.")
    ] = None,
    blocks: Annotated[
        int | None, typer.Option(metavar="K", min=1, help="Largest memory budget; the system's own if not given.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(metavar="N", min=1, help="Questions in one packed pass.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    allow_outside: AllowOutside = False,
    results: Annotated[Path, RESULTS_OPTION] = Path("results"),
) -> None:
    """Read a RiM system out at every memory budget from 0 to K, and print accuracy by budget.

    K = 0, the same question without memory, is the control. The answers at each budget are kept as a run of
    their own below one folder; the same command goes on where it was cut off.

    Examples:

    \b
      rimbench sweep --system rim-v2 --model checkpoints/rim-v2/checkpoint --suite medmcqa
      rimbench sweep --system rim-v1 --suite medqa --limit 100 --json
    """
    from rimbench import grid, sweeping
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.cli.progress import RunProgress
    from rimbench.cli.selection import load_suites
    from rimbench.report.budgets import StoredSweep, read_outcome
    from rimbench.report.cost_tables import budget_table
    from rimbench.store import read_manifest
    from rimbench.systems import load, override

    with RunProgress() as progress:
        chosen = override(load(system, allow_outside=allow_outside), model=model, blocks=blocks, answer="readout")
        rows = [str(data)] if data else []
        (loaded,) = load_suites([suite], rows, limit, progress.note, allow_outside=allow_outside)
        planned = sweeping.plan_sweep(chosen, loaded, grid.RunSettings(results, batch_size=batch_size))
        sweeping.run_sweep(planned, progress)
    outcome = read_outcome([run.folder for run in planned.runs])
    if json:
        print_json(_document(planned, outcome))
        return
    table = budget_table(StoredSweep(read_manifest(planned.runs[-1].folder), outcome))
    print_table(table)
    note(f"the answers are kept in {planned.folder}; compare budgets with 'rimbench report --results' on it")


def _document(planned: "Sweep", outcome: "SweepOutcome") -> dict[str, Any]:
    memory = outcome.memory
    run = planned.runs[-1]
    return {
        "schema": 1,
        "system": run.cell.system.name,
        "suite": run.suite.name,
        "n": outcome.n,
        "folder": str(planned.folder),
        "budgets": [
            {
                "k": budget.blocks,
                "accuracy": budget.accuracy.value if budget.accuracy else None,
                "ci95": [budget.accuracy.lo, budget.accuracy.hi] if budget.accuracy else None,
                "method": budget.accuracy.method if budget.accuracy else None,
                "failed": budget.failed,
                "changed": budget.changed,
                "to_right": budget.to_right,
                "to_wrong": budget.to_wrong,
            }
            for budget in outcome.budgets
        ],
        "memory": memory
        and {
            "k": outcome.budgets[-1].blocks,
            "delta": memory.difference.value,
            "ci95": [memory.difference.lo, memory.difference.hi],
            "method": memory.difference.method,
            "p_value": memory.p_value,
            "test": memory.test,
        },
    }
