"""`rimbench export`: all records as one Parquet file, or as files of Every Eval Ever."""

from pathlib import Path
from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside, Results


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.parquet", help="The file to write, or the folder.")],
    every_eval_ever: Annotated[
        bool, typer.Option("--every-eval-ever", help="Files of Every Eval Ever 0.3 in a folder: totals and samples.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    allow_outside: AllowOutside = False,
    results: Results = None,
) -> None:
    """Write all records of all runs to a Parquet file, one row a record.

    Beside the record's fields: run, system, suite, correct, options (the number of the item's), and departures, what
    the run departs from in its system's own file, as JSON. In Python, rimbench.load(results) is a data frame of them.

    Example:

    \b
      rimbench export records.parquet
      rimbench export evaluations/ --every-eval-ever
    """
    from rimbench.api.project import read_project
    from rimbench.cli.output import note
    from rimbench.store import exporting

    folder = read_project(allow_outside=allow_outside).runs_in(results)
    if every_eval_ever:
        from rimbench.reporting.every_eval_ever import write_evaluations

        for path in write_evaluations(folder, file, force=force, say=note):
            typer.echo(path)
        return
    note(f"wrote {exporting.export(folder, file, force=force, say=note)} records")
    typer.echo(file)
