"""What a file from elsewhere says of one answer, before it is known which item of a suite that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Given = Literal["letter", "text", "logprobs"]
"""How an answer is given: a letter that somebody else read, a text to read, or a log-probability an option."""


@dataclass(frozen=True, slots=True)
class ForeignAnswer:
    """One answer as a file states it; letters are those of the file's own order of the options.

    `texts` are those among which the question is, and `option_lists` those that may be its options, in order:
    both are empty where the file states ids alone. `logprobs` are not normalised. `right` is the file's own
    verdict. What the file does not say is None.
    """

    item_id: str
    sample: int
    given: Given
    letter: str | None = None
    text: str = ""
    logprobs: Mapping[str, float] | None = None
    texts: tuple[str, ...] = ()
    option_lists: tuple[tuple[str, ...], ...] = ()
    gold: str | None = None
    right: bool | None = None
    finished: bool = True
    refused: bool = False
    failure: str | None = None
    prompt_tokens: int | None = None
    generated_tokens: int | None = None
    prompt_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole file, read. `mode` is how the answers were had, as far as the file shows it.

    `model` is the file's own name of what answered; `temperature` that of sample 0. `notes` are lines for a
    person on what was not read or is not known.
    """

    answers: tuple[ForeignAnswer, ...]
    mode: Literal["generate", "readout", "likelihood", "letters"]
    model: str | None = None
    temperature: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def listed(ids: Sequence[str], shown: int = 10) -> str:
    """The first ids, and how many more there are."""
    more = len(ids) - shown
    return ", ".join(ids[:shown]) + (f" and {more} more" if more > 0 else "")
