"""Answers in every order of the options: flips, distances and the average, by hand."""

import json
import math
import shutil

import pytest
from report_runs import IDENTITY, manifest

from rimbench.records import Item, Record
from rimbench.reporting import formats
from rimbench.reporting.rotations import find_rotations
from rimbench.reporting.summary import summarise
from rimbench.store import RunStore

ITEMS = [
    Item("1", "q", {"A": "x", "B": "y", "C": "z"}, "A"),
    Item("2", "q", {"A": "x", "B": "y"}, "B"),
    Item("3", "q", {"A": "x", "B": "y"}, "A"),
]
# By rotation, the probabilities of the item's own options.
SURE = [
    {"1": (0.6, 0.3, 0.1), "2": (0.7, 0.3), "3": (0.9, 0.1)},
    {"1": (0.2, 0.5, 0.3), "2": (0.4, 0.6), "3": (0.8, 0.2)},
    {"1": (0.3, 0.2, 0.5)},
]


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def write(results, tables, *, written=False):
    for places, table in enumerate(tables):
        items = [item for item in ITEMS if len(item.options) > places]
        made = manifest(
            run=f"r-{places}",
            n=len(items),
            identity=IDENTITY
            | {"controls": {"permute_options": None, "blind": False, "rotate_options": places}}
            | {"system": {"answer": {"mode": "readout"}}},
            departures={"rotate_options": [None, places]},
        )
        with RunStore(results / "s-rotated" / f"r{places}") as store:
            store.write_manifest(made, items)
            for item in items:
                if item.item_id not in table:
                    continue
                probabilities = dict(zip(item.options, table[item.item_id], strict=True))
                best = max(probabilities, key=probabilities.__getitem__)
                logs = None if written else {x: math.log(p) for x, p in probabilities.items()}
                store.append([Record(item.item_id, 0, item.gold, best, "ok", best, logs, 5, 0, "p")])


def found_in(results):
    notes = []
    return find_rotations(results, notes.append), notes


def test_flips_distances_and_the_average_of_three_items_by_hand(results):
    write(results, SURE)
    [found], notes = found_in(results)
    assert notes == [] and (found.n, found.n_asked, found.rotations) == (3, 3, 3)
    # Item 1 says A, B, C; item 2 A, B; item 3 A both times.
    assert found.flip_rate.value == pytest.approx(2 / 3)
    # Half the summed differences: item 1 at most 0.4 (0.4 + 0.2 + 0.2, halved), item 2 0.3, item 3 0.1.
    assert found.mean_distance.value == pytest.approx(0.8 / 3)
    assert found.largest_distance == pytest.approx(0.4)
    # Moved by 0: right, wrong, right. By 1: wrong, right, right. By 2: wrong, and items 2 and 3 as by 0.
    assert found.accuracy.value == found.highest == pytest.approx(2 / 3)
    assert found.lowest == pytest.approx(1 / 3)
    # The means: item 1 A 1.1 / 3, item 2 A 0.55, which is wrong, item 3 A.
    assert (found.averaged.value, found.gain.value) == (pytest.approx(2 / 3), 0)
    assert found.passes == pytest.approx(7 / 3)


def test_written_answers_have_no_distance_and_are_averaged_by_votes(results):
    write(results, SURE, written=True)
    [found], _ = found_in(results)
    assert (found.mean_distance, found.largest_distance) == (None, None)
    assert found.flip_rate.value == pytest.approx(2 / 3)
    assert found.averaged.value == pytest.approx(2 / 3)  # A of A, B, C; A of A, B, where B is right; A


def test_a_rotation_that_is_not_there_yet_leaves_the_folder_out(results):
    write(results, SURE[:2])
    found, [note] = found_in(results)
    assert found == [] and note.endswith("s-rotated lacks a rotation of the options yet: its command goes on with it")


def test_a_rotation_that_was_started_over_counts_once(results):
    write(results, SURE)
    shutil.copytree(results / "s-rotated" / "r0", results / "s-rotated" / "r0.old-1")
    shutil.copytree(results / "s-rotated" / "r1", results / "s-rotated" / "r1.new")
    [found], notes = found_in(results)
    assert (found.rotations, notes) == (3, [])


def test_an_item_without_one_of_its_orders_is_left_out_and_said(results):
    write(results, [SURE[0], {"1": SURE[1]["1"], "3": SURE[1]["3"]}, SURE[2]])
    [found], notes = found_in(results)
    assert (found.n, found.n_asked) == (2, 3)
    assert notes == ["s-rotated is partial: 2 of 3 items have an answer in every order"]


def test_a_report_shows_rotations_without_any_other_run_and_counts_none_of_them_as_a_cell(results):
    write(results, SURE)
    summed = summarise(results)
    document = json.loads(formats.render("json", summed, results))
    assert document["cells"] == []
    [own] = document["rotations"]
    assert own["flip_rate"]["value"] == pytest.approx(2 / 3) and own["label"] == "sys"
    assert "When every option stands in every place" in formats.render("markdown", summed, results)
