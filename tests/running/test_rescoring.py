"""Texts read again: what flips, what stays as it was recorded, and that nothing is touched."""

import json

import pytest
import typer
from typer.testing import CliRunner

from rimbench.errors import DataError, UsageError
from rimbench.extraction import Extraction
from rimbench.records import Item, Record
from rimbench.running.rescoring import choose_folders, rescore
from rimbench.store import Manifest, ModelSource, RunStore, SuiteSource, identity_of
from rimbench.suites.controls import Controls, show_item

OPTIONS = {"A": "aspirin", "B": "heparin", "C": "warfarin", "D": "insulin"}
ITEMS = [Item(str(i), f"q{i}", OPTIONS, "B") for i in range(4)]


def written(item_id, text, status, answer=None, sample=0):
    return Record(item_id, sample, "B", answer, status, text, None, 5, 9, "p")


@pytest.fixture
def write_run(tmp_path):
    def write(records, name="r", mode="generate", extraction="text", items=ITEMS, answer=None, **identity):
        identity |= {"suite": {"content_sha256": "c"}, "engine": {"name": "fake", "device": "none", "dtype": "none"}}
        identity |= {"system": {"answer": {"mode": mode, "extraction": extraction} | (answer or {})}}
        start, whole = "2026-01-01T00:00:00+00:00", identity_of(identity)
        sources = SuiteSource(), ModelSource("m")
        made = Manifest(1, name, "s", "t", len(items), 0, whole, *sources, {}, {}, None, None, start, None, 1)
        with RunStore(tmp_path / "results" / name) as store:
            store.write_manifest(made, items)
            store.append(records)
        return tmp_path / "results" / name

    return write


def test_an_answer_that_is_read_otherwise_today_is_shown_with_both_readings(write_run):
    folder = write_run(
        [
            written("0", "The answer is (B).", "no_answer"),
            written("1", "The answer is (B).", "ok", "A"),
            written("2", "The answer is (C).", "ok", "B"),
            written("3", "The answer is (B).", "ok", "B"),
        ]
    )
    rescored = rescore(folder)
    found = [(f.item_id, f.old, f.new, f.right_before, f.right_after) for f in rescored.flips]
    assert found == [
        ("0", Extraction(None, "no_answer"), Extraction("B", "ok"), False, True),
        ("1", Extraction("A", "ok"), Extraction("B", "ok"), False, True),
        ("2", Extraction("B", "ok"), Extraction("C", "ok"), True, False),
    ]
    assert (rescored.greedy.n, rescored.greedy.right_before, rescored.greedy.right_after) == (4, 2, 3)
    assert rescored.draws.n == 0


def test_what_a_text_cannot_tell_stays_as_it_was_recorded(write_run):
    folder = write_run(
        [
            written("0", "Let me think about", "truncated"),
            written("1", "OutOfMemoryError: the answer is (B).", "engine_error"),
            written("2", "", "refused"),
            written("3", "The answer is (B).", "truncated"),
        ]
    )
    assert [(f.item_id, f.new.status) for f in rescore(folder).flips] == [("3", "ok")]


def test_draws_are_counted_apart_from_greedy_answers(write_run):
    folder = write_run([written("0", "(B)", "ok", "B"), written("0", "Answer: B", "no_answer", sample=1)])
    rescored = rescore(folder)
    assert (rescored.greedy.n, rescored.draws.n, rescored.draws.right_before, rescored.draws.right_after) == (
        1,
        1,
        0,
        1,
    )
    assert [flip.sample for flip in rescored.flips] == [1]


def test_the_systems_own_kind_of_extraction_is_used(write_run):
    records = [written("0", "B} because C is the answer", "ok", "B")]
    assert not rescore(write_run(records, extraction="first_letter")).flips


