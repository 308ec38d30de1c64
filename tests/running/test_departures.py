"""Every departure of a run from its system's own file is kept with the run."""

import pytest
import tiny

from rimbench import suites, systems
from rimbench.running import completion, plans
from rimbench.store import RunStore
from rimbench.suites.controls import Controls
from rimbench.systems.departures import departures_of, label

WRITES = 'description = "test"\n[weights]\npath = "{path}"\n[answer]\nmode = "generate"\nmax_new_tokens = 4\n'


@pytest.mark.parametrize(
    ("changes", "departures"),
    [
        ({}, {}),
        ({"blocks": 8}, {}),
        ({"blocks": 2}, {"blocks": [8, 2]}),
        ({"answer": "generate"}, {"answer": ["readout", "generate"]}),
        ({"model": "elsewhere"}, {"weights": ["rimbench/nano/rim-v2", "elsewhere"]}),
        ({"blocks": 0, "answer": "readout"}, {"blocks": [8, 0]}),
    ],
)
def test_what_an_option_overrides_departs_from_the_file_and_what_it_leaves_as_it_is_does_not(changes, departures):
    assert departures_of(systems.override(systems.load("nano-rim-v2"), **changes)) == departures


def test_weights_of_a_system_whose_file_names_only_a_recipe_are_its_own():
    assert departures_of(systems.override(systems.load("rim-v2"), model="checkpoints/rim-v2")) == {}


def test_an_override_taken_back_is_no_departure():
    once = systems.override(systems.load("nano-rim-v2"), blocks=2)
    assert departures_of(systems.override(once, blocks=8)) == {}


def test_a_users_file_with_a_shipped_name_departs_from_the_shipped_system(tmp_path):
    (tmp_path / "base.toml").write_text(WRITES.format(path="w"))
    departures = departures_of(systems.load(str(tmp_path / "base.toml")))
    assert departures["file"] == ["shipped", "base.toml"]
    assert departures["weights"] == ["Qwen/Qwen3-1.7B@70d244cc86ccca08cf5af4e1e306ecf908b1ad5e", "w"]
    assert departures["max_new_tokens"][1] == 4
    (tmp_path / "mine.toml").write_text(WRITES.format(path="w"))
    assert departures_of(systems.load(str(tmp_path / "mine.toml"))) == {}


def test_a_copy_of_a_shipped_file_departs_in_nothing(tmp_path):
    copy = tmp_path / "nano-rim-v2.toml"
    copy.write_text(systems.available()["nano-rim-v2"].read_text())
    assert departures_of(systems.load(str(copy))) == {}
    assert departures_of(systems.override(systems.load(str(copy)), blocks=2)) == {"blocks": [8, 2]}


def test_a_manifest_holds_departures_of_the_system_and_of_the_command(tmp_path, checkpoint, suite_file):
    (tmp_path / "mine.toml").write_text(WRITES.format(path=tiny.beside(checkpoint, tmp_path)))
    system, suite = systems.load(str(tmp_path / "mine.toml")), suites.load(str(suite_file))

    def departures(**settings):
        [run] = plans.plan_runs(
            [system], [suite], plans.RunSettings(tmp_path / "results", "transformers", **settings)
        )
        with RunStore(tmp_path / "run") as store:
            return completion.make_manifest(run, store, None).departures

    assert departures() == departures(batch_size=3) == departures(dtype="float32") == {}
    assert departures(seed=3, dtype="bfloat16", controls=Controls(permute_options=0, blind=True)) == {
        "seed": [0, 3],
        "dtype": ["float32", "bfloat16"],
        "permute_options": [None, 0],
        "blind": [False, True],
    }


def test_other_weights_are_told_by_their_hash(tmp_path, checkpoint, suite_file):
    system = systems.override(systems.load("nano-rim-v2"), model=str(checkpoint))
    [run] = plans.plan_runs([system], [suites.load(str(suite_file))], plans.RunSettings(tmp_path, "transformers"))
    digest = run.checkpoint.sha256[:10]
    assert run.departures["weights"] == ["rimbench/nano/rim-v2", f"{digest} of {checkpoint}"]
    assert label("nano-rim-v2", run.departures) == f"nano-rim-v2 (weights {digest})"


@pytest.mark.parametrize(
    ("departures", "shown"),
    [
        ({}, "s"),
        ({"blocks": [8, 2], "answer": ["readout", "generate"]}, "s (K 2, answer generate)"),
        ({"file": ["shipped", "s.toml"], "temperature": [0.7, 1.0]}, "s (user's file, temperature 1.0)"),
        ({"instruction": ["", "Think hard about every option."]}, "s (instruction changed)"),
        ({"prefix": ["x", ""], "blocks": [8, None]}, "s (prefix changed, K None)"),
        (
            {"permute_options": [None, 0], "blind": [False, True], "seed": [0, 3]},
            "s (options permuted 0, blind, seed 3)",
        ),
    ],
)
def test_a_label_names_every_departure(departures, shown):
    assert label("s", departures) == shown


@pytest.mark.parametrize("name", sorted(systems.available()))
def test_every_baseline_that_a_shipped_system_names_is_shipped_and_names_none(name):
    baseline = systems.load(name).baseline
    assert baseline is None or systems.load(baseline).baseline is None
