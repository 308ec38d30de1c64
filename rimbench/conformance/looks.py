"""What a look at an engine found, and how two answers of it are held against each other."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rimbench.conformance.exchange import BySample, Exchange

APART = {"float32": 1e-3}
"""By number type, how far two log-probabilities of the same letter may be apart."""
APART_ELSE = 0.25


@dataclass(frozen=True, slots=True)
class Look:
    """Whether a requirement held, what was expected, and what was found."""

    held: bool
    expected: str
    found: str


def tolerance(exchange: Exchange) -> float:
    """How far apart they may be in the number type of the engine that was tried."""
    return APART.get(exchange.facts.dtype if exchange.facts else "", APART_ELSE)


def apart(one: Mapping[str, float] | None, other: Mapping[str, float] | None) -> float:
    """The largest difference of a letter's two log-probabilities; infinite where they are of other letters."""
    if one is None or other is None or set(one) != set(other):
        return 0.0 if one == other else math.inf
    return max(abs(one[x] - other[x]) for x in one)


def near(exchange: Exchange, pairs: Iterable[tuple[Mapping[str, float] | None, Mapping[str, float] | None]]) -> Look:
    """Whether the log-probabilities of each pair are the same, but for rounding."""
    most = max((apart(one, other) for one, other in pairs), default=math.inf)
    return Look(most <= tolerance(exchange), f"at most {tolerance(exchange):g} apart", f"{most:.3g} apart")


def same(first: BySample, other: BySample, expected: str) -> Look:
    """Whether the texts of the same samples are the same."""
    faults = [
        f"{item} sample {sample}: {answer.text!r}, then {other[item, sample].text!r}"
        for (item, sample), answer in first.items()
        if answer.text != other[item, sample].text
    ]
    return none_of(faults, expected)


def none_of(faults: list[str], expected: str) -> Look:
    """Whether there are no faults, of which the first two are shown."""
    shown = "; ".join(faults[:2]) + (f"; and {len(faults) - 2} more" if len(faults) > 2 else "")
    return Look(not faults, expected, shown or "so in every case")
