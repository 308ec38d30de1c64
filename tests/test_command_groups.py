"""The groups in which a command's help shows its options."""

import typer

from rimbench.cli.app import app
from rimbench.cli.grouping import WHAT, WHERE


def options():
    """Every option of every command, by its name in Python."""
    commands = [typer.main.get_command(app)]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        yield from (param for param in command.params if param.param_type_name == "option")


def test_every_name_in_a_group_is_an_options_and_no_option_is_in_two():
    names = {option.name for option in options()}
    grouped = {option.name for option in options() if option.rich_help_panel}
    assert not WHAT & WHERE
    assert names | {"help"} >= WHAT | WHERE
    assert not grouped & WHERE


def test_an_option_with_a_group_of_its_own_is_shown_there(rimbench):
    shown = rimbench("plan", "--help").stdout
    own = shown.partition("With --cost:\n")[2]
    assert "--workers N" in own and "--power" not in own and shown.count("--workers N") == 1
