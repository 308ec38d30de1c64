"""The values that flow through rimbench, and the checks of their consistency."""

from rimbench.records.checks import MOST_SAMPLES, MOST_TOKENS, ROUNDING, Asked, find_fault
from rimbench.records.interventions import INTACT, KINDS, Intervention, InterventionKind, donors
from rimbench.records.values import LETTERS, STATUSES, Answer, Decision, Item, Prompt, Record, Status, Trace

__all__ = [
    "INTACT",
    "KINDS",
    "LETTERS",
    "MOST_SAMPLES",
    "MOST_TOKENS",
    "ROUNDING",
    "STATUSES",
    "Answer",
    "Asked",
    "Decision",
    "Intervention",
    "InterventionKind",
    "Item",
    "Prompt",
    "Record",
    "Status",
    "Trace",
    "donors",
    "find_fault",
]
