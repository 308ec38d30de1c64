"""`rimbench compare`: two systems, item by item."""

from pathlib import Path
from typing import Annotated

import typer

from rimbench.cli.run import RESULTS_OPTION


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
    results: Annotated[Path, RESULTS_OPTION] = Path("results"),
) -> None:
    """Compare A with B, the baseline, on the items that both have answered, suite by suite; judged as in the report.

    Examples:

    \b
      rimbench compare rim-v2 base-direct
      rimbench compare rim-v2 cot --margin 0.02 --json
    """
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.report import document, pair_tables, summary
    from rimbench.report.families import ALL, DECLARED, read_choice
    from rimbench.statistics.verdict import Settings

    settings = Settings(margin=margin)
    choice = read_choice(family, b if family not in (None, ALL, DECLARED) else None, allow_partial=allow_partial)
    pairs, notes = summary.summarise_pair(results, a, b, settings, choice)
    for line in notes:
        note(line)
    if json:
        print_json([document.as_document(pair) for pair in pairs])
        return
    print_table(pair_tables.verdict_table(pairs))
    print_table(pair_tables.certainty_table(pairs, settings.margin, settings.alpha))
    print_table(pair_tables.pair_details(pairs))
