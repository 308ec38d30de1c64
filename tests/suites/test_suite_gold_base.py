"""A numbered gold column is read from 0 or from 1 as the whole file shows, and never guessed."""

import pytest

from rimbench.errors import DataError
from rimbench.suites import load


def medmcqa_rows(numbers):
    return [
        {"id": f"id-{i}", "question": f"Q{i}", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "cop": number,
         "choice_type": "single", "exp": None}
        for i, number in enumerate(numbers)
    ]  # fmt: skip


def golds(suite):
    return {item.item_id: item.gold for item in suite.items}


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.parquet"])
@pytest.mark.parametrize(("numbers", "letters"), [([1, 2, 3, 4, 1], "ABCDA"), ([0, 1, 2, 3, 0], "ABCDA")])
def test_both_bases_are_told_from_the_values(write_rows, name, numbers, letters):
    suite = load("medmcqa", data=write_rows(medmcqa_rows(numbers), name))
    assert golds(suite) == {f"id-{i}": letter for i, letter in enumerate(letters)}


def test_the_deciding_value_may_be_in_the_last_row(write_rows):
    first = load("medmcqa", data=write_rows(medmcqa_rows([1] * 50 + [4])))
    assert golds(first)["id-0"] == "A"
    second = load("medmcqa", data=write_rows(medmcqa_rows([1] * 50 + [0])))
    assert golds(second)["id-0"] == "B"


def test_unlabelled_rows_are_no_fault_and_show_that_counting_starts_at_0(write_rows):
    suite = load("medmcqa", data=write_rows(medmcqa_rows([-1, 1, 2, -1, 3])))
    assert golds(suite) == {"id-1": "B", "id-2": "C", "id-4": "D"}
    assert suite.audit.left_out == {"unlabelled": 2}
    assert suite.audit.faulty == 0


def test_a_file_without_any_label_has_no_usable_item(write_rows):
    with pytest.raises(DataError, match=r"no usable item among 3 rows \(unlabelled 3\)"):
        load("medmcqa", data=write_rows(medmcqa_rows([-1, -1, -1])))


def test_a_number_that_is_none_is_a_fault_of_its_row(write_rows):
    rows = medmcqa_rows([0, 1, 2, 3] * 10)
    strange = [{**row, "id": f"strange-{i}"} for i, row in enumerate(medmcqa_rows([10**400]))]
    strange[0]["question"] = "strange?"
    suite = load("medmcqa", data=write_rows([*rows, *strange]))
    assert [(fault.kind, fault.item_ids) for fault in suite.audit.faults] == [("gold_out_of_range", ("strange-0",))]


def test_values_that_fit_both_are_refused_with_the_key_to_declare(write_rows):
    with pytest.raises(DataError) as caught:
        load("medmcqa", data=write_rows(medmcqa_rows([1, 2, 3])))
    message = str(caught.value)
    assert "column cop: its values (1, 2, 3) fit options counted from 0 and from 1" in message
    assert 'in a copy of medmcqa.toml, write gold = { index = "cop", base = 0 }, or base = 1' in message


def test_values_that_fit_neither_are_refused_with_two_rows_that_show_it(write_rows):
    with pytest.raises(DataError, match="row 1 holds 0, which counts from 0, and row 2 4, from 1"):
        load("medmcqa", data=write_rows(medmcqa_rows([1, 0, 4])))


@pytest.mark.parametrize(("base", "letters"), [(0, "BCD"), (1, "ABC")])
def test_a_declared_base_is_taken(table_suite, write_rows, base, letters):
    suite = table_suite(options='["opa", "opb", "opc", "opd"]', gold=f'{{ index = "cop", base = {base} }}')
    items = load(suite, data=write_rows(medmcqa_rows([1, 2, 3]))).items
    assert "".join(item.gold for item in sorted(items, key=lambda item: item.item_id)) == letters


def test_the_last_number_depends_on_how_many_options_a_row_has(table_suite, write_rows):
    rows = [{"question": f"Q{i}", "options": ["a", "b"], "gold": n} for i, n in enumerate((1, 2))]
    items = load(table_suite(gold='{ index = "gold" }'), data=write_rows(rows)).items
    assert {item.item_id: item.gold for item in items} == {"0": "A", "1": "B"}
