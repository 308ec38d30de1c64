"""A typed value of the report's document -> the keys of its JSON: fields in their order, but for what is marked."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from rimbench.statistics.estimate import Estimate

Span = tuple[float, float]


def as_interval(estimate: Estimate | None) -> list[float] | None:
    """An interval for other programs; None where there is none."""
    if estimate is None or estimate.lo is None or estimate.hi is None:
        return None
    return [estimate.lo, estimate.hi]


PARTS: Mapping[str, tuple[Callable[[Estimate], Any], Any]] = {
    "value": (lambda estimate: estimate.value, float),
    "ci95": (as_interval, Span | None),
    "n": (lambda estimate: estimate.n, int),
    "method": (lambda estimate: estimate.method, str),
}
"""What an estimate says, by the word for it, and its type."""


HIDDEN = "hidden"
"""Marks a field that other programs do not see: what they see is made of it, or plots alone need it."""
SPREAD = "spread"
"""Marks a tuple of values whose keys stand beside the other keys."""


class EstimateParts(dict[str, str]):
    """Marks an estimate whose parts stand beside the other keys: `value="delta"` puts its value under `delta`."""


@cache
def fields_of(kind: Any) -> tuple[tuple[str, Any, Any], ...]:
    """By field: its name, its type, and its mark; None for a plain key. The hidden ones are left out."""
    found, hints = [], get_type_hints(kind, include_extras=True)
    for name in (each.name for each in fields(kind)):
        hint, mark = hints[name], None
        if get_origin(hint) is Annotated:
            hint, mark = get_args(hint)
        if mark is not HIDDEN:
            found.append((name, hint, mark))
    return tuple(found)


def as_value(value: Any) -> Any:
    """A value as JSON has it; what is undefined is null."""
    if isinstance(value, Estimate):
        return {name: read(value) for name, (read, _) in PARTS.items()}
    if is_dataclass(value):
        return in_order(_keys(value), value)
    if isinstance(value, Mapping):
        return {str(name): as_value(each) for name, each in value.items()}
    return [as_value(each) for each in value] if isinstance(value, tuple | list) else value


def _keys(made: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, _, mark in fields_of(made.__class__):
        value = getattr(made, name)
        if isinstance(mark, EstimateParts):
            found |= {key: None if value is None else PARTS[part][0](value) for part, key in mark.items()}
        elif mark is SPREAD:
            for one in value:
                found |= _keys(one)
        else:
            found[name] = as_value(value)
    return found


def in_order(found: Mapping[str, Any], of: Any) -> dict[str, Any]:
    """The keys in the order in which a type's `ORDER` first published them; those that are in none, behind."""
    order = [key for key in getattr(of, "ORDER", ()) if key in found]
    return {key: found[key] for key in dict.fromkeys([*order, *found])}
