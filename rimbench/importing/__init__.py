"""Answers from elsewhere -> a run: a file that another harness wrote, read, matched to a suite's items, and kept.

`formats` holds one module a format; each gives `ForeignAnswer` values. `matching` finds the item of each, and
`keeping` turns them into the records and the manifest of a run that reports read like any other.
"""

from rimbench.importing.answers import AnswerFile, ForeignAnswer
from rimbench.importing.keeping import Imported, keep
from rimbench.importing.matching import Matching, Target, load_target, match
from rimbench.importing.names import refuse_taken
from rimbench.importing.outcome import ImportFigures, Own
from rimbench.importing.reading import ForeignFile, read

__all__ = [
    "AnswerFile",
    "ForeignAnswer",
    "ForeignFile",
    "ImportFigures",
    "Imported",
    "Matching",
    "Own",
    "Target",
    "keep",
    "load_target",
    "match",
    "read",
    "refuse_taken",
]
