"""Whether a run is of what a figure is of: items, weights and settings, each compared by what is kept of it.

What differs is named, and then nothing is judged. What cannot be compared, since the claims file or the manifest
does not say it, is named too.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rimbench import suites, systems
from rimbench.errors import RimbenchError
from rimbench.files.toml import below
from rimbench.plugins import SHIPPED, find_files
from rimbench.store import Identity, Manifest, ModelSource, SuiteSource
from rimbench.suites import Wording, catalogue
from rimbench.systems import System, weights

if TYPE_CHECKING:
    from rimbench.claims.entries import SuiteEntry, SystemEntry
    from rimbench.claims.schema import ClaimsSpec
    from rimbench.suites.schema import SuiteSpec

SHOWN = 12
"""Digits of a hash, enough to tell two apart."""
DRAWS = ("temperature", "top_p")
"""Settings of the draws, which greedy answers do not depend on."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between a run and a figure, or (`unknown`) could not be compared."""

    told: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Referents:
    """What the names in a claims file stand for: its [[system]] and [[suite]] entries, or what rimbench has of
    that name.
    """

    spec: "ClaimsSpec"
    path: Path

    def run_names(self, system: str, suite: str) -> tuple[str, str]:
        """The names that runs of this system and suite bear: those of their files."""
        of_system, of_suite = self._system_entry(system), self._suite_entry(suite)
        return (
            _stem(of_system.file) if of_system and of_system.file else system,
            _stem(of_suite.file) if of_suite and of_suite.file else suite,
        )

    def differences(
        self, system: str, suite: str, manifest: Manifest, *, blocks: int | None, draws: bool
    ) -> list[Difference]:
        """Everything in which a run is not known to be what the figure is of."""
        return [
            *self.of_suite(suite, manifest),
            *self.of_system(system, manifest.identity, manifest.model_source, blocks=blocks, draws=draws),
        ]

    def of_system(
        self,
        name: str,
        identity: Identity | None,
        source: ModelSource | None,
        *,
        blocks: int | None = None,
        draws: bool = False,
    ) -> Iterator[Difference]:
        """Weights and settings; `blocks` is the memory budget that the figure is of, where it says one."""
        entry, expected = self._system_entry(name), self._system(name)
        if identity is None or source is None:
            yield Difference(f"the weights and settings of '{name}' are not recorded", unknown=True)
            return
        if identity.engine.name == "fake":
            yield Difference("answers of the scripted engine 'fake'", unknown=True)
        stated = entry.weights_sha256 if entry else None
        if stated is None and expected is None:
            yield Difference(f"the claims file does not say what '{name}' is: known by its name alone", unknown=True)
            return
        if stated is not None:
            yield from _differ("weights", identity.weights_sha256, stated)
        elif expected is not None:
            yield from _other_weights(expected, identity, source)
        if expected is not None:
            yield from _other_settings(expected, identity, blocks, draws)

    def of_suite(self, name: str, manifest: Manifest) -> Iterator[Difference]:
        """Items and wording. Fewer items than the suite has are its first ones, a sample whose n is counted."""
        entry, path = self._suite_entry(name), self._suite(name)
        items = manifest.identity.suite
        if path is None:
            if entry is None or entry.content_sha256 is None:
                yield Difference(
                    f"the claims file does not say what '{name}' is: known by its name alone", unknown=True
                )
            else:
                yield from _differ("items", items.content_sha256, entry.content_sha256)
            return
        from rimbench.suites.schema import read_suite

        spec = read_suite(path)
        if items.wording is not None and items.wording != Wording(**spec.wording.model_dump()):
            yield Difference("another wording of the questions")
        yield from _other_items(spec, path, entry, manifest)

    def _system_entry(self, name: str) -> "SystemEntry | None":
        return next((entry for entry in self.spec.system if entry.name == name), None)

    def _suite_entry(self, name: str) -> "SuiteEntry | None":
        return next((entry for entry in self.spec.suite if entry.name == name), None)

    def _system(self, name: str) -> System | None:
        entry = self._system_entry(name)
        named = (entry.file if entry else None) or name
        if named.endswith(".toml"):
            return systems.load(str(below(self.path, named, "", allow_outside=True)))
        return systems.load(named) if (entry and entry.file) or named in systems.available() else None

    def _suite(self, name: str) -> Path | None:
        entry = self._suite_entry(name)
        named = (entry.file if entry else None) or name
        if named.endswith(".toml"):
            return below(self.path, named, "", allow_outside=True)
        shipped = named in find_files(catalogue.folder())
        return catalogue.find_suite(named) if shipped or (entry and entry.file) else None


def _stem(file: str) -> str:
    return Path(file).stem if file.endswith(".toml") else file


