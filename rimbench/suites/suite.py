"""What a suite is once it is loaded: items in a frozen order, where they came from, and what the audit found.

Plain frozen values and two pure functions: the text of a question, and the hash of a list of items.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rimbench.records import Item
from rimbench.records.items import Items

Slice = Literal["heldout", "train", "all"]
"""Which part of a suite: what is kept for evaluation, everything else, or every row."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows came from.

    `name` is the hub's repository or the file's name without its folder (a path would differ between
    machines). `revision` is the hub's commit, the sha256 of the file, or the settings of a generator.
    """

    kind: Literal["hub", "file", "generated"]
    name: str
    file: str | None
    split: str | None
    revision: str


@dataclass(frozen=True, slots=True)
class Wording:
    """How an item is put: `question` holds {question} and {options}, `option` {letter} and {text}."""

    question: str = "{question}\n{options}"
    option: str = "{letter}: {text}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of faulty row, with the ids of all rows left out for it."""

    kind: str
    item_ids: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many rows have this fault; a row with several counts under the first one found."""
        return len(self.item_ids)


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of every row: `rows` is `usable` + the sum of `left_out` + `faulty`.

    `usable` counts items before the sample was taken, `used` those in the suite. `left_out` counts rows that
    are not faulty but no items of this suite, by reason (unlabelled, filtered, not multiple-choice, ...).
    `gold_histogram` counts the gold letters of the items in the suite, by every letter that one of them offers,
    `own_labels` its items whose options bore their own letters in their texts ("(A) x"), which were taken off.
    """

    rows: int
    usable: int
    used: int
    left_out: Mapping[str, int]
    faults: tuple[Fault, ...]
    gold_histogram: Mapping[str, int]
    own_labels: int = 0

    @property
    def faulty(self) -> int:
        """How many rows were left out because something is wrong with them."""
        return sum(fault.count for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Suite:
    """A fixed, ordered list of items. `n_requested` exceeds `len(items)` where the source had too few.

    `file` is `shipped`, or the name of the user's own file that describes the suite.
    """

    name: str
    items: Items
    content_sha256: str
    source: Source
    n_requested: int
    seed: int
    wording: Wording
    audit: Audit
    slice: Slice
    file: str | None = None


@dataclass(frozen=True, slots=True)
class SuiteListing:
    """A suite as a listing shows it: `why` says what is missing where it cannot be loaded here."""

    name: str
    description: str
    source: str
    n: int | None
    loadable: bool
    why: str | None


def question_text(wording: Wording, item: Item) -> str:
    """The text that puts the item to a model. Braces in the item's own text stay as they are."""
    options = "\n".join(
        _fill(wording.option, {"letter": letter, "text": text}) for letter, text in item.options.items()
    )
    return _fill(wording.question, {"question": item.question, "options": options})


def _fill(template: str, values: Mapping[str, str]) -> str:
    """One pass over the template, so that a placeholder inside a value is left alone."""
    parts = list(_parts(template, tuple(values)))
    parts[1::2] = (values[name] for name in parts[1::2])
    return "".join(parts)


@lru_cache
def _parts(template: str, names: tuple[str, ...]) -> list[str]:
    """The template's own text and the names of the placeholders, in turn; cut once and not for each item."""
    return re.split(rf"\{{({'|'.join(map(re.escape, names))})\}}", template)


HASHED_AT_ONCE = 100
"""Items; a document of all of them would take as much memory as they do."""


def content_sha256(contents: Iterable[tuple[str, str, list[str], str]]) -> str:
    """The sha256 of the items' ids, questions, options and gold letters, in their order (`ItemTable.contents`).

    The input is one ASCII JSON document without spaces: [[id, question, [option, ...], gold], ...]. Texts are
    stripped when they are read, and not changed otherwise (no Unicode normalisation).
    """
    encode = json.JSONEncoder(separators=(",", ":")).encode
    left = iter(contents)
    digest, before = hashlib.sha256(b"["), b""
    while some := list(itertools.islice(left, HASHED_AT_ONCE)):
        digest.update(before + encode(some)[1:-1].encode("ascii"))
        before = b","
    digest.update(b"]")
    return digest.hexdigest()
