"""`rimbench audit`: what published figures can and cannot support."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rimbench.errors import DataError

if TYPE_CHECKING:
    from rimbench.claims.measured import Measured

DEFAULT_RESULTS = Path("results")
TIMES = "latency-*/latency.json"


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


def _measured(results: Path | None) -> "list[Measured]":
    """What was measured here; what cannot be read is an error where it was asked for."""
    from rimbench.cli.output import note

    folder = results or DEFAULT_RESULTS
    if results is None and not any(next(folder.glob(kept), None) for kept in ("*/manifest.json", TIMES)):
        return []
    try:
        return [*_measured_times(folder), *_measured_accuracies(folder)]
    except DataError as error:
        if results is not None:
            raise
        note(f"what was measured in {folder} is left out: {error}")
        return []


def _measured_accuracies(results: Path) -> "list[Measured]":
    """Accuracy and pass@k by system and suite."""
    from rimbench.claims.measured import MeasuredAccuracy
    from rimbench.cli.output import note
    from rimbench.report.cells import Cell
    from rimbench.report.summary import choose_runs, read_all

    if not next(results.glob("*/manifest.json"), None) and next(results.glob(TIMES), None):
        return []
    runs, notes = choose_runs(read_all(results, note))
    for line in notes:
        note(line)
    found: list[Measured] = []
    for run in runs:
        cell, names = Cell(run, run.manifest.system), (run.manifest.run, run.manifest.system, run.manifest.suite)
        if cell.greedy_accuracy is not None:
            found.append(MeasuredAccuracy(*names, cell.greedy_accuracy))
        found += [MeasuredAccuracy(*names, passed.estimate, passed.k) for passed in cell.pass_at_k]
    return found


def _measured_times(results: Path) -> "list[Measured]":
    """Seconds a question, the oldest measurement first."""
    from dataclasses import replace

    from rimbench.claims.measured import MeasuredTime
    from rimbench.latency.stored import read_measurements

    found: list[Measured] = []
    for measurement in read_measurements(results):
        for row in measurement.rows:
            mean, per = row.mean, 1000 * row.batch
            lo, hi = (None if ms is None else ms / per for ms in (mean.lo, mean.hi))
            seconds = replace(mean, value=mean.value / per, lo=lo, hi=hi)
            run = f"measured on {measurement.suite}, {measurement.measured_at[:10]}"
            # An answer without a generated token is one pass: the readout, whatever it is called.
            one_pass = ("readout",) if row.generated_tokens == 0 and row.quantity != "readout" else ()
            found += [
                MeasuredTime(run, row.system, quantity, row.batch, row.device, row.dtype, seconds)
                for quantity in (row.quantity, *one_pass)
            ]
    return found
