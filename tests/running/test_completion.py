"""Runs as a whole, on a real checkpoint's prompts and the scripted engine: what is complete, and what is mended."""

import json
import os

import pytest
import tiny

from rimbench import provenance, suites, systems
from rimbench.errors import DataError, EngineError
from rimbench.records import STATUSES
from rimbench.reporting.reading import read_run
from rimbench.reporting.summary import summarise
from rimbench.running import completion, plans
from rimbench.running.cell import ErrorRules
from rimbench.store import ITEMS, MANIFEST, RECORDS, Answers, read_manifest
from rimbench.suites.controls import Controls

ITEMS_N = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory, checkpoint):
    folder = tmp_path_factory.mktemp("grid")
    place = tiny.beside(checkpoint, folder)
    for mode in ("generate", "readout"):
        tokens = "max_new_tokens = 8\n" if mode == "generate" else ""
        (folder / f"{mode}.toml").write_text(
            f'description = "made for tests"\n[weights]\npath = "{place}"\n[answer]\nmode = "{mode}"\n{tokens}'
        )
    tiny.write_suite(folder, ITEMS_N)
    return folder


@pytest.fixture
def start(made, tmp_path, monkeypatch):
    """Starts a run of the fake engine; returns its folder and what was said."""

    def go(*, mode="generate", samples=0, limit=None, stop_after=None, script=None, **settings):
        monkeypatch.delenv("RIMBENCH_FAKE_SCRIPT", raising=False)
        if script is not None:
            (tmp_path / "script.json").write_text(json.dumps(script))
            monkeypatch.setenv("RIMBENCH_FAKE_SCRIPT", str(tmp_path / "script.json"))
        wanted = plans.RunSettings(tmp_path / "results", engine="fake", batch_size=4, samples=samples, **settings)
        system, suite = systems.load(str(made / f"{mode}.toml")), suites.load(str(made / "tiny.toml"), limit=limit)
        runs = plans.plan_runs([system], [suite], wanted)
        watching = tiny.Watching(stop_after)
        try:
            completion.run_all(runs, wanted, watching)
        except KeyboardInterrupt:
            assert stop_after is not None
        return runs[0].folder, watching

    return go


def lines(folder):
    return sorted((folder / RECORDS).read_text().splitlines())


def keys(folder):
    return {(r.item_id, r.sample) for r in Answers(folder)}


@pytest.mark.parametrize("mode", ["generate", "readout"])
def test_complete_means_that_every_item_and_sample_of_the_command_is_there(start, mode):
    folder, _ = start(
        mode=mode, samples=8, stop_after=90
    )  # a readout has 10 of 40 items by then, with 9 answers each
    assert 90 <= len(keys(folder)) <= 108
    _, watching = start(mode=mode, samples=0)
    assert {(str(i), 0) for i in range(ITEMS_N)} <= keys(folder)
    assert watching.says("complete") is (mode == "generate")
    _, watching = start(mode=mode, samples=0)
    assert watching.says("complete, nothing left to answer")
    assert watching.says("an earlier start asked for 8 draws an item, ")
    assert read_manifest(folder).ended_at is None and read_manifest(folder).samples == 8
    run = read_run(folder)
    assert run.missing == 9 * ITEMS_N - len(keys(folder)) > 0
    start(mode=mode, samples=8)
    assert read_run(folder).missing == 0 and read_manifest(folder).ended_at is not None
    assert keys(folder) == {(str(i), sample) for i in range(ITEMS_N) for sample in range(9)}


def test_another_limit_is_another_run(start):
    ten, _ = start(limit=10)
    forty, watching = start(limit=40)
    assert ten != forty and len(keys(ten)) == 10 and len(keys(forty)) == 40
    assert not watching.says("nothing left")


