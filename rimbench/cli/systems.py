"""`rimbench systems`: what there is, and whether it can run here."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rimbench.api.project import Project


def systems(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the systems: whose weights are here, and what the others need.

    Examples:

    \b
      rimbench systems
      rimbench systems --json
    """
    from rimbench.api.readiness import every_system
    from rimbench.cli.output import print_json, print_table
    from rimbench.display.tabular import Table

    found = every_system(project_or_note())
    if json:
        print_json([
            {"system": system.name, "answer": system.answer.mode,
             "blocks": system.memory.blocks if system.memory else 0, "obstacle": ready.needs,
             "description": system.description, "mend": ready.mend}
            for system, ready in found
        ])  # fmt: skip
        return
    here, lacking = [], []
    for system, ready in found:
        row = (system.name, system.answer.mode, str(system.memory.blocks) if system.memory else "-")
        if ready.needs is None:
            here.append((*row, system.description))
        else:
            lacking.append((*row, ready.needs, ready.mend or "", system.description))
    columns = ("system", "answer", "K")
    print_table(Table("Systems ready here", (*columns, "what it is"), here))
    if lacking:
        wider = (*columns, "needs", "mended by", "what it is")
        print_table(
            Table("Systems that need something first", wider, lacking, optional=("what it is", "K", "answer"))
        )


def project_or_note() -> "Project":
    """What the current folder's rimbench.toml says; a listing goes on where it is faulty, and says so."""
    from rimbench.api.project import Project, read_project
    from rimbench.cli.output import note
    from rimbench.errors import ConfigError

    try:
        return read_project(allow_outside=True)
    except ConfigError as error:
        for line in (str(error), *getattr(error, "__notes__", ())):
            note(line)
        return Project()
