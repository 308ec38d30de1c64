"""Which questions are the same, which are held out, and the frozen order of a sample: pure functions of text."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable


def folded(text: str) -> str:
    """The text in lower case, every run of whitespace as one space: two questions that agree in it are one."""
    return " ".join(text.split()).casefold()


def normalised(text: str) -> str:
    """The text in lower case (NFKC), every run of whitespace, punctuation and symbols as one space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", " ", folded).strip()


def heldout(question: str, fraction: float) -> bool:
    """Whether a question belongs to the held-out slice.

    The first 8 bytes of the sha256 of its normalised text, as a number in [0, 1), lie below `fraction`. The
    options play no part, so an open-ended row that asks the same question falls on the same side.
    """
    digest = hashlib.sha256(normalised(question).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < fraction


def frozen_order(item_ids: Iterable[str], seed: int) -> list[str]:
    """Items' ids by the sha256 of "seed:item_id": the same on every machine, whatever order they came in."""
    return sorted(item_ids, key=lambda item_id: hashlib.sha256(f"{seed}:{item_id}".encode()).digest())
