"""rimbench measures whether reasoning in memory pays."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rimbench.running.question import Answered, answer
    from rimbench.store.exporting import load

__version__ = "0.1.0"
__all__ = ["Answered", "__version__", "answer", "load"]
_MODULE_OF = {"Answered": "running.question", "answer": "running.question", "load": "store.exporting"}


def __getattr__(name: str) -> Any:
    """What `__all__` names is imported when it is first used: `import rimbench` stays light."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'rimbench' has no attribute '{name}'")
    return getattr(importlib.import_module(f"rimbench.{_MODULE_OF[name]}"), name)
