"""What a row of a data set holds, whatever its columns are called: its texts, and what may be its options."""

import re
from collections.abc import Iterator, Mapping

_NUMBERED = re.compile(r"(?P<stem>.*?)[ _-]?(?P<place>[A-Ja-j]|\d)")


def strings(value: object) -> Iterator[str]:
    """Every text in a document, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def option_lists(value: object) -> Iterator[tuple[str, ...]]:
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
        for inner in value.values():
            yield from option_lists(inner)
