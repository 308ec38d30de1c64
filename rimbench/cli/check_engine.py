"""`rimbench check-engine`: whether an engine keeps to what every run relies on."""

from typing import Annotated

import typer


def check_engine(
    name: Annotated[
        str | None, typer.Argument(help="The engine; left out, all are listed.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Hold an engine to its contract, on a model that comes with rimbench. Exit code 1 if it breaks it anywhere.

    Examples:

    \b
      rimbench check-engine transformers
      rimbench check-engine my-engine --json
    """
    from rimbench import conformance, engines
    from rimbench.cli.output import print_json, print_table
    from rimbench.display.tabular import Table

    if name is None:
        rows = [(known, owner, why) for known, (owner, why) in engines.available().items()]
        if json:
            print_json([dict(zip(("engine", "package", "obstacle"), row, strict=True)) for row in rows])
            return
        shown = [(known, owner, "yes" if why is None else f"no: {why}") for known, owner, why in rows]
        print_table(Table("Engines", ("engine", "whose", "runs here"), shown))
        return
    found = conformance.check_engine(name)
    if json:
        print_json(found.document())
    else:
        words = {True: "kept", False: "BROKEN", None: "not tried"}
        outcomes = [
            (o.check, words[o.passed], o.requires, o.found or "")
            if o.passed is not False
            else (o.check, words[o.passed], o.requires, f"expected {o.expected}; found {o.found}")
            for o in found.outcomes
        ]
        print_table(Table(f"Engine {name}", ("check", "kept", "requirement", "found"), outcomes))
    if not found.passed:
        raise typer.Exit(1)
