"""A run with a damaged manifest is named and left out of a report in one line, or shown; the others are reported."""

import copy
import json
import re

import pytest
from report_runs import manifest, record

from rimbench.errors import DataError
from rimbench.reporting import formats
from rimbench.reporting.summary import summarise
from rimbench.reporting.tables import make_tables
from rimbench.store import MANIFEST, read_manifest

IDENTITY = {
    "weights_sha256": "w" * 64,
    "suite": {"content_sha256": "s" * 64, "wording": {"question": "{question}", "option": "{letter}. {text}"}},
    "system": {
        "prompt": {"instruction": "", "prefix": ""},
        "memory": {"blocks": 2, "memory_tokens": 2, "begin": "<b>", "memory": "<m>", "end": "<e>"},
        "answer": {"mode": "readout", "extraction": "text", "max_new_tokens": 1, "temperature": 0.7, "top_p": 1.0},
    },
    "controls": {"permute_options": None, "blind": False},
    "seed": 0,
    "engine": {"name": "fake", "device": "cpu", "dtype": "float32", "batch_size": 8},
    "import": {"format": "plain", "sha256": "f" * 64, "reordered": False},
}
WRONG = (None, True, -1, 1.5, 10**30, float("inf"), float("nan"), "x", "\ud800", [], [1], {}, {"a": 1}, "removed")


@pytest.fixture
def results(write_run):
    """One run that is whole, and one to be damaged."""
    answers = [record(str(i), "AB"[i % 2], sample) for i in range(4) for sample in (0, 1, 2)]
    write_run(answers, run="whole", system="whole", samples=2)
    more = {"departures": {"dtype": ["float32", "bfloat16"]}, "device": {"kind": "cpu", "cpus": 2}}
    return write_run(answers, run="damaged", system="nano-rim-v2", samples=2, identity=IDENTITY, **more)


def put(document, path, value):
    made = copy.deepcopy(document)
    holder = made
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    if value == "removed":
        del holder[path[-1]]
    return made


def places(value, path=()):
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))


def report(results):
    found = summarise(results)
    for name in ("json", "markdown"):
        formats.render(name, found, results)
    make_tables(found)
    return found


@pytest.mark.parametrize("table", ["identity", "model_source", "suite_source", "device", "departures", "versions"])
def test_a_manifest_damaged_anywhere_leaves_the_report_of_the_others_whole(results, table):
    path = results / "damaged" / MANIFEST
    whole = json.loads(path.read_text())
    for place in places({table: whole[table]}):
        for value in WRONG:
            path.write_text(json.dumps(put(whole, place, value)))
            found = report(results)
            assert {cell.manifest.run for cell in found.cells} >= {"whole"}, (place, value)
            if len(found.cells) == 1:
                told = [line for line in found.notes if line.startswith(f"left out: {path}")]
                assert len(told) == 1 and "\n" not in told[0], (place, value)


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        ("identity.suite.content_sha256", "removed", "required, but missing"),
        ("identity.suite.content_sha256", {}, "expected a text"),
        ("identity.suite", 5, "expected an object"),
        ("identity.system", "nano", "expected an object"),
        ("identity.system.answer", "readout", "expected an object"),
        ("identity.system.answer.temperature", -1, "expected 0 or more"),
        ("identity.engine.dtype", "removed", "required, but missing"),
        ("identity.engine", "removed", "required, but missing"),
        ("identity.weights_sha256", {}, "expected a text"),
        ("model_source.source", "removed", "required, but missing"),
        ("samples", -1, "expected 0 or more"),
        ("samples", 10**30, "less than"),
        ("departures.dtype", ["float32"], "expected 2 or more entries"),
        ("device.cpus", float("inf"), "expected a finite number"),
    ],
)
def test_a_value_of_a_manifest_that_cannot_be_is_named_with_file_and_key(results, place, value, fault):
    path = results / "damaged" / MANIFEST
    path.write_text(json.dumps(put(json.loads(path.read_text()), place.split("."), value)))
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))}.*{re.escape(place)}: .*{fault}") as error:
        read_manifest(path.parent)
    assert "\n" not in str(error.value)
    [cell] = report(results).cells
    assert cell.manifest.run == "whole"


@pytest.mark.parametrize(
    "place",
    [
        *("identity.weights_sha256", "identity.suite.wording", "identity.system", "identity.system.memory"),
        *(
            "identity.system.prompt",
            "identity.system.answer",
            "identity.controls",
            "identity.seed",
            "identity.import",
        ),
        *("identity.engine.batch_size", "departures", "system_file", "suite_file", "model_source.revision"),
    ],
)
def test_what_earlier_builds_and_imports_leave_out_may_be_missing_or_null(results, place):
    path = results / "damaged" / MANIFEST
    whole = json.loads(path.read_text())
    for value in (None,) if place == "model_source.revision" else (None, "removed"):
        if value == "removed" or place != "identity.import":
            path.write_text(json.dumps(put(whole, place.split("."), value)))
            assert len(report(results).cells) == 2


def test_a_manifest_nested_deeper_than_any_is_left_out(results):
    path = results / "damaged" / MANIFEST
    text = json.dumps(put(json.loads(path.read_text()), ["device", "cpus"], "HERE"))
    path.write_text(text.replace('"HERE"', "[" * 600 + "]" * 600))
    found = report(results)
    assert [cell.manifest.run for cell in found.cells] == ["whole"]
    assert any("nested more than 200 levels deep" in line for line in found.notes)


def test_the_manifests_of_these_tests_are_read(results):
    assert read_manifest(results / "damaged").identity.document == IDENTITY
    assert len(report(results).cells) == 2 and manifest().schema_version == 1
