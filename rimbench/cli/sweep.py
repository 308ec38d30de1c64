"""`rimbench sweep`: accuracy at every memory budget K, from one packed pass a batch."""

from pathlib import Path
from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside
from rimbench.cli.run import RESULTS_OPTION, KeepErrors, MaxErrors


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
    max_errors: MaxErrors = 0.05,
    keep_errors: KeepErrors = False,
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
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.cli.progress import RunProgress
    from rimbench.cli.selection import load_suites
    from rimbench.report.budgets import read_sweep
    from rimbench.report.document import as_document
    from rimbench.report.tables import budget_table
    from rimbench.running import plans, sweeps
    from rimbench.running.cell import ErrorRules
    from rimbench.systems import load, override

    with RunProgress() as progress:
        chosen = override(load(system, allow_outside=allow_outside), model=model, blocks=blocks, answer="readout")
        rows = [str(data)] if data else []
        (loaded,) = load_suites([suite], rows, limit, progress.note, allow_outside=allow_outside)
        settings = plans.RunSettings(results, batch_size=batch_size, errors=ErrorRules(max_errors, keep_errors))
        planned = sweeps.plan_sweep(chosen, loaded, settings)
        sweeps.run_sweep(planned, progress)
    swept = read_sweep([run.folder for run in planned.runs])
    if json:
        print_json(as_document(swept) | {"folder": str(planned.folder)})
        return
    print_table(budget_table(swept))
    note(f"the answers are kept in {planned.folder}; compare budgets with 'rimbench report --results' on it")
