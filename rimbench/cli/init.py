"""`rimbench init`: begins the current folder's `rimbench.toml`."""

import typer


def init() -> None:
    """Write a rimbench.toml with all that it may say, in comments: weights, rows, results folder, engine.

    What it says holds in this folder wherever a command has no option for it.

    Example:

    \b
      rimbench init
    """
    from rimbench.api.project import write_project
    from rimbench.cli.output import note

    path = write_project()
    note("every line of it is a comment yet: take the # off where you have the weights or the rows")
    typer.echo(path)
