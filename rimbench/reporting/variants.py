"""A run's manifest -> what it departs from in its system's own file, and the name under which every format shows it.

Manifests hold their departures. Those of earlier builds do not: what can be told from their identity is held against
the shipped system of that name, and against what a command takes without options.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

from rimbench import systems
from rimbench.store import Manifest, json_of
from rimbench.suites.controls import Controls
from rimbench.systems.departures import between, flat, label, settings_of

DTYPES = {"cpu": "float32", "cuda": "bfloat16"}
"""The number type that an engine takes by itself, by device."""
HARMLESS = {"seed"}
"""Departures that leave a system what it is: another seed draws other samples of the same."""
DISTINGUISHING = {
    "engine": attrgetter("engine.name"),
    "dtype": attrgetter("engine.dtype"),
    "batch": attrgetter("engine.batch_size"),
    "items": attrgetter("suite.content_sha256"),
}
"""What tells two runs of one model apart that depart alike, by the words that a report uses for it."""
SHA256_DIGITS = 64


def run_departures(manifest: Manifest, but: Collection[str] = ()) -> Mapping[str, Sequence[Any]]:
    """By the name of a setting, `but` for some: [what the system's file says, what the run has instead]."""
    departures = _inferred(manifest) if manifest.departures is None else manifest.departures
    return {name: value for name, value in departures.items() if name not in but}


def is_unchanged(manifest: Manifest) -> bool:
    """Whether a run is one of its system as its file has it: no variant, no control."""
    return not run_departures(manifest, HARMLESS)


def controls_of(manifest: Manifest) -> Controls:
    """What was changed about every item."""
    return manifest.identity.controls or Controls()


def may_be_drawn(manifest: Manifest) -> bool:
    """Whether answers from elsewhere stand for greedy ones without a temperature that says so."""
    identity, answer = manifest.identity, manifest.identity.answer
    return identity.imported is not None and answer.mode in ("generate", "letters") and answer.temperature is None


def what_was_asked(manifest: Manifest) -> tuple[str, ...]:
    """What a sweep and a run have in common where one says something of the other: system, weights, items as they are
    shown, prompt and memory, all but the way to have the answer.
    """
    identity = manifest.identity
    asked = (identity.suite, identity.setup.prompt, identity.setup.memory, controls_of(manifest))
    return manifest.system, manifest.suite, str(identity.weights_sha256), *map(str, asked)


@dataclass(frozen=True, slots=True)
class Origin:
    """What made a run's answers."""

    model: Mapping[str, Any]
    weights_sha256: str | None
    content_sha256: str
    system_file: str | None
    suite_file: str | None
    engine: Mapping[str, Any]
    seed: int | None
    device: Mapping[str, Any]
    commit: str | None
    dirty: bool | None
    versions: Mapping[str, str]
    started_at: str
    ended_at: str | None


def origin_of(manifest: Manifest) -> Origin:
    """What a manifest says of it."""
    identity = manifest.identity
    return Origin(
        model=json_of(manifest.model_source),
        weights_sha256=identity.weights_sha256,
        content_sha256=identity.suite.content_sha256,
        system_file=manifest.system_file,
        suite_file=manifest.suite_file,
        engine=identity.document["engine"],
        seed=identity.seed,
        device=manifest.device,
        commit=manifest.commit,
        dirty=manifest.dirty,
        versions=manifest.versions,
        started_at=manifest.started_at,
        ended_at=manifest.ended_at,
    )


def variant_of(manifest: Manifest) -> tuple[str, ...]:
    """What runs that may stand for one another have in common: suite, system, weights, and what they depart in."""
    departures = str(run_departures(manifest, HARMLESS))
    return manifest.suite, manifest.system, str(manifest.identity.weights_sha256), departures


def name_of(manifest: Manifest, but: Collection[str] = ()) -> str:
    """The system with what its run departs in, `but` for some of that: the same on every suite."""
    return label(manifest.system, run_departures(manifest, but))


def name_runs(manifests: Sequence[Manifest]) -> list[str]:
    """The name of each run's model on every suite: `name_of`, and its weights where others bear that name too."""
    names = [name_of(manifest) for manifest in manifests]
    weights: dict[str, set[str]] = {}
    for manifest, name in zip(manifests, names, strict=True):
        weights.setdefault(name, set()).add(str(manifest.identity.weights_sha256))
    return [
        _with(name, [f"weights {_shortened(manifest.identity.weights_sha256)}"] if len(weights[name]) > 1 else [])
        for manifest, name in zip(manifests, names, strict=True)
    ]


def label_runs(manifests: Sequence[Manifest]) -> list[str]:
    """The name under which every format shows each run: its model's, and what else tells it from the runs that depart
    alike; where nothing tells two apart, the run's own name follows.
    """
    labels, names = [], name_runs(manifests)
    for manifest, name in zip(manifests, names, strict=True):
        group = [m for m, other in zip(manifests, names, strict=True) if (m.suite, other) == (manifest.suite, name)]
        differing = [
            f"{word} {_shortened(found(manifest.identity))}"
            for word, found in DISTINGUISHING.items()
            if len({str(found(m.identity)) for m in group}) > 1 and found(manifest.identity)
        ]
        labels.append(_with(name, differing))
    cells = [(manifest.suite, shown) for manifest, shown in zip(manifests, labels, strict=True)]
    return [
        shown if cells.count(cell) == 1 else f"{shown} [{manifest.run}]"
        for manifest, shown, cell in zip(manifests, labels, cells, strict=True)
    ]


def _with(name: str, words: Sequence[str]) -> str:
    """A name with further words in its brackets."""
    more = ", ".join(words)
    return name if not more else f"{name[:-1]}, {more})" if name.endswith(")") else f"{name} ({more})"


def _shortened(value: object) -> str:
    text = str(value)
    return text[:10] if len(text) == SHA256_DIGITS else text


def _inferred(manifest: Manifest) -> dict[str, list[Any]]:
    identity = manifest.identity
    if identity.imported is not None:
        return {}
    controls, engine = controls_of(manifest), identity.engine
    usual = DTYPES.get(engine.device)
    found = between(asdict(Controls()) | {"seed": 0}, asdict(controls) | {"seed": identity.seed or 0})
    if usual is not None and engine.dtype != usual:
        found["dtype"] = [usual, engine.dtype]
    return _from_shipped(manifest) | found


def _from_shipped(manifest: Manifest) -> dict[str, list[Any]]:
    own, asked = shipped().get(manifest.system), manifest.identity.system
    if own is None or asked is None or asked.answer is None:
        return {}
    has = flat(asked.prompt, asked.memory, asked.answer)
    settings = settings_of(own)
    found = between(settings, has)
    source, weights = manifest.model_source.source, settings.get("weights")
    if weights is not None and source != weights.split("@")[0]:
        digest = str(manifest.identity.weights_sha256)[:10]
        found["weights"] = [weights, f"{digest} of {source}"]
    return found


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, systems.System]:
    """The systems that come with rimbench, by name."""
    return {name: systems.load(name) for name in systems.available()}


def suite_label(manifest: Manifest) -> str:
    """The suite's name, marked where a user's file bears a shipped suite's name."""
    return manifest.suite if not _is_users_copy(manifest) else f"{manifest.suite} (user's file)"


def _is_users_copy(manifest: Manifest) -> bool:
    from rimbench.suites import catalogue

    return manifest.suite_file not in (None, "shipped") and (catalogue.folder() / f"{manifest.suite}.toml").is_file()
