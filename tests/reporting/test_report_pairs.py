"""Comparisons, choices among runs, and order effects, worked by hand from small runs."""

import dataclasses
import json

import pytest
from report_runs import IDENTITY, manifest, record

from rimbench.errors import UsageError
from rimbench.records import Item
from rimbench.reporting.document import as_document
from rimbench.reporting.families import Choice
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.metrics.calibration import Confidence
from rimbench.reporting.metrics.statuses import StatusCounts
from rimbench.reporting.summary import summarise, summarise_pair
from rimbench.statistics.verdict import Settings
from rimbench.store import RunStore
from rimbench.suites.controls import Controls, show_item

OPTIONS = {"A": "x", "B": "y", "C": "z", "D": "w"}


@pytest.fixture
def write_run(tmp_path):
    """Writes a run whose greedy answers are `letters`, all gold A; returns the results folder."""

    def write(run, letters, *, items=None, suite="suite", identity=None, **changes):
        items = items or [Item(str(i), f"q{i}", OPTIONS, "A") for i in range(len(letters))]
        made = manifest(run=run, suite=suite, identity=IDENTITY | (identity or {}), n=len(items), **changes)
        with RunStore(tmp_path / "results" / run) as store:
            store.write_manifest(made, items)
            store.append([record(str(i), letter) for i, letter in enumerate(letters) if letter != "-"])
        return tmp_path / "results"

    return write


def test_a_pair_has_its_table_difference_and_exact_p_value(write_run):
    # 40 items: 20 both right, 12 only the first, 2 only the second, 6 neither.
    write_run("1", "A" * 20 + "A" * 12 + "B" * 2 + "B" * 6, system="one")
    results = write_run("2", "A" * 20 + "B" * 12 + "A" * 2 + "B" * 6, system="two")
    [pair], _ = summarise_pair(results, "one", "two")
    entry = as_document(pair)
    assert entry["table"] == [[20, 12], [2, 6]]
    assert entry["delta"] == pytest.approx(0.25)
    # Exact McNemar: 2 * P(X <= 2), X of 14 fair coins: 2 * (1 + 14 + 91) / 2^14
    assert entry["p_value"] == pytest.approx(2 * 106 / 2**14)
    assert entry["verdict"] == "better"
    assert list(entry) == [
        "suite", "a", "b", "n", "delta", "ci95", "p_value", "p_adjusted", "verdict", "table",
        "n_asked", "reason", "family", "runs", "suite_file", "method", "test", "units", "mid_p", "bootstrap",
        "effect", "detectable", "n_deciding", "equivalence", "pass_at_k",
    ]  # fmt: skip


def test_the_other_way_round_everything_turns_over(write_run):
    write_run("1", "A" * 32 + "B" * 8, system="one")
    results = write_run("2", "A" * 20 + "B" * 12 + "A" * 2 + "B" * 6, system="two")
    ([there], _), ([back], _) = (summarise_pair(results, *names) for names in (("one", "two"), ("two", "one")))
    assert there.difference.value == -back.difference.value
    assert (there.verdict, back.verdict) == ("better", "worse")


def test_below_30_items_there_is_no_verdict(write_run):
    write_run("1", "A" * 20, system="one")
    [pair], _ = summarise_pair(write_run("2", "B" * 20, system="two"), "one", "two")
    assert pair.verdict is None


def test_holm_runs_over_every_pair_of_every_suite_where_all_are_asked_for(write_run):
    for suite in ("s", "t"):
        for system, letters in (("one", "A" * 40), ("two", "A" * 30 + "B" * 10), ("three", "A" * 28 + "B" * 12)):
            results = write_run(f"{system}-{suite}", letters, system=system, suite=suite)
    summary = summarise(results, choice=Choice("all"))
    assert len(summary.comparisons) == 6
    assert {pair.family.pairs for pair in summary.comparisons} == {"all 6 pairs of systems on s, t in this folder"}
    smallest = min(pair.p_value for pair in summary.comparisons)
    assert min(pair.p_adjusted for pair in summary.comparisons) == pytest.approx(6 * smallest)
    assert len(as_document(summary)["comparisons"]) == 6


def test_runs_over_other_frozen_items_are_not_compared_and_asking_for_it_is_refused(write_run):
    write_run("1", "A" * 40, system="one")
    results = write_run("2", "A" * 40, system="two", identity={"suite": {"content_sha256": "other" * 4}})
    summary = summarise(results)
    assert summary.comparisons == ()
    assert any("different frozen items are not compared: one (ssss" in note for note in summary.notes)
    with pytest.raises(UsageError, match="different frozen items"):
        summarise_pair(results, "one", "two")


def test_a_run_is_not_compared_with_itself_nor_with_one_that_shares_no_answered_item(write_run):
    write_run("1", "A" * 20 + "-" * 20, system="one")
    results = write_run("2", "-" * 20 + "A" * 20, system="two")
    with pytest.raises(UsageError, match="one and 1 are the same run on suite, 1: give two"):
        summarise_pair(results, "one", "1")
    with pytest.raises(UsageError, match="no item in common"):
        summarise_pair(results, "one", "two")


def test_a_comparison_says_which_run_it_took_and_what_is_missing(write_run):
    write_run("old", "A" * 40, system="one", identity={"seed": 1})
    write_run("torn", "A" * 39 + "-", system="one", identity={"seed": 2}, started_at="2026-02-01T00:00:00+00:00")
    results = write_run("two", "B" * 30 + "-" * 10, system="two")
    [pair], notes = summarise_pair(results, "one", "two")
    assert (pair.n, pair.runs[0]) == (30, "old")
    assert [note.split(":")[0] for note in notes] == ["one on suite has 2 runs", "two is partial"]