@pytest.mark.parametrize("mode", ["generate", "readout"])
def test_a_limit_that_is_raised_goes_on_and_nothing_is_asked_again(start, mode, tmp_path):
    ten, _ = start(mode=mode, limit=10, samples=2)
    forty, watching = start(mode=mode, limit=40, samples=2)
    assert watching.says(f"goes on from {ten.name}, whose 30 answers are not asked again")
    assert not watching.says("manifest.json was missing") and read_manifest(forty).sessions == 2
    assert watching.kept == 90 and set(lines(ten)) < set(lines(forty)) and read_run(forty).missing == 0
    forty.rename(tmp_path / "grown")
    ten.rename(tmp_path / "ten")
    at_once, watching = start(mode=mode, limit=40, samples=2)
    assert lines(at_once) == lines(tmp_path / "grown") and not watching.says("goes on")


@pytest.mark.parametrize(("mode", "asked"), [("generate", 10), ("readout", 20)])
def test_letters_that_an_earlier_build_read_out_are_asked_again(start, mode, asked):
    """Its records did not say from which tokens."""
    ten, _ = start(mode=mode, limit=10)
    manifest = json.loads((ten / "manifest.json").read_text())
    del manifest["identity"]["prompts_sha256"]
    (ten / "manifest.json").write_text(json.dumps(manifest))
    assert start(mode=mode, limit=20)[1].kept == asked


def test_other_draws_and_a_fresh_start_take_nothing_over(start):
    start(limit=10)
    assert start(limit=20, seed=1)[1].kept == 20
    assert start(limit=20, fresh=True)[1].kept == 20
    assert start(limit=20)[1].kept == 0


@pytest.mark.parametrize("mode", ["generate", "readout"])
def test_draws_asked_for_in_two_commands_are_those_of_one(start, mode, tmp_path):
    folder, _ = start(mode=mode, samples=8)
    at_once = lines(folder)
    folder.rename(tmp_path / "at-once")
    start(mode=mode, samples=4)
    start(mode=mode, samples=8, stop_after=50)
    start(mode=mode, samples=8)
    assert lines(folder) == at_once


def test_a_report_calls_partial_what_a_run_calls_incomplete(start, tmp_path):
    start(samples=8, stop_after=200)
    [cell] = summarise(tmp_path / "results").cells
    assert cell.partial and cell.n == cell.n_asked == ITEMS_N
    assert any("of 360 answers asked for 160 are missing" in note for note in summarise(tmp_path / "results").notes)


def test_what_the_engine_failed_on_is_missing_in_the_report_until_it_is_final(start, tmp_path):
    folder, watching = start(script={"fail": ["3", "5"]})
    assert watching.says("the engine failed twice on 2 of 40 answers (last: RuntimeError: scripted failure of item")
    assert read_manifest(folder).ended_at is None
    run = read_run(folder)
    assert (len(run.greedy), run.missing, run.failed) == (38, 2, 2)
    _, watching = start(script={"fail": ["3", "5"]}, errors=ErrorRules(final=True))
    run = read_run(folder)
    assert (len(run.greedy), run.missing, run.failed) == (40, 0, 0)
    columns = run.greedy.columns([run.items["3"], run.items["5"]])
    assert [STATUSES[place] for place in columns.statuses] == ["engine_error"] * 2
    assert read_manifest(folder).ended_at is not None
    _, watching = start()
    assert watching.kept == 0 and watching.says("nothing left")


def test_more_failures_than_allowed_end_the_run_and_the_next_start_asks_for_the_rest(start):
    fail = [str(i) for i in range(3)]
    with pytest.raises(EngineError, match=r"failed on 3 of 40 answers, more than 0\.05 of them"):
        start(script={"fail": fail})
    folder, watching = start()
    assert watching.kept == 3 and len(keys(folder)) == 40
    assert all(r.status != "engine_error" for r in Answers(folder))


def test_a_manifest_and_items_that_are_gone_or_damaged_are_written_again_and_nothing_is_asked(start):
    folder, _ = start(samples=2)
    records, items = (folder / RECORDS).read_bytes(), (folder / ITEMS).read_bytes()
    whole = read_manifest(folder)
    for damage in (
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:100]),
        lambda path: path.write_bytes(b"\0" * 100),
        lambda path: path.write_text("[1, 2]"),
    ):
        for name in (MANIFEST, ITEMS):
            damage(folder / name)
        _, watching = start(samples=0)
        assert watching.kept == 0 and watching.says(f"{MANIFEST} was ") and watching.says("nothing left to answer")
        assert (folder / RECORDS).read_bytes() == records and (folder / ITEMS).read_bytes() == items
        again = read_manifest(folder)
        assert (again.identity, again.samples, again.n) == (whole.identity, 2, 40)
        assert again.ended_at is not None and read_run(folder).missing == 0


