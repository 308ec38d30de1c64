"""A run of draws alone, as of answers from elsewhere at a temperature: no answer is greedy, and the mean stands."""

import csv
import io
import json

import pytest
from report_runs import record

from rimbench.reporting import formats
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.metrics.draws import SeveralAnswers
from rimbench.reporting.metrics.letters import Letters
from rimbench.reporting.metrics.statuses import StatusCounts
from rimbench.reporting.plots import make_plots
from rimbench.reporting.summary import summarise, summarise_pair


@pytest.fixture
def results(write_run):
    """Four items, eight draws each; right are 1, 1, 4 and 8 of the eight."""
    draws = [record(str(i), "A" if s <= right else "B", sample=s)
             for i, right in enumerate((1, 1, 4, 8)) for s in range(1, 9)]  # fmt: skip
    return write_run(draws, run="drawn", system="drawn", samples=8)


def test_no_answer_is_greedy_and_the_headline_is_the_mean_over_the_draws(results):
    [cell] = summarise(results).cells
    assert cell.metric(Accuracy).greedy is None
    headline, several = cell.metric(Accuracy).headline, cell.metric(SeveralAnswers)
    assert (headline.of, cell.n, cell.partial) == ("mean over 8 draws", 4, False)
    assert headline.estimate.value == pytest.approx((1 + 1 + 4 + 8) / 32)
    mean = several.mean_over_draws.estimate
    assert (headline.estimate.n, headline.estimate.method) == (4, mean.method)  # over items, not over draws
    assert {k: passed.estimate.value for k, passed in several.pass_at_k.items()} == {"8": 1}
    assert cell.metric(StatusCounts).statuses["ok"] == 32
    assert cell.metric(Letters).letters.answered == {"A": 14, "B": 18}


@pytest.mark.parametrize("name", ["markdown", "latex", "html", "model-index"])
def test_every_format_says_that_it_is_the_mean(results, name):
    text = formats.render(name, summarise(results), results)
    assert "mean over 8 draws" in text and "43.8" in text.replace("0.4375", "43.8")
    assert "greedy accuracy" not in text.lower() and "greedy, %" not in text


def test_the_terminal_says_so(results, rimbench):
    done = rimbench("report", "--results", results, check=True)
    assert "mean over 8 draws" in done.stdout and "greedy, %" not in done.stdout


def test_the_json_document_has_a_field_of_its_own_and_greedy_is_null(results):
    [cell] = json.loads(formats.render("json", summarise(results), results))["cells"]
    assert cell["greedy_accuracy"] is cell["ci95"] is cell["method"] is None
    mean = cell["mean_over_draws"]
    assert (mean["value"], mean["n"], mean["draws"]) == (pytest.approx(14 / 32), 4, 8)
    assert mean["ci95"][0] < mean["value"] < mean["ci95"][1]
    assert cell["headline"] == {key: mean[key] for key in ("value", "method", "ci95")} | {"of": "mean over 8 draws"}


def test_csv_leaves_greedy_empty_and_says_what_the_headline_is_of(results):
    [row] = csv.DictReader(io.StringIO(formats.render("csv", summarise(results), results)))
    assert (row["greedy_accuracy"], row["headline_of"], float(row["headline"])) == ("", "mean over 8 draws", 0.4375)


def test_plots_show_the_mean_and_do_not_call_it_greedy(results):
    [accuracy] = [plot for plot in make_plots(summarise(results)) if plot.name == "accuracy"]
    assert accuracy.title.startswith("Accuracy of each system")


def test_a_mean_is_compared_with_greedy_answers_item_by_item_and_the_report_says_so(results, write_run):
    write_run([record(str(i), "A" if i else "B") for i in range(4)], run="plain", system="plain")
    [pair], _ = summarise_pair(results, "plain", "drawn")
    assert pair.difference.value == pytest.approx((0 + 1 + 1 + 1) / 4 - 14 / 32)
    assert (pair.n, pair.table) == (4, None)
    assert "drawn on suite has no greedy answers: its accuracy is the mean over 8 draws" in summarise(results).notes


def test_a_run_with_greedy_answers_has_them_as_its_headline_and_the_mean_beside_it(write_run):
    draws = [record("0", letter, sample=s) for s, letter in enumerate("AABB", start=1)]
    results = write_run([record("0", "A"), *draws], items=1)
    [cell] = json.loads(formats.render("json", summarise(results), results))["cells"]
    assert (cell["greedy_accuracy"], cell["mean_over_draws"]["value"]) == (1, 0.5)
    assert (cell["headline"]["of"], cell["headline"]["value"]) == ("greedy", 1)
