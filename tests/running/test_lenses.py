"""`rimbench lens` on a tiny model: kept beside the runs, with steps where the suite knows them."""

import json

import pytest
import tiny

from rimbench import suites, systems
from rimbench.cli.lens import lens
from rimbench.errors import UsageError
from rimbench.reporting.lenses import lens_tables, steps_after_blocks
from rimbench.running import lenses, plans
from rimbench.store import find_runs, find_without_manifest
from rimbench.store.lenses import AfterBlock, Lens, SeenItem, read_lenses, write_lens


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lens")
    checkpoint = tiny.make_checkpoint(folder / "checkpoint", context=256)
    (folder / "tiny-rim.toml").write_text(
        f'description = "made for tests"\n[weights]\npath = "{checkpoint.name}"\n'
        '[prompt]\nprefix = "The answer is {"\n[memory]\nblocks = 3\n'
        '[answer]\nmode = "generate"\nextraction = "first_letter"\nmax_new_tokens = 8\n'
    )
    tiny.write_suite(folder, 6)
    return folder


def test_a_lens_holds_texts_and_probabilities_of_every_step_after_every_block(made, tmp_path, capsys):
    lens(
        str(made / "tiny-rim.toml"), "demo-in-dist", limit=2, results=tmp_path, tokens=3, json=True,
        model=str(made / "checkpoint"),
    )  # fmt: skip
    printed = json.loads(capsys.readouterr().out)
    [kept] = read_lenses(tmp_path, pytest.fail)
    assert (kept.system, kept.suite, len(kept.items)) == ("tiny-rim", "demo-in-dist", 2)
    for item in kept.items:
        assert len(item.blocks) == 4  # the question itself, and 3 blocks
        assert all(len(after.probabilities) == len(item.steps) > 1 for after in item.blocks)
        start = int(item.question.split()[1])
        assert abs(int(item.steps[0]) - start) <= max(6, start)  # the first event changes the dose told
    assert printed["items"][0]["steps"] == list(kept.items[0].steps)
    assert {cell["block"] for cell in printed["after_blocks"]} == {0, 1, 2, 3}
    assert find_runs(tmp_path) == find_without_manifest(tmp_path) == []  # no report takes it for a run


def test_a_suite_without_steps_shows_the_texts_alone_and_says_so(made, tmp_path, capsys):
    lens(str(made / "tiny-rim.toml"), str(made / "tiny.toml"), results=tmp_path, tokens=3)
    out = capsys.readouterr().out
    assert "Texts after each block" in out and "The steps of this suite are not known." in out
    [kept] = read_lenses(tmp_path, pytest.fail)
    assert [item.steps for item in kept.items] == [()] * 6


def test_a_system_without_memory_is_refused(made, tmp_path):
    with pytest.raises(UsageError, match="'nano-direct' has no memory blocks to look into: expected a RiM system"):
        lens("nano-direct", "demo-in-dist", results=tmp_path)


def test_questions_without_room_are_left_out_and_where_all_are_it_is_said(made, tmp_path):
    system, suite = systems.load(str(made / "tiny-rim.toml")), suites.load(str(made / "tiny.toml"))
    settings = plans.RunSettings(tmp_path, engine="transformers")
    whole = lenses.plan_lens(system, suite, settings, {}, 1)
    longest = max(len(row.question) for row in whole.rows) + 12  # 3 blocks of 4
    planned = lenses.plan_lens(system, suite, settings, {}, 256 - longest + 1)
    assert 0 < planned.left_out < 6 and planned.left_out + len(planned.rows) == 6
    with pytest.raises(UsageError, match="no question leaves room for its blocks and 250 tokens more"):
        lenses.plan_lens(system, suite, settings, {}, 250)


def seen(item_id, steps, *blocks):
    return SeenItem(item_id, "q", steps, tuple(AfterBlock(*block) for block in blocks))


def test_steps_are_counted_over_the_items_that_have_them():
    """After block 1, step 1 is written for one of two items; step 2 is in the second item alone."""
    two = Lens("r", "s", "t", "w", "c", (
        seen("1", ("4",), ("9", (), (0.0,)), ("4}", (0,), (0.5,))),
        seen("2", ("4", "8"), ("9", (), (0.0, 0.25)), ("8", (1,), (0.25, 0.75))),
    ))  # fmt: skip
    found = {(cell.block, cell.step): cell for cell in steps_after_blocks(two)}
    assert (found[1, 1].n, found[1, 1].written.value, found[1, 1].probability.value) == (2, 0.5, 0.375)
    assert (found[1, 2].n, found[1, 2].written.value, found[1, 2].probability.value) == (1, 1.0, 0.75)
    assert found[0, 1].written.value == 0
    assert [len(table.rows) for table in lens_tables(two)] == [2, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda made: made | {"items": [made["items"][0] | {"steps": ["1", "2"]}]},
            "one probability for each of its",
        ),
        (lambda made: made | {"schema": 2}, "schema"),
        (lambda made: made | {"run": None}, "run"),
        (lambda made: [made], "expected an object"),
        (lambda made: made["items"][0]["blocks"][0].update(probabilities=[1.5]) or made, "probabilities"),
        (lambda made: made["items"][0]["blocks"][0].update(begins=[7]) or made, "one probability"),
    ],
)
def test_a_damaged_lens_is_named_and_left_out(tmp_path, change, message):
    path = write_lens(Lens("r", "s", "t", None, "c", (seen("1", ("4",), ("9", (), (0.0,))),)), tmp_path)
    assert len(read_lenses(tmp_path, pytest.fail)) == 1
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    said = []
    assert read_lenses(tmp_path, said.append) == []
    [line] = said
    assert str(path) in line and message in line and "\n" not in line
    path.write_text("{")
    assert read_lenses(tmp_path, said.append) == [] and "cannot be read" in said[-1]
