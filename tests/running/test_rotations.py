"""All rotations of the options, asked of a real checkpoint's prompts and the scripted engine."""

import pytest
import tiny

from rimbench import suites, systems
from rimbench.errors import UsageError
from rimbench.running import completion, plans
from rimbench.store import find_runs, read_items, read_manifest
from rimbench.suites.controls import Controls

ITEMS = 12


@pytest.fixture(scope="module")
def asked(tmp_path_factory, checkpoint):
    folder = tmp_path_factory.mktemp("rotated")
    place = tiny.beside(checkpoint, folder)
    (folder / "read.toml").write_text(
        f'description = "made for tests"\n[weights]\npath = "{place}"\n[answer]\nmode = "readout"\n'
    )
    tiny.write_suite(folder, ITEMS)
    return systems.load(str(folder / "read.toml")), suites.load(str(folder / "tiny.toml"))


def settings(folder, **more):
    return plans.RunSettings(folder, engine="fake", batch_size=4, rotate=True, **more)


def test_every_rotation_is_a_run_of_its_own_that_names_it_in_one_folder(asked, tmp_path):
    system, suite = asked
    runs = plans.plan_runs([system], [suite], settings(tmp_path))
    most = max(len(item.options) for item in suite.items)
    assert [run.folder.name for run in runs] == [f"r{places}" for places in range(most)]
    assert {run.folder.parent for run in runs} == {tmp_path / f"{runs[0].name}-rotated"}
    completion.run_all(runs, settings(tmp_path), tiny.Watching())
    for places, run in enumerate(runs):
        made = read_manifest(run.folder)
        assert made.identity.controls == Controls(rotate_options=places)
        assert made.departures["rotate_options"] == [None, places]
        assert {each for each, item in read_items(run.folder).items()} == {
            item.item_id for item in suite.items if len(item.options) > places
        }
    assert find_runs(tmp_path) == []


def test_the_suites_own_order_is_asked_again_under_another_name(asked, tmp_path):
    system, suite = asked
    [plain] = plans.plan_runs([system], [suite], plans.RunSettings(tmp_path, engine="fake", batch_size=4))
    first, *others = plans.plan_runs([system], [suite], settings(tmp_path))
    assert [p.sha256 for p in first.cell.prompts] == [p.sha256 for p in plain.cell.prompts]
    assert len({plain.name, first.name, *(run.name for run in others)}) == 2 + len(others)


def test_rotations_that_were_cut_off_go_on_where_they_were(asked, tmp_path):
    system, suite = asked
    runs = plans.plan_runs([system], [suite], settings(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        completion.run_all(runs, settings(tmp_path), tiny.Watching(stop_after=17))
    rest = tiny.Watching()
    completion.run_all(runs, settings(tmp_path), rest)
    total = sum(len(run.suite.items) for run in runs)
    assert 0 < rest.kept <= total - 17
    again = tiny.Watching()
    completion.run_all(runs, settings(tmp_path), again)
    assert again.kept == 0


@pytest.mark.parametrize("more", [{"samples": 2}, {"permute_options": 0}])
def test_draws_and_other_orders_are_refused_beside_rotations(more):
    from rimbench.api.run import run

    with pytest.raises(UsageError, match="leave out --samples and --permute-options"):
        run("nano-direct", "demo-in-dist", rotate_options=True, **more)
