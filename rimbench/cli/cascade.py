"""`rimbench cascade`: one system where it is sure, another for the rest, from stored answers."""

from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside, Results, share_within


def cascade(
    first: Annotated[str, typer.Argument(metavar="A", help="A system that is read out, or a run of one.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The system for what A is not sure of, or a run.")],
    suite: Annotated[
        str | None, typer.Option(metavar="NAME", help="This suite alone; all that both have, else.")
    ] = None,
    loss: Annotated[
        float,
        typer.Option(
            metavar="SHARE", parser=share_within(0, 0.99), help="Accuracy that may be lost: 0.01 or '1 point'."
        ),
    ] = 0.0,
    json: Annotated[bool, typer.Option("--json", help="As JSON, with the whole frontier.")] = False,
    allow_outside: AllowOutside = False,
    results: Results = None,
) -> None:
    """A's readout where its margin is sure, B for the rest: accuracy against time and tokens, without asking a model.

    The margin is A's largest option probability less the next. The threshold is chosen on one half of the items, and
    every figure is of the other half. Times are predicted where 'rimbench latency' has measured both. A system of
    kind "cascade" runs it end to end: see docs/single-pass.md.

    Examples:

    \b
      rimbench cascade nano-rim-v2 nano-cot
      rimbench cascade rim-v2 cot --suite medmcqa --loss 0.01 --json
    """
    from rimbench.api import cascades as front
    from rimbench.cli.output import note, print_json, print_table

    found = front.cascade(first, second, results, suite=suite, loss=loss, allow_outside=allow_outside)
    for line in found.notes:
        note(line)
    if json:
        print_json(found.document)
        return
    for table in found.tables:
        print_table(table)
