"""The kinds of claim: each is one file here, found by being here, whose `KIND` is read, judged and held by itself."""

import importlib

from rimbench import plugins
from rimbench.claims.claim import Claim


def find_kinds() -> tuple[type[Claim], ...]:
    """Every kind of claim."""
    package = importlib.import_module(__name__)
    return tuple(plugins.load_module(package, name, "claim").KIND for name in plugins.find_modules(package))
