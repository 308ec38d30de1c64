"""`rimbench compare`: two systems, item by item; with `--fail-if` a gate, whose exit code is its own."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from rimbench.cli.options import AllowOutside, FamilyNames, Margin, Results
from rimbench.errors import GateError, UsageError

if TYPE_CHECKING:
    from rimbench.reporting.compared import Pair


class FailIf(StrEnum):
    """What closes the gate. A pair without a verdict (too few items, or answers missing) is undecided."""

    WORSE = "worse"
    UNDECIDED = "undecided"
    NOT_EQUIVALENT = "not-equivalent"

    def meets(self, pair: "Pair") -> bool:
        """Whether a pair comes to this."""
        if self is FailIf.NOT_EQUIVALENT:
            return pair.verdict is None or not pair.equivalence.shown
        return (pair.verdict or "undecided") == self.value


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A system's name, or a run's.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    margin: Margin = 0.03,
    family: FamilyNames = None,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="A verdict also where answers are missing.")
    ] = False,
    fail_if: Annotated[
        list[FailIf] | None,
        typer.Option("--fail-if", help="End with exit code 3 where a pair comes to this; may stand several times."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, a line for each suite.")] = False,
    allow_outside: AllowOutside = False,
    results: Results = None,
) -> None:
    """Compare A with B, the baseline, on the items that both have answered, suite by suite; judged as in the report.

    Examples:

    \b
      rimbench compare rim-v2 base-direct
      rimbench compare rim-v2 cot --margin 0.02 --json
      rimbench compare candidate released --fail-if worse --fail-if undecided
    """
    from rimbench.api import results as front
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.reporting.csv import document_csv

    if json and csv:
        raise UsageError("--json and --csv: give one of them")

    compared = front.compare(
        a, b, results, margin=margin, family=family, allow_partial=allow_partial, allow_outside=allow_outside
    )
    for line in compared.notes:
        note(line)
    if json:
        print_json(compared.document)
    elif csv:
        sys.stdout.write(document_csv(compared.document))
    else:
        for table in compared.tables:
            print_table(table)
    closing = [pair for pair in compared.pairs if any(kind.meets(pair) for kind in fail_if or ())]
    if closing:
        told = "; ".join(f"{pair.a} against {pair.b} on {pair.shown_suite}: {pair.said}" for pair in closing)
        raise GateError(f"--fail-if {', '.join(fail_if or ())}: {told}")