def test_runs_that_nothing_known_tells_apart_are_shown_by_their_own_names(write_run):
    write_run("1", "A" * 40, system="one", identity={"import": {"sha256": "1"}})
    results = write_run("2", "B" * 40, system="one", identity={"import": {"sha256": "2"}})
    assert [cell.label for cell in summarise(results).cells] == ["one [1]", "one [2]"]


def test_a_margin_decides_what_is_equivalent(write_run):
    write_run("1", "A" * 500 + "B" * 500, system="one")
    results = write_run("2", "A" * 500 + "B" * 500, system="two")
    [pair], _ = summarise_pair(results, "one", "two", Settings(margin=0.03))
    assert pair.verdict == "equivalent"


def test_of_two_runs_of_a_cell_the_complete_one_is_compared_and_the_choice_is_said(write_run):
    write_run("old", "A" * 40, system="one", identity={"seed": 1})
    write_run("torn", "A" * 39 + "-", system="one", identity={"seed": 2}, started_at="2026-02-01T00:00:00+00:00")
    results = write_run("two", "B" * 40, system="two")
    summary = summarise(results)
    assert [pair.n for pair in summary.comparisons] == [40]
    assert any("one on suite has 2 runs: comparisons take old" in note for note in summary.notes)
    assert [cell.label for cell in summary.cells] == ["one (seed 1)", "one (seed 2)", "two"]


def test_a_run_under_a_control_is_shown_apart_and_never_compared_with_plain_ones(write_run):
    write_run("plain", "A" * 40, system="one", identity={"controls": {"permute_options": None, "blind": False}})
    write_run("blind", "B" * 40, system="one", identity={"controls": {"permute_options": None, "blind": True}})
    results = write_run(
        "two", "A" * 40, system="two", identity={"controls": {"permute_options": None, "blind": True}}
    )
    summary = summarise(results)
    assert summary.comparisons == ()
    assert {cell.label for cell in summary.cells} == {"one", "one (blind)", "two (blind)"}


def test_answers_that_follow_the_letter_are_told_from_those_that_follow_the_text(write_run):
    items = [Item(str(i), f"q{i}", OPTIONS, "A") for i in range(40)]
    controls = Controls(permute_options=1)
    own = [show_item(item, controls).own_letters for item in items]
    plain = {"permute_options": None, "blind": False}
    write_run("p", "C" * 40, system="letter", items=items, identity={"controls": plain})
    # Always the letter C: in the permuted run its own letter is whatever was shown as C.
    results = write_run("q", [letters["C"] for letters in own], system="letter", items=items,
                        identity={"controls": dataclasses.asdict(controls)})  # fmt: skip
    [effect] = summarise(results).order_effects
    moved = sum(letters["C"] != "C" for letters in own)
    assert (effect.orders, effect.moved, effect.follow_letter, effect.follow_text) == (2, moved, 1, 0)


def test_a_gap_to_another_suite_has_an_interval(write_run):
    write_run("1", "A" * 30 + "B" * 10, system="one", suite="demo-in-dist")
    results = write_run("2", "A" * 20 + "B" * 20, system="one", suite="demo-long")
    [gap] = summarise(results).gaps
    assert gap.difference.value == pytest.approx(0.25)
    assert gap.difference.lo < 0.25 < gap.difference.hi


def test_calibration_is_given_for_readouts_alone(write_run, tmp_path):
    items = [Item(str(i), f"q{i}", {"A": "x", "B": "y"}, "A") for i in range(40)]
    results = write_run("1", "A" * 40, system="text", items=items)
    sure = {"A": -0.10536051565782628, "B": -2.302585092994046}  # 0.9 and 0.1
    made = manifest(run="2", system="reads", n=40)
    with RunStore(results / "2") as store:
        store.write_manifest(made, items)
        store.append([dataclasses.replace(record(str(i), "A"), option_logprobs=sure) for i in range(40)])
    cells = {cell["system"]: cell for cell in as_document(summarise(results))["cells"]}
    assert cells["text"]["ece"] is None
    assert cells["reads"]["ece"] == pytest.approx(0.1)  # sure to 0.9, right always
    json.dumps(cells, allow_nan=False)


def test_a_suite_with_clusters_has_every_interval_over_them(write_run):
    items = [Item(str(i), f"q{i}", {"A": "x", "B": "y"}, "A", cluster=str(i // 4)) for i in range(80)]
    letters = "".join(("A" if i % 3 else "B") * 4 for i in range(20))
    results = write_run("1", letters, items=items, system="reads")
    rows = [json.loads(line) for line in (results / "1" / "records.jsonl").read_text().splitlines()]
    sure, unsure = {"A": -0.105, "B": -2.305}, {"A": -0.7, "B": -0.686}
    lines = [json.dumps(row | {"option_logprobs": sure if i % 8 else unsure}) for i, row in enumerate(rows)]
    (results / "1" / "records.jsonl").write_text("\n".join(lines) + "\n")
    [cell] = summarise(results).cells
    assert (
        cell.metric(Accuracy).greedy.method
        == cell.metric(StatusCounts).given_ok.method
        == "BCa bootstrap over 20 clusters"
    )
    assert cell.metric(Confidence).calibration.brier.method == "BCa bootstrap over 20 clusters"
    assert cell.metric(Confidence).calibration.ece.lo is not None
