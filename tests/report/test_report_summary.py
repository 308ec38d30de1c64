"""From records to tables: worked by hand, and right at the edges."""

import json

import pytest
from report_runs import record

from rimbench.errors import DataError
from rimbench.report.document import as_document
from rimbench.report.markdown import as_markdown
from rimbench.report.summary import summarise


def test_whatever_is_not_ok_counts_as_wrong_and_is_counted_by_kind(write_run):
    results = write_run([record("0", "A"), record("1", "B"), record("2", None), record("3", None, status="refused")])
    [cell] = as_document(summarise(results))["cells"]
    assert (cell["n"], cell["greedy_accuracy"]) == (4, 0.25)
    assert cell["statuses"] == {
        "ok": 2, "no_answer": 1, "ambiguous": 0, "truncated": 0, "refused": 1, "engine_error": 0,
    }  # fmt: skip
    # Wilson for 1 of 4, worked by hand: (0.25 + 0.4802 +- 1.96 * sqrt(0.0469 + 0.0600)) / 1.9604
    assert cell["ci95"] == pytest.approx([0.0456, 0.6994], abs=1e-3)


def test_pass_at_8_is_the_unbiased_estimator_with_the_guessers_value_beside_it(write_run):
    draws = [record(str(i), "A" if s <= i else "B", sample=s) for i in range(4) for s in range(1, 9)]
    greedy = [record(str(i), "A") for i in range(4)]
    [cell] = as_document(summarise(write_run([*greedy, *draws], samples=8)))["cells"]
    # Items have 0, 1, 2 and 3 right of 8: with k = n any right one passes.
    assert cell["pass_at_k"]["8"]["value"] == 0.75
    assert cell["pass_at_k"]["8"]["chance"] == pytest.approx(0.8998870849609375)
    assert cell["maj_at_k"]["8"] == 0.0


def test_a_run_with_answers_missing_is_said_to_be_partial(write_run):
    summary = summarise(write_run([record("0", "A")]))
    assert [cell.partial for cell in summary.cells] == [True]
    assert "r is partial: 1 of 4 items have an answer" in as_markdown(summary)


def test_a_run_without_any_answer_has_undefined_figures_not_zeros(write_run):
    [cell] = as_document(summarise(write_run([])))["cells"]
    assert (cell["n"], cell["greedy_accuracy"], cell["ci95"]) == (0, None, None)
    json.dumps(cell, allow_nan=False)


def test_no_results_and_an_empty_folder_say_what_to_run(tmp_path):
    with pytest.raises(DataError, match=r"no results folder .*rimbench run"):
        summarise(tmp_path / "results")
    (tmp_path / "results").mkdir()
    with pytest.raises(DataError, match=r"no run in .*rimbench run"):
        summarise(tmp_path / "results")


def test_an_answer_to_an_unknown_item_is_refused(write_run):
    with pytest.raises(DataError, match="answers item 'x', which is not in its items"):
        summarise(write_run([record("x", "A")]))


def test_names_with_markup_stay_text_in_markdown(write_run):
    text = as_markdown(summarise(write_run([record("0", "A")], system="a|b <script> *x* `y`\nz")))
    assert "| suite | a\\|b \\<script\\> \\*x\\* \\`y\\` z | 1 |" in text


def test_the_keys_of_the_document_are_the_published_ones(write_run):
    document = as_document(summarise(write_run([record("0", "A")])))
    assert list(document) == ["schema", "cells", "comparisons", "latency", "speedups"]
    assert list(document["cells"][0]) == [
        "run", "system", "suite", "n", "greedy_accuracy", "ci95", "method", "pass_at_k", "maj_at_k", "statuses",
        "ece", "k_sweep",
    ]  # fmt: skip


def test_cells_come_in_the_order_of_suites_and_systems(write_run):
    for run, system, suite in (("3", "b", "y"), ("1", "a", "y"), ("2", "c", "x")):
        results = write_run([record("0", "A")], run=run, system=system, suite=suite)
    assert [c.manifest.run for c in summarise(results).cells] == ["2", "1", "3"]


def test_what_makes_cells_hard_to_compare_is_noted(write_run):
    write_run([record("0", "A")], run="1", system="a", suite="x", device={"kind": "cuda", "gpu": "H100"})
    results = write_run([record("0", "A")], run="2", system="b", suite="y", device={"kind": "cpu"}, dirty=True)
    notes = "\n".join(summarise(results).notes)
    assert "no run of b on x, a on y" in notes
    assert "N is 1,000 by custom, and here it is not: a on x 4, b on y 4" in notes
    assert "runs on unlike hardware: H100, none; cpu, none" in notes
    assert "changed since its commit: 2" in notes
