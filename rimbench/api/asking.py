"""One question of a user's own, answered by one system."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rimbench.api.arguments import checked
from rimbench.api.notebook import ShowsTables
from rimbench.api.project import read_project
from rimbench.api.selection import Wanted, choose_system, explaining_weights
from rimbench.display.notes import note
from rimbench.display.tabular import Table


@dataclass(frozen=True, slots=True)
class Answered(ShowsTables):
    """The letter with the highest probability, and the probability of every letter among the options; of a system
    that writes, its `text`, the letter that this states, None for none, and no probabilities.
    """

    letter: str | None
    probabilities: Mapping[str, float]
    options: Mapping[str, str] = field(repr=False)
    text: str | None = None

    @property
    def tables(self) -> Sequence[Table]:
        """The options, each with its probability, or with a mark for the one that is stated."""
        if self.text is not None:
            stated = [(letter, "yes" if letter == self.letter else "", text) for letter, text in self.options.items()]
            return [Table(f"Answer: {self.letter or 'none is stated'}", ("option", "stated", "text"), stated)]
        rows = [
            (letter, f"{100 * probability:.1f}", self.options[letter])
            for letter, probability in self.probabilities.items()
        ]
        return [Table(f"Answer: {self.letter}", ("option", "probability %", "text"), rows)]


@checked
def answer(
    question: str,
    options: Mapping[str, str] | Sequence[str],
    system: str = "rim-v1",
    model: str | Path | None = None,
    *,
    allow_outside: bool = False,
) -> Answered:
    """Ask a system one multiple-choice question: the letters are read out after one forward pass, or it writes.

    `options` are 2 to 10 texts, or a mapping of the letters A, B, ... to them; `system` is a name or a TOML file,
    `model` a checkpoint folder or a hub name in place of the system's own, `rimbench.toml`'s or the one trained here.
    A system's file may name weights outside its own folder with `allow_outside`. Raises UsageError for options that
    are none, ModelError where the weights cannot be had.
    """
    from rimbench.records import LETTERS
    from rimbench.running.question import reply_to

    given = None if model is None else os.fspath(model)
    asked = Wanted(
        "ask QUESTION --option TEXT --option TEXT", (system,), (), model=given, allow_outside=allow_outside
    )
    chosen = choose_system(system, asked, read_project(allow_outside=allow_outside), note)
    if chosen.weights.package == "rimbench":
        note(
            f"{chosen.name} knows doses that are raised, lowered, doubled and halved, as in the demo suites, and "
            "nothing else: to another question its letter means nothing"
        )
    with explaining_weights(asked, [chosen]):
        found = reply_to(question, options, system, chosen.weights.path, allow_outside=allow_outside)
    named = dict(options) if isinstance(options, Mapping) else dict(zip(LETTERS, options, strict=False))
    if found.status == "truncated":
        note(f"{chosen.name} was cut off at {chosen.answer.max_new_tokens} tokens before it stated a letter")
    return Answered(found.letter, found.probabilities, named, found.text)
