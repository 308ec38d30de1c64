"""`rimbench audit`: what published figures can and cannot support."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rimbench.errors import DataError

if TYPE_CHECKING:
    from rimbench.claims.measured import MeasuredAccuracy

DEFAULT_RESULTS = Path("results")


def audit(
    claims: Annotated[str, typer.Argument(help="A claims file by its path, or the name of one that is known.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    results: Annotated[
        Path | None,
        typer.Option("--results", help="A folder of runs to compare with; without it, ./results where it has runs."),
    ] = None,
) -> None:
    """Judge the claims of a model card or a paper from its own figures, without a model or a network.

    Examples:

    \b
      rimbench audit rim-card
      rimbench audit my-card.toml --results results --json
    """
    from rimbench.claims import catalogue
    from rimbench.claims.audit import audit_file
    from rimbench.claims.document import as_document
    from rimbench.claims.tables import make_tables
    from rimbench.cli.output import print_json, print_table

    audited = audit_file(catalogue.find(claims), _measured(results))
    if json:
        print_json(as_document(audited))
        return
    typer.echo(f"{audited.spec.title}\n{audited.spec.source}\n")
    for table in make_tables(audited):
        print_table(table)


def _measured(results: Path | None) -> "list[MeasuredAccuracy]":
    """Accuracy and pass@k by system and suite; runs that cannot be read are an error where they were asked for."""
    if results is None and not next(DEFAULT_RESULTS.glob("*/manifest.json"), None):
        return []
    from rimbench.claims.measured import MeasuredAccuracy
    from rimbench.cli.output import note
    from rimbench.report.cells import Cell
    from rimbench.report.summary import choose_runs, read_all

    try:
        runs, notes = choose_runs(read_all(results or DEFAULT_RESULTS))
    except DataError as error:
        if results is not None:
            raise
        note(f"the runs in {DEFAULT_RESULTS} are left out: {error}")
        return []
    for line in notes:
        note(line)
    found = []
    for run in runs:
        cell, names = Cell(run, run.manifest.system), (run.manifest.run, run.manifest.system, run.manifest.suite)
        if cell.greedy_accuracy is not None:
            found.append(MeasuredAccuracy(*names, cell.greedy_accuracy))
        found += [MeasuredAccuracy(*names, passed.estimate, passed.k) for passed in cell.pass_at_k]
    return found
