"""From records to tables: worked by hand, and right at the edges."""

import json
from dataclasses import replace

import pytest
from report_runs import IDENTITY, manifest, record

from rimbench.errors import DataError
from rimbench.latency.measured import Measured, Measurement
from rimbench.latency.stored import keep_measurement
from rimbench.records import Item, Record
from rimbench.reporting.document import as_document
from rimbench.reporting.markdown import as_markdown
from rimbench.reporting.summary import summarise
from rimbench.reporting.tables import make_tables
from rimbench.store import RunStore


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


def test_times_alone_are_a_report(tmp_path):
    row = Measured("a", "answer", "transformers", "cpu", "float32", 1, (2.0,) * 32, 2.0, (2.0,), 40, 0.0, 0, 0.5)
    keep_measurement(Measurement("suite", "2026-01-01T00:00:00+00:00", None, None, {}, {}, (row,)), tmp_path)
    summary = summarise(tmp_path)
    assert summary.cells == () and "| suite | a | 1 |" in as_markdown(summary)


def test_a_folder_of_another_program_is_told_from_an_old_run(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text('{"name": "an app"}')
    with pytest.raises(DataError, match=r"manifest.json is no manifest of a rimbench run: give the folder"):
        summarise(tmp_path)


def test_an_answer_to_an_unknown_item_is_refused(write_run):
    with pytest.raises(DataError, match="answers item 'x', which is not in its items"):
        summarise(write_run([record("x", "A")]))


def test_names_with_markup_stay_text_in_markdown(write_run):
    text = as_markdown(summarise(write_run([record("0", "A")], system="a|b <script> *x* `y`\nz")))
    assert "| suite | a\\|b \\<script\\> \\*x\\* \\`y\\` z | 1/4 |" in text


def test_the_keys_of_the_document_are_the_published_ones(write_run):
    document = as_document(summarise(write_run([record("0", "A")])))
    assert list(document) == [
        "schema", "cells", "comparisons", "latency", "speedups",
        "saturation", "sweeps", "ablations", "gaps", "order_effects", "notes", "margin", "alpha",
        "rotations", "carried", "summary", "breakdowns", "pair_breakdowns",
    ]  # fmt: skip
    assert list(document["cells"][0]) == [
        "run", "system", "suite", "n", "greedy_accuracy", "ci95", "method", "pass_at_k", "maj_at_k", "statuses",
        "ece", "label_mass", "k_sweep", "headline", "mean_over_draws",
        "label", "departures", "controls", "n_asked", "partial", "samples_asked", "bca_ci95", "guess", "one_letter",
        "maj_at_k_ci95", "given_ok", "letters", "calibration", "origin", "coverage_at_risk", "temperature",
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
    assert "N is 1,000 by custom, and here it is 4 in every cell" in notes
    write_run([record("0", "A")], run="3", system="c", suite="x", items=1000, n=1000)
    notes = "\n".join(summarise(results).notes)
    assert "N is 1,000 by custom, and here it is not: a on x 4, b on y 4" in notes
    assert "runs on unlike hardware: H100, none; cpu, none" in notes
    assert "code changed since its commit: b on y" in notes


def test_tables_come_in_the_order_of_a_readers_questions(write_run):
    for run in ("a", "b"):
        results = write_run([record(str(i), "A", sample=s) for i in range(4) for s in range(9)], run=run, system=run)
    assert [table.title for table in make_tables(summarise(results))] == [
        "suite, N = 4", "Accuracy", "Several answers a question", "How sure", "What to distrust",
        "What became of the greedy answers", "Letters", "Where the answers come from", "What made them",
    ]  # fmt: skip


def test_a_partial_run_is_marked_where_its_accuracy_stands(write_run):
    accuracy = make_tables(summarise(write_run([record("0", "A")])))[1]
    assert accuracy.rows[0][accuracy.columns.index("n")] == "1/4"


def test_a_comparison_says_what_difference_it_could_have_found(write_run):
    write_run([record(str(i), "A" if i < 60 else "B") for i in range(100)], 100, run="a", system="a", n=100)
    results = write_run(
        [record(str(i), "A" if i >= 50 else "B") for i in range(100)], 100, run="b", system="b", n=100
    )
    summary = summarise(results)
    # 100 items, 90 of them discordant: Connor's formula solved for the difference by hand gives 26 points.
    assert summary.comparisons[0].detectable == pytest.approx(0.26, abs=0.005)
    sure = next(table for table in make_tables(summary) if table.title == "How sure")
    assert sure.rows[0][sure.columns.index("both/first/second/none right")] == "10/50/40/0"


def test_where_a_number_comes_from_is_said_once_for_runs_of_one_making(write_run):
    made = {"versions": {"torch": "2.9"}, "device": {"kind": "cuda", "gpu": "H100"}, "commit": "c" * 40}
    write_run([record("0", "A")], run="1", system="a", **made)
    write_run([record("0", "A")], run="2", system="b", **made)
    results = write_run([record("0", "A")], run="3", system="c", **(made | {"dirty": True}))
    origin, making = make_tables(summarise(results))[-2:]
    assert [(row[0], row[-1]) for row in origin.rows] == [("1", "1"), ("2", "1"), ("3", "2")]
    assert [row[2:] for row in making.rows] == [
        ("H100, cuda", "c" * 10, "torch 2.9"),
        ("H100, cuda", "c" * 10 + " (changed)", "torch 2.9"),
    ]


def test_accuracy_at_chance_and_shortcuts_are_said(tmp_path):
    items = [Item(str(i), f"q{i}", dict(zip("ABCD", "xyzw", strict=True)), "ABCD"[i % 4]) for i in range(40)]
    blind = IDENTITY | {"controls": {"permute_options": None, "blind": True}}
    for system, always_right, identity in (
        ("guesser", False, IDENTITY),
        ("seer", True, blind),
        ("dull", False, blind),
    ):
        with RunStore(tmp_path / system) as store:
            store.write_manifest(manifest(run=system, system=system, n=40, identity=identity), items)
            letters = [item.gold if always_right else "A" for item in items]
            store.append(
                [
                    Record(item.item_id, 0, item.gold, letter, "ok", letter, None, 5, 1, "p")
                    for item, letter in zip(items, letters, strict=True)
                ]
            )
    notes = [note for note in summarise(tmp_path).notes if "guesser on" in note or "without seeing" in note]
    assert notes == [
        "made up by the scripted engine 'fake', no model's answers: dull (blind) on suite, guesser on suite, "
        "seer (blind) on suite",
        "not shown to be above chance or the majority letter: guesser on suite",
        "right above chance without seeing the question, so that the options give answers away: "
        "seer (blind) on suite",
    ]


def test_the_letters_share_of_the_vocabulary_is_in_every_format_and_doubted_below_a_half(write_run):
    sure = dict.fromkeys("ABCD", -1.386)
    masses = (0.2, 0.3, 0.4, None)
    answers = [replace(record(str(i), "A"), option_logprobs=sure, label_mass=mass) for i, mass in enumerate(masses)]
    summary = summarise(write_run(answers))
    [cell] = as_document(summary)["cells"]
    assert cell["label_mass"] == pytest.approx(0.3)  # of the three that are known
    assert "label mass, %" in as_markdown(summary) and "| 30.0 |" in as_markdown(summary)
    [doubt] = [note for note in summary.notes if "the option letters hold less than 50%" in note]
    assert doubt.endswith("sys on suite 30.0%")


def test_runs_without_a_label_mass_say_nothing_of_it(write_run):
    summary = summarise(write_run([record("0", "A")]))
    assert as_document(summary)["cells"][0]["label_mass"] is None
    assert not any("option letters hold" in note for note in summary.notes)