def _differ(what: str, found: object, expected: str) -> Iterator[Difference]:
    if found != expected:
        yield Difference(f"other {what}: {str(found or 'not recorded')[:SHOWN]}, not {expected[:SHOWN]}")


def _other_weights(expected: System, identity: Identity, source: ModelSource) -> Iterator[Difference]:
    """By where they come from; those of a folder by their hash."""
    of, found = expected.weights, source.source
    if of.path is not None:
        try:
            sha256 = weights.resolve(expected).sha256
        except RimbenchError as error:
            yield Difference(f"the weights of '{expected.name}' cannot be compared: {error}")
            return
        yield from _differ("weights", identity.weights_sha256, sha256)
    elif of.recipe is not None:
        yield Difference(
            f"weights of {found}; those of '{expected.name}' are unpublished: state their weights_sha256 in a "
            f"[[system]]"
        )
    else:
        meant = of.repo or f"{of.package}/{of.file}"
        if found != meant:
            yield Difference(f"weights of {found}, not {meant}")
        elif of.revision is not None and source.revision != of.revision:
            revision = str(source.revision)
            yield Difference(f"weights of {found} at {revision[:SHOWN]}, not {of.revision[:SHOWN]}")


def _other_settings(expected: System, identity: Identity, blocks: int | None, draws: bool) -> Iterator[Difference]:
    """Those that both sides state: a manifest of an earlier build may lack one."""
    asked, memory = identity.setup, expected.memory
    if asked.prompt is None:
        yield Difference("answers from elsewhere: prompt and settings are not known")
        return
    if blocks is not None and memory is not None:
        memory = dataclasses.replace(memory, blocks=blocks)
    parts: dict[str, tuple[Any, Any]] = {
        "prompt": (asked.prompt, expected.prompt),
        "memory": (asked.memory, memory),
        "answer": (asked.answer, expected.answer),
    }
    for part, (found, own) in parts.items():
        if found is None or own is None:
            if found != own:
                yield Difference(f"{'no ' if found is None else ''}{part}, unlike '{expected.name}'")
            continue
        for key, value in dataclasses.asdict(own).items():
            has = getattr(found, key)
            if has is not None and has != value and (draws or key not in DRAWS):
                yield Difference(f"{part}.{key} is {_short(has)}, not {_short(value)}")


def _short(value: object) -> str:
    text = str(value) if isinstance(value, int | float) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _other_items(
    spec: "SuiteSpec", path: Path, entry: "SuiteEntry | None", manifest: Manifest
) -> Iterator[Difference]:
    """By the hash of the items where they can be had here, else by where the rows come from and how they were
    drawn.
    """
    found = manifest.identity.suite.content_sha256
    source, shipped = manifest.suite_source, path.parent.resolve() == catalogue.folder().resolve()
    if entry is not None and entry.content_sha256 is not None and found == entry.content_sha256:
        return
    if catalogue.missing(spec, path) is None:
        suite = suites.load(str(path), limit=min(max(manifest.n, 1), spec.n))
        yield from _differ("items", found, suite.content_sha256)
        return
    if shipped and manifest.suite_file not in (None, SHIPPED):
        yield Difference(f"suite file {manifest.suite_file} is a user's own, not the one that comes with rimbench")
    yield from _other_source(spec, entry, source)
    if source.seed != spec.seed:
        yield Difference(f"items drawn with seed {source.seed}, not {spec.seed}")
    if source.slice != "heldout":
        yield Difference(f"slice {source.slice}, not heldout")
    if manifest.n > spec.n:
        yield Difference(f"{manifest.n} items, more than the suite's {spec.n}")


def _other_source(spec: "SuiteSpec", entry: "SuiteEntry | None", source: SuiteSource) -> Iterator[Difference]:
    revision = str(source.revision)
    if source.kind == "file":
        known = entry.data_sha256 if entry else []
        if revision not in known:
            yield Difference(
                f"rows of {source.name} (sha256 {revision[:SHOWN]}), which is not known to hold the suite's: "
                "state it as data_sha256 in a [[suite]]"
            )
        return
    of = spec.source
    if of is None or of.repo is None:
        yield Difference(f"rows of {source.name}, not of a file")
        return
    meant = {"kind": "hub", "name": of.repo, "file": of.file, "split": of.split}
    for key, value in meant.items():
        if getattr(source, key) != value:
            yield Difference(f"rows of {key} {getattr(source, key)}, not {value}")
            return
    if len(of.revision or "") == 40 and revision != of.revision:
        yield Difference(f"rows at revision {revision[:SHOWN]}, not {(of.revision or '')[:SHOWN]}")
