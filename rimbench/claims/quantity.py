"""A figure as it was printed, "~7.8 s", and what that can mean once rounding is undone.

The text keeps what a bare number loses: the unit, the digits that were printed (47.0 is not 47), and the "about".
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Dimension = Literal["share", "difference", "time", "factor"]

# What a unit measures, and how many of its base unit it is: 1 for a share, a second, a factor.
UNITS: dict[str, tuple[Dimension, Fraction]] = {
    "%": ("share", Fraction(1, 100)),
    "points": ("difference", Fraction(1, 100)),
    "s": ("time", Fraction(1)),
    "ms": ("time", Fraction(1, 1000)),
    "us": ("time", Fraction(1, 1_000_000)),
    "min": ("time", Fraction(60)),
    "x": ("factor", Fraction(1)),
}
MOST_DIGITS = 30
_PRINTED = re.compile(r"(?P<about>~|≈|about )?\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[^\W\d]+|%)")


@dataclass(frozen=True, slots=True)
class PrintedFigure:
    """A printed figure in base units (a share of 1, seconds, a factor): its value, and what would print the same.

    `lowest` and `highest` are half a unit of the last digit away; after "about", zeros that end a whole number
    are not digits, so that ~220 is 215 to 225 and 220 is 219.5 to 220.5.
    """

    text: str
    value: float
    lowest: float
    highest: float
    dimension: Dimension

    def __str__(self) -> str:
        return self.text

    def agrees_with(self, lowest: float, highest: float) -> bool:
        """Whether some value between the two would be printed like this."""
        slack = 1e-9 * self.highest  # the ends are decimal fractions that floats miss by a hair
        return lowest <= self.highest + slack and self.lowest - slack <= highest


def parse_quantity(value: object) -> PrintedFigure:
    """Read a figure such as "50.9 %", "~7.8 s", "35 ms", "~220 x" or "1.5 points"; ValueError for anything else."""
    expected = f'expected a figure in quotes as it was printed, with its unit ({", ".join(UNITS)}), such as "50.9 %"'
    if not isinstance(value, str):
        raise ValueError(expected)
    match = _PRINTED.fullmatch(value.strip())
    if match is None or match["unit"] not in UNITS or len(match["number"]) > MOST_DIGITS:
        raise ValueError(expected)
    dimension, scale = UNITS[match["unit"]]
    number = Fraction(match["number"])
    half = _half_unit(match["number"], match["about"] is not None)
    return PrintedFigure(
        text=value.strip(),
        value=float(number * scale),
        lowest=float(max(number - half, Fraction(0)) * scale),
        highest=float((number + half) * scale),
        dimension=dimension,
    )


def _half_unit(number: str, about: bool) -> Fraction:
    """Half of the last printed digit's worth."""
    whole, _, decimals = number.partition(".")
    if decimals:
        return Fraction(1, 2 * 10 ** len(decimals))
    zeros = len(whole) - len(whole.rstrip("0")) if about and whole.strip("0") else 0
    return Fraction(10**zeros, 2)
