"""Small runs for the tests of reports."""

import json

from rimbench.records import Record
from rimbench.store import manifest_of

IDENTITY = {
    "weights_sha256": "w" * 64,
    "suite": {"content_sha256": "s" * 64},
    "engine": {"name": "fake", "device": "none", "dtype": "none"},
}


def manifest(**changes):
    values = {
        "schema_version": 1, "run": "r", "system": "sys", "suite": "suite", "n": 4, "samples": 0,
        "identity": IDENTITY, "suite_source": {}, "model_source": {"source": "m", "revision": None},
        "versions": {}, "device": {}, "commit": None, "dirty": None, "started_at": "2026-01-01T00:00:00+00:00",
        "ended_at": None, "sessions": 1,
    }  # fmt: skip
    return manifest_of(json.dumps(values | changes))


def record(item_id, answer, sample=0, status=None):
    status = status or ("ok" if answer else "no_answer")
    return Record(item_id, sample, "A", answer, status, "text", None, 5, 1, "p")
