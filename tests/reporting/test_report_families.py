"""One family, one verdict: a pair's is the same in every command, and nothing else in the folder changes it."""

import pytest
from report_runs import IDENTITY, record

from rimbench.errors import UsageError
from rimbench.reporting.families import ALONE, Choice, read_choice
from rimbench.reporting.latex import as_latex
from rimbench.reporting.pair_tables import certainty_table, verdict_table
from rimbench.reporting.summary import summarise, summarise_pair

NANO = ("nano-base-direct", "nano-cot", "nano-direct", "nano-rim-v1", "nano-rim-v2")
# Of 100 items base has 50 right; a difference of 12 to 2 discordant ones has p = 0.0129, of 16 to 0 p = 0.00003.
BASE = "A" * 50 + "B" * 50
AHEAD = "A" * 48 + "B" * 2 + "A" * 12 + "B" * 38
FAR = "A" * 66 + "B" * 34


@pytest.fixture
def run(write_run):
    def write(system, letters, suite="suite", **changes):
        answers = [record(str(i), letter) for i, letter in enumerate(letters) if letter != "-"]
        made = {"run": f"{system}-{suite}", "system": system, "suite": suite, "n": len(letters), "departures": {}}
        return write_run(answers, len(letters), **(made | {"identity": IDENTITY} | changes))

    return write


def judgement(pair):
    return pair.p_adjusted, pair.verdict, pair.reason


def verdicts(results, choice=None):
    return {
        (pair.suite, pair.a, pair.b): (pair.p_adjusted, pair.verdict)
        for pair in summarise(results, choice=choice).comparisons
    }


def test_by_default_each_shipped_system_is_held_against_its_baseline_which_stands_second(run):
    for system in ("nano-base", *NANO):
        results = run(system, BASE if system == "nano-base" else AHEAD)
    pairs = summarise(results).comparisons
    assert [(pair.a, pair.b, pair.family.size) for pair in pairs] == [(a, "nano-base", 5) for a in NANO]
    assert [pair.p_adjusted for pair in pairs] == [pytest.approx(5 * pairs[0].p_value)] * 5


def test_report_and_compare_give_a_pair_one_verdict(run):
    for suite in ("one", "two"):
        for system in ("nano-base", "nano-cot", "nano-rim-v2", "mine"):
            results = run(system, BASE if system == "nano-base" else AHEAD, suite)
    reported = verdicts(results)
    for a in ("nano-cot", "nano-rim-v2", "mine"):
        for pair in summarise_pair(results, a, "nano-base")[0]:
            assert reported[pair.suite, a, "nano-base"] == (pair.p_adjusted, pair.verdict)
    every = verdicts(results, Choice("all"))
    [pair] = [p for p in summarise_pair(results, "mine", "nano-cot", choice=Choice("all"))[0] if p.suite == "one"]
    assert every["one", "mine", "nano-cot"] == (pair.p_adjusted, pair.verdict)


def test_whatever_else_comes_to_lie_in_the_folder_no_verdict_changes(run):
    run("nano-base", BASE)
    run("nano-rim-v2", AHEAD)
    run("a", BASE)
    results = run("b", FAR)
    before = verdicts(results)
    assert before["suite", "nano-rim-v2", "nano-base"][1] == "undecided"  # 5 times 0.0129
    assert before["suite", "a", "b"][1] == "worse"
    for system in ("c", "d", "nano-cot", "nano-direct", "smollm2"):
        run(system, FAR)
    run("nano-rim-v2", FAR, run="k2", departures={"blocks": [8, 2]})
    run("nano-rim-v2", FAR, run="blind", departures={"blind": [False, True]})
    run("c", FAR, "another suite")
    after = verdicts(results)
    assert {pair: after[pair] for pair in before} == before


def test_a_family_may_be_named_whether_its_systems_were_run_or_not(run):
    for system in ("base", "rim", "other"):
        results = run(system, BASE if system == "base" else AHEAD)
    choice = read_choice("rim,cot,base", "base")
    [pair] = summarise(results, choice=choice).comparisons
    assert (pair.a, pair.b, pair.family.size) == ("rim", "base", 2)
    assert pair.p_adjusted == pytest.approx(2 * pair.p_value)
    [again], _ = summarise_pair(results, "rim", "base", choice=choice)
    assert judgement(again) == judgement(pair)
    with pytest.raises(UsageError, match="other is not among the systems of --family: rim, cot, base"):
        summarise_pair(results, "other", "base", choice=choice)


def test_another_baseline_of_a_shipped_family_leaves_its_size(run):
    for system in ("nano-base", *NANO):
        results = run(system, BASE if system == "nano-base" else AHEAD)
    pairs = summarise(results, choice=Choice(baseline="nano-direct")).comparisons
    assert {(pair.b, pair.family.size) for pair in pairs} == {("nano-direct", 5)} and len(pairs) == 5
    [pair], _ = summarise_pair(results, "nano-rim-v2", "nano-direct")
    assert judgement(pair) == judgement(next(p for p in pairs if p.a == "nano-rim-v2"))


