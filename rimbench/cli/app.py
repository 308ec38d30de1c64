"""The `rimbench` command: puts the commands together and turns errors into a line and an exit code."""

import errno
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from keyword import iskeyword
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rimbench import __version__
from rimbench.cli.grouping import GroupedCommand
from rimbench.cli.output import guard_streams, note
from rimbench.errors import RimbenchError

COMMANDS = (
    *("demo", "run", "latency", "report", "compare", "cascade", "plan", "sweep", "lens", "ablate", "ask", "train"),
    *("recipes", "audit", "import", "rescore", "export", "export-model", "systems", "doctor", "show-prompt"),
    *("check-engine", "check-checkpoint", "init", "suites"),
)
"""As help lists them; each is a module beside this one."""


class _Commands(Mapping[str, Any]):
    """The commands by name, each made of its module when it is asked for: all take longer than a short one."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@cache
def _command(name: str) -> Any:
    called = name.replace("-", "_") + "_" * iskeyword(name)
    module = importlib.import_module(f"rimbench.cli.{called}")
    alone = typer.Typer(rich_markup_mode=None)
    if hasattr(module, "app"):
        alone.add_typer(module.app, name=name)
    else:
        alone.command(name, cls=GroupedCommand)(getattr(module, called))
    return typer.main.get_group(alone).commands[name]


class _Group(TyperGroup):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"commands": _Commands()})


app = typer.Typer(
    name="rimbench",
    cls=_Group,
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
