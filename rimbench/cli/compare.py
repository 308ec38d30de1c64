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
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    results: Annotated[Path, RESULTS_OPTION] = Path("results"),
) -> None:
    """Compare two systems on the items that both have answered, suite by suite.

    Examples:

    \b
      rimbench compare rim-v2 base-direct
      rimbench compare rim-v2 cot --margin 0.02 --json
    """
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.report import document, pair_tables, summary
    from rimbench.statistics.verdict import Settings

    settings = Settings(margin=margin)
    pairs, notes = summary.summarise_pair(results, a, b, settings)
    for line in notes:
        note(line)
    if json:
        print_json([document.as_comparison(pair, table=True) for pair in pairs])
        return
    family = f"{len(pairs)} suites" if len(pairs) > 1 else f"{pairs[0].suite} alone"
    print_table(pair_tables.verdict_table(pairs))
    print_table(pair_tables.certainty_table(pairs, settings, family))
    print_table(pair_tables.pair_details(pairs))
