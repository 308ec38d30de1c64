"""`rimbench lens`: what a RiM system's memory holds after every block, as text."""

from typing import Annotated

import typer

from rimbench.cli import options


def lens(
    system: options.RimSystem,
    suite: options.OneSuite,
    model: options.Model = None,
    name: options.OwnName = None,
    data: options.Data = None,
    limit: options.Limit = None,
    blocks: Annotated[
        int | None, typer.Option(metavar="K", min=1, help="Memory blocks; the system's own number if not given.")
    ] = None,
    tokens: Annotated[int, typer.Option(metavar="N", min=1, help="Tokens written after each block.")] = 8,
    batch_size: options.PackedSize = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    allow_outside: options.AllowOutside = False,
    results: options.Results = None,
) -> None:
    """Show what a RiM system's memory holds: what it writes right after every block.

    Stage 1 trains it to write a step there; where a suite knows the steps of its items, as generated ones do, their
    probabilities stand beside the texts. What is seen is kept beside the runs, and the page of
    'rimbench report --html' shows it item by item.

    Examples:

    \b
      rimbench lens --system rim-v2 --suite medmcqa --limit 200
      rimbench lens --system rim-v2 --suite medqa --model checkpoints/rim-stage1/checkpoint
    """
    from rimbench import suites
    from rimbench.api.project import read_project
    from rimbench.api.selection import Wanted, choose_one, explaining_weights
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.cli.progress import Heartbeat
    from rimbench.reporting.keys import as_value
    from rimbench.reporting.lenses import lens_tables, steps_after_blocks
    from rimbench.running import lenses, plans
    from rimbench.store.lenses import write_lens

    project = read_project(allow_outside=allow_outside)
    asked = Wanted("lens", [system], [suite], data or (), model, blocks, "readout", limit, allow_outside, name=name)
    chosen, loaded = choose_one(asked, project, note)
    folder = project.results_or(results)
    settings = plans.RunSettings(folder, engine="transformers", batch_size=batch_size)
    with explaining_weights(asked, [chosen]):
        planned = lenses.plan_lens(chosen, loaded, settings, suites.known_steps(suite), tokens)
    if planned.left_out:
        note(f"left out {planned.left_out} items: their blocks have no room in the model's context")
    seen = lenses.look(planned, batch_size, Heartbeat(len(planned.items)).advance)
    path = write_lens(seen, folder)
    if json:
        print_json(
            {"file": str(path), "after_blocks": [as_value(cell) for cell in steps_after_blocks(seen)]}
            | as_value(seen)
        )
        return
    for table in lens_tables(seen):
        print_table(table)
    note(f"kept in {path}; 'rimbench report --html report.html --results {folder}' shows it beside the answers")
