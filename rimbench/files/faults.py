"""What a validation found wrong, in rimbench's words: the key, what was expected there, and what stood there.

pydantic's own wording ("Input should be a valid ...") speaks of Python, which a file's writer need not know.
"""

import dataclasses
import datetime
import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Tag, ValidationError

from rimbench.display.plaintext import plain

SHOWN_CHARACTERS = 80
"""Of a faulty value, or of the key that has it."""
SHOWN_FAULTS = 100
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
EXPECTED = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "finite": "a finite number",
    "none": "nothing",
    "date": "a day, such as 2026-05-30",
}
"""What is expected, by the first word of an error's name."""
MAPPINGS = ("dict", "mapping", "model", "dataclass")
"""The first words of the errors that expect keys and values."""
BOUNDS = {
    "greater_than": ("more than {}", "gt"),
    "greater_than_equal": ("{} or more", "ge"),
    "less_than": ("less than {}", "lt"),
    "less_than_equal": ("{} or less", "le"),
    "multiple_of": ("a multiple of {}", "multiple_of"),
    "string_too_short": ("a text of {} or more characters", "min_length"),
    "string_too_long": ("a text of {} or fewer characters", "max_length"),
    "too_short": ("{} or more entries", "min_length"),
    "too_long": ("{} or fewer entries", "max_length"),
}
_ALTERNATIVE = re.compile(
    r"(str|int|float|bool|none|constrained-\w+|(list|dict|tuple|set|literal|nullable|function-[\w-]+)\[.*)"
)
"""How pydantic calls, within a fault's place, one of several types that the value may have."""

Place = tuple[Any, ...]
"""The keys and indices that lead to a fault."""


def describe_faults(error: ValidationError, schema: Any = None) -> str:
    """The faults of a validation in one line: `key: what is wrong (got value)`, separated by semicolons."""
    faults = list_faults(error, schema)
    count = f"{len(faults)} faults: " if len(faults) > 1 else ""
    more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
    return plain(count + "; ".join(faults[:SHOWN_FAULTS]) + more)


def list_faults(error: ValidationError, schema: Any = None) -> list[str]:
    """The same fault by fault; beside an unknown key stand those that the `schema` has at its place."""
    at: dict[Place, list[Any]] = {}
    undecided = set()  # places of a value that is of none of several types
    for fault in error.errors(include_url=False):
        names_key = fault["type"] in (*UNKNOWN, "missing")
        *within, last = fault["loc"] or ("[key]",)
        place = tuple(part for part in within if not _is_alternative(part))
        if names_key or not _is_alternative(last):
            place = (*place, last)
        else:
            undecided.add(place)
        at.setdefault(tuple(part for part in place if part != "[key]"), []).append(fault)
    said = []
    for place, faults in at.items():
        if place in undecided and any(other[: len(place)] == place for other in at if other != place):
            continue  # it is of one of them, but for what is wrong further in
        key, what = shortened(".".join(map(str, place))), _said(place, faults, schema)
        said.append(f"{key}: {what}" if key else what)
    return said


