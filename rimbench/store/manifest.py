"""What a run was made with, and what of that names it: typed values, and the one place where they are JSON.

Its tables are those of the TOML files. Required is what every build and every import has written; what one of them
leaves out, or knows nothing of, is None, or what its type takes for it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from rimbench.engines import UNKNOWN, EngineFacts
from rimbench.records import MOST_SAMPLES, Intervention
from rimbench.rim.blocks import Memory
from rimbench.store.lines import adapter_of, mended
from rimbench.suites import Wording
from rimbench.suites.controls import Controls
from rimbench.systems import PromptStyle, StatedAnswer

SCHEMA_VERSION = 1
"""Of records and manifests; readers refuse any other."""


@dataclass(frozen=True, slots=True)
class FrozenItems:
    """The items of a suite by the hash of their content, and how they are put to a model."""

    content_sha256: str
    wording: Wording | None = None


@dataclass(frozen=True, slots=True)
class SecondSetup:
    """The second system of a cascade, whose first is the rest, and the margin below which it is asked."""

    threshold: float
    weights_sha256: str | None
    prompts_sha256: str | None
    prompt: PromptStyle | None = None
    memory: Memory | None = None
    answer: StatedAnswer | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """How a system is asked; an import states its name, and what it knows of the answer."""

    prompt: PromptStyle | None = None
    memory: Memory | None = None
    answer: StatedAnswer | None = None
    name: str | None = None
    second: SecondSetup | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """Where answers from elsewhere come from. `reordered`: options stood in another order than the suite's; `score`
    and `greedy` say what else than the format's usual way the letters were had by.
    """

    format: str | None = None
    sha256: str | None = None
    reordered: bool | None = None
    score: str | None = None
    greedy: str | None = None


LATER_KEYS = {
    (): ("controls", "prompts_sha256", "import", "intervention"),
    ("controls",): ("rotate_options",),
    ("suite",): ("wording",),
    ("system",): ("name", "second"),
    ("system", "answer"): ("reasoning_tags", "decision"),
    ("import",): ("score", "greedy"),
    ("intervention",): ("block", "tokens"),
    ("engine",): ("attention", "graphs", "prefix_cache", "served", "tensor_parallel"),
}
"""By table, the keys that are left out where they say nothing: runs and imports keep the names they had without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Everything that could change an answer. Two runs of equal identities may share records, others never do.

    The number of samples is not part of it: draws are independent of each other, and asking for more of them adds to
    the same run. `document` is its JSON, as it was written: what a run's name is made from.
    """

    weights_sha256: str | None = None
    suite: FrozenItems
    system: Setup | None = None
    prompts_sha256: str | None = None
    controls: Controls | None = None
    seed: int | None = None
    engine: EngineFacts
    intervention: Intervention | None = None
    imported: Annotated[Import | None, Field(alias="import")] = None
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def setup(self) -> Setup:
        """How the system was asked, as far as it is stated."""
        return self.system or Setup()

    @property
    def answer(self) -> StatedAnswer:
        """How the answers were had, as far as it is stated."""
        return self.setup.answer or StatedAnswer()

    @property
    def name_sha256(self) -> str:
        """The hash of all of it."""
        return _sha256(self.document)

    @property
    def earlier_sha256(self) -> str:
        """The one that builds gave a run whose names did not follow its prompts yet."""
        system = dict(self.document["system"])
        system["prompt"] = _without(system["prompt"], "date")
        return _sha256({**_without(self.document, "prompts_sha256"), "system": system})

    @property
    def asked_sha256(self) -> str:
        """The hash of what was asked of which weights, whatever ran them: a time and an accuracy with the same one
        are of the same system on the same items.
        """
        return _sha256(_without(self.document, "engine", "seed"))

    @property
    def but_items_sha256(self) -> str:
        """The hash of all but the items: those of a run under another limit."""
        wording = (self.document.get("suite") or {}).get("wording")
        return _sha256({**_without(self.document, "suite", "prompts_sha256"), "wording": wording})

    @property
    def unordered_sha256(self) -> str:
        """The hash of all but the controls: runs of equal ones may differ in the order of their options."""
        return _sha256(_without(self.document, "controls", "prompts_sha256"))


@dataclass(frozen=True, slots=True)
class SuiteSource:
    """Where the rows came from, as in `rimbench.suites.Source`, and how they were drawn."""

    kind: str | None = None
    name: str | None = None
    file: str | None = None
    split: str | None = None
    revision: str | None = None
    seed: int | None = None
    slice: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where the weights come from: `revision` is the hub's."""

    source: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the answers of one run were made with: everything that could change one, and who ran it when.

    `identity` is what the run's name is made from. Times are ISO 8601 in UTC; `ended_at` is None while answers are
    missing. `sessions` counts the times that the command was started on this run. `departures` holds every setting
    that is not as in the system's own file, [the file's, this run's], by name; None in manifests of earlier builds.
    `system_file` and `suite_file` are `shipped` for the files that came with rimbench and the name of a user's own,
    which may be called like one of them; None where there was no file, or it is not recorded. `unknown` holds the
    keys of later builds, which are written back.
    """

    schema_version: int
    run: str
    system: str
    suite: str
    n: Annotated[int, Field(ge=0)]
    samples: Annotated[int, Field(ge=0, lt=MOST_SAMPLES)]
    identity: Identity
    suite_source: SuiteSource
    model_source: ModelSource
    versions: Mapping[str, str]
    device: Mapping[str, Any]
    commit: str | None
    dirty: bool | None
    started_at: str
    ended_at: str | None
    sessions: int
    departures: Mapping[str, Annotated[list[Any], Field(min_length=2, max_length=2)]] | None = None
    system_file: str | None = None
    suite_file: str | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def ended(self, at: str) -> "Manifest":
        """The same of a run that ended then; where the clock was set back meanwhile, when it began: never before."""
        return dataclasses.replace(self, ended_at=max(at, self.started_at))


def manifest_of(document: bytes | str) -> Manifest:
    """The manifest of a JSON document; ValidationError for another, UsageError for memory blocks that cannot be."""
    read, values = adapter_of(Manifest).validate_json(document, strict=True), json.loads(document)
    read = dataclasses.replace(read, identity=dataclasses.replace(read.identity, document=values["identity"]))
    return dataclasses.replace(read, unknown=_unknown(values, json_of(read)))


def manifest_json(manifest: Manifest) -> str:
    """The JSON document of a manifest."""
    values = json_of(manifest)
    whole = _with(values, values.pop("unknown"))
    return mended(json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False)) + "\n"


def identity_of(document: Mapping[str, Any]) -> Identity:
    """The identity of that JSON; errors as `manifest_of`."""
    read = adapter_of(Identity).validate_json(json.dumps(document), strict=True)
    return dataclasses.replace(read, document=document)


def named(identity: Identity) -> Identity:
    """The identity with its JSON, for a run that is begun."""
    made = _without(dataclasses.asdict(identity), "document")
    made["import"] = made.pop("imported")
    for path, later in LATER_KEYS.items():
        table: Any = made
        for key in path:
            table = (table or {}).get(key)
        for key in later:
            if table and table[key] in (None, (), UNKNOWN):
                del table[key]
    return dataclasses.replace(identity, document=made)


def json_of(value: Any) -> dict[str, Any]:
    """A dataclass as JSON; an identity in it is its document."""
    return dataclasses.asdict(value, dict_factory=lambda fields: dict(fields).get("document") or dict(fields))


def _sha256(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _without(table: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _unknown(document: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """What of a document is not known, by table."""
    found = {}
    for key, value in document.items():
        if key not in known:
            found[key] = value
        elif isinstance(value, dict) and (inner := _unknown(value, known[key] or {})):
            found[key] = inner
    return found


def _with(known: Mapping[str, Any], unknown: Mapping[str, Any]) -> dict[str, Any]:
    """The opposite of `_unknown`."""
    whole = dict(known)
    for key, value in unknown.items():
        whole[key] = _with(known[key], value) if key in known else value
    return whole
