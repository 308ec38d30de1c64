"""Suites: TOML and rows -> a fixed, ordered, audited list of items.

`load` gives a `Suite`; `heldout` says which questions it keeps from training. Heavy libraries are imported
when a source needs them.
"""

from rimbench.suites.catalogue import lacks, listing, suite_files
from rimbench.suites.loading import known_steps, load
from rimbench.suites.slices import heldout
from rimbench.suites.suite import Audit, Fault, Slice, Source, Suite, SuiteListing, Wording, question_text

__all__ = [
    "Audit",
    "Fault",
    "Slice",
    "Source",
    "Suite",
    "SuiteListing",
    "Wording",
    "heldout",
    "known_steps",
    "lacks",
    "listing",
    "load",
    "question_text",
    "suite_files",
]
