"""Runs as files of Every Eval Ever: what its own reader takes, and what `rimbench import` reads back."""

import json
import subprocess
import sys

import pytest
from report_runs import IDENTITY, record

from rimbench import importing
from rimbench.errors import UsageError
from rimbench.reporting.every_eval_ever import write_evaluations


@pytest.fixture
def written(write_run, tmp_path):
    answers = [record(str(i), letter) for i, letter in enumerate("AAAB" * 10)]
    made = {"run": "mine-suite", "system": "mine", "suite": "suite", "n": 40, "departures": {}}
    results = write_run(answers, 40, **made, identity=IDENTITY)
    [totals] = write_evaluations(results, tmp_path / "out")
    return results, totals, totals.with_name(f"{totals.stem}_samples.jsonl")


def test_the_totals_are_the_headline_with_its_interval(written):
    _, totals, _ = written
    [result] = json.loads(totals.read_text())["evaluation_results"]
    interval = result["score_details"]["uncertainty"]["confidence_interval"]
    assert result["score_details"]["score"] == 0.75
    # Wilson's, of 30 of 40 at 95%.
    assert (interval["lower"], interval["upper"]) == (
        pytest.approx(0.5981, abs=1e-4),
        pytest.approx(0.8581, abs=1e-4),
    )
    assert interval["confidence_level"] == 0.95 and interval["method"]


def test_every_answer_has_a_row_that_points_to_the_totals(written):
    _, totals, samples = written
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    document = json.loads(totals.read_text())
    assert len(rows) == document["detailed_evaluation_results"]["total_rows"] == 40
    assert {row["evaluation_id"] for row in rows} == {document["evaluation_id"]}
    assert sum(row["evaluation"]["is_correct"] for row in rows) == 30


def test_the_same_runs_make_the_same_files_and_none_is_replaced_unasked(written, tmp_path):
    results, totals, _ = written
    content = totals.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        write_evaluations(results, tmp_path / "out")
    assert write_evaluations(results, tmp_path / "out", force=True) == [totals] and totals.read_bytes() == content


def test_its_own_validator_takes_both_files(written):
    pytest.importorskip("every_eval_ever", reason="nox -s every_eval_ever installs it")
    _, totals, samples = written
    command = [sys.executable, "-m", "every_eval_ever", "validate", "--format", "json", str(totals), str(samples)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_an_import_reads_back_what_was_written(written):
    read = importing.read(written[1].parent)
    assert read.format == "every-eval-ever" and read.reading.figures == {"accuracy": (0.75, 40)}
    assert [answer.score for answer in read.reading.answers[:4]] == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("records", "imported", "answer", "made"),
    [
        ([record("0", "A")], False, {"temperature": 0.7, "top_p": 0.9, "max_new_tokens": 64}, (0.0, None, 64)),
        ([record("0", "A")], True, {"temperature": None, "max_new_tokens": None}, (None, None, None)),
        ([record("0", "A")], True, {"temperature": 0.0, "max_new_tokens": 5}, (0.0, None, 5)),
        ([record("0", "A", 1)], True, {"temperature": 0.7, "top_p": 0.9}, (0.7, 0.9, None)),
        ([record("0", "A", 1)], True, {"temperature": 0.0}, (0.0, None, None)),
    ],
)
def test_the_temperature_is_that_of_the_answers_behind_the_headline_and_is_read_back(
    write_run, tmp_path, records, imported, answer, made
):
    identity = IDENTITY | {"system": {"name": "mine", "answer": {"mode": "generate"} | answer}}
    if imported:
        identity |= {"import": {"format": "plain", "sha256": "0" * 64, "reordered": False}}
    results = write_run(records, 1, run="mine-suite", n=1, samples=records[0].sample, identity=identity)
    [totals] = write_evaluations(results, tmp_path / "out")
    sampling = importing.read(totals).reading.sampling
    assert (sampling.temperature, sampling.top_p, sampling.max_new_tokens) == made


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": 99}', "\0"])
def test_a_run_that_cannot_be_read_is_told_and_the_others_written(written, tmp_path, content):
    results, totals, _ = written
    (results / "torn").mkdir()
    (results / "torn" / "manifest.json").write_text(content)
    told = []
    assert write_evaluations(results, tmp_path / "out", force=True, say=told.append) == [totals]
    assert len(told) == 1 and told[0].startswith(f"left out: {results / 'torn'}")
