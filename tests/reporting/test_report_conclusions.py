"""The verdict that stands first: every sentence against numbers worked by hand, and at the edges."""

import pytest
from report_runs import IDENTITY, record

from rimbench.display.tabular import Table
from rimbench.reporting.conclusions import summary_tables
from rimbench.reporting.document import as_document
from rimbench.reporting.markdown import as_markdown
from rimbench.reporting.summary import summarise
from rimbench.reporting.tables import make_tables
from rimbench.statistics.power import items_deciding, items_paired, power_equivalence

READOUT = {"answer": {"mode": "readout", "temperature": 0.7}}
REAL = IDENTITY | {"engine": {"name": "transformers", "device": "cpu", "dtype": "float32"}}
RIM = REAL | {"weights_sha256": "r" * 64, "system": READOUT | {"memory": {"blocks": 8, "memory_tokens": 2}}}
DIRECT = REAL | {"weights_sha256": "d" * 64, "system": READOUT}
COT = REAL | {"weights_sha256": "c" * 64, "system": {"answer": {"mode": "generate", "temperature": 0.7}}}


@pytest.fixture
def write(write_run):
    """Write a run over 100 items that is right on those of `right`."""

    def write(system, identity, right, items=100):
        answers = [record(str(i), "A" if i in right else "B") for i in range(items)]
        return write_run(answers, items, run=system, system=system, n=items, identity=identity, departures={})

    return write


@pytest.fixture
def family(write):
    """A memory that is right on 70 of 100, one pass without it on 40 of these, written reasoning on 75 others."""
    write("nano-rim-v2", RIM, range(70))
    write("nano-direct", DIRECT, range(40))
    return write("nano-cot", COT, range(20, 95))


def said(results):
    [summary] = summarise(results).summary
    return {sentence.about: sentence.text for sentence in summary.sentences}


def test_every_sentence_is_what_the_records_give(family):
    told = said(family)
    # CoT against RiM: 25 items CoT's alone, 20 RiM's alone: exact McNemar p = 0.55. Wilson for 75 of 100.
    assert told["best"].startswith(
        "Highest: nano-cot, 75.0 [65.7, 82.5]%; +5.0 [-8.2, +18.1] points on nano-rim-v2: "
    )
    # RiM against direct: 30 items RiM's alone and none direct's, p = 2 / 2**30 times 5 for the family.
    assert told["memory"].startswith("nano-rim-v2 (memory): +30.0 [+21.9, +39.6] on nano-direct, better; ")
    assert "-5.0 [-18.1, +8.2] on nano-cot, undecided (needs N = 2,100)." in told["memory"]
    # Every gold letter is A: whoever always gives it has them all.
    assert told["distrust"] == ("Distrust most: not shown to be above chance or the majority letter: every system.")
    assert "cost" not in told


def test_what_would_decide_is_the_smaller_of_both_ways():
    # 45% of items differ by 5 points: finding that in a family of 5 takes Connor's N; 3 points cannot hold it.
    assert items_deciding(0.05, 0.45, 0.03, size=5) == items_paired(0.05, 0.45, alpha=0.01)
    # A difference of 1 point within 3 is shown to be there sooner than it is found.
    within = items_deciding(0.01, 0.1, 0.03)
    assert within < items_paired(0.01, 0.1)
    assert power_equivalence(within, 0.1, 0.03, 0.01) >= 0.8 > power_equivalence(within - 1, 0.1, 0.03, 0.01)
    assert items_deciding(0.0, 0.0, 0.03) == 1


def test_best_is_said_only_of_what_is_better_than_every_other(write):
    write("nano-rim-v2", RIM, range(90))
    results = write("nano-direct", DIRECT, range(40))
    assert said(results)["best"].startswith("Best: nano-rim-v2, 90.0 ")


def test_the_table_has_a_row_a_system_by_accuracy_with_the_marks_of_its_verdicts(family):
    [table] = summary_tables(summarise(family).summary)
    assert table.title == "suite, N = 100"
    assert [(row[0], row[-1]) for row in table.rows] == [
        ("nano-cot", ".?+"), ("nano-rim-v2", "?.+"), ("nano-direct", "--."),
    ]  # fmt: skip
    assert table.columns[-1] == "verdicts"


def test_all_formats_say_the_same_first(family):
    report = summarise(family)
    sentences = [each["text"] for each in as_document(report)["summary"][0]["sentences"]]
    assert list(make_tables(report)[0].lead) == sentences
    markdown = as_markdown(report)
    assert markdown.index("Highest: nano-cot, 75.0 [65.7, 82.5]%") < markdown.index("| system |")


def test_the_list_of_all_pairs_is_there_for_the_asking(family):
    report = summarise(family)
    assert "Who is better" not in {table.title for table in make_tables(report)}
    [listed] = [table for table in make_tables(report, all_pairs=True) if table.title == "Who is better"]
    assert {row[1] for row in listed.rows} == {
        "nano-rim-v2 vs nano-direct", "nano-rim-v2 vs nano-cot", "nano-cot vs nano-direct",
    }  # fmt: skip


def test_one_system_is_compared_with_nothing(write):
    told = said(write("nano-rim-v2", RIM, range(70)))
    assert told["best"] == "nano-rim-v2 has 70.0 [60.4, 78.1]%, with no other system to compare it with."
    assert "memory" not in told


def test_one_item_gives_no_verdict_and_says_what_one_takes(write):
    write("nano-rim-v2", RIM, range(1), items=1)
    told = said(write("nano-direct", DIRECT, range(0), items=1))
    assert "on nano-direct, too few items (30 needed)" in told["memory"]


def test_draws_alone_and_no_answers_are_still_a_table(write_run):
    draws = [record(str(i), "A", sample=s) for i in range(4) for s in (1, 2)]
    write_run(draws, run="drawn", system="drawn", samples=2)
    results = write_run([], run="none", system="none")
    [table] = summary_tables(summarise(results).summary)
    assert [row[:2] for row in table.rows] == [("drawn", "4"), ("none", "0/4")]


def test_thirty_systems_with_long_names_are_a_table(write):
    for i in range(30):
        results = write(f"{i:02}" + "x" * 78, DIRECT, range(i), items=40)
    [table] = summary_tables(summarise(results).summary)
    assert isinstance(table, Table) and len(table.rows) == 30
    assert {len(row[-1]) for row in table.rows} == {30}


def test_scripted_answers_are_distrusted_most(write):
    told = said(write("nano-rim-v2", RIM | {"engine": IDENTITY["engine"]}, range(70)))
    assert told["distrust"].startswith("Distrust most: made up by the scripted engine 'fake'")
