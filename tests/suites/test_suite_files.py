"""A file that cannot be read is one line with the file, the line and what to do."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rimbench.errors import DataError
from rimbench.suites import load
from rimbench.suites.rows import read

GOOD = json.dumps({"question": "Q?", "options": {"A": "a", "B": "b"}, "gold": "A"})

DEEP_OBJECT = '{"a":' * 600 + "1" + "}" * 600


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", f"{GOOD}\n\n{GOOD[:40]}", r"a\.jsonl, line 3: is not JSON"),
        ("a.jsonl", f"{GOOD}\n[1]\n", r"line 2: is a JSON list: expected an object with named columns"),
        (
            "a.jsonl",
            f'{GOOD}\n{{"id": {"[" * 600}{"]" * 600}}}',
            r"line 2: is not JSON \(nested more than 200",
        ),
        ("a.json", f'[{{"id": {DEEP_OBJECT}}}]', r"a\.json: is not JSON \(nested more than 200 levels deep\)"),
        ("a.jsonl", b'{"question": "\xff"}', r"line 1: is not UTF-8"),
        ("a.json", "[" + GOOD, r"a\.json: is not JSON"),
        ("a.json", f"[{GOOD}, 3]", r"entry 2: is a JSON int"),
        ("a.json", "[" * 100_000, r"is not JSON"),
        ("a.parquet", b"PAR1 torn", r"a\.parquet: is not a whole Parquet file"),
        ("a.csv", "question,options,gold\nQ,A,A\nQ\n", r"line 3: has 1 cells, the header 3"),
        ("a.csv", "question,gold\nQ, really,A\n", r"line 2: has 3 cells, the header 2"),
        ("a.csv", 'question,gold\n"Q,A\n', r"is not CSV"),
        ("a.csv", "question,question\nQ,A\n", r"line 1: the column question stands there twice"),
        ("a.csv", b"question,gold\nQ\xff,A\n", r"is not UTF-8"),
        ("a.xlsx", "", r"unknown file type '\.xlsx': give one of \.jsonl"),
    ],
)
def test_an_unreadable_file_is_refused_with_the_place(table_suite, tmp_path, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        load(table_suite(), data=write(tmp_path, name, content))
    assert "\n" not in str(caught.value)


def test_brackets_in_texts_are_no_levels(tmp_path):
    text = '[{"' * 600 + "\\"
    data = write(tmp_path, "a.jsonl", json.dumps({"question": text, "id": [[1]]}) + "\n")
    assert list(read(data)) == [{"question": text, "id": [[1]]}]


def test_rows_nested_as_deep_as_may_be_are_kept_to_tell_the_base_of_their_gold_column(table_suite, tmp_path):
    row = {"id": json.loads("[" * 199 + "]" * 199), "question": "Q?", "options": ["a", "b"], "gold": 0}
    lines = "".join(json.dumps(row | {"question": f"Q{i}?"}) + "\n" for i in range(3))
    suite = load(table_suite('id = "id"', gold='{ index = "gold" }'), data=write(tmp_path, "a.jsonl", lines))
    assert [item.gold for item in suite.items] == ["A"] * 3


def not_utf8(*cells):
    """A column of texts whose bytes nobody looked at."""
    return pa.array(list(cells), pa.binary()).view(pa.string())


def test_a_text_of_a_parquet_file_that_is_not_utf8_is_named_with_row_and_column(tmp_path):
    table = pa.table({"question": not_utf8(b"Q?", b"caf\xe9"), "gold": ["A", "B"]})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet, row 2: column 'question': is not UTF-8: mend or remove it$"):
        list(read(tmp_path / "a.parquet"))


def test_texts_inside_the_lists_and_objects_of_a_parquet_file_are_held_to_the_same(tmp_path):
    lists = pa.ListArray.from_arrays([0, 1, 2], not_utf8(b"fine", b"\xff"))
    objects = pa.StructArray.from_arrays([not_utf8(b"\xff", b"fine")], ["A"])
    for name, cells, number in (("options", lists, 2), ("choices", objects, 1)):
        pq.write_table(pa.table({name: cells}), tmp_path / "a.parquet")
        with pytest.raises(DataError, match=rf"row {number}: column '{name}': is not UTF-8"):
            list(read(tmp_path / "a.parquet"))


def test_a_column_of_a_parquet_file_whose_name_is_not_utf8_is_said(tmp_path):
    pq.write_table(pa.table({"question": ["Q?"], "XYZXYZ": ["A"]}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content.replace(b"XYZXYZ", b"\xd3YZXYZ"))
    with pytest.raises(DataError, match=r"a\.parquet: a column's name is not UTF-8: rename it$"):
        list(read(tmp_path / "a.parquet"))


def test_a_day_of_a_parquet_file_that_no_calendar_here_has_is_named(tmp_path):
    pq.write_table(pa.table({"when": pa.array([0, 10**8], pa.int32()).view(pa.date32())}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="row 2: column 'when': "):
        list(read(tmp_path / "a.parquet"))


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
