"""The shipped suites on the files that their publishers released, and in the hub's layout of the same rows."""

import json

import pytest

from rimbench.suites import load

MEDQA = "medqa/phrases_no_exclude_test.jsonl"
MEDMCQA = "medmcqa/dev.json"
EQUAL_OPTIONS = 21


def rows_of(path):
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def test_medqa_is_read_whole_and_its_labels_agree_with_its_answers(shared_data):
    suite = load("medqa", data=shared_data(MEDQA))
    assert (suite.audit.rows, suite.audit.usable, len(suite.items)) == (1273, 1273, 1000)
    assert suite.audit.faulty == 0


def test_medqa_ids_are_row_numbers(shared_data):
    rows = rows_of(shared_data(MEDQA))
    for item in load("medqa", data=shared_data(MEDQA), slice_="all").items:
        row = rows[int(item.item_id)]
        assert (item.question, item.gold) == (row["question"].strip(), row["answer_idx"])


def test_medmcqa_is_read_from_1_and_its_equal_options_are_left_out(shared_data):
    data = shared_data(MEDMCQA)
    suite = load("medmcqa", data=data, slice_="all")
    assert {fault.kind: fault.count for fault in suite.audit.faults} == {"equal_options": EQUAL_OPTIONS}
    assert len(suite.items) == 4183 - EQUAL_OPTIONS
    cop = {row["id"]: row["cop"] for row in rows_of(data)}
    assert all(item.gold == "ABCD"[cop[item.item_id] - 1] for item in suite.items)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv"])
def test_medmcqa_in_the_hubs_layout_is_the_same_suite(shared_data, write_rows, suffix):
    data = shared_data(MEDMCQA)
    hub = [{**row, "cop": row["cop"] - 1} for row in rows_of(data)]
    hub.append({**hub[0], "id": "unlabelled", "question": "No label?", "cop": -1})
    columns = [
        "id",
        "question",
        "opa",
        "opb",
        "opc",
        "opd",
        "cop",
        "choice_type",
        "exp",
        "subject_name",
        "topic_name",
    ]
    hub = [{column: row[column] for column in columns} for row in hub]
    suite = load("medmcqa", data=write_rows(hub, f"hub{suffix}"))
    assert suite.content_sha256 == load("medmcqa", data=data).content_sha256
    assert suite.audit.left_out == {"unlabelled": 1}


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv"])
def test_medqa_in_the_hubs_layout_is_the_same_suite(shared_data, write_rows, suffix):
    data = shared_data(MEDQA)
    columns = ["question", "answer", "options", "meta_info", "answer_idx", "metamap_phrases"]
    hub = [{column: row[column] for column in columns} for row in rows_of(data)]
    suite = load("medqa", data=write_rows(hub, f"hub{suffix}"))
    assert suite.content_sha256 == load("medqa", data=data).content_sha256


def test_the_suites_content_has_the_hash_that_every_machine_must_find(shared_data):
    medqa, medmcqa = load("medqa", data=shared_data(MEDQA)), load("medmcqa", data=shared_data(MEDMCQA))
    assert medqa.content_sha256 == "24bd92d29710906b5b6119827dd1689ad199049ede5ea3130ba90f9666837f84"
    assert medmcqa.content_sha256 == "1815e0dfa53a704cb0ec84802c890dae83478a29c9bc676d860b581be6872116"
