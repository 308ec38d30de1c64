"""What a function of the front door is given, held to its types before anything begins: one line a fault."""

import functools
import inspect
import reprlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from rimbench.errors import UsageError
from rimbench.plugins import unknown

P = ParamSpec("P")
R = TypeVar("R")

StrPath = str | Path


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function with its arguments held to its annotations; UsageError names each argument that is wrong.

    A text is no sequence of texts, and nothing is converted. `progress` is taken as it is.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        from pydantic import ValidationError

        try:
            _validated(function)(*args, **kwargs)
        except ValidationError as error:
            faults = dict.fromkeys(_say(function, fault) for fault in error.errors(include_url=False))
            raise UsageError(f"rimbench.{function.__name__}: {'; '.join(faults)}") from None
        return function(*args, **kwargs)

    return call


def texts(given: str | Sequence[str]) -> tuple[str, ...]:
    """One text or several, as several."""
    return (given,) if isinstance(given, str) else tuple(given)


@functools.cache
def _validated(function: Callable[..., Any]) -> Callable[..., None]:
    """A function of the same arguments that holds them to their types and does nothing."""
    from pydantic import ConfigDict, validate_call

    def nothing(*_args: object, **_kwargs: object) -> None: ...

    signature = inspect.signature(function)
    nothing.__signature__ = signature  # type: ignore[attr-defined]
    nothing.__annotations__ = {**function.__annotations__, "return": None}
    return validate_call(config=ConfigDict(strict=True, arbitrary_types_allowed=True))(nothing)


def _say(function: Callable[..., Any], fault: Any) -> str:
    place, known = fault["loc"][0], inspect.signature(function).parameters
    by_place = [each.name for each in known.values() if each.kind is each.POSITIONAL_OR_KEYWORD]
    name = by_place[place] if isinstance(place, int) and place < len(by_place) else str(place)
    if fault["type"] == "unexpected_keyword_argument":
        return str(unknown("argument", name, known))
    if name not in known:
        return f"{len(by_place)} arguments at most are expected by position: name the others"
    wanted = inspect.formatannotation(known[name].annotation).replace("collections.abc.", "")
    wanted = wanted.replace("pathlib._local.", "pathlib.")  # as Python 3.13 has it
    if fault["type"].startswith("missing"):
        return f"{name} is missing: expected {wanted}"
    return f"{name}: expected {wanted}, got {reprlib.repr(fault['input'])} ({type(fault['input']).__name__})"
