"""`rimbench audit`: what published figures can and cannot support."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rimbench.display.plaintext import plain
from rimbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rimbench.claims.measured import OwnMeasurement
    from rimbench.claims.schema import ClaimsSpec

DEFAULT_RESULTS = Path("results")


def audit(
    claims: Annotated[str, typer.Argument(help="A claims file by its path, or the name of one that is known.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    results: Annotated[
        Path | None,
        typer.Option("--results", help="A folder of runs to compare with; without it, ./results where it has runs."),
    ] = None,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Let the file name files outside its own folder.")
    ] = False,
) -> None:
    """Judge the claims of a model card or a paper from its own figures, without a model or a network.

    Examples:

    \b
      rimbench audit rim-card
      rimbench audit my-card.toml --results results --json
    """
    from rimbench.claims import catalogue
    from rimbench.claims.audit import audit_claims
    from rimbench.claims.document import audit_document
    from rimbench.claims.schema import read_claims
    from rimbench.claims.tables import audit_tables
    from rimbench.cli.output import print_json, print_table, print_text

    path = catalogue.find_claims(claims)
    spec = read_claims(path, allow_outside=allow_outside)
    audited = audit_claims(spec, _measured(spec, path, results))
    if json:
        print_json(audit_document(audited))
        return
    print_text(f"{plain(audited.spec.title)}\n{plain(audited.spec.source)}\n")
    for table in audit_tables(audited):
        print_table(table)


def _measured(spec: "ClaimsSpec", path: Path, results: Path | None) -> "Sequence[OwnMeasurement]":
    """What was measured here; what cannot be read is an error where it was asked for."""
    from rimbench.claims import runs
    from rimbench.cli.output import note

    folder = results or DEFAULT_RESULTS
    if not runs.holds_any(folder):
        if results is None:
            return ()
        raise DataError(
            f"no {'run' if folder.is_dir() else 'results folder'} {'in ' * folder.is_dir()}{folder}: make one with "
            "'rimbench run --system S --suite T'"
        )
    try:
        own = runs.measure_own(spec, path, folder)
    except DataError as error:
        if results is not None:
            raise
        note(f"what was measured in {folder} is left out: {error}")
        return ()
    for line in own.notes:
        note(line)
    return own.measured
