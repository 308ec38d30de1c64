"""The values that flow through rimbench, and the checks of their consistency."""

from rimbench.records.checks import MOST_SAMPLES, MOST_TOKENS, ROUNDING, Asked, find_fault
from rimbench.records.manifest import SCHEMA_VERSION, Manifest, asked_sha256
from rimbench.records.values import LETTERS, STATUSES, Answer, Item, Prompt, Record, Status, Trace

__all__ = [
    "LETTERS",
    "MOST_SAMPLES",
    "MOST_TOKENS",
    "ROUNDING",
    "SCHEMA_VERSION",
    "STATUSES",
    "Answer",
    "Asked",
    "Item",
    "Manifest",
    "Prompt",
    "Record",
    "Status",
    "Trace",
    "asked_sha256",
    "find_fault",
]