def test_the_systems_own_reasoning_tags_are_used(write_run):
    records = [written("0", "[[musing]] Answer: A [[said]] Answer: B", "ok", "B")]
    assert not rescore(write_run(records, answer={"reasoning_tags": [["[[musing]]", "[[said]]"]]})).flips


def test_options_that_were_permuted_are_read_in_the_order_that_was_shown(write_run):
    controls = Controls(permute_options=7)
    records = []
    for item in ITEMS:
        own = show_item(item, controls).own_letters
        records.append(written(item.item_id, "The answer is (A).", "ok", own["A"]))
    assert any(record.answer != "A" for record in records)
    assert not rescore(write_run(records, controls={"permute_options": 7, "blind": False})).flips


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mode": "readout"}, "a readout"),
        ({"mode": "letters", "extraction": None}, "imported without texts"),
        ({"import": {"reordered": True}}, "imported with options in another order"),
        ({"extraction": "of tomorrow"}, "its extraction 'of tomorrow' is not known here"),
    ],
)
def test_a_run_without_texts_to_read_is_left_alone_and_says_why(write_run, changes, reason):
    rescored = rescore(write_run([written("0", "The answer is (C).", "ok", "B")], **changes))
    assert (rescored.left_alone, rescored.flips, rescored.greedy.n) == (reason, [], 0)


def test_runs_are_chosen_by_name_or_path_and_an_unknown_one_names_its_neighbours(write_run, tmp_path):
    a, b = write_run([], "cot-medqa-1"), write_run([], "cot-medqa-2")
    assert choose_folders(tmp_path / "results", []) == [a, b]
    assert choose_folders(tmp_path / "results", ["cot-medqa-2", str(a)]) == [b, a]
    with pytest.raises(UsageError, match="unknown run 'cot-medqa-3': did you mean cot-medqa-"):
        choose_folders(tmp_path / "results", ["cot-medqa-3"])
    with pytest.raises(DataError, match=r"no run in .*rimbench run"):
        choose_folders(tmp_path / "nothing", [])


def test_a_record_of_an_unknown_item_is_refused(write_run):
    with pytest.raises(DataError, match="answers item 'x', which is not in its items"):
        rescore(write_run([written("x", "B", "ok", "B")]))


@pytest.fixture
def command(tmp_path):
    from rimbench.cli.rescore import rescore as run

    app = typer.Typer()
    app.command()(run)

    def invoke(*arguments):
        done = CliRunner().invoke(app, [*arguments, "--results", str(tmp_path / "results")])
        if done.exception is not None:
            raise done.exception
        return done.stdout

    return invoke


def test_the_command_shows_flips_and_touches_nothing(write_run, command):
    folder = write_run([written("0", "So: the answer is (B).", "no_answer"), written("1", "(B)", "ok", "B")])
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    printed = command()
    assert "1 of 2 (50.00%)" in printed and "2 of 2 (100.00%)" in printed
    [line] = [line for line in printed.splitlines() if "wrong -> right" in line]
    assert "no answer" in line and line.rstrip().endswith("So: the answer is (B).")
    [run] = json.loads(command("--json"))["runs"]
    assert run["greedy"] == {
        "n": 2, "right_before": 1, "right_after": 2, "accuracy_before": 0.5, "accuracy_after": 1.0,
    }  # fmt: skip
    assert run["draws"]["accuracy_before"] is None
    assert run["flips"][0]["old"] == {"status": "no_answer", "answer": None}
    assert run["flips"][0]["new"] == {"status": "ok", "answer": "B"}
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


def test_a_damaged_run_is_named_and_left_out_unless_it_was_asked_for(write_run, command):
    write_run([written("1", "(B)", "ok", "B")], "whole")
    (write_run([], "damaged") / "manifest.json").write_text('{"schema_version": 1, "n": "x"}')
    assert [run["run"] for run in json.loads(command("--json"))["runs"]] == ["whole"]
    with pytest.raises(DataError, match=r"damaged/manifest\.json"):
        command("damaged")
