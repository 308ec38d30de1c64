"""`rimbench compare`: two systems, item by item."""

from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside, Results


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A system's name, or a run's.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    margin: Annotated[
        float, typer.Option(metavar="SHARE", min=0.0001, max=0.9999, help="Largest difference that does not matter.")
    ] = 0.03,
    family: Annotated[
        str | None,
        typer.Option(metavar="A,B|all", help="Systems whose pairs are judged together; the declared ones, else."),
    ] = None,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="A verdict also where answers are missing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    allow_outside: AllowOutside = False,
    results: Results = None,
) -> None:
    """Compare A with B, the baseline, on the items that both have answered, suite by suite; judged as in the report.

    Examples:

    \b
      rimbench compare rim-v2 base-direct
      rimbench compare rim-v2 cot --margin 0.02 --json
    """
    from rimbench.api import results as front
    from rimbench.cli.output import note, print_json, print_table

    compared = front.compare(
        a, b, results, margin=margin, family=family, allow_partial=allow_partial, allow_outside=allow_outside
    )
    for line in compared.notes:
        note(line)
    if json:
        print_json(compared.document)
        return
    for table in compared.tables:
        print_table(table)
