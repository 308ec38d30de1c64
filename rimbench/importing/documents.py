"""What a row of a data set holds, whatever its columns are called: its texts, and what may be its options."""

import re
from collections.abc import Iterator, Mapping

DEEPEST = 20
"""Levels of a document that are looked into: no data set nests its question or its options deeper."""

_NUMBERED = re.compile(r"(?P<stem>.*?)[ _-]?(?P<place>[A-Ja-j]|\d)")


def strings(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif depth < DEEPEST and isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from strings(inner, depth + 1)


def option_lists(value: object, depth: int = 0) -> Iterator[tuple[str, ...]]:
    """What may be the options: lists of texts, and texts under numbered keys (opa.., ending0.., A..), in order."""
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(inner, str) for inner in value):
            yield tuple(value)
        keyed = [inner.get("value") for inner in value if isinstance(inner, Mapping)]
        if len(keyed) > 1 and all(isinstance(text, str) for text in keyed):
            yield tuple(map(str, keyed))
    elif isinstance(value, Mapping):
        stems: dict[str, dict[str, str]] = {}
        for key, inner in value.items():
            match = _NUMBERED.fullmatch(str(key))
            if match and isinstance(inner, str):
                stems.setdefault(match["stem"], {})[match["place"].upper()] = inner
        for places in stems.values():
            if len(places) > 1:
                yield tuple(places[place] for place in sorted(places))
        for inner in value.values() if depth < DEEPEST else ():
            yield from option_lists(inner, depth + 1)
