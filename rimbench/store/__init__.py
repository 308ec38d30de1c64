"""Where answers are kept: a folder a run, records appended and flushed as they arrive, read back validated.

`records.jsonl` is only ever appended to, a batch's lines in one write, so that a process killed at any instant
loses at most the answers in flight. A lock that dies with its process keeps a second writer out.
"""

from rimbench.store.answers import Answers
from rimbench.store.folder import (
    ABLATION,
    ITEMS,
    MANIFEST,
    RECORDS,
    ROTATED,
    SWEEP,
    OtherSchemaError,
    check_name,
    each_item,
    find_inner,
    find_runs,
    find_without_manifest,
    items_again,
    no_runs,
    place_of_runs,
    read_items,
    read_manifest,
    read_records,
    records_again,
    say_edited,
)
from rimbench.store.heads import Heads
from rimbench.store.kept import Kept
from rimbench.store.lines import RECORD_FIELDS, WrittenAnswer, checksum, to_line, values_again, write_answer
from rimbench.store.manifest import (
    SCHEMA_VERSION,
    FrozenItems,
    Identity,
    Import,
    Manifest,
    ModelSource,
    SecondSetup,
    Setup,
    SuiteSource,
    identity_of,
    json_of,
    manifest_of,
    named,
)
from rimbench.store.writing import RunStore

__all__ = [
    "ABLATION",
    "ITEMS",
    "MANIFEST",
    "RECORDS",
    "RECORD_FIELDS",
    "ROTATED",
    "SCHEMA_VERSION",
    "SWEEP",
    "Answers",
    "FrozenItems",
    "Heads",
    "Identity",
    "Import",
    "Kept",
    "Manifest",
    "ModelSource",
    "OtherSchemaError",
    "RunStore",
    "SecondSetup",
    "Setup",
    "SuiteSource",
    "WrittenAnswer",
    "check_name",
    "checksum",
    "each_item",
    "find_inner",
    "find_runs",
    "find_without_manifest",
    "identity_of",
    "items_again",
    "json_of",
    "manifest_of",
    "named",
    "no_runs",
    "place_of_runs",
    "read_items",
    "read_manifest",
    "read_records",
    "records_again",
    "say_edited",
    "to_line",
    "values_again",
    "write_answer",
]
