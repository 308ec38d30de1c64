"""The kinds of claim: each is one file here, found by being here, whose `KIND` is read, judged and held by itself."""

import importlib
from typing import get_args

from rimbench import plugins
from rimbench.claims.claim import Claim
from rimbench.errors import UsageError


def find_kinds() -> tuple[type[Claim], ...]:
    """Every kind of claim; UsageError where two files have one of the same name."""
    package = importlib.import_module(__name__)
    found: dict[str, type[Claim]] = {}
    kinds = [plugins.load_module(package, file, "claim").KIND for file in plugins.find_modules(package)]
    for kind in kinds:
        for name in get_args(kind.model_fields["kind"].annotation):
            other = found.setdefault(name, kind)
            if other is not kind:
                raise UsageError(
                    f"claim kind '{name}' of {kind.__module__} is also that of {other.__module__}: expected a name "
                    "of its own for each: change the `kind` of one"
                )
    return tuple(kinds)
