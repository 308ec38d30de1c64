"""The answer of a readout, out of the logits of its letters."""

import math
from collections.abc import Mapping
from dataclasses import replace

from rimbench.records import Answer, Trace


def with_letters(written: Answer, read: Answer | None) -> Answer:
    """A written answer with what was read of the letters at its first position."""
    if read is None:
        return written
    return replace(written, option_logprobs=read.option_logprobs, label_mass=read.label_mass)


def read_letter(
    options: Mapping[str, int],
    logits: Mapping[int, float],
    trace: Trace | None = None,
    vocabulary: float | None = None,
) -> Answer:
    """The answer of a readout: log-probabilities over the item's own letters, and the best letter.

    `options` maps letters to tokens, `logits` tokens to logits; `vocabulary` is log sum exp of every token's, where
    it is known. A tie goes to the letter that comes first.
    """
    own = {letter: logits[token] for letter, token in options.items()}
    top = max(own.values())
    total = top + math.log(math.fsum(math.exp(logit - top) for logit in own.values()))
    best = max(own, key=own.__getitem__)  # max() keeps the first of equals
    mass = None if vocabulary is None else math.exp(min(0.0, total - vocabulary))
    return Answer(best, 0, True, {letter: logit - total for letter, logit in own.items()}, trace, mass)