def shortened(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """A text of a file that may be a whole line of it, cut."""
    return text if len(text) <= most else f"{text[:most]}...{text[-1]}"


def _said(place: Place, faults: list[Any], schema: Any) -> str:
    """What is wrong at one place; of several types that a value may have, all that was expected."""
    told = list(dict.fromkeys(_say(fault, place, schema) for fault in faults))
    expected = [each.removeprefix("expected ") for each in told if each.startswith("expected ")]
    whole = "; ".join(told) if len(expected) < len(told) else f"expected {' or '.join(expected)}"
    return f"{shortened(whole, 400)}{_got(faults[0], whole, _mapping(schema))}"


def _mapping(schema: Any) -> str:
    """What keys and values are called: files with a schema are TOML, the others JSON."""
    return "an object" if schema is None else "a table"


def _say(fault: Any, place: Place, schema: Any) -> str:
    kind, context, value = fault["type"], fault.get("ctx", {}), fault["input"]
    word = kind.partition("_")[0]
    named = str(context.get("discriminator", "")).replace("'", "")
    match kind:
        case "extra_forbidden" | "unexpected_keyword_argument":
            said = _unknown_key(place, schema)
        case "union_tag_not_found":
            said = f"{named} is required, but missing"
        case "union_tag_invalid":
            said = f"{named} {context['tag']!r}: {_one_of(context['expected_tags'], context['tag'])}"
        case "literal_error" | "enum":
            said = _one_of(context["expected"], value)
        case _ if kind in BOUNDS:
            form, bound = BOUNDS[kind]
            most = context[bound]
            said = f"expected {form.format(f'{most:g}' if isinstance(most, float) else most)}"
        case _ if word in MAPPINGS:
            said = f"expected {_mapping(schema)}"
        case _ if word in EXPECTED:
            unquoted = isinstance(value, str) and word in ("int", "float", "bool")
            said = f"expected {EXPECTED[word]}{', without quotes' * unquoted}"
        case _:
            said = {"missing": "required, but missing", "json": "not JSON"}.get(word, fault["msg"])
    return str(said).removeprefix("Value error, ")


def _one_of(known: str, given: object) -> str:
    """What was expected where only some words are known, and the nearest of them."""
    near = _near(given, re.findall("'([^']*)'", known))
    return f"expected {known}{f': did you mean {near!r}?' if near else ''}"


def _got(fault: Any, said: str, mapping: str) -> str:
    """What stood there, unless that is said already."""
    kind, value = fault["type"], fault["input"]
    if kind in UNKNOWN or kind.startswith(("missing", "union_tag")):
        return ""
    if isinstance(value, bool):
        return f" (got {str(value).lower()})"
    if isinstance(value, int | float | str | datetime.date):
        own = kind == "value_error" and isinstance(value, str) and value and value in said
        return "" if own else f" (got {shortened(repr(value) if isinstance(value, str) else str(value))})"
    named = {dict: mapping, list: "a list", type(None): "null"}.get(type(value))
    return f" (got {named})" if named and kind.partition("_")[0] in (*EXPECTED, *MAPPINGS) else ""


def _unknown_key(place: Place, schema: Any) -> str:
    """Which keys there are at a place, and which of them an unknown one may be meant for."""
    *parts, name = place
    tables = list(_tables(schema))
    known = _keys(_at(tables, parts))
    if not known:
        return "unknown key"
    near = _near(name, known)
    if near is None and name in _keys(tables):
        near = f"{name} above the first [table]"
    elsewhere = [table for table in _keys(tables) if table not in parts and name in _keys(_at(tables, [table]))]
    if near is None and elsewhere and len(parts) < 2:
        near = f"{elsewhere[0]}.{name}"
    return f"unknown key: {f'did you mean {near}? ' if near else ''}known here: {', '.join(known)}"


_Table = tuple[tuple[str, ...], type]
"""The names by which a place tells one of several tables, and its class."""


def _tables(kind: Any, tags: tuple[str, ...] = ()) -> Iterator[_Table]:
    """The tables that a value of a type is, or that its list, its mapping or its alternatives hold."""
    if get_origin(kind) is Annotated:
        kind, *marks = get_args(kind)
        tags += tuple(mark.tag for mark in marks if isinstance(mark, Tag))
    if isinstance(kind, type) and (issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind)):
        literals = [hint for hint in _fields(kind).values() if get_origin(hint) is Literal]
        yield (*tags, *(str(value) for hint in literals for value in get_args(hint))), kind
        return
    for part in get_args(kind):
        yield from _tables(part, tags)


def _fields(table: type) -> dict[str, Any]:
    """A table's keys and their types."""
    if issubclass(table, BaseModel):
        return {name: field.annotation for name, field in table.model_fields.items()}
    return get_type_hints(table, include_extras=True)


def _at(tables: list[_Table], parts: Iterable[Any]) -> list[_Table]:
    """The tables at a place below some."""
    for part in parts:
        below = [each for _, table in tables if part in _fields(table) for each in _tables(_fields(table)[part])]
        tables = below or [each for each in tables if part in each[0]] or tables
    return tables


def _keys(tables: Iterable[_Table]) -> list[str]:
    return list(dict.fromkeys(key for _, table in tables for key in _fields(table)))


def _near(name: object, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)), None)


def _is_alternative(part: object) -> bool:
    return isinstance(part, str) and _ALTERNATIVE.fullmatch(part) is not None
