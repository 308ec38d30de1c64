"""Notes for a person, on stderr: what was decided, repaired or skipped."""

import sys
from collections.abc import Callable

from rimbench.display.plaintext import plain

Say = Callable[[str], None]
"""Who is told of a note."""


def note(message: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(f"rimbench: {plain(message)}\n")
    sys.stderr.flush()


def say_nothing(message: str) -> None:
    """Keep quiet about it."""
