"""Files of rows: whatever form they have, no cell moves to another column and no row is lost without a word."""

import json

import pytest

from rimbench.errors import DataError
from rimbench.suites import load
from rimbench.suites.rows import read

ROWS = {
    "0000": {"question": "Q0?", "options": {"A": "x", "B": "y"}, "gold": "A"},
    "0001": {"question": "Q1?", "options": {"A": "x", "B": "z"}, "gold": "B"},
}
LISTED = list(ROWS.values())
OTHER = {"7": {"question": "other?", "options": {"A": "x", "B": "y"}, "gold": "A"}}


def write(tmp_path, text, name="rows.json"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("indent", [None, 0, 4])
@pytest.mark.parametrize(
    "document",
    [
        ROWS, {"mine": ROWS}, {"mine": ROWS, "pubmedqa": OTHER}, {"pubmedqa": OTHER, "Mi-ne": ROWS},
        {"bench": {"mine": ROWS}},
        LISTED, {"data": LISTED}, {"version": "1.0", "data": LISTED}, {"mine": LISTED, "train": list(OTHER.values())},
        {"question": ["Q0?", "Q1?"], "options": [row["options"] for row in LISTED], "gold": ["A", "B"]},
        {name: {str(i): row[name] for i, row in enumerate(LISTED)} for name in LISTED[0]},
        {"columns": list(LISTED[0]), "index": [0, 1], "data": [list(row.values()) for row in LISTED]},
        {"features": [], "rows": [{"row_idx": i, "row": row, "truncated_cells": []} for i, row in enumerate(LISTED)]},
    ],
    ids=lambda document: "/".join(document) if isinstance(document, dict) else "list",
)  # fmt: skip
def test_a_json_document_is_read_in_every_form(table_suite, tmp_path, document, indent):
    suite = load(table_suite(), data=write(tmp_path, json.dumps(document, indent=indent)))
    assert sorted((item.question, item.gold) for item in suite.items) == [("Q0?", "A"), ("Q1?", "B")]


def test_the_items_of_rows_by_id_have_these_ids(table_suite, tmp_path):
    suite = load(table_suite(), data=write(tmp_path, json.dumps({"mine": ROWS}, indent=1)))
    assert sorted(item.item_id for item in suite.items) == ["0000", "0001"]


def test_several_objects_over_many_lines_each_are_rows(table_suite, tmp_path):
    text = "\n".join(json.dumps(row, indent=2) for row in LISTED)
    assert len(load(table_suite(), data=write(tmp_path, text)).items) == 2


def test_one_row_alone_is_a_row(table_suite, write_suite, tmp_path):
    one = write(tmp_path, json.dumps(LISTED[0]), "one.jsonl")
    assert len(load(table_suite(), data=one).items) == 1
    chat = {
        "messages": [{"role": "user", "content": "Q?\nA. x\nB. y"}, {"role": "assistant", "content": "Answer: A"}]
    }
    suite = write_suite('description = "d"\nn = 9\n[[layout]]\nname = "chat"\nmessages = "messages"\n', "chat.toml")
    assert len(load(suite, data=write(tmp_path, json.dumps(chat), "chat.jsonl")).items) == 1


@pytest.mark.parametrize("name", ["samples", "dataset", "validation", "train", "problems"])
def test_what_is_said_beside_a_list_of_rows_makes_it_no_row(tmp_path, name):
    text = json.dumps({name: [{"q": "a"}, {"q": "b"}], "seed": 1})
    assert rows_of(tmp_path, text, "rows.json") == [{"q": "a"}, {"q": "b"}]


def test_the_columns_that_the_hubs_answer_describes_are_no_rows(tmp_path):
    rows = [{"row_idx": i, "row": {"q": q}, "truncated_cells": []} for i, q in enumerate("ab")]
    text = json.dumps({"features": [{"feature_idx": 0, "name": "q"}], "rows": rows, "num_rows_total": 2})
    assert rows_of(tmp_path, text, "rows.json") == [{"q": "a"}, {"q": "b"}]


def test_groups_of_which_none_is_the_suites_are_named(table_suite, tmp_path):
    path = write(tmp_path, json.dumps({"medqa": ROWS, "pubmedqa": OTHER}))
    with pytest.raises(DataError, match=r"holds 2 groups of rows \(medqa, pubmedqa\), and none is called 'mine'"):
        load(table_suite(), data=path)


def test_an_id_that_occurs_twice_in_one_object_is_refused(table_suite, tmp_path):
    row = json.dumps(LISTED[0])
    with pytest.raises(DataError, match="the key '0000' occurs twice"):
        load(table_suite(), data=write(tmp_path, f'{{"0000": {row},\n"0000": {row}}}'))


@pytest.mark.parametrize("text", ["{", '{"0000": ', "{\n}x", '{"a": {"question": "x"}'])
def test_a_document_that_is_cut_off_is_refused(table_suite, tmp_path, text):
    with pytest.raises(DataError, match="is not JSON"):
        load(table_suite(), data=write(tmp_path, text))


def test_a_torn_line_among_lines_is_named(tmp_path):
    whole = json.dumps(LISTED[0])
    for text, line in ((f'{whole}\n{{"question": "Q', 2), (f'{{"question": "a\n{whole}\n{whole}\n', 1)):
        with pytest.raises(DataError, match=f"line {line}: is not JSON"):
            list(read(write(tmp_path, text, "torn.jsonl")))


def rows_of(tmp_path, text, name="rows.csv"):
    return list(read(write(tmp_path, text, name)))


@pytest.mark.parametrize(
    ("text", "line", "cells"),
    [
        ("a,b\n1,2\n3\n", 3, 1),
        ("a,b\n1,2,3\n", 2, 3),
        ("a,b\n1,2,\n", 2, 3),
        ('a,b\n"1\n\n2",3\n4,5,6\n', 5, 3),
        ('a,b\n"x\ny"\n', 2, 1),
        ("a,b,c\n1,2,3\n4,", 3, 2),
        ("a,b\n\n1\n", 3, 1),
        ("a;b\n1;2\n3;4;5\n", 3, 3),
        ("a\tb\n1\n", 2, 1),
        ("a,b\r\n1,2\r\n3\r\n", 3, 1),
    ],
)
def test_a_csv_row_longer_or_shorter_than_the_header_is_refused_with_its_line(tmp_path, text, line, cells):
    with pytest.raises(DataError, match=rf"rows\.csv, line {line}: has {cells} cells, the header"):
        rows_of(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    ['q,o\n"a, b",c\n', "q;o\n\"a, b\";c\n", "q\to\na, b\tc\n", "q|o\na, b|c\n", '\ufeffq,o\r\n"a, b",c\r\n',
     '"q","o"\n"a, b",c\n',
     ',q,o\n0,"a, b",c\n', 'q,o,\n"a, b",c,\n', '\ufeffq;o\n"a, b";c', 'sep=;\nq;o\na, b;c\n',
     "sep=|\r\nq|o\r\na, b|c\r\n",
     '\n\nq,o\n"a, b",c\n', 'q, o\n"a, b", c\n', "q ; o\na, b ; c\n", 'q,o\r"a, b",c\r'],
)  # fmt: skip
def test_a_csv_is_read_with_the_delimiter_that_its_header_has_and_columns_without_a_name_are_left_out(tmp_path, text):
    assert rows_of(tmp_path, text) == [{"q": "a, b", "o": "c"}]


def test_a_tsv_is_read(tmp_path):
    assert rows_of(tmp_path, "q\to\na, b\tc\n", "rows.tsv") == [{"q": "a, b", "o": "c"}]


@pytest.mark.parametrize("text", ['a,b\n"1,2\n', 'a,b\n1,"2\n3,4\n', 'a,b\n"1"x,2\n'])
def test_a_quoted_cell_that_does_not_end_is_refused_with_its_line(tmp_path, text):
    with pytest.raises(DataError, match="line 2: is not CSV"):
        rows_of(tmp_path, text)
