"""System x Suite -> records: plans what is still to be answered, asks the engine, keeps what comes back."""

from rimbench.runner.asking import Outcome, run_cell
from rimbench.runner.cell import Cell, ErrorRules, identify, identify_as_earlier, name_run
from rimbench.runner.judging import judge
from rimbench.runner.planning import plan

__all__ = [
    "Cell",
    "ErrorRules",
    "Outcome",
    "identify",
    "identify_as_earlier",
    "judge",
    "name_run",
    "plan",
    "run_cell",
]
