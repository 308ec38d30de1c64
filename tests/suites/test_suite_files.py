"""A file that cannot be read is one line with the file, the line and what to do."""

import json

import pytest

from rimbench.errors import DataError
from rimbench.suites import load
from rimbench.suites.rows import read

GOOD = json.dumps({"question": "Q?", "options": {"A": "a", "B": "b"}, "gold": "A"})


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", f"{GOOD}\n\n{GOOD[:40]}", r"a\.jsonl, line 3: is not JSON"),
        ("a.jsonl", f"{GOOD}\n[1]\n", r"line 2: is a JSON list: expected an object with named columns"),
        ("a.jsonl", b'{"question": "\xff"}', r"line 1: is not UTF-8"),
        ("a.json", "[" + GOOD, r"a\.json: is not JSON"),
        ("a.json", f"[{GOOD}, 3]", r"entry 2: is a JSON int"),
        ("a.json", "[" * 100_000, r"is not JSON"),
        ("a.parquet", b"PAR1 torn", r"a\.parquet: is not a whole Parquet file"),
        ("a.csv", "question,options,gold\nQ,A,A\nQ\n", r"line 3: has 1 cells, the header 3"),
        ("a.csv", "question,gold\nQ, really,A\n", r"line 2: has 3 cells, the header 2"),
        ("a.csv", 'question,gold\n"Q,A\n', r"is not CSV"),
        ("a.csv", "question,question\nQ,A\n", r"line 1: a column name occurs twice"),
        ("a.csv", b"question,gold\nQ\xff,A\n", r"is not UTF-8"),
        ("a.xlsx", "", r"unknown file type '\.xlsx': give one of \.jsonl"),
    ],
)
def test_an_unreadable_file_is_refused_with_the_place(table_suite, tmp_path, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        load(table_suite(), data=write(tmp_path, name, content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(table_suite, tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read \(No such file.*give a file of rows"):
        load(table_suite(), data=tmp_path / "none.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory"):
        load(table_suite(), data=tmp_path / "folder.jsonl")


def test_an_unknown_layout_is_refused_with_the_columns_found_and_those_known(table_suite, tmp_path):
    data = write(tmp_path, "a.csv", "Frage,Antwort\nQ,A\n")
    with pytest.raises(
        DataError, match=r"columns are Frage, Antwort; known layouts: mine \(question, options, gold\)"
    ):
        load(table_suite(), data=data)


def test_marks_of_byte_order_and_windows_line_ends_do_not_matter(tmp_path):
    lines = write(tmp_path, "a.jsonl", b"\xef\xbb\xbf" + f"{GOOD}\r\n{GOOD}\r\n".encode())
    cells = write(tmp_path, "a.csv", b'\xef\xbb\xbfquestion,gold\r\n"Q\r\nR",\r\n')
    assert len(list(read(lines))) == 2
    assert list(read(cells)) == [{"question": "Q\r\nR", "gold": None}]


def test_a_line_separator_inside_a_text_does_not_end_a_line(tmp_path):
    row = json.dumps({"question": "one\u2028two\x85three"}, ensure_ascii=False)
    assert len(list(read(write(tmp_path, "a.jsonl", row + "\n" + row)))) == 2


def test_the_text_na_in_a_csv_is_a_text(tmp_path):
    assert list(read(write(tmp_path, "a.csv", "a,b\nNA,null\n"))) == [{"a": "NA", "b": "null"}]
