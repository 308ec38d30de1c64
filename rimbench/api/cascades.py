"""Two systems as a cascade, from their stored answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rimbench.api.arguments import StrPath, checked
from rimbench.api.notebook import ShowsTables
from rimbench.api.project import read_project
from rimbench.display.tabular import Table
from rimbench.errors import UsageError

if TYPE_CHECKING:
    from rimbench.reporting.cascades import Cascade


@dataclass(frozen=True, slots=True, repr=False)
class Cascades(ShowsTables):
    """The first system where it is sure, else the second: a cascade for each suite that both have answered."""

    cascades: "tuple[Cascade, ...]"

    @property
    def notes(self) -> tuple[str, ...]:
        """What to distrust."""
        return tuple(note for each in self.cascades for note in each.notes)

    @property
    def tables(self) -> Sequence[Table]:
        """What was chosen and judged, and the frontier, suite by suite."""
        from rimbench.reporting.cascade_tables import cascade_tables

        return [table for each in self.cascades for table in cascade_tables(each)]

    @property
    def document(self) -> list[dict[str, Any]]:
        """What `rimbench cascade --json` prints."""
        from rimbench.reporting.keys import as_value

        return [as_value(each) for each in self.cascades]

    def __repr__(self) -> str:
        return f"<{len(self.cascades)} cascades: {', '.join(each.suite for each in self.cascades)}>"


@checked
def cascade(
    first: str,
    second: str,
    results: StrPath | None = None,
    *,
    suite: str | None = None,
    loss: float = 0.0,
    allow_outside: bool = False,
) -> Cascades:
    """The first system's readout where its margin is sure, the second for the rest; `rimbench cascade` in Python.

    Both are names of systems or of runs; nothing is asked, stored answers alone are read. `loss` is the accuracy that
    may be lost against the best threshold, a share. Raises UsageError where the two make no cascade.
    """
    from rimbench.reporting.cascades import find_cascades

    if not 0 <= loss < 1:
        raise UsageError(f"loss {loss:g}: expected a share from 0 to below 1, such as 0.01")
    folder = read_project(allow_outside=allow_outside).runs_in(results)
    return Cascades(tuple(find_cascades(folder, first, second, suite, loss)))
