"""Faulty rows are left out, counted and listed, and a file that is mostly wrong is refused."""

import pytest

from rimbench.errors import DataError
from rimbench.suites import load


def sound(i):
    return {"question": f"Question {i}?", "options": {"A": f"a{i}", "B": f"b{i}", "C": f"c{i}"}, "gold": "C"}


SOUND = [sound(i) for i in range(60)]


def faults(suite):
    return {fault.kind: fault.item_ids for fault in suite.audit.faults}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("empty_text", {"question": "  "}),
        ("empty_text", {"question": None}),
        ("empty_text", {"options": {"A": "a", "B": " ", "C": "c"}}),
        ("equal_options", {"options": {"A": "a", "B": "b", "C": "a "}}),
        ("option_count", {"options": {"A": "a"}}),
        ("option_count", {"options": {"A": "a", "C": "c"}}),
        ("option_count", {"options": "no mapping"}),
        ("option_count", {"options": None}),
        ("gold_out_of_range", {"gold": "D"}),
        ("gold_out_of_range", {"gold": "K"}),
        ("gold_out_of_range", {"gold": None}),
        ("gold_out_of_range", {"gold": "the third"}),
        ("not_text", {"question": ["a list"]}),
        ("not_text", {"question": "cut \ud83d"}),
    ],
)
def test_a_faulty_row_is_left_out_and_listed(table_suite, write_rows, kind, change):
    suite = load(table_suite(), data=write_rows([*SOUND, {**sound(60), **change}]))
    assert faults(suite) == {kind: ("60",)}
    assert len(suite.items) == 60


def test_a_repeated_question_is_kept_once(table_suite, write_rows):
    again = {"question": " question  3?", "options": {"A": "C3", "B": "b3", "C": "a3"}, "gold": "A"}
    suite = load(table_suite(), data=write_rows([*SOUND, again]))
    assert faults(suite) == {"repeated_question": ("60",)}


def test_the_same_question_with_other_options_is_another_item(table_suite, write_rows):
    other = {**sound(60), "question": SOUND[0]["question"]}
    assert len(load(table_suite(), data=write_rows([*SOUND, other])).items) == 61


def test_a_question_that_is_answered_in_two_ways_is_not_used_at_all(table_suite, write_rows):
    twice = [{**SOUND[3], "gold": "A"}, SOUND[3]]
    suite = load(table_suite(), data=write_rows([*SOUND, *twice]))
    assert faults(suite) == {"contradicting_gold": ("3", "60", "61")}
    assert len(suite.items) == 59


def test_an_id_that_comes_again_is_a_fault(table_suite, write_rows):
    rows = [{**row, "key": str(i)} for i, row in enumerate(SOUND)] + [{**sound(60), "key": "7"}]
    assert faults(load(table_suite('id = "key"'), data=write_rows(rows))) == {"repeated_id": ("7",)}


def test_the_gold_letter_must_agree_with_the_files_own_answer_text(table_suite, write_rows):
    rows = [{**row, "answer": row["options"]["C"].upper()} for row in SOUND]
    rows[4]["answer"] = "a4"
    rows[5]["answer"] = None
    assert faults(load(table_suite('answer_text = "answer"'), data=write_rows(rows))) == {
        "answer_text_differs": ("4",)
    }


def test_every_row_is_accounted_for(table_suite, write_rows):
    rows = [{**row, "kind": "x" if i else "y"} for i, row in enumerate(SOUND)]
    rows[7]["gold"] = "Z"
    audit = load(table_suite('filter = { kind = "x" }'), data=write_rows(rows)).audit
    assert (audit.rows, audit.usable, sum(audit.left_out.values()), audit.faulty) == (60, 58, 1, 1)


def test_the_gold_letters_of_the_items_are_counted_zeros_included(table_suite, write_rows):
    rows = [*SOUND[:3], {**SOUND[3], "gold": "A"}]
    assert load(table_suite(), data=write_rows(rows)).audit.gold_histogram == {"A": 1, "B": 0, "C": 3}


def test_up_to_a_twentieth_of_faulty_rows_is_borne_and_more_is_an_error(table_suite, write_rows):
    bad = [{**sound(i), "gold": "Q"} for i in range(60, 64)]
    assert load(table_suite(), data=write_rows([*SOUND, *bad[:3]])).audit.faulty == 3
    with pytest.raises(DataError, match=r"4 of 64 rows are faulty, more than 5%: gold_out_of_range 4 \(60, 61, 62"):
        load(table_suite(), data=write_rows([*SOUND, *bad]))


def test_no_usable_item_is_an_error_that_says_what_became_of_the_rows(table_suite, write_rows):
    rows = [{**row, "kind": "y"} for row in SOUND]
    with pytest.raises(DataError, match=r"no usable item among 60 rows \(filtered 60\)"):
        load(table_suite('filter = { kind = "x" }'), data=write_rows(rows))


def test_a_file_without_rows_is_an_error(table_suite, tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n\n")
    with pytest.raises(DataError, match="holds no rows"):
        load(table_suite(), data=empty)


def test_a_column_that_is_missing_in_some_rows_is_a_fault_of_those_rows(table_suite, write_rows):
    cut = {key: value for key, value in sound(60).items() if key != "gold"}
    assert faults(load(table_suite(), data=write_rows([*SOUND, cut]))) == {"gold_out_of_range": ("60",)}


def test_a_question_that_was_answered_in_two_ways_stays_out_however_often_it_comes(table_suite, write_rows):
    """Also where an item that is kept has the id of one that was thrown out."""
    other = {**sound(60), "id": "3"}
    rows = [{"id": str(i), **row} for i, row in enumerate(SOUND)]
    again = [{**SOUND[3], "gold": "A", "id": "x"}, other, {**SOUND[3], "id": "y"}]
    suite = load(table_suite('id = "id"'), data=write_rows([*rows, *again]))
    assert faults(suite) == {"contradicting_gold": ("3", "x", "y")}
    assert [item.question for item in suite.items if item.item_id == "3"] == ["Question 60?"]
