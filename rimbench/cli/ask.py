"""`rimbench ask`: one question of your own, answered in one forward pass."""

from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside, Model


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question, without its options.")],
    option: Annotated[list[str], typer.Option(metavar="TEXT", help="An option; repeat for A, B, ... in order.")],
    system: Annotated[str, typer.Option(metavar="NAME", help="System by name or TOML file.")] = "rim-v1",
    model: Model = None,
    allow_outside: AllowOutside = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Ask one multiple-choice question: the letter, and the probability of every option.

    Examples:

    \b
      rimbench ask "Deficiency of which vitamin causes scurvy?" --option "Vitamin A" --option "Vitamin C"
      rimbench ask "Is 7 prime?" --option yes --option no --system rim-v2 --model checkpoints/rim-v2/checkpoint
    """
    from rimbench.api import asking
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.running.question import DISCLAIMER

    answered = asking.answer(question, option, system, model, allow_outside=allow_outside)
    note(DISCLAIMER)
    if json:
        print_json({"letter": answered.letter, "probabilities": dict(answered.probabilities)})
        return
    for table in answered.tables:
        print_table(table)
