"""rimbench measures whether reasoning in memory pays.

In Python and in notebooks: `run` answers the questions of suites with systems, `load` gives the records as a data
frame, `report`, `compare`, `cascade` and `audit` say what they support, `answer` asks one question. They are what the
commands call; what they give shows its tables in a notebook. What goes wrong is a RimbenchError that says what to do.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rimbench.api.asking import Answered, answer
    from rimbench.api.cascades import Cascades, cascade
    from rimbench.api.results import Audited, Compared, Reported, audit, compare, load, report
    from rimbench.api.run import Runs, run
    from rimbench.errors import RimbenchError

__version__ = "0.1.0"
__all__ = [
    "Answered",
    "Audited",
    "Cascades",
    "Compared",
    "Reported",
    "RimbenchError",
    "Runs",
    "__version__",
    "answer",
    "audit",
    "cascade",
    "compare",
    "load",
    "report",
    "run",
]
_MODULE_OF = {
    "api.asking": ("Answered", "answer"),
    "api.cascades": ("Cascades", "cascade"),
    "api.results": ("Audited", "Compared", "Reported", "audit", "compare", "load", "report"),
    "api.run": ("Runs", "run"),
    "errors": ("RimbenchError",),
}


def __getattr__(name: str) -> Any:
    """What `__all__` names is imported when it is first used: `import rimbench` stays light."""
    for module, names in _MODULE_OF.items():
        if name in names:
            return getattr(importlib.import_module(f"rimbench.{module}"), name)
    raise AttributeError(f"module 'rimbench' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
