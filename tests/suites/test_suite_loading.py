"""Rows and a TOML become a frozen list of items, the same from every file type and on every machine."""

import hashlib
import json

import pytest

from rimbench.errors import DataError, UsageError
from rimbench.records import Item
from rimbench.suites import Wording, heldout, load, question_text


def question(i, gold="B", n_options=4):
    options = {letter: f"text {letter}{i}" for letter in "ABCDEFGHIJ"[:n_options]}
    return {"question": f"Question {i}?", "options": options, "gold": gold}


FORTY = [question(i, "ABCD"[i % 4]) for i in range(40)]


def test_every_file_type_with_the_same_rows_has_the_same_hash(table_suite, write_rows, tmp_path):
    suite = table_suite()
    array = tmp_path / "array.json"
    array.write_text(json.dumps(FORTY, indent=1))
    files = [write_rows(FORTY, name) for name in ("a.jsonl", "a.json", "a.parquet", "a.csv")] + [array]
    assert len({load(suite, data=file).content_sha256 for file in files}) == 1
    assert {len(load(suite, data=file).items) for file in files} == {40}


def test_the_content_hash_is_the_sha256_of_one_plain_json_document(table_suite, write_rows):
    rows = [{"question": " Was ist größer? ", "options": {"A": "µ ", "B": "m"}, "gold": "b"}]
    document = '[["0","Was ist gr\\u00f6\\u00dfer?",["\\u00b5","m"],"B"]]'
    suite = load(table_suite(), data=write_rows(rows))
    assert suite.content_sha256 == hashlib.sha256(document.encode()).hexdigest()


def test_the_sample_is_ordered_by_the_hash_of_seed_and_id_and_cut_to_n(table_suite, write_rows):
    suite = load(table_suite(n=5), data=write_rows(FORTY))
    order = sorted(map(str, range(40)), key=lambda i: hashlib.sha256(f"7:{i}".encode()).hexdigest())
    assert [item.item_id for item in suite.items] == order[:5]
    assert suite.audit.usable == 40
    assert suite.audit.used == 5


def test_the_frozen_order_does_not_depend_on_the_order_of_the_rows(table_suite, write_rows):
    rows = [{**row, "key": f"id-{i}"} for i, row in enumerate(FORTY)]
    suite = table_suite('id = "key"')
    forwards = load(suite, data=write_rows(rows, "forwards.jsonl"))
    backwards = load(suite, data=write_rows(rows[::-1], "backwards.jsonl"))
    assert forwards.content_sha256 == backwards.content_sha256


def test_a_limit_takes_the_first_items_of_the_frozen_order(table_suite, write_rows):
    data = write_rows(FORTY)
    whole, three = load(table_suite(), data=data), load(table_suite(), data=data, limit=3)
    assert three.items == whole.items[:3]
    assert three.content_sha256 != whole.content_sha256
    assert three.n_requested == 3


def test_a_suite_knows_that_it_has_fewer_items_than_were_asked_for(table_suite, write_rows):
    suite = load(table_suite(n=100), data=write_rows(FORTY))
    assert (len(suite.items), suite.n_requested) == (40, 100)


def test_a_limit_below_one_is_refused(table_suite, write_rows):
    with pytest.raises(UsageError, match="limit 0: must be at least 1"):
        load(table_suite(), data=write_rows(FORTY), limit=0)


@pytest.mark.parametrize("n_options", [2, 5, 10])
def test_items_have_two_to_ten_options(table_suite, write_rows, n_options):
    rows = [question(i, "B", n_options) for i in range(3)]
    for name in ("rows.jsonl", "rows.parquet", "rows.csv"):
        items = load(table_suite(), data=write_rows(rows, name)).items
        assert all("".join(item.options) == "ABCDEFGHIJ"[:n_options] for item in items)


def test_rows_of_a_parquet_file_may_have_different_numbers_of_options(table_suite, write_rows):
    rows = [question(i, "A", n_options) for i, n_options in enumerate((2, 4, 10))]
    hashes = {load(table_suite(), data=write_rows(rows, f"r{t}")).content_sha256 for t in (".jsonl", ".parquet")}
    assert len(hashes) == 1


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet", "rows.csv"])
def test_options_may_be_a_list_or_one_column_each(table_suite, write_rows, name):
    listed = [{"question": f"Q{i}", "options": [f"a{i}", f"b{i}"], "gold": "A"} for i in range(3)]
    columns = [{"question": f"Q{i}", "yes": f"a{i}", "no": f"b{i}", "gold": "A"} for i in range(3)]
    a = load(table_suite(), data=write_rows(listed, f"listed-{name}"))
    b = load(table_suite(options='["yes", "no"]'), data=write_rows(columns, f"columns-{name}"))
    assert a.content_sha256 == b.content_sha256


def test_options_may_be_a_list_of_keys_and_values(table_suite, write_rows):
    rows = [{"question": "Q", "options": [{"key": "A", "value": "a"}, {"key": "B", "value": "b"}], "gold": "B"}]
    assert load(table_suite(), data=write_rows(rows)).items == (Item("0", "Q", {"A": "a", "B": "b"}, "B"),)