@pytest.mark.parametrize(
    ("family", "baseline", "choice"),
    [
        (None, None, Choice()),
        ("all", None, Choice("all")),
        ("declared", "x", Choice("declared", "x")),
        ("cot, rim-v2", None, Choice(("cot", "rim-v2"), "base")),
        ("mine,theirs", "theirs", Choice(("mine", "theirs"), "theirs")),
    ],
)
def test_options_name_a_family_and_its_baseline(family, baseline, choice):
    assert read_choice(family, baseline) == choice


@pytest.mark.parametrize(("family", "baseline"), [("mine,theirs", None), ("cot,nano-cot", None), ("base", "base")])
def test_a_family_without_a_baseline_or_a_system_beside_it_is_refused(family, baseline):
    with pytest.raises(UsageError, match=f"--family {family}: "):
        read_choice(family, baseline)


def test_a_baseline_that_is_not_there_is_refused_with_what_is(run):
    with pytest.raises(UsageError, match=r"unknown baseline 'nano-bas': did you mean nano-base"):
        summarise(run("nano-base", BASE), choice=Choice(baseline="nano-bas"))


def test_the_family_stands_under_each_table_and_pairs_of_none_are_counted_among_the_doubts(run):
    run("nano-base", BASE)
    run("nano-cot", AHEAD)
    run("a", AHEAD)
    results = run("b", AHEAD)
    summed = summarise(results)
    for table in (
        verdict_table(summed.comparisons),
        certainty_table(summed.comparisons, summed.margin, summed.alpha),
    ):
        assert "the 5 pairs of nano-base-direct, nano-base, nano-cot," in table.remark
        assert "the pair alone, which belongs to no declared family" in table.remark
    assert [pair.family for pair in summed.comparisons].count(ALONE) == 3
    assert any(note.startswith("3 pairs belong to no declared family") for note in summed.notes)


def test_a_partial_run_gets_no_verdict_unless_it_is_asked_for(run, rimbench):
    run("nano-base", BASE)
    results = run("nano-cot", FAR[:60] + "-" * 40)
    [pair] = summarise(results).comparisons
    assert (pair.verdict, pair.said, pair.n, pair.n_asked) == (None, "partial", 60, 100)
    assert "60 of 100 items answered" in pair.reason and "--allow-partial" in pair.reason
    assert verdict_table([pair]).rows[0][2] == "60/100"
    [asked] = summarise(results, choice=Choice(allow_partial=True)).comparisons
    assert asked.verdict is not None
    for command in (("report",), ("compare", "nano-cot", "nano-base")):
        assert "partial" in rimbench(*command, "--results", results, check=True).stdout
        told = rimbench(*command, "--results", results, "--allow-partial", check=True).stdout
        assert asked.verdict in told


def accuracy_rows(results, choice=None):
    """The rows of the paper's table of accuracy, by system, and the note below it."""
    table = as_latex(summarise(results, choice=choice)).partition(r"\end{table}")[0]
    body, _, note = table.partition(r"\midrule")[2].partition(r"\bottomrule")
    rows = (row.removesuffix(r" \\").split(" & ") for row in body.strip().splitlines())
    return {row[0]: [text.partition(" ")[0] for text in row[1:]] for row in rows}, note


def test_the_papers_table_marks_what_is_shown_against_the_stated_baseline_and_says_by_which_rule(run):
    for suite, letters in (("one", AHEAD), ("two", FAR), ("three", BASE)):
        run("nano-base", BASE, suite)
        results = run("nano-cot", letters, suite)
    rows, note = accuracy_rows(results)
    # Five times 0.0129 is no longer below 0.05, five times 0.00003 is below 0.001; the same 100 answers are
    # equivalent, since Tango's 90% interval of no difference ends at z^2 / (100 + z^2) = 2.6 points.
    assert rows == {
        "nano-base": ["50.0", r"$^{\mathrm{b}}$"] * 3,
        "nano-cot": ["60.0", "", "50.0", "$^{=}$", "66.0", "$^{***}$"],
    }
    assert "Intervals: Wilson score." in note and "p: McNemar exact, adjusted." in note
    assert "the 5 pairs of" in note and "(Bonferroni)" in note
    alone, note = accuracy_rows(results, read_choice("nano-cot", "nano-base"))
    assert alone["nano-cot"] == ["60.0", "$^{*}$", "50.0", "$^{=}$", "66.0", "$^{***}$"]
    assert "the 1 pair of nano-cot against nano-base on a suite, as named (Bonferroni)" in note


def test_the_papers_table_says_where_nothing_can_be_marked(run):
    run("mine", BASE)
    results = run("yours", AHEAD)
    rows, note = accuracy_rows(results)
    assert rows == {"mine": ["50.0", ""], "yours": ["60.0", ""]}
    assert "No marks: no system has its baseline beside it" in note
    rows, note = accuracy_rows(run("nano-cot", "A" * 30 + "-" * 70), read_choice(None, "mine"))
    assert rows["nano-cot"] == ["100.0", "$^{?}$"] and "No verdict" in note
