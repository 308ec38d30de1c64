"""`rimbench ask`: one question of your own, answered in one forward pass."""

from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question, without its options.")],
    option: Annotated[list[str], typer.Option(metavar="TEXT", help="An option; repeat for A, B, ... in order.")],
    system: Annotated[str, typer.Option(metavar="NAME", help="System by name or TOML file.")] = "rim-v1",
    model: Annotated[
        str | None, typer.Option(metavar="PATH", help="Weights: a checkpoint folder, or org/name@revision.")
    ] = None,
    allow_outside: AllowOutside = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Ask one multiple-choice question: the letter, and the probability of every option.

    Examples:

    \b
      rimbench ask "Deficiency of which vitamin causes scurvy?" --option "Vitamin A" --option "Vitamin C"
      rimbench ask "Is 7 prime?" --option yes --option no --system rim-v2 --model checkpoints/rim-v2/checkpoint
    """
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.display.tabular import Table
    from rimbench.running import question as asking

    answered = asking.answer(question, option, system, model, allow_outside=allow_outside)
    note(asking.DISCLAIMER)
    if json:
        print_json({"letter": answered.letter, "probabilities": dict(answered.probabilities)})
        return
    rows = [
        (letter, f"{100 * probability:.1f}", text)
        for (letter, probability), text in zip(answered.probabilities.items(), option, strict=True)
    ]
    print_table(Table(f"Answer: {answered.letter}", ("option", "probability %", "text"), rows))