def test_an_option_letter_beyond_j_is_refused(table_suite, write_rows):
    rows = [{"question": "Q", "options": dict.fromkeys("ABCDEFGHIJK", "x"), "gold": "A"}]
    with pytest.raises(DataError, match=r"row 0: option letter K: an item has 2 to 10 options, letters A to J"):
        load(table_suite(), data=write_rows(rows))
    with pytest.raises(DataError, match="row 0: 11 options"):
        load(table_suite(), data=write_rows([{"question": "Q", "options": list("abcdefghijk"), "gold": "A"}]))


def test_the_gold_may_be_the_text_of_the_option(table_suite, write_rows):
    rows = [{"question": f"Q{i}", "options": ["yes", "no"], "gold": "no"} for i in range(3)]
    suite = load(table_suite(gold='{ text = "gold" }'), data=write_rows(rows))
    assert {item.gold for item in suite.items} == {"B"}


def test_clusters_are_kept_where_the_layout_names_them(table_suite, write_rows):
    rows = [{**row, "case": f"case {i // 2}"} for i, row in enumerate(FORTY)]
    items = load(table_suite('cluster = "case"'), data=write_rows(rows)).items
    assert {item.item_id: item.cluster for item in items}["5"] == "case 2"


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.parquet"])
def test_a_filter_keeps_the_rows_with_a_value_and_counts_the_rest(table_suite, write_rows, name):
    rows = [{**row, "kind": "single" if i < 30 else "multi", "ok": i != 0} for i, row in enumerate(FORTY)]
    suite = load(table_suite('filter = { kind = "single", ok = true }'), data=write_rows(rows, name))
    assert suite.audit.left_out == {"filtered": 11}
    several = load(table_suite('filter = { kind = ["single", "multi"] }'), data=write_rows(rows, name))
    assert several.audit.usable == 40


def test_layouts_are_tried_in_order(table_suite, write_rows):
    second = '[[layout]]\nname = "other"\nquestion = "q"\noptions = ["a", "b"]\ngold = { index = "n", base = 1 }\n'
    rows = [{"q": f"Q{i}", "a": "yes", "b": "no", "n": 2} for i in range(3)]
    assert {item.gold for item in load(table_suite(second), data=write_rows(rows)).items} == {"B"}


def test_held_out_and_train_slices_share_nothing_and_make_up_all(table_suite, write_rows):
    suite, data = table_suite("[heldout]\nfraction = 0.4"), write_rows(FORTY)
    ids = {s: {item.item_id for item in load(suite, data=data, slice_=s).items} for s in ("heldout", "train", "all")}
    assert ids["heldout"] | ids["train"] == ids["all"] == set(map(str, range(40)))
    assert not ids["heldout"] & ids["train"]
    assert 5 < len(ids["heldout"]) < 28


def test_only_the_held_out_slice_is_cut_to_n(table_suite, write_rows):
    suite, data = table_suite("[heldout]\nfraction = 0.5", n=2), write_rows(FORTY)
    sizes = {s: len(load(suite, data=data, slice_=s).items) for s in ("heldout", "train", "all")}
    assert sizes["heldout"] == 2
    assert sizes["all"] == 40


def test_a_suite_that_holds_nothing_out_has_no_train_slice(table_suite, write_rows):
    with pytest.raises(UsageError, match="has no train slice"):
        load(table_suite(), data=write_rows(FORTY), slice_="train")


def test_holding_out_looks_past_case_spacing_and_punctuation():
    spellings = ["Which  Nerve,\nis it?", "which nerve is it", "WHICH NERVE — IS IT ?"]
    for fraction in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert len({heldout(spelling, fraction) for spelling in spellings}) == 1


def test_the_held_out_share_is_about_the_fraction():
    assert 0.08 < sum(heldout(f"question {i}", 0.1) for i in range(4000)) / 4000 < 0.12


def test_the_source_of_a_file_is_its_name_and_hash_not_its_folder(table_suite, write_rows):
    data = write_rows(FORTY)
    source = load(table_suite(), data=data).source
    assert (source.kind, source.name) == ("file", "rows.jsonl")
    assert source.revision == hashlib.sha256(data.read_bytes()).hexdigest()


def test_a_suite_may_name_a_file_beside_its_toml(table_suite, write_rows):
    write_rows(FORTY)
    assert len(load(table_suite(top='source = { path = "rows.jsonl" }')).items) == 40


def test_a_question_is_worded_as_the_suite_says_and_braces_in_it_stay():
    item = Item("0", "Is {options} or {0} a set?", {"A": "{letter} {text}", "B": "no {"}, "A")
    assert question_text(Wording(), item) == "Is {options} or {0} a set?\nA: {letter} {text}\nB: no {"
    boxed = Wording(question="{options}\nQ: {question} \\boxed{C}", option="({letter}) {text}")
    assert question_text(boxed, item).endswith("Q: Is {options} or {0} a set? \\boxed{C}")
    assert question_text(boxed, item).startswith("(A) {letter} {text}\n(B) no {\n")
