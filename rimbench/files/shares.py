"""A share, or a difference of two, as it is typed: 0.03, or with its unit "3%" or "3 points"."""

import re

_TYPED = re.compile(
    r"(?P<number>[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?)\s*(?P<unit>%|percent|(percentage )?points?|pp)?", re.IGNORECASE
)


def parse_share(value: object) -> object:
    """The share that a text says; what is no text stays as it is. ValueError for a text that says none."""
    if not isinstance(value, str):
        return value
    typed = _TYPED.fullmatch(value.strip())
    if typed is None:
        raise ValueError('expected a share such as 0.03, or with its unit "3%" or "3 points"')
    number = float(typed["number"])
    return number / 100 if typed["unit"] else number
