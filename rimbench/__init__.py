"""rimbench measures whether reasoning in memory pays."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rimbench.asking import Answered, answer

__version__ = "0.1.0"
__all__ = ["Answered", "__version__", "answer"]


def __getattr__(name: str) -> Any:
    """`rimbench.answer` and `rimbench.Answered`, imported when they are first used: `import rimbench` stays light."""
    if name not in ("Answered", "answer"):
        raise AttributeError(f"module 'rimbench' has no attribute '{name}'")
    from rimbench import asking

    return getattr(asking, name)
