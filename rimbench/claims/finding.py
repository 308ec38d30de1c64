"""What an audit says: a verdict, one sentence, and the numbers that it stands on."""

from dataclasses import dataclass
from typing import Literal, get_args

ClaimVerdict = Literal[
    "holds", "holds only as worded", "not supported", "contradicted", "cannot be checked from this"
]
"""Of a claim, from the published numbers alone.

holds: they show it. holds only as worded: true of what is written, but it shows less than it suggests. not
supported: they do not show it, nor the opposite. contradicted: they show the opposite. cannot be checked from
this: what it would take is not published.
"""

VERDICTS: tuple[ClaimVerdict, ...] = get_args(ClaimVerdict)


@dataclass(frozen=True, slots=True)
class Number:
    """A number behind a verdict, with its unit in the name; None where it is undefined."""

    name: str
    value: float | int | str | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict on one claim, in a sentence."""

    verdict: ClaimVerdict
    sentence: str
    numbers: tuple[Number, ...] = ()


def in_points(share: float, signed: bool = False) -> str:
    """A share as percentage points, without a minus before nothing: 0.006 is 0.6."""
    text = f"{100 * share:+.1f}" if signed else f"{100 * share:.1f}"
    return text.replace("-0.0", "0.0")


def as_points(share: float) -> float:
    """A share in percentage points, as a number."""
    return 100 * share


def joined(names: list[str]) -> str:
    """Names as a reader says them: a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def in_time(seconds: float) -> str:
    """Seconds as a reader says them, three digits: 1.92 ms, 7.8 s."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def in_factor(value: float) -> str:
    """A factor, three digits or all of its whole ones: 2.95, 223, 2,000."""
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"


def in_p(p_value: float) -> str:
    """A p-value, three decimals."""
    return "below 0.001" if p_value < 0.0005 else f"{p_value:.3f}"
