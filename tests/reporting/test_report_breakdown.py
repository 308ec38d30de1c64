"""A report by a facet of the items: what a suite keeps of its rows, the number of options, the question's length."""

import csv
import io
import json

import pytest
from report_runs import IDENTITY, manifest, record
from typer.testing import CliRunner

from rimbench.cli.app import app
from rimbench.errors import UsageError
from rimbench.records import Item
from rimbench.reporting import formats
from rimbench.reporting.document import as_document
from rimbench.reporting.summary import summarise
from rimbench.reporting.tables import make_tables
from rimbench.store import RunStore, read_items

OPTIONS = {"A": "x", "B": "y", "C": "z", "D": "w"}


def made_items(subjects, **more):
    items = []
    for place, subject in enumerate(subjects):
        facets = None if subject is None else {"subject": subject}
        items.append(Item(str(place), f"q{place}", OPTIONS, "A", facets=facets, **more))
    return items


@pytest.fixture
def write(tmp_path):
    def run(name, letters, items, sample=0, **changes):
        made = manifest(run=name, identity=IDENTITY, n=len(items), **({"samples": sample, "system": name} | changes))
        with RunStore(tmp_path / "results" / name) as store:
            store.write_manifest(made, items)
            store.append([record(str(place), letter, sample) for place, letter in enumerate(letters)])
        return tmp_path / "results"

    return run


def broken_down(results, by):
    return as_document(summarise(results, by=by))


def test_each_group_has_its_accuracy_and_is_held_against_the_other_items(write):
    # Anatomy 30 of 40 right, surgery 10 of 40, and of the items without a subject 10 of 20.
    items = made_items(["surgery"] * 40 + ["anatomy"] * 40 + [None] * 20)
    letters = "A" * 10 + "B" * 30 + "A" * 30 + "B" * 10 + "A" * 10 + "B" * 10
    [found] = broken_down(write("one", letters, items), "subject")["breakdowns"]
    assert (found["facet"], found["run"], found["system"], found["suite"]) == ("subject", "one", "one", "suite")
    anatomy, surgery, none = found["groups"]
    assert [(g["group"], g["n"], g["accuracy"]) for g in found["groups"]] == [
        ("anatomy", 40, 0.75), ("surgery", 40, 0.25), ("(none)", 20, 0.5),
    ]  # fmt: skip
    assert anatomy["ci95"] == [pytest.approx(0.5981, abs=1e-4), pytest.approx(0.8581, abs=1e-4)]  # Wilson
    assert anatomy["delta"] == pytest.approx(30 / 40 - 20 / 60) and none["delta"] == 0
    # z = (3/4 - 1/3) / sqrt(1/2 * 1/2 * (1/40 + 1/60)) = 4.0825: 2 * P(Z > z) = 4.46e-5, the same for both, and of
    # three the smallest counts thrice.
    assert anatomy["p_value"] == surgery["p_value"] == pytest.approx(4.456e-5, rel=1e-3)
    assert anatomy["p_adjusted"] == pytest.approx(3 * anatomy["p_value"]) == surgery["p_adjusted"]
    assert none["p_adjusted"] == none["p_value"] == 1


def test_a_pair_is_compared_within_each_group_and_adjusted_over_its_groups(write):
    items = made_items(["surgery"] * 20 + ["anatomy"] * 20)
    write("one", "A" * 20 + "A" * 10 + "B" * 10, items)
    results = write("two", "A" * 10 + "B" * 10 + "A" * 10 + "B" * 10, items)
    document = broken_down(results, "subject")
    [found] = document["pair_breakdowns"]
    [pair] = document["comparisons"]
    assert (found["a"], found["b"]) == (pair["a"], pair["b"])
    sign = 1 if found["a"] == "one" else -1
    anatomy, surgery = found["groups"]
    assert (anatomy["n"], anatomy["delta"], anatomy["p_value"], anatomy["p_adjusted"]) == (20, 0, 1, 1)
    # Exact McNemar of 10 to 0: 2 / 2**10; of two groups twice that.
    assert (surgery["n"], surgery["delta"]) == (20, sign * 0.5)
    assert surgery["p_value"] == pytest.approx(2 / 2**10) and surgery["p_adjusted"] == pytest.approx(4 / 2**10)
    assert surgery["test"] == "McNemar exact"
    # What the report judges is as it was.
    assert as_document(summarise(results))["comparisons"] == document["comparisons"]


def test_the_number_of_options_and_bands_of_words_are_facets_of_every_run(write):
    five = OPTIONS | {"E": "v"}
    lengths = (1, 20, 21, 50, 51, 100, 101, 200, 201)
    items = [
        Item(str(place), " ".join(["word"] * words), five if place == 4 else OPTIONS, "A")
        for place, words in enumerate(lengths)
    ]
    results = write("one", "A" * 9, items)
    [by_options] = broken_down(results, "options")["breakdowns"]
    assert [(g["group"], g["n"]) for g in by_options["groups"]] == [("4", 8), ("5", 1)]
    [by_length] = broken_down(results, "length")["breakdowns"]
    assert [(g["group"], g["n"]) for g in by_length["groups"]] == [
        ("1-20 words", 2), ("21-50 words", 2), ("51-100 words", 2), ("101-200 words", 2), ("over 200 words", 1),
    ]  # fmt: skip


