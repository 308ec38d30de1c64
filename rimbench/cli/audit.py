"""`rimbench audit`: what published figures can and cannot support."""

from pathlib import Path
from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside
from rimbench.display.plaintext import plain


def audit(
    claims: Annotated[str, typer.Argument(help="A claims file by its path, or the name of one that is known.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    results: Annotated[
        Path | None,
        typer.Option("--results", help="A folder of runs to compare with; without it, ./results where it has runs."),
    ] = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Judge the claims of a model card or a paper from its own figures, without a model or a network.

    Examples:

    \b
      rimbench audit rim-card
      rimbench audit my-card.toml --results results --json
    """
    from rimbench.api import results as front
    from rimbench.cli.output import print_json, print_table, print_text

    audited = front.audit(claims, results, allow_outside=allow_outside)
    if json:
        print_json(audited.document)
        return
    spec = audited.audit.spec
    print_text(f"{plain(spec.title)}\n{plain(spec.source)}\n")
    for table in audited.tables:
        print_table(table)
