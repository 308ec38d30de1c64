"""`rimbench init`: begins the current folder's `rimbench.toml`, or the file of a suite or a system of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from rimbench.errors import RimbenchError

app = typer.Typer(invoke_without_command=True)


@app.callback()
def init(context: typer.Context) -> None:
    """Write a rimbench.toml with all that it may say, in comments: weights, rows, results folder, engine.

    What it says holds in this folder wherever a command has no option for it. 'rimbench init suite' and 'rimbench
    init system' begin the files of a suite and a system of your own.

    Examples:

    \b
      rimbench init
      rimbench init suite questions.csv
      rimbench init system checkpoints/mine
    """
    if context.invoked_subcommand is not None:
        return
    from rimbench.api.project import write_project
    from rimbench.cli.output import note

    path = write_project()
    note("every line of it is a comment yet: take the # off where you have the weights or the rows")
    typer.echo(path)


@app.command()
def suite(
    rows: Annotated[Path, typer.Argument(metavar="FILE", help="Questions: CSV, JSON lines, JSON, Parquet.")],
) -> None:
    """Write the file of a suite beside your questions: what its columns are, guessed from their names and values.

    Example:

    \b
      rimbench init suite questions.csv
    """
    from rimbench import suites
    from rimbench.api.project import begin_file
    from rimbench.suites.beginning import suite_toml

    path = begin_file(rows.with_suffix(".toml"), lambda: suite_toml(rows))
    try:
        items = len(suites.load(str(path)).items)
    except RimbenchError as error:
        error.add_note(f"{path} is written: what it guesses of the columns needs mending")
        raise
    _say(path, f"{items} questions: look at them with 'rimbench suites show {path}'", f"--system NAME --suite {path}")


@app.command()
def system(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A checkpoint: config, weights and tokenizer.")],
) -> None:
    """Write the file of a system for a checkpoint folder: how it is asked, as far as its tokenizer says.

    Example:

    \b
      rimbench init system checkpoints/mine
    """
    from rimbench.api.project import begin_file
    from rimbench.systems.beginning import system_toml

    inside = folder.resolve().is_relative_to(Path.cwd()) and folder.resolve() != Path.cwd()
    place = Path() if inside else folder.resolve().parent
    named = folder.resolve().relative_to(place.resolve()).as_posix()
    path = begin_file(place / f"{folder.resolve().name}.toml", lambda: system_toml(folder, named))
    _say(path, "what its tokenizer does not show is assumed, and marked so", f"--system {path} --suite demo-in-dist")


def _say(path: Path, guessed: str, asked: str) -> None:
    from rimbench.cli.output import note

    note(guessed)
    note(f"run it: rimbench run {asked}")
    typer.echo(path)
