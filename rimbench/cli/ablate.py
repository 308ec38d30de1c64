"""`rimbench ablate`: what a system's memory does, by interventions on it at inference."""

from typing import Annotated

import typer

from rimbench.cli import options


def ablate(
    system: options.RimSystem,
    suite: options.OneSuite,
    only: Annotated[list[str] | None, typer.Option(metavar="KIND", help="Only this intervention; repeat.")] = None,
    model: options.Model = None,
    name: options.OwnName = None,
    data: options.Data = None,
    limit: options.Limit = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of donors, noise and orders.")] = 0,
    blocks: Annotated[
        int | None, typer.Option(metavar="K", help="Memory budget K; the system's own if not given.")
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="transformers; any other can do filler alone.")
    ] = "transformers",
    batch_size: options.PackedSize = None,
    max_errors: options.MaxErrors = 0.05,
    keep_errors: options.KeepErrors = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over; the old runs are kept beside.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    allow_outside: options.AllowOutside = False,
    results: options.Results = None,
) -> None:
    """Answer the same items with the memory changed, and print what that does to the accuracy.

    \b
    filler         as many neutral tokens instead of the blocks
    transplant     the blocks hold what those of an item with another answer do
    mean, noise    they hold their mean over the items, or noise of that mean and spread
    shuffle        they hold what they do, in another order
    drop-k         one block at a time is hidden from all that follows it
    blind-readout  the readout sees the blocks and not the question

    Each is held against the intact run, item by item. Its answers are kept as a run of their own below one folder;
    the same command goes on where it was cut off, and 'rimbench report' has the table.

    Examples:

    \b
      rimbench ablate --system rim-v2 --suite medmcqa
      rimbench ablate --system nano-rim-v2 --suite demo-in-dist --only transplant --only mean
      rimbench ablate --system nano-direct --suite demo-in-dist --only filler
    """
    from rimbench.api.project import read_project
    from rimbench.api.selection import Wanted, choose_one, explaining_weights
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.cli.progress import RunProgress
    from rimbench.reporting.ablations import read_ablation
    from rimbench.reporting.document import as_document
    from rimbench.reporting.tables import ablation_table
    from rimbench.running import ablations, plans
    from rimbench.running.cell import ErrorRules
    from rimbench.statistics.verdict import Settings

    with RunProgress() as progress:
        project = read_project(allow_outside=allow_outside)
        asked = Wanted(
            "ablate", [system], [suite], data or (), model, blocks, "readout", limit, allow_outside, name=name
        )
        chosen, loaded = choose_one(asked, project, progress.note)
        errors = ErrorRules(max_errors, keep_errors)
        settings = plans.RunSettings(
            project.results_or(results), engine, batch_size, seed, fresh=fresh, errors=errors
        )
        with explaining_weights(asked, [chosen]):
            planned = ablations.plan_ablation(chosen, loaded, settings, only or ())
        ablations.run_ablation(planned, progress)
    found = read_ablation([run.folder for run in planned.runs], Settings())
    if json:
        print_json(as_document(found) | {"folder": str(planned.folder)})
        return
    print_table(ablation_table(found))
    note(f"the answers are kept in {planned.folder}; 'rimbench report' has them beside the other runs")