def test_a_manifest_of_a_later_rimbench_is_refused_and_kept(start):
    folder, _ = start(stop_after=8)
    later = json.dumps(json.loads((folder / MANIFEST).read_text()) | {"schema_version": 2})
    (folder / MANIFEST).write_text(later)
    with pytest.raises(DataError, match="schema version 2, expected 1"):
        start()
    assert (folder / MANIFEST).read_text() == later


def test_another_runs_manifest_is_refused(start):
    folder, _ = start(stop_after=8)
    values = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(values | {"run": "another"}))
    with pytest.raises(DataError, match="is that of run another: the files of two runs are mixed"):
        start()


def test_a_run_killed_between_its_last_answer_and_its_manifest_ended_with_its_last_answer(start):
    folder, _ = start()
    values = json.loads((folder / MANIFEST).read_text())
    begun = {"started_at": "2023-11-14T22:00:00+00:00", "ended_at": None}
    (folder / MANIFEST).write_text(json.dumps(values | begun))
    os.utime(folder / RECORDS, (1_700_000_000, 1_700_000_000))
    start()
    assert read_manifest(folder).ended_at == "2023-11-14T22:13:20+00:00"
    start()
    assert read_manifest(folder).ended_at == "2023-11-14T22:13:20+00:00"


def test_a_clock_that_is_set_back_changes_no_record_and_no_run_ends_before_it_began(start, tmp_path, monkeypatch):
    folder, _ = start()
    usual = lines(folder)
    folder.rename(tmp_path / "usual")
    noon, earlier = "2026-03-01T12:00:00+00:00", "2026-03-01T09:00:00+00:00"
    clock = iter([noon, *[earlier] * 10])
    monkeypatch.setattr(provenance, "now", lambda: next(clock))
    folder, _ = start()
    assert lines(folder) == usual
    assert (read_manifest(folder).started_at, read_manifest(folder).ended_at) == (noon, noon)
    change = json.loads((folder / MANIFEST).read_text()) | {"ended_at": None}
    (folder / MANIFEST).write_text(json.dumps(change))
    os.utime(folder / RECORDS, (1000, 1000))  # as the clock had it when the last answer came
    start()
    assert read_manifest(folder).ended_at == noon


def test_a_record_that_was_changed_is_told_by_the_next_start(start):
    folder, _ = start()
    kept = (folder / RECORDS).read_text().splitlines()
    changed = json.loads(kept[6]) | {"generated_tokens": 77}
    (folder / RECORDS).write_text("\n".join([*kept[:6], json.dumps(changed), *kept[7:]]) + "\n")
    _, watching = start()
    assert watching.says("1 of its records were changed after they were written") and watching.says("line 7")


def test_a_fresh_run_takes_the_old_ones_place_with_its_first_answer(start):
    folder, _ = start()
    with pytest.raises(EngineError):
        start(fresh=True, script={"fail": [str(i) for i in range(40)]})
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name]
    _, watching = start(fresh=True)
    assert watching.kept == 40 and watching.says(f"starting over, the old run is kept as {folder.name}.old-1")
    assert lines(folder) == lines(folder.with_name(f"{folder.name}.old-1"))


def test_results_do_not_depend_on_the_order_that_the_seed_gives(start):
    """The order follows the seed; greedy answers do not."""
    first, _ = start()
    second, _ = start(seed=1)
    assert [r.item_id for r in Answers(first)] != [r.item_id for r in Answers(second)]
    assert {(r.item_id, r.answer) for r in Answers(first)} == {(r.item_id, r.answer) for r in Answers(second)}


def test_a_permuted_readouts_records_pass_the_check_of_the_next_start(start):
    folder, _ = start(mode="readout", samples=2, controls=Controls(permute_options=3))
    _, watching = start(mode="readout", samples=2, controls=Controls(permute_options=3))
    assert watching.kept == 0 and len(keys(folder)) == 120
