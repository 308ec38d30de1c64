"""`rimbench ask`: one question of your own, answered by one system."""

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
    """Ask one multiple-choice question: the letter with every option's probability, or with what was written.

    Examples:

    \b
      rimbench ask "Deficiency of which vitamin causes scurvy?" --option "Vitamin A" --option "Vitamin C"
      rimbench ask "Dose: 20 mg. Day 1: doubled. Dose now, in mg?" --option 40 --option 10 --system nano-cot
      rimbench ask "Is 7 prime?" --option yes --option no --system rim-v2 --model checkpoints/rim-v2/checkpoint
    """
    from rimbench.api import asking
    from rimbench.cli.output import note, print_json, print_table, print_text
    from rimbench.running.question import DISCLAIMER

    answered = asking.answer(question, option, system, model, allow_outside=allow_outside)
    note(DISCLAIMER)
    if json:
        found = {"letter": answered.letter, "probabilities": dict(answered.probabilities), "text": answered.text}
        print_json(found)
        return
    if answered.text is not None:
        print_text(answered.text)
    for table in answered.tables:
        print_table(table)
