"""The form of the report's JSON document, made from the types of its values, and documents of every build read by it.

`python -m rimbench.reporting.schema > docs/report.schema.json` writes the published schema.
"""

import functools
import json
import operator
import sys
from collections.abc import Sequence
from dataclasses import is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, create_model

from rimbench.errors import DataError
from rimbench.files import strict_json
from rimbench.files.faults import describe_faults
from rimbench.files.writing import open_regular
from rimbench.reporting.document import CellResult, Report
from rimbench.reporting.keys import PARTS, SPREAD, EstimateParts, fields_of, in_order
from rimbench.reporting.metrics import find_metrics
from rimbench.statistics.estimate import Estimate

FROM_THE_START: dict[str, Sequence[str]] = {
    "Report": ("schema", "cells", "comparisons", "latency", "speedups"),
    "CellResult": CellResult.ORDER[: CellResult.ORDER.index("ece") + 1],
    "Pair": ("suite", "a", "b", "n", "delta", "ci95", "p_value", "p_adjusted", "verdict"),
    "PassAtK": ("value", "ci95", "chance"),
    "LatencyEntry": ("system", "engine", "device", "batch", "n", "answer_ms", "readout_ms"),
    "Speedup": ("system", "baseline", "batch", "quantity", "ratio", "ci95"),
    "BudgetSweep": ("system", "suite", "n", "budgets"),
    "Budget": ("k", "accuracy", "ci95"),
    "Controls": ("permute_options", "blind"),
}
"""The keys that documents of every build have; of a type that is not named here every key."""


def json_schema() -> dict[str, Any]:
    """The JSON schema of the document that this build writes; what earlier ones lack is not required."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | model_of(Report).model_json_schema()


def read_document(path: Path) -> dict[str, Any]:
    """A report's JSON document of this build or an earlier one, what that did not say as null; DataError else."""
    try:
        with open_regular(path) as file:
            return (
                model_of(Report).model_validate(strict_json.parse(file.read())).model_dump(by_alias=True, mode="json")
            )
    except (OSError, ValueError, RecursionError) as error:
        fault = describe_faults(error) if isinstance(error, ValidationError) else str(error)
        raise DataError(f"{path} is no report: {fault}; write one with 'rimbench report --json'") from error


@functools.cache
def model_of(kind: Any) -> type[BaseModel]:
    """A type of the document as one that checks its JSON: the same keys under the same names."""
    every = {key: _checked(hint) for key, hint in _hints(kind).items()}
    needed = FROM_THE_START.get(kind.__name__, tuple(every))
    found: Any = {
        f"{key}_": (hint, Field(alias=key)) if key in needed else (hint | None, Field(None, alias=key))
        for key, hint in in_order(every, kind).items()
    }
    made = create_model(kind.__name__, __doc__=kind.__doc__, **found)
    return cast("type[BaseModel]", made)


def _hints(kind: Any) -> dict[str, Any]:
    """The keys of a value's JSON, each with its type."""
    if kind is Estimate:
        return {name: hint for name, (_, hint) in PARTS.items()}
    found: dict[str, Any] = {}
    for name, hint, mark in fields_of(kind):
        if isinstance(mark, EstimateParts):
            undefined = type(None) in get_args(hint)
            found |= {key: PARTS[part][1] | None if undefined else PARTS[part][1] for part, key in mark.items()}
        elif mark is SPREAD:
            kinds = [metric.kind for metric in find_metrics()] if kind is CellResult else get_args(hint)
            for one in kinds:
                found |= _hints(one)
        else:
            found[name] = hint
    return found


def _checked(hint: Any) -> Any:
    """A type in which every type of the document is the one that checks it."""
    arguments, origin = get_args(hint), get_origin(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return model_of(hint)
    if not arguments or origin is Literal:
        return hint
    inner = [each if each is Ellipsis else _checked(each) for each in arguments]
    return functools.reduce(operator.or_, inner) if origin in (Union, UnionType) else origin[tuple(inner)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=1) + "\n")
