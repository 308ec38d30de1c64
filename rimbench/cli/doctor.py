"""`rimbench doctor`: what this machine has, what can run on it now, and what mends the rest."""

from typing import Annotated

import typer


def doctor(json: Annotated[bool, typer.Option("--json", help="As JSON, cell by cell.")] = False) -> None:
    """Look at this machine: libraries, GPU, hub, disk, memory; which system runs on which suite, and what mends it.

    Examples:

    \b
      rimbench doctor
      rimbench doctor --json
    """
    from rimbench import engines
    from rimbench.api import readiness
    from rimbench.cli.output import print_json, print_table
    from rimbench.cli.systems import project_or_note
    from rimbench.display.tabular import Table

    project = project_or_note()
    machine = readiness.describe_machine(project)
    real = {name: why for name, (_, why) in engines.available().items() if engines.known(name).runs_model}
    of_systems = [ready for _, ready in readiness.every_system(project)]
    of_suites = [ready for _, ready in readiness.every_suite(project)]
    cells = readiness.every_cell(of_systems, of_suites)
    if all(why is not None for why in real.values()):
        cells = [readiness.CellReady(c.system, c.suite, ("pip install torch transformers", *c.mend)) for c in cells]
    if json:
        told = [{"system": c.system, "suite": c.suite, "ready": c.ready, "mend": list(c.mend)} for c in cells]
        print_json({"machine": dict(machine), "engines": real, "cells": told})
        return
    machine += [(f"engine {name}", why or "can run") for name, why in real.items()]
    print_table(Table("This machine", ("what", "found"), machine))
    now = [cell for cell in cells if cell.ready]
    rows = [
        ("systems", ", ".join(dict.fromkeys(cell.system for cell in now)) or "none"),
        ("suites", ", ".join(dict.fromkeys(cell.suite for cell in now)) or "none"),
    ]
    remark = f"{len(now)} of {len(cells)} cells: each of these systems on each of these suites."
    print_table(Table("Runs now", ("what", "which"), rows, remark))
    needs = [(each.name, each.needs, each.mend or "") for each in (*of_systems, *of_suites) if each.needs is not None]
    if any("pip install torch transformers" in cell.mend for cell in cells):
        needs.insert(0, ("every cell", "needs an engine", "pip install torch transformers"))
    remark = "A cell of two that stand here needs both. Rows and weights that you have: --data FILE, --model PATH."
    if needs:
        print_table(Table("Needs something first", ("what", "needs", "mended by"), needs, remark))
