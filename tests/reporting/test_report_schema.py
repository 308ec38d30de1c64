"""The JSON document has a published form, made from its types; a metric is one file, a suite says its own role."""

import json
import shutil
import textwrap
from pathlib import Path

import pytest
from report_runs import record

from rimbench.errors import DataError
from rimbench.reporting import formats, metrics, schema
from rimbench.reporting.summary import summarise
from rimbench.reporting.tables import make_tables
from rimbench.suites import catalogue

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"


@pytest.fixture
def results(write_run):
    write_run([record(str(i), "AB"[i % 2]) for i in range(4)], run="1", system="nano-base")
    draws = [record(str(i), "AB"[s % 2], sample=s) for i in range(4) for s in range(1, 9)]
    return write_run([*(record(str(i), "A") for i in range(4)), *draws], run="2", system="nano-rim-v2", samples=8)


def test_the_published_schema_is_what_the_types_give():
    assert json.loads(PUBLISHED.read_text()) == schema.json_schema(), (
        "python -m rimbench.reporting.schema > docs/report.schema.json"
    )


def test_a_report_has_the_published_form_and_no_key_beyond_it(results, tmp_path):
    written = formats.render("json", summarise(results), results)
    path = tmp_path / "report.json"
    path.write_text(written)
    assert json.dumps(schema.read_document(path)) == json.dumps(json.loads(written))


OLDEST = {
    "schema": 1,
    "cells": [
        {
            "run": "r", "system": "s", "suite": "t", "n": 2, "greedy_accuracy": 0.5, "ci95": [0.1, 0.9],
            "method": "Wilson score", "pass_at_k": {"8": {"value": 1.0, "ci95": None, "chance": 0.9}},
            "maj_at_k": {"8": 1.0}, "statuses": {"ok": 2}, "ece": None,
        }
    ],
    "comparisons": [
        {"suite": "t", "a": "s", "b": "u", "n": 2, "delta": 0.5, "ci95": None, "p_value": 1.0, "p_adjusted": 1.0,
         "verdict": None}
    ],
    "latency": [], "speedups": [],
}  # fmt: skip


def test_a_document_of_an_earlier_build_is_read_and_what_it_did_not_say_is_null(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(OLDEST))
    found = schema.read_document(path)
    [cell] = found["cells"]
    assert {key: cell[key] for key in OLDEST["cells"][0] if key != "pass_at_k"} == {
        key: value for key, value in OLDEST["cells"][0].items() if key != "pass_at_k"
    }
    assert cell["label_mass"] is None and cell["pass_at_k"]["8"]["exact"] is None and found["gaps"] is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (json.dumps(OLDEST | {"schema": 2}), "schema"),
        ("[]", "is no report"),
        ("{", "is no report"),
        (json.dumps({**OLDEST, "cells": [{}]}), "cells"),
    ],
)
def test_what_is_no_report_of_a_known_build_is_refused_in_one_line(tmp_path, text, told):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(DataError, match=told) as raised:
        schema.read_document(path)
    assert "\n" not in str(raised.value) and "rimbench report --json" in str(raised.value)


WORKED_EXAMPLE = """
from dataclasses import dataclass

from rimbench.display.tabular import Table

from rimbench.reporting.metrics import Metric
from rimbench.statistics.estimate import Estimate, accuracy


@dataclass(frozen=True, slots=True)
class FirstLetter:
    first_letter: Estimate | None


def measure(run, items):
    return FirstLetter(accuracy([run.greedy[item.item_id] == "A" for item in items]))


def table(cells):
    return Table("The first letter", ("system", "share"),
                 tuple((cell.label, f"{cell.metric(FirstLetter).first_letter.value:.2f}") for cell in cells))


METRIC = Metric(9.5, FirstLetter, measure, lambda own: {"first_letter": own.first_letter.value}, table)
"""


def test_a_metric_is_one_file_with_its_estimate_its_key_its_table_and_its_csv_column(results, tmp_path, monkeypatch):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "first_letter.py").write_text(WORKED_EXAMPLE)
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path / "more")])
    schema.model_of.cache_clear()
    report = summarise(results)
    document = json.loads(formats.render("json", report, results))
    own = [cell["first_letter"] for cell in document["cells"]]
    assert [estimate["value"] for estimate in own] == [0.5, 1.0] and all(estimate["ci95"] for estimate in own)
    titles = {table.title: table for table in make_tables(report)}
    assert titles["The first letter"].rows == (("nano-base", "0.50"), ("nano-rim-v2", "1.00"))
    assert formats.render("csv", report, results).splitlines()[0].split(",").count("first_letter") == 1
    assert "first_letter" in schema.json_schema()["$defs"]["CellResult"]["properties"]
    schema.model_of.cache_clear()


def test_no_file_but_a_metrics_own_names_a_metric_that_is_left_out(results, tmp_path, monkeypatch):
    folder = shutil.copytree(Path(metrics.__file__).parent, tmp_path / "fewer")
    (folder / "letters.py").unlink()
    monkeypatch.setattr(metrics, "__path__", [str(folder)])
    report = summarise(results)
    assert "letters" not in json.loads(formats.render("json", report, results))["cells"][0]
    assert not any(table.title == "Letters" for table in make_tables(report)) and isinstance(report.cells, tuple)


def test_a_suites_own_file_says_what_it_is_to_a_report(tmp_path, monkeypatch):
    suite = """
        description = "any"
        title = "Any name"
        n = 3
        in_distribution = true
        [source]
        generator = "titration"
        [[layout]]
        name = "generated"
        question = "question"
        options = "options"
        gold = { letter = "gold" }
    """
    (tmp_path / "no-demo.toml").write_text(textwrap.dedent(suite))
    monkeypatch.setattr(catalogue, "folder", lambda: tmp_path)
    catalogue.role.cache_clear()
    assert catalogue.role("no-demo") == catalogue.Role("Any name", in_distribution=True, generated=True)
    assert catalogue.role("demo-unknown") == catalogue.Role("demo-unknown")
    catalogue.role.cache_clear()


def test_the_shipped_suites_say_what_they_are():
    roles = {name: catalogue.role(name) for name in ("in-dist", "medqa", "demo-in-dist", "demo-long")}
    assert [(r.title, r.in_distribution, r.generated) for r in roles.values()] == [
        ("in-dist", True, False), ("MedQA", False, False), ("demo-in-dist", True, True), ("demo-long", False, True),
    ]  # fmt: skip
