"""The trained controls: recipes at a scale, a stage that two trainings share, and the table, worked by hand."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import controls
from controls import Trained
from curve import shown
from family import Scale, scaled

from rimbench.training.recipe import find_recipe, read_recipe

SCALE = Scale(0.1, 8, 2000)


@pytest.fixture(autouse=True)
def _working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", controls.RECIPES.values())
def test_a_scaled_recipe_has_fewer_steps_and_smaller_batches_and_is_else_the_same(name):
    shipped, small = find_recipe(name), read_recipe(scaled(name, SCALE))
    for stage, fewer in zip(shipped.stages, small.stages, strict=True):
        changed = {"batch_size": 8, "rows_per_device": 8}
        if stage.max_steps is not None:
            changed["max_steps"] = stage.max_steps // 10
        if getattr(stage, "flop_of", None):
            changed["flop_of"] = "checkpoints/nano/scaled/0.1x8-2000/nano-rim-v2.toml"
            assert read_recipe(Path(changed["flop_of"])) == read_recipe(scaled("nano-rim-v2", SCALE))
        assert fewer == stage.model_copy(update=changed)
    assert small.model_copy(update={"stages": shipped.stages}) == shipped


def test_a_training_that_shares_a_first_stage_begins_with_its_weights_and_its_losses_alone(tmp_path):
    source = tmp_path / "rim-v2-0"
    (source / "stage-1" / "weights").mkdir(parents=True)
    (source / "stage-1" / "weights" / "steps").write_text("250")
    (source / "stage-2").mkdir()
    losses = [{"stage": 1, "step": 1, "loss": 2.0}, {"stage": 2, "step": 1, "loss": 1.0}]
    (source / "loss.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in losses))
    controls.copy_first_stage(source, tmp_path / "any-k-0")
    assert (tmp_path / "any-k-0" / "stage-1" / "weights" / "steps").read_text() == "250"
    assert [json.loads(line) for line in (tmp_path / "any-k-0" / "loss.jsonl").read_text().splitlines()] == losses[:1]
    assert not (tmp_path / "any-k-0" / "stage-2").exists()


def found(seeds):
    """rim-v2 right on 3 of 4 items at K = 8 and on 1 at K = 0; the curriculum on the first as many as its seed."""
    none, first = [False] * 4, [True, False, False, False]
    kinds = {
        "rim-v2": [first, *[none] * 7, [True, True, True, False]],
        "any-k": [first, *[none] * 7, [True, True, True, True]],
    }
    made = {}
    for seed in seeds:
        kinds["curriculum-only"] = [[item < seed for item in range(4)]]
        for system, budgets in kinds.items():
            right = {controls.OPEN: budgets, controls.CHOICE: budgets, "steps": {"stage-1": 3}}
            made[Trained(system, seed, SCALE)] = right
    return made


def test_the_table_has_every_system_by_seed_and_the_mean_over_seeds_and_items():
    document = controls.summarise(found((0, 1, 2)))
    (accuracy,) = [
        entry
        for entry in document["accuracies"]
        if (entry["system"], entry["kind"], entry["seed"]) == ("rim-v2, K = 8", "open-ended", 1)
    ]
    assert accuracy["value"] == 0.75
    pair = "rim-v2, K = 8 - curriculum-only"
    by_seed = [e["value"] for e in document["differences"] if (e["pair"], e["kind"]) == (pair, "open-ended")]
    assert by_seed == [0.75, 0.5, 0.25]
    (over,) = [e for e in document["over_seeds"] if (e["pair"], e["kind"]) == (pair, "open-ended")]
    assert (over["value"], over["seeds"], over["method"]) == (0.5, 3, "t over 3 seeds and items")
    assert (
        over["ci95"][0] < 0 < over["value"] < over["ci95"][1]
    )  # seeds spread by 25 points: three of them settle nothing
    assert {e["pair"] for e in document["over_seeds"]} == {
        "rim-v2, K = 8 - rim-v2, K = 0",
        "rim-v2, K = 8 - any-k, K = 0",
        "rim-v2, K = 8 - curriculum-only",
        "any-k, K = 8 - any-k, K = 0",
        "any-k, K = 8 - curriculum-only",
    }


def test_two_seeds_have_a_mean_without_an_interval_and_a_line_that_says_what_it_needs():
    document = controls.summarise(found((0, 1)))
    (over,) = [
        entry
        for entry in document["over_seeds"]
        if (entry["pair"], entry["kind"]) == ("rim-v2, K = 8 - curriculum-only", "open-ended")
    ]
    assert (over["value"], over["ci95"]) == (0.625, None)
    assert shown(over, "all").endswith("+62.5 (2 seeds: an interval over seeds needs 3)")
