"""`rimbench sweep`: accuracy at every memory budget K, from one packed pass a batch."""

from typing import Annotated

import typer

from rimbench.cli import options


def sweep(
    system: options.RimSystem,
    suite: options.OneSuite,
    model: options.Model = None,
    name: options.OwnName = None,
    data: options.Data = None,
    limit: options.Limit = None,
    blocks: Annotated[
        int | None, typer.Option(metavar="K", min=1, help="Largest memory budget; the system's own if not given.")
    ] = None,
    batch_size: options.PackedSize = None,
    dtype: options.Dtype = None,
    max_errors: options.MaxErrors = 0.05,
    keep_errors: options.KeepErrors = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    allow_outside: options.AllowOutside = False,
    results: options.Results = None,
) -> None:
    """Read a RiM system out at every memory budget from 0 to K, and print accuracy by budget.

    K = 0, the same question without memory, is the control. The answers at each budget are kept as a run of
    their own below one folder; the same command goes on where it was cut off.

    Examples:

    \b
      rimbench sweep --system rim-v2 --suite medmcqa
      rimbench sweep --system rim-v1 --suite medqa --limit 100 --json
    """
    from rimbench.api.project import read_project
    from rimbench.api.selection import Wanted, choose_one, explaining_weights
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.cli.progress import RunProgress
    from rimbench.reporting.budgets import read_sweep
    from rimbench.reporting.document import as_document
    from rimbench.reporting.tables import budget_table
    from rimbench.running import plans, sweeps
    from rimbench.running.cell import ErrorRules

    with RunProgress() as progress:
        project = read_project(allow_outside=allow_outside)
        asked = Wanted(
            "sweep", [system], [suite], data or (), model, blocks, "readout", limit, allow_outside, name=name
        )
        chosen, loaded = choose_one(asked, project, progress.note)
        folder = project.results_or(results)
        settings = plans.RunSettings(
            folder, batch_size=batch_size, dtype=dtype, errors=ErrorRules(max_errors, keep_errors)
        )
        with explaining_weights(asked, [chosen]):
            planned = sweeps.plan_sweep(chosen, loaded, settings)
        sweeps.run_sweep(planned, progress)
    swept = read_sweep([run.folder for run in planned.runs])
    if json:
        print_json(as_document(swept) | {"folder": str(planned.folder)})
        return
    print_table(budget_table(swept))
    note(f"the answers are kept in {planned.folder}; compare budgets with 'rimbench report --results' on it")
