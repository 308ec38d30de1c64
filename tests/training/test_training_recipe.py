import json

import pytest

from rimbench.errors import ConfigError, UsageError
from rimbench.plugins import find_files
from rimbench.training.recipe import RECIPES, find_recipe, read_recipe

SMALL = """
description = "made for a test"
[base]
repo = "some/base"
revision = "abc"
[memory]
[data]
max_row_tokens = 512
[[stages]]
objective = "rim-stage2"
epochs = 1
learning_rate = 1e-3
batch_size = 8
rows_per_device = 4
"""


def written(tmp_path, text):
    path = tmp_path / "made.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", sorted(find_files(RECIPES)))
def test_every_shipped_recipe_is_valid_and_starts_somewhere_known(name):
    recipe = find_recipe(name)
    if recipe.base.recipe is not None:
        assert recipe.base.recipe in find_files(RECIPES)


def test_the_curriculum_is_6_epochs_of_steps_then_2_of_anytime_answers_at_a_lower_rate_and_higher_dropout():
    for name in ("rim-v1", "rim-v2"):
        first, second = find_recipe(name).stages
        assert (first.objective, first.epochs, second.objective, second.epochs) == ("rim-stage1", 6, "rim-stage2", 2)
        assert second.learning_rate < first.learning_rate
        assert second.attention_dropout > first.attention_dropout
        assert second.blocks == 8


def test_v2_is_v1_with_multiple_choice_weighted_up_in_stage_2():
    v1, v2 = find_recipe("rim-v1").model_dump(), find_recipe("rim-v2").model_dump()
    assert v2["stages"][1].pop("multiple_choice_weight") > v1["stages"][1].pop("multiple_choice_weight") == 1
    assert v1.pop("description") != v2.pop("description")
    assert v1 == v2


def test_a_small_recipe_reads(tmp_path):
    recipe = read_recipe(written(tmp_path, SMALL))
    assert recipe.block.block_length == 4
    assert recipe.wording.prefix == r"The final answer is \boxed{"


def test_every_fault_of_a_recipe_is_named_at_once(tmp_path):
    faulty = SMALL.replace("epochs = 1", "epochs = 0\nmomentum = 0.9").replace(
        "max_row_tokens = 512", "max_steps = 0"
    )
    with pytest.raises(ConfigError) as raised:
        read_recipe(written(tmp_path, faulty))
    message = str(raised.value)
    for part in ("made.toml", "epochs", "momentum: unknown key", "max_row_tokens: required", "max_steps"):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("[memory]\n", ""), "needs a \\[memory\\] table"),
        (("rows_per_device = 4", "rows_per_device = 3"), "no multiple"),
        (('revision = "abc"\n', ""), "repo and revision belong together"),
        (('repo = "some/base"\nrevision = "abc"\n', ""), "exactly one of repo, recipe"),
        (('"rim-stage2"', '"rim-stage3"'), "stages.0"),
        (('"rim-stage2"', '"rim-stage1"\nwithout_blocks = true'), "remove the \\[memory\\] table"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(tmp_path, change, fault):
    with pytest.raises(ConfigError, match=fault):
        read_recipe(written(tmp_path, SMALL.replace(*change)))


def test_an_unknown_recipe_names_its_neighbours():
    with pytest.raises(UsageError, match="did you mean"):
        find_recipe("rim-v3")


def test_the_hash_of_a_recipe_changes_with_any_setting(tmp_path):
    one = read_recipe(written(tmp_path, SMALL)).sha256()
    assert one == read_recipe(written(tmp_path, SMALL + "blocks = 8\n")).sha256()
    assert one != read_recipe(written(tmp_path, SMALL + "blocks = 4\n")).sha256()


def test_a_setting_that_came_later_changes_no_hash_of_a_recipe_that_does_not_set_it():
    made = json.loads((RECIPES.parents[1] / "nano" / "manifest.json").read_text())
    for name in ("cot", "direct", "rim-v1", "rim-v2"):
        assert find_recipe(f"nano-{name}").sha256() == made[name]["recipe_sha256"]


@pytest.mark.parametrize("family", ["", "nano-"])
def test_any_k_is_v2_whose_stage_2_reads_out_at_every_budget(family):
    v2, any_k = find_recipe(f"{family}rim-v2").model_dump(), find_recipe(f"{family}rim-v2-any-k").model_dump()
    assert any_k["stages"][1].pop("any_budget") is True
    assert v2.pop("description") != any_k.pop("description")
    assert v2 == any_k


@pytest.mark.parametrize("family", ["", "nano-"])
def test_the_curriculum_alone_is_v2_without_memory_tokens_or_blocks(family):
    v2, alone = find_recipe(f"{family}rim-v2").model_dump(), find_recipe(f"{family}curriculum-only").model_dump()
    assert (alone.pop("memory"), v2.pop("memory") is None) == (None, False)
    assert alone["stages"][0].pop("without_blocks") is True
    assert (alone["stages"][1].pop("objective"), alone["stages"][1].pop("completion")) == ("sft", "answer")
    assert (v2["stages"][1].pop("objective"), v2["stages"][1].pop("blocks")) == ("rim-stage2", 8)
    assert v2.pop("description") != alone.pop("description")
    assert v2 == alone


@pytest.mark.parametrize("family", ["", "nano-"])
def test_stage_2_alone_takes_as_long_as_both_stages_of_v2(family):
    first, second = find_recipe(f"{family}rim-v2").stages
    (only,) = find_recipe(f"{family}rim-v2-no-stage-1").stages
    length = "max_steps" if family else "epochs"
    assert getattr(only, length) == getattr(first, length) + getattr(second, length)
    assert only.model_copy(update={length: getattr(second, length)}) == second


@pytest.mark.parametrize("family", ["", "nano-"])
def test_direct_with_equal_flop_weighs_examples_as_v2_and_costs_what_it_costs(family):
    (only,) = find_recipe(f"{family}direct-equal-flop").stages
    assert (only.objective, only.completion, only.flop_of) == ("sft", "answer", f"{family}rim-v2")
    assert only.multiple_choice_weight == find_recipe(f"{family}rim-v2").stages[1].multiple_choice_weight