def test_a_column_that_is_called_as_one_of_them_counts_first(write):
    items = [Item(str(i), "q", OPTIONS, "A", facets={"options": "many"}) for i in range(3)]
    [found] = broken_down(write("one", "AAB", items), "options")["breakdowns"]
    assert [g["group"] for g in found["groups"]] == ["many"]
    [group] = found["groups"]
    assert (group["delta"], group["delta_ci95"], group["p_value"], group["p_adjusted"]) == (None,) * 4


@pytest.mark.parametrize("how", ["clusters", "draws"])
def test_where_items_hang_together_or_answers_are_draws_a_group_has_no_p_value(write, how):
    items = made_items(["a"] * 10 + ["b"] * 10)
    if how == "clusters":
        items = [Item(i.item_id, i.question, i.options, i.gold, str(int(i.item_id) // 2), i.facets) for i in items]
    results = write("one", "A" * 10 + "B" * 10, items, sample=int(how == "draws"))
    [found] = broken_down(results, "subject")["breakdowns"]
    assert [(g["accuracy"], g["p_value"], g["p_adjusted"]) for g in found["groups"]] == [
        (1, None, None),
        (0, None, None),
    ]


def test_runs_of_earlier_builds_are_read_named_and_left_out(write):
    write("old", "A" * 4, made_items([None] * 4))
    results = write("new", "A" * 4, made_items(["a", "a", "b", "b"]))
    document = broken_down(results, "subject")
    assert [found["run"] for found in document["breakdowns"]] == ["new"]
    assert any(note.startswith("old keeps no subject with its items") for note in document["notes"])
    assert '"facets"' not in (results / "old" / "items.jsonl").read_text()
    assert read_items(results / "new")["2"].facets == {"subject": "b"}


def test_a_facet_that_no_run_has_names_those_that_there_are(write):
    results = write("one", "A" * 2, made_items(["a", "b"]))
    with pytest.raises(UsageError, match="unknown facet 'wherever': known: length, options, subject"):
        summarise(results, by="wherever")


@pytest.mark.parametrize("subject", ["=1+1", "a,b", 'a "b"', "x" * 500, "</script>", "ünï \u202e", "|", "&", "%_$"])
def test_every_format_shows_the_groups_whatever_they_are_called(write, subject):
    results = write("one", "A" * 4, made_items([subject, subject, "b", "b"]))
    report = summarise(results, by="subject")
    rows = list(csv.DictReader(io.StringIO(formats.render("csv", report, results))))
    assert [(row["n"], row["accuracy"]) for row in rows] == [("2", "1.0"), ("2", "1.0")]
    assert not any(row["group"].startswith("=") for row in rows)
    assert json.loads(formats.render("json", report, results))["breakdowns"]
    for name in ("markdown", "latex", "html"):
        assert "By subject" in formats.render(name, report, results)
    assert "By subject" in [table.title for table in make_tables(report)]


def test_the_command_prints_them_and_wrong_use_is_one_line(write):
    results = write("one", "A" * 4, made_items(["a", "a", "b", "b"]))
    done = CliRunner().invoke(app, ["report", "--results", str(results), "--by", "subject", "--csv"])
    assert done.exit_code == 0 and done.stdout.splitlines()[0].startswith("suite,system,run,label,facet,group,n,")
    assert len(done.stdout.splitlines()) == 3
    assert "By subject" not in CliRunner().invoke(app, ["report", "--results", str(results)]).stdout


def test_a_run_gets_the_facets_when_its_command_is_started_again_and_keeps_its_answers(tmp_path):
    rows = [{"id": str(i), "question": f"Question {i}?", "options": ["a", "b"], "gold": "A", "subject": "xy"[i % 2]}
            for i in range(4)]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(json.dumps({"item_id": str(i), "predicted": "A"}) + "\n" for i in range(4)))
    results, suite = tmp_path / "results", tmp_path / "mine.toml"
    commands = [
        ["run", "--system", "nano-direct", "--suite", str(suite), "--engine", "fake", "--results", str(results)],
        ["import", str(answers), "--system", "them", "--suite", str(suite), "--results", str(results)],
    ]
    kept = {}
    for more in ("", 'facets = ["subject"]\n'):
        suite.write_text(SUITE + more)
        assert [CliRunner().invoke(app, command).exit_code for command in commands] == [0, 0]
        found = {path.parent.name: path.read_bytes() for path in results.glob("*/records.jsonl")}
        assert len(found) == 2 and found == (kept or found)
        kept = found
    document = broken_down(results, "subject")
    assert [[(g["group"], g["n"]) for g in found["groups"]] for found in document["breakdowns"]] == [
        [("x", 2), ("y", 2)]
    ] * 2


SUITE = """description = "made for tests"
n = 10
[source]
path = "rows.jsonl"
[[layout]]
name = "test"
id = "id"
question = "question"
options = "options"
gold = { letter = "gold" }
"""
