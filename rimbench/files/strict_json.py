"""JSON from anywhere, held to what all that read it can bear: a depth, and numbers that are finite.

The depth keeps a document from running a reader out of its stack, or out of memory for what it has opened and not
closed. An infinite number, or none, would go through a report unseen until a figure is made of it.
"""

import itertools
import json
import math
import re
from typing import Any

DEEPEST = 200
"""Levels of lists and objects: documents that mean something have a few dozen, and `pickle` bears some 450."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_STEPS))


def parse(content: bytes) -> Any:
    """A JSON value; ValueError, in one line, where it is none, is nested too deeply, or holds no finite number."""
    if is_deep(content):
        raise ValueError(say_deep())
    value = json.loads(content)
    fault = _find_number(value)
    if fault is not None:
        raise ValueError(fault)
    return value


def is_deep(content: bytes) -> bool:
    """Whether a document opens more than `DEEPEST` levels, whole or torn: told without reading it as JSON."""
    if content.count(b"[") + content.count(b"{") <= DEEPEST:
        return False
    brackets = _STRING.sub(b"", content).translate(None, _NO_BRACKETS)
    return max(itertools.accumulate(map(_STEPS.__getitem__, brackets)), default=0) > DEEPEST


def say_deep() -> str:
    """What is wrong with such a document."""
    return f"nested more than {DEEPEST} levels deep"


def _find_number(document: object) -> str | None:
    """A number that is not finite, as `key: what is wrong`; None where all are."""
    places: list[tuple[str, object]] = [("", document)]
    while places:
        key, value = places.pop()
        if isinstance(value, float) and not math.isfinite(value):
            return f"{key.removeprefix('.')}: expected a finite number (got {value})"
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        places += [(f"{key}.{name}", held) for name, held in inner]
    return None
