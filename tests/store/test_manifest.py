"""Manifests that an earlier build wrote: read as typed values, named as they were, written back as they stood."""

import dataclasses
import json
from pathlib import Path

import pytest

from rimbench.errors import DataError
from rimbench.reporting.variants import run_departures
from rimbench.rim.blocks import Memory
from rimbench.store import MANIFEST, Import, ModelSource, SuiteSource, manifest_of, named, read_manifest
from rimbench.store.manifest import manifest_json
from rimbench.suites import Wording
from rimbench.suites.controls import Controls
from rimbench.systems import PromptStyle, StatedAnswer

EARLIER = sorted((Path(__file__).parent / "manifests").glob("*.json"))


def earlier(name):
    return json.loads((Path(__file__).parent / "manifests" / f"{name}.json").read_text())


def read(values):
    return manifest_of(json.dumps(values))


@pytest.mark.parametrize("path", EARLIER, ids=lambda path: path.stem)
def test_a_manifest_of_an_earlier_build_keeps_its_name_and_is_written_back_as_it_stood(path):
    values = json.loads(path.read_text())
    manifest = read(values)
    assert manifest.run.endswith(f"-{manifest.identity.name_sha256[:10]}")
    later = {"departures": None, "system_file": None, "suite_file": None}
    assert json.loads(manifest_json(manifest)) == values | later
    assert read(json.loads(manifest_json(manifest))) == manifest


def test_the_tables_of_a_run_are_those_of_its_systems_and_suites_files():
    manifest = read(earlier("nano-rim-v2"))
    identity = manifest.identity
    assert identity.suite.wording == Wording()
    assert (identity.setup.memory, identity.controls) == (Memory(8), Controls(3, blind=False))
    assert identity.setup.prompt == PromptStyle(prefix=r"\boxed{")
    assert identity.answer == StatedAnswer("readout", "first_letter", 8, 0.7, 1.0)
    assert (identity.engine.name, identity.engine.batch_size, identity.imported) == ("fake", 16, None)
    assert manifest.model_source == ModelSource("rimbench/nano/rim-v2")
    assert (manifest.suite_source.kind, manifest.suite_source.seed) == ("generated", 1)
    assert run_departures(manifest)["permute_options"] == [None, 3]


def test_what_an_import_leaves_out_is_none_and_its_name_does_not_change_when_it_is_named_anew():
    values = earlier("elsewhere")
    identity = read(values).identity
    assert (identity.weights_sha256, identity.seed, identity.controls, identity.suite.wording) == (None,) * 4
    assert (identity.setup.prompt, identity.setup.memory) == (None, None)
    assert identity.answer == StatedAnswer("letters")
    assert identity.imported == Import("plain", values["model_source"]["revision"], reordered=False)
    assert named(identity).name_sha256[:10] == "7ce902ae4b"
    assert named(identity).document == values["identity"]


def test_keys_of_a_later_build_are_kept_and_written_back_wherever_they_stand():
    values = earlier("nano-cot")
    values["host"] = {"name": "h"}
    for table in ("identity", "suite_source", "model_source", "device"):
        values[table]["later"] = [1, {"a": None}]
    values["identity"]["system"]["answer"]["later"] = 2
    manifest = dataclasses.replace(read(values), samples=9)
    written = json.loads(manifest_json(manifest))
    assert written["samples"] == 9
    assert {key: written[key] for key in values} == values | {"samples": 9}


def test_a_manifest_without_sources_is_read():
    manifest = read(earlier("nano-cot") | {"suite_source": {}, "model_source": {"source": "m"}})
    assert (manifest.suite_source, manifest.model_source) == (SuiteSource(), ModelSource("m", None))


def test_memory_blocks_that_cannot_be_are_a_fault_of_the_manifest(tmp_path):
    values = earlier("nano-rim-v2")
    values["identity"]["system"]["memory"] |= {"begin": "<m>", "memory": "<m>"}
    (tmp_path / MANIFEST).write_text(json.dumps(values))
    with pytest.raises(DataError, match=r"manifest\.json: identity\.system\.memory: .* three different tokens"):
        read_manifest(tmp_path)


def test_half_a_character_that_a_foreign_log_brings_is_written_as_a_file_can_hold_it():
    manifest = dataclasses.replace(read(earlier("elsewhere")), model_source=ModelSource("cut \ud800"))
    assert read(json.loads(manifest_json(manifest))).model_source.source == "cut \ufffd"
    manifest_json(manifest).encode()
