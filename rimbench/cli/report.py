"""`rimbench report`: tables from the records, without a model."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from rimbench.cli.run import RESULTS_OPTION
from rimbench.errors import UsageError


def report(
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown, for a model card or a review.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    margin: Annotated[
        float, typer.Option(metavar="SHARE", min=0.0001, max=0.9999, help="Largest difference that does not matter.")
    ] = 0.03,
    results: Annotated[Path, RESULTS_OPTION] = Path("results"),
) -> None:
    """Print tables from the records of all runs. With no option: a table for the terminal.

    Examples:

    \b
      rimbench report
      rimbench report --markdown > report.md
    """
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.report import document, summary, tables
    from rimbench.report.markdown import as_markdown
    from rimbench.statistics.verdict import Settings

    if markdown and json:
        raise UsageError("--markdown and --json: give one of them")
    gc.disable()  # nothing here is cyclic, and the collector takes a tenth of the reading of 100,000 records
    summed = summary.summarise(results, Settings(margin=margin))
    for line in summed.notes:
        note(line)
    if json:
        print_json(document.as_document(summed))
    elif markdown:
        typer.echo(as_markdown(summed), nl=False)
    else:
        for table in tables.make_tables(summed):
            print_table(table.title, table.columns, table.rows, table.remark)
        typer.echo(tables.DISCLAIMER)
