"""The `rimbench` command: puts the commands together and turns errors into a line and an exit code."""

import errno
import os
import sys
from typing import Annotated

import typer

from rimbench import __version__
from rimbench.cli import (
    ablate,
    ask,
    audit,
    cascade,
    check_checkpoint,
    check_engine,
    compare,
    demo,
    doctor,
    export,
    export_model,
    import_,
    init,
    latency,
    lens,
    plan,
    recipes,
    report,
    rescore,
    run,
    show_prompt,
    suites,
    sweep,
    systems,
    train,
)
from rimbench.cli.grouping import GroupedCommand
from rimbench.cli.output import guard_streams, note
from rimbench.errors import RimbenchError

app = typer.Typer(
    name="rimbench",
    help="Measure whether reasoning in memory pays: the same questions to every system, every answer kept.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich would double the time that --help takes
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rimbench {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and end.")
    ] = False,
) -> None: ...


app.command(cls=GroupedCommand)(demo.demo)
app.command(cls=GroupedCommand)(run.run)
app.command(cls=GroupedCommand)(latency.latency)
app.command(cls=GroupedCommand)(report.report)
app.command(cls=GroupedCommand)(compare.compare)
app.command(cls=GroupedCommand)(cascade.cascade)
app.command(cls=GroupedCommand)(plan.plan)
app.command(cls=GroupedCommand)(sweep.sweep)
app.command(cls=GroupedCommand)(lens.lens)
app.command(cls=GroupedCommand)(ablate.ablate)
app.command(cls=GroupedCommand)(ask.ask)
app.command(cls=GroupedCommand)(train.train)
app.command(cls=GroupedCommand)(recipes.recipes)
app.command(cls=GroupedCommand)(audit.audit)
app.command("import", cls=GroupedCommand)(import_.import_)
app.command(cls=GroupedCommand)(rescore.rescore)
app.command(cls=GroupedCommand)(export.export)
app.command("export-model", cls=GroupedCommand)(export_model.export_model)
app.command(cls=GroupedCommand)(systems.systems)
app.command(cls=GroupedCommand)(doctor.doctor)
app.add_typer(init.app, name="init")
app.add_typer(suites.app, name="suites")
app.command("show-prompt", cls=GroupedCommand)(show_prompt.show_prompt)
app.command("check-engine", cls=GroupedCommand)(check_engine.check_engine)
app.command("check-checkpoint", cls=GroupedCommand)(check_checkpoint.check_checkpoint)


def main() -> None:
    """Run the command line; every failure becomes one line on stderr and exit code 1, 2 or 3."""
    guard_streams()
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")  # the libraries' own bars, which fill a log file
    try:
        app()
    except RimbenchError as error:
        note(f"error: {error}")
        for line in getattr(error, "__notes__", ()):
            note(f"  {line}")
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("rimbench"):
            raise
        note(f"error: this needs the package {error.name}, which is not installed: pip install {error.name}")
        sys.exit(1)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            note("error: no space is left for the output: free some, or write elsewhere")
            os._exit(1)  # leaving in order would try to write the rest again
        if error.filename is None:
            raise
        note(f"error: {error.filename}: {error.strerror}; expected a path that can be read or written there")
        sys.exit(1)
