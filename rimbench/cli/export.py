"""`rimbench export`: all records as one Parquet file."""

from pathlib import Path
from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside, Results


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.parquet", help="The file to write.")],
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
    """
    from rimbench.api.project import read_project
    from rimbench.cli.output import note
    from rimbench.store import exporting

    folder = read_project(allow_outside=allow_outside).results_or(results)
    note(f"wrote {exporting.export(folder, file, force=force, say=note)} records")
    typer.echo(file)
