"""What a readout may answer by itself, in the report: certified coverage, temperatures, and temperatures carried."""

import json
import math

import pytest
from report_runs import manifest

from rimbench.records import Item, Record
from rimbench.reporting import formats
from rimbench.reporting.summary import summarise
from rimbench.reporting.tables import make_tables
from rimbench.statistics.halves import choosing_half
from rimbench.store import RunStore

N = 240


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def write(results, suite, p_right, items=N, *, sure=0.9):
    """A readout that says A with `sure`, right where `p_right` of the item's number says so; gold is A or B."""
    made = manifest(run=f"s-{suite}", system="s", suite=suite, n=items)
    golds = ["A" if p_right(i) else "B" for i in range(items)]
    logs = {"A": math.log(sure), "B": math.log(1 - sure)}
    with RunStore(results / made.run) as store:
        store.write_manifest(made, [Item(str(i), "q", {"A": "x", "B": "y"}, gold) for i, gold in enumerate(golds)])
        store.append([Record(str(i), 0, gold, "A", "ok", "A", logs, 5, 0, "p") for i, gold in enumerate(golds)])


def document_of(results):
    return json.loads(formats.render("json", summarise(results), results))


def test_a_readout_that_is_always_right_may_answer_everything_at_five_percent_and_too_few_say_nothing_at_one(results):
    write(results, "suite", lambda i: True)
    [cell] = document_of(results)["cells"]
    found = cell["coverage_at_risk"]
    assert found["0.05"]["coverage"]["value"] == 1.0 and found["0.05"]["bound"] == pytest.approx(
        1 - 0.05 ** (1 / 120)
    )
    assert found["0.01"]["threshold"] is None
    assert found["0.01"]["reason"] == "120 items judge: 299 without an error would be needed"
    assert cell["temperature"] is None  # always right: the colder the better


def test_a_readout_that_is_right_in_three_of_four_and_says_ninety_percent_is_cooled_to_what_it_is(results):
    fits = choosing_half([str(i) for i in range(N)]).tolist()
    write(results, "suite", lambda i: fits[:i].count(fits[i]) % 4 > 0)  # three of four on either half
    [cell] = document_of(results)["cells"]
    heat = cell["temperature"]
    assert heat["value"] == pytest.approx(2) and heat["n_fitted"] == 120
    assert heat["before"]["ece"]["value"] == pytest.approx(0.15) and heat["after"]["ece"]["value"] < 1e-9
    assert heat["after"]["brier"]["value"] < heat["before"]["brier"]["value"]


def test_a_temperature_is_carried_to_every_other_suite_of_the_system_and_judged_on_the_same_half(results):
    write(results, "one", lambda i: i % 4 > 0)
    write(results, "two", lambda i: i % 10 > 0)  # calibrated as it is
    document = document_of(results)
    carried = {(own["fitted_on"], own["suite"]): own for own in document["carried"]}
    assert set(carried) == {("one", "two"), ("two", "one")}
    own = carried["one", "two"]
    fitted = {cell["suite"]: cell["temperature"] for cell in document["cells"]}
    assert own["temperature"] == fitted["one"]["value"] and own["before"] == fitted["two"]["before"]
    assert own["after"]["ece"]["value"] > own["before"]["ece"]["value"]
    shown = next(
        table for table in make_tables(summarise(results)) if table.title.startswith("A temperature carried")
    )
    assert [row[:4] for row in shown.rows] == [
        ("s", own["fitted_on"], own["suite"], f"{own['temperature']:.2f}") for own in document["carried"]
    ]


def test_answers_without_probabilities_have_neither(results):
    made = manifest(run="w", system="w", n=4)
    with RunStore(results / "w") as store:
        store.write_manifest(made, [Item(str(i), "q", {"A": "x", "B": "y"}, "A") for i in range(4)])
        store.append([Record(str(i), 0, "A", "A", "ok", "A", None, 5, 0, "p") for i in range(4)])
    [cell] = document_of(results)["cells"]
    assert (cell["coverage_at_risk"], cell["temperature"]) == (None, None)
    assert "may answer by itself" not in formats.render("markdown", summarise(results), results)


def test_one_item_certifies_nothing_and_is_no_error(results):
    write(results, "suite", lambda i: True, items=1)
    [cell] = document_of(results)["cells"]
    assert {own["reason"] for own in cell["coverage_at_risk"].values()} == {
        f"0 items judge: {n} without an error would be needed" for n in (299, 59, 29)
    }
