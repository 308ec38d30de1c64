"""CSV of the lists in a report's document: what the JSON says, in columns."""

import csv
import io
import json

import pytest
from report_runs import record
from typer.testing import CliRunner

from rimbench.cli.app import app
from rimbench.errors import UsageError
from rimbench.reporting.csv import document_csv


@pytest.fixture
def asked(write_run):
    for system in ("nano-cot", "nano-base"):
        letters = "AABB" if system == "nano-cot" else "ABBB"
        answers = [record(str(i), letter) for i, letter in enumerate(letters)]
        results = write_run(answers, run=system, system=system, departures={})
    return lambda *options: CliRunner().invoke(app, [*options, "--results", str(results)])


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_comparisons_have_a_line_each_with_the_numbers_of_the_document(asked):
    [pair] = json.loads(asked("report", "--json").stdout)["comparisons"]
    done = asked("report", "--csv", "--of", "comparisons")
    [row] = rows(done.stdout)
    assert (row["suite"], row["a"], row["b"], row["n"]) == ("suite", "nano-cot", "nano-base", "4")
    assert [float(row[name]) for name in ("delta", "ci95_lo", "ci95_hi")] == [pair["delta"], *pair["ci95"]]
    assert float(row["p_adjusted"]) == pair["p_adjusted"] and row["family_adjustment"] == "Bonferroni"
    assert json.loads(row["table"]) == pair["table"] and row["pass_at_k"] == ""
    assert done.stdout == asked("compare", "nano-cot", "nano-base", "--csv").stdout


def test_what_is_an_object_in_one_row_and_null_in_another_has_the_columns_of_the_object():
    text = document_csv([{"name": "a", "of": None}, {"name": "=b", "of": {"value": 1.5, "ci95": [1, 2]}}])
    assert text.splitlines() == ["name,of_value,of_ci95_lo,of_ci95_hi", "a,,,", "'=b,1.5,1,2"]
    assert document_csv([{"ci95": None}, {"ci95": [0, 1]}]).splitlines() == ["ci95_lo,ci95_hi", ",", "0,1"]
    assert document_csv([{"ci95": None}]).splitlines() == ["ci95_lo,ci95_hi", ","]
    assert document_csv([]) == ""


def test_there_is_nothing_to_print_of_latency_that_was_not_measured(asked):
    done = asked("report", "--csv", "--of", "latency")
    assert (done.exit_code, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("report", "--of", "latency"), "add --csv"),
        (("report", "--json", "--of", "comparisons"), "add --csv"),
        (("compare", "nano-cot", "nano-base", "--json", "--csv"), "give one of them"),
    ],
)
def test_options_that_do_not_fit_are_told(asked, options, fault):
    error = asked(*options).exception
    assert isinstance(error, UsageError) and fault in str(error)
