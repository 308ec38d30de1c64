"""Measurements as a report reads them: kept whole, compared only where all else is equal."""

import dataclasses
import json

import pytest

from rimbench.errors import DataError
from rimbench.latency.stored import Measured, Measurement, keep, read_measurements
from rimbench.report.costs import find_costs
from rimbench.report.document import latency_document
from rimbench.statistics.estimate import accuracy


def row(system, ms, quantity="answer", batch=1, generated=12.0, **changed):
    samples = tuple(ms + 0.1 * (i % 3) for i in range(32))
    made = Measured(
        system, quantity, "transformers", "cpu", "float32", batch, samples, ms, (ms,), 40, generated, 0, 0.5
    )
    return dataclasses.replace(made, **changed)


def measurement(*rows, at="2026-01-01T00:00:00+00:00", suite="demo"):
    return Measurement(suite, at, "abc", False, {"kind": "cpu"}, {"torch": "2"}, rows)


def test_what_is_kept_is_read_again_the_oldest_first(tmp_path):
    first = measurement(row("rim", 10), at="2026-01-02T00:00:00+00:00")
    second = measurement(row("rim", 11))
    for each in (first, second):
        keep(each, tmp_path)
    assert read_measurements(tmp_path) == [second, first]
    assert read_measurements(tmp_path / "nowhere") == []


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 2}', '{"schema": 1, "suite": "x"}'])
def test_a_file_that_is_no_measurement_is_named(tmp_path, text):
    path = keep(measurement(row("rim", 10)), tmp_path)
    path.write_text(text)
    with pytest.raises(DataError, match=r"latency\.json is no measurement of this version"):
        read_measurements(tmp_path)


def test_a_speedup_needs_equal_conditions_and_one_measurement():
    rows = [row("rim", 10), row("cot", 100), row("cot8", 80, batch=8), row("bf16", 50, dtype="bfloat16")]
    _, [speedup] = find_costs([measurement(*rows), measurement(row("base", 200))], {})
    assert (speedup.system, speedup.baseline, speedup.batch) == ("rim", "cot", 1)
    assert speedup.ratio.value == pytest.approx(10, rel=0.02)
    assert speedup.ratio.lo < speedup.ratio.value < speedup.ratio.hi


def test_of_several_measurements_the_last_counts():
    costs, [speedup] = find_costs(
        [
            measurement(row("rim", 10), row("cot", 100)),
            measurement(row("rim", 20), row("cot", 100), at="2026-02-01T00:00:00+00:00"),
        ],
        {},
    )
    assert [round(cost.mean.value) for cost in costs] == [20, 100]
    assert speedup.ratio.value == pytest.approx(5, rel=0.02)


def test_a_readouts_answer_is_its_one_pass_and_accuracy_stands_beside_it():
    rows = [row("reads", 10, generated=0.0), row("rim", 40), row("rim", 11, "readout", generated=0.0)]
    costs, speedups = find_costs([measurement(*rows)], {("rim", "demo"): accuracy([1, 0])})
    document = latency_document(costs, speedups)
    reads, rim = sorted(document["latency"], key=lambda entry: entry["system"])
    assert reads["answer_ms"] == reads["readout_ms"]
    assert rim["answer_ms"]["mean"] > 40 > rim["readout_ms"]["mean"] > 11
    assert list(rim) == [
        "system", "engine", "device", "batch", "n", "answer_ms", "readout_ms", "per_sample_ms", "prompt_tokens",
        "generated_tokens", "floor_ms",
    ]  # fmt: skip
    assert {cost.measured.system: cost.accuracy and cost.accuracy.value for cost in costs} == {
        "reads": None,
        "rim": 0.5,
    }
    json.dumps(document, allow_nan=False)
