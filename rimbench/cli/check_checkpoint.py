"""`rimbench check-checkpoint`: what other readers make of a checkpoint, before it is given to them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer


def check_checkpoint(
    folder: Annotated[Path, typer.Argument(help="The checkpoint folder.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say what transformers 4 and 5 and vLLM make of a checkpoint, without loading it.

    Exit code 1 unless each of them would compute what the checkpoint means.

    Examples:

    \b
      rimbench check-checkpoint checkpoints/rim-v2
      rimbench check-checkpoint ./model --json
    """
    from rimbench import portability
    from rimbench.cli.output import print_json, print_table
    from rimbench.display.tabular import Table
    from rimbench.systems.weights import checkpoint_in

    readings = portability.read_by_each(checkpoint_in(folder) or folder)
    if json:
        print_json([asdict(reading) for reading in readings])
    else:
        rows = [(reading.reader, reading.outcome, reading.why) for reading in readings]
        print_table(Table(f"Checkpoint {folder}", ("reader", "reads", "why, and what to change"), rows))
    if any(reading.outcome != "the same" for reading in readings):
        raise typer.Exit(1)
