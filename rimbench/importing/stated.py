"""What the logs of several harnesses state alike, out of documents of which no key is sure to be there."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from rimbench.importing.answers import Sampling
from rimbench.importing.documents import strings

CUT_OFF = ("max_tokens", "length", "model_length", "content_filter", "max_output_tokens", "incomplete")
"""How a text ended that is not whole, in the words of the harnesses and their servers."""
_TEXTS = (None, "text", "input_text", "output_text")
_SAME = 1e-6
_LONGEST_FAILURE = 1000


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is an object, an empty one in the place of any other."""
    return value if isinstance(value, Mapping) else {}


def finite_number(value: object) -> float | None:
    """The value where it is a number that is finite, and not beyond what a float holds."""
    try:
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    except OverflowError:
        return None


def verdict(value: object) -> float | None:
    """A score where it says how far an answer is right, from 0 to 1."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def one_line(value: object) -> str:
    """Every text in what states an error, on one line."""
    return " ".join(" ".join(strings(value)).split())[:_LONGEST_FAILURE]


def text_of(content: object) -> str:
    """A message's text, or the texts among its parts."""
    if isinstance(content, list):
        texts = (part.get("text") for part in map(mapping, content) if part.get("type") in _TEXTS)
        return "\n".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def last_said(turns: Iterable[tuple[str, object]], role: str) -> str:
    """What a role said last, of turns (role, content)."""
    return next((text_of(content) for by, content in reversed(list(turns)) if by == role), "")


def stated_sampling(temperature: object, top_p: object, most: object) -> Sampling:
    """The settings as a file states them; what is no finite number is not stated."""
    longest = finite_number(most)
    return Sampling(finite_number(temperature), finite_number(top_p), None if longest is None else int(longest))


def unlike(where: str, metric: str, stated: object, found: tuple[float, int] | None, n: object = None) -> list[str]:
    """A note where a file states another mean of a metric, of `n` items, than its answers come to."""
    mean = finite_number(stated)
    if found is None or mean is None or abs(mean - found[0]) <= _SAME:
        return []
    of = f" of {n}" if isinstance(n, int) else ""
    return [f"{where} states {metric} {mean:.4f}{of}, and the samples come to {found[0]:.4f} of {found[1]}"]
