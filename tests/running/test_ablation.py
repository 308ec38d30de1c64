import json

import pytest
import tiny

from rimbench import suites, systems
from rimbench.errors import EngineError, UsageError
from rimbench.records import donors
from rimbench.reporting.ablations import find_ablations, read_ablation
from rimbench.running import ablations, completion, packed, plans
from rimbench.statistics.verdict import Settings
from rimbench.store import MANIFEST, RECORDS, find_runs, read_manifest, read_records

ITEMS = 12
ALL = ["intact", "filler", "transplant", "mean", "noise", "shuffle", "drop-1", "drop-2", "drop-3", "blind-readout"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation")
    checkpoint = tiny.make_checkpoint(folder / "checkpoint")
    answer = '[answer]\nmode = "readout"\n'
    head = (
        f'description = "made for tests"\n[weights]\npath = "{checkpoint}"\n[prompt]\nprefix = "The answer is {{"\n'
    )
    (folder / "tiny-rim.toml").write_text(f"{head}[memory]\nblocks = 3\n{answer}")
    (folder / "tiny-direct.toml").write_text(f"{head}{answer}")
    tiny.write_suite(folder, ITEMS)
    return folder


@pytest.fixture(scope="module")
def system(made):
    return systems.load(str(made / "tiny-rim.toml"))


@pytest.fixture(scope="module")
def suite(made):
    return suites.load(str(made / "tiny.toml"))


def plan(system, suite, results, only=(), **settings):
    return ablations.plan_ablation(
        system, suite, plans.RunSettings(results, "transformers", batch_size=5, **settings), only
    )


@pytest.fixture(scope="module")
def ablated(made, system, suite):
    planned = plan(system, suite, made / "results")
    ablations.run_ablation(planned, tiny.Watching())
    return planned


def lines(folder):
    return sorted((folder / RECORDS).read_bytes().splitlines())


def answers(folder):
    return {record.item_id: record for record in read_records(folder / RECORDS)}


def test_every_intervention_is_a_run_of_its_own_below_one_folder(ablated):
    assert [run.folder.name for run in ablated.runs] == ALL
    assert ablated.folder.name == f"{ablated.runs[0].name}-ablate"
    for run in ablated.runs:
        done = json.loads((run.folder / MANIFEST).read_text())["identity"]["intervention"]
        assert done["kind"] == (run.folder.name if "drop" not in run.folder.name else "drop-k")
        assert len(answers(run.folder)) == ITEMS
    assert len({run.name for run in ablated.runs}) == len(ALL)


def test_runs_of_an_ablation_are_no_runs_of_the_results_folder(ablated):
    assert find_runs(ablated.folder.parent) == []


def test_the_intact_run_answers_as_an_ordinary_one(made, system, suite, ablated):
    settings = plans.RunSettings(made / "separate", "transformers", batch_size=5)
    (run,) = plans.plan_runs([system], [suite], settings)
    completion.run_all([run], settings, tiny.Watching())
    intact, plain = answers(ablated.folder / "intact"), answers(run.folder)
    for item_id, record in plain.items():
        assert intact[item_id].option_logprobs == pytest.approx(dict(record.option_logprobs), abs=1e-4)
        assert intact[item_id].prompt_sha256 == record.prompt_sha256


def test_a_packed_filler_answers_as_a_run_of_its_own_through_an_engine(made, suite, ablated):
    """The system without memory has the same weights, and is given as many neutral tokens as 3 blocks have."""
    filled = answers(ablated.folder / "filler")
    [run] = [run for run in ablated.runs if run.folder.name == "filler"]
    assert run.cell.intervention.tokens == 12
    assert "." * 12 + "The answer is {" in run.cell.prompts[0].text
    settings = plans.RunSettings(made / "filler", "transformers", intervention=run.cell.intervention)
    direct = systems.load(str(made / "tiny-direct.toml"))
    (plain,) = plans.plan_runs([direct], [suite], settings)
    completion.run_all([plain], settings, tiny.Watching())
    for item_id, record in answers(plain.folder).items():
        assert filled[item_id].option_logprobs == pytest.approx(dict(record.option_logprobs), abs=1e-4)


def test_a_system_without_memory_can_be_given_a_filler_and_nothing_else(made, suite):
    direct = systems.load(str(made / "tiny-direct.toml"))
    with pytest.raises(UsageError, match=r"no memory blocks to intervene on: .* or --only filler"):
        plan(direct, suite, made / "direct")
    planned = plan(direct, suite, made / "direct", ["filler"])
    ablations.run_ablation(planned, tiny.Watching())
    found = read_ablation([run.folder for run in planned.runs], Settings())
    assert [(effect.intervention, effect.n) for effect in found.effects] == [("filler", ITEMS)]


def test_a_second_start_finds_nothing_to_do_and_loads_no_model(ablated, monkeypatch):
    monkeypatch.setattr(packed, "PackedReadout", None)
    monkeypatch.setattr("rimbench.running.intervening.PackedAblation", None)
    watching = tiny.Watching()
    ablations.run_ablation(ablated, watching)
    assert watching.kept == 0


@pytest.mark.parametrize("stop_after", [1, ITEMS, 3 * ITEMS + 5, 9 * ITEMS + 1])
def test_an_ablation_that_was_cut_off_goes_on_to_the_same_records(made, system, suite, ablated, stop_after):
    planned = plan(system, suite, made / f"cut-{stop_after}")
    with pytest.raises(KeyboardInterrupt):
        ablations.run_ablation(planned, tiny.Watching(stop_after))
    ablations.run_ablation(plan(system, suite, made / f"cut-{stop_after}"), tiny.Watching())
    for run, whole in zip(planned.runs, ablated.runs, strict=True):
        cut, uncut = answers(run.folder), answers(whole.folder)
        assert cut.keys() == uncut.keys()
        for item_id, record in cut.items():
            assert record.answer == uncut[item_id].answer
            assert record.option_logprobs == pytest.approx(dict(uncut[item_id].option_logprobs), abs=1e-4)


def test_fresh_starts_over_and_keeps_the_old_runs_beside(made, system, suite):
    folder = made / "fresh"
    ablations.run_ablation(plan(system, suite, folder, ["drop-k"]), tiny.Watching())
    planned = plan(system, suite, folder, ["drop-k"], fresh=True)
    watching = tiny.Watching()
    ablations.run_ablation(planned, watching)
    assert watching.kept == 4 * ITEMS
    assert len(list(planned.folder.glob("*.old-1"))) == 4
    [found] = find_ablations(folder, pytest.fail, Settings())
    assert [effect.intervention for effect in found.effects] == ["drop-1", "drop-2", "drop-3"]


def test_another_seed_is_another_ablation(made, system, suite, ablated):
    assert plan(system, suite, made / "results", seed=1).folder != ablated.folder


def test_k_0_has_no_memory_to_intervene_on(made, system, suite):
    none = systems.override(system, blocks=0, answer="readout")
    with pytest.raises(UsageError, match="K = 0 has no memory to intervene on: expected --blocks 1 or more"):
        plan(none, suite, made / "none")


def test_a_suite_of_one_item_has_no_donor_and_says_so(made, system):
    one = suites.load(str(made / "tiny.toml"), limit=1)
    with pytest.raises(UsageError, match=r"no item whose gold letter is another .* leave transplant out"):
        plan(system, one, made / "one")
    planned = plan(system, one, made / "one", ["drop-k", "mean"])
    ablations.run_ablation(planned, tiny.Watching())
    own = answers(planned.folder / "intact").popitem()[1].option_logprobs
    mean = answers(planned.folder / "mean").popitem()[1].option_logprobs
    assert mean == pytest.approx(dict(own), abs=1e-4)  # the mean over one item is its own memory


def test_an_unknown_intervention_is_refused_with_the_nearest_name(made, system, suite):
    with pytest.raises(UsageError, match="filler"):
        plan(system, suite, made / "unknown", ["fillr"])


def test_an_engine_that_is_given_tokens_alone_says_what_it_can_do(made, system, suite):
    settings = plans.RunSettings(made / "fake", "fake")
    with pytest.raises(EngineError, match="engine 'fake' can do filler and not transplant, mean, noise"):
        ablations.plan_ablation(system, suite, settings)


def test_donors_have_another_gold_letter_and_depend_on_seed_and_items_alone(suite):
    items = {item.item_id: item for item in suite.items}
    given = donors(suite.items, 0)
    assert given == donors(list(suite.items), 0) != donors(suite.items, 1)
    assert all(items[donor].gold != items[taker].gold for taker, donor in given.items())
    assert set(donors([next(iter(suite.items))], 0).values()) == {None}


def test_the_manifest_of_an_ordinary_run_does_not_know_of_interventions(made, system, suite):
    (run,) = plans.plan_runs([system], [suite], plans.RunSettings(made / "plain", "transformers"))
    assert "intervention" not in run.identity.document


def test_a_run_under_an_intervention_departs_from_its_system(ablated):
    named = {run.folder.name: read_manifest(run.folder).departures for run in ablated.runs}
    assert "intervention" not in named["intact"]
    assert named["drop-2"]["intervention"] == [None, "drop-2"]
