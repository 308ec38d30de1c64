"""What a run was made with, and what of that names it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = 1
"""Of records and manifests; readers refuse any other."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the answers of one run were made with: everything that could change one, and who ran it when.

    `identity` is what the run's name is made from (see `rimbench.running.cell`): two runs with equal identities may
    share records, others never do. Times are ISO 8601 in UTC; `ended_at` is None while answers are missing.
    `sessions` counts the times that the command was started on this run. `departures` holds every setting that is not
    as in the system's own file, [the file's, this run's], by name; None in manifests of earlier builds. `system_file`
    and `suite_file` are `shipped` for the files that came with rimbench and the name of a user's own, which may be
    called like one of them; None where there was no file, or it is not recorded.
    """

    schema_version: int
    run: str
    system: str
    suite: str
    n: int
    samples: int
    identity: Mapping[str, Any]
    suite_source: Mapping[str, Any]
    model_source: Mapping[str, Any]
    versions: Mapping[str, str]
    device: Mapping[str, Any]
    commit: str | None
    dirty: bool | None
    started_at: str
    ended_at: str | None
    sessions: int
    departures: Mapping[str, Sequence[Any]] | None = None
    system_file: str | None = None
    suite_file: str | None = None


def asked_sha256(identity: Mapping[str, Any]) -> str:
    """The hash of what was asked of which weights, whatever ran them: a time and an accuracy with the same one are of
    the same system on the same items.
    """
    asked = {name: value for name, value in identity.items() if name not in ("engine", "seed")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
