"""Whether a server answers alike when it is asked a second time: it may be several machines, or one of many users.

What is here of its model cannot tell, so that a few of a run's greedy questions are asked twice.
"""

import math
from collections.abc import Sequence

from rimbench.engines import Engine, Request
from rimbench.errors import RimbenchError
from rimbench.records import Answer

ASKED_TWICE = 4
EVERY = 8
"""Of so many that were answered one is asked again, and no more than those: each is paid for twice."""
CLOSE = 0.01
"""Probabilities that differ by no more are those of another batch, or of rounding."""


def find_changed(engine: Engine, answered: Sequence[tuple[Request, Answer]], seed: int) -> str | None:
    """Ask answered greedy questions again: what the first item that is answered otherwise has now, or None."""
    before = {id(request): answer for request, answer in answered}
    try:
        for group in engine.answer([request for request, _ in answered], seed):
            for request, (now,) in group:
                first = before[id(request)]
                if now.failure is None and not _alike(first, now):
                    return f"item '{request.item_id}': {_tell(first)}, then {_tell(now)}"
    except RimbenchError:
        raise
    except Exception:  # all is answered: that it cannot be asked again is no fault of the run
        return None
    return None


def _alike(one: Answer, other: Answer) -> bool:
    if (one.text, one.refused) != (other.text, other.refused):
        return False
    read, again = one.option_logprobs or {}, other.option_logprobs or {}
    return all(abs(math.exp(read[x]) - math.exp(again[x])) <= CLOSE for x in read.keys() & again.keys())


def _tell(answer: Answer) -> str:
    """What an answer says, and the probability of its letter where it is known."""
    share = (answer.option_logprobs or {}).get(answer.text)
    said = "refused" if answer.refused else repr(" ".join(answer.text.split())[:80])
    return said if share is None else f"{said} ({math.exp(share):.3f})"
