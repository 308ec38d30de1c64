"""Where answers are kept: a folder a run, records appended and flushed as they arrive, read back validated.

`records.jsonl` is only ever appended to, a batch's lines in one write, so that a process killed at any instant
loses at most the answers in flight. A lock that dies with its process keeps a second writer out.
"""

from rimbench.store.folder import (
    ITEMS,
    MANIFEST,
    RECORDS,
    ROTATED,
    SWEEP,
    Answers,
    OtherSchemaError,
    check_name,
    each_item,
    find_runs,
    find_without_manifest,
    items_again,
    no_runs,
    read_items,
    read_manifest,
    read_records,
    records_again,
    say_edited,
)
from rimbench.store.heads import Head
from rimbench.store.kept import Kept
from rimbench.store.lines import RECORD_FIELDS, checksum, records_of, to_line
from rimbench.store.manifest import (
    SCHEMA_VERSION,
    FrozenItems,
    Identity,
    Import,
    Manifest,
    ModelSource,
    Setup,
    SuiteSource,
    identity_of,
    json_of,
    manifest_of,
    named,
)
from rimbench.store.writing import RunStore

__all__ = [
    "ITEMS",
    "MANIFEST",
    "RECORDS",
    "RECORD_FIELDS",
    "ROTATED",
    "SCHEMA_VERSION",
    "SWEEP",
    "Answers",
    "FrozenItems",
    "Head",
    "Identity",
    "Import",
    "Kept",
    "Manifest",
    "ModelSource",
    "OtherSchemaError",
    "RunStore",
    "Setup",
    "SuiteSource",
    "check_name",
    "checksum",
    "each_item",
    "find_runs",
    "find_without_manifest",
    "identity_of",
    "items_again",
    "json_of",
    "manifest_of",
    "named",
    "no_runs",
    "read_items",
    "read_manifest",
    "read_records",
    "records_again",
    "records_of",
    "say_edited",
    "to_line",
]
