"""`rimbench systems`: what there is, and whether it can run here."""

from typing import Annotated

import typer


def systems(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the systems: whose weights are here, and what the others need.

    Examples:

    \b
      rimbench systems
      rimbench systems --json
    """
    from rimbench import systems as registered
    from rimbench.cli.output import print_json, print_table
    from rimbench.display.tabular import Table
    from rimbench.systems import weights

    rows = []
    for name in registered.registered():
        system = registered.load(name)
        obstacle = weights.obstacle(system.weights)
        blocks = system.memory.blocks if system.memory else 0
        rows.append((name, system.answer.mode, blocks, obstacle, system.description))
    if json:
        keys = ("system", "answer", "blocks", "obstacle", "description")
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    shown = [(n, mode, str(k or "-"), "yes" if why is None else f"no: {why}", what) for n, mode, k, why, what in rows]
    print_table(Table("Systems", ("system", "answer", "K", "runs here", "what it is"), shown))
