"""What training costs: counted by hand, and the steps that it buys."""

import pytest
import torch
import training_run
from training_run import STAGE, STAGE1, STAGE2, corpus, recipe
from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

from rimbench.errors import UsageError
from rimbench.rim.blocks import token_id
from rimbench.training.flop import step_flop
from rimbench.training.packing import Segment, TrainingRow, collate
from rimbench.training.trainer import train

DIRECT = {**STAGE, "objective": "sft", "completion": "answer"}


@pytest.fixture
def small():
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=10,
            hidden_size=8,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=4,
            tie_word_embeddings=True,
        )
    )


def test_a_rows_flop_are_those_counted_by_hand(small):
    row = TrainingRow((1, 2, 3), ((4, 5),), (Segment((6, 7), 0, learned_from=1), Segment((8, 9), 1)))
    # A layer: queries 8 x 8, keys and values 8 x 4 each, output 8 x 8, MLP 3 x 8 x 16: 576 weights, 1,152 in both.
    # 9 tokens; 3 predict: the given 6, the block's last, and 8. Forward: 2 x 9 x 1,152 for the body,
    # 9 x 9 pairs x 2 layers x 4 x 8 for attention, 2 x 3 x 8 x 10 for the head.
    forward = 20_736 + 5_184 + 480
    assert step_flop([row], 1, small) == 3 * forward
    assert step_flop([row, row], 32, small) == 32 * 3 * forward


def test_segments_whose_first_tokens_one_block_predicts_share_its_head(small):
    row = TrainingRow((1,), (), (Segment((2,), 0), Segment((3,), 0)))
    assert int(collate([row], 0).predicts.sum()) == 1
    assert step_flop([row], 1, small) == 3 * (2 * 3 * 1_152 + 9 * 64 + 160)


def test_a_head_of_its_own_costs_what_a_tied_one_costs(small):
    config = small.config
    config.tie_word_embeddings = False
    row = TrainingRow((1,), (), (Segment((2,), 0),))
    assert step_flop([row], 1, Qwen3ForCausalLM(config)) == step_flop([row], 1, small)


def test_direct_with_equal_flop_takes_the_steps_that_cost_what_both_stages_cost(checkpoint, tmp_path):
    plain = training_run.start(checkpoint)
    other = written(tmp_path, STAGE1, {**STAGE2, "blocks": 3})
    made = train(recipe({**DIRECT, "flop_of": str(other)}, memory=None), corpus(), plain, tmp_path / "equal", seed=1)
    # Both stages take 2 epochs: of 25 rows with steps and of 32, in batches of 8: 6 steps and 8.
    spent = 6 * mean_flop(tmp_path, STAGE1, checkpoint) + 8 * mean_flop(tmp_path, STAGE2, checkpoint)
    bought = int(spent / mean_flop(tmp_path, DIRECT, checkpoint))
    assert int((tmp_path / "equal" / "stage-1" / "weights" / "steps").read_text()) == bought > 14
    assert made.exists()


def mean_flop(_folder, stage, checkpoint):
    """FLOP of a step of a stage, by its rows."""
    from rimbench.training.packing import encoding
    from rimbench.training.trainer import stage_rows

    begun, asked = training_run.start(checkpoint), recipe(stage)
    encode = encoding(begun.tokenizer, asked.block, asked.wording)
    made = stage_rows(corpus().examples, asked.stages[0], encode, asked.data)
    return step_flop(made.rows, 8, begun.model)


def written(folder, *stages):
    """A recipe as a file."""
    lines = ['description = "made for a test"', "[base]", 'repo = "tiny"', 'revision = "0"', "[memory]"]
    lines += ["[wording]", 'prefix = "It is {"', "[data]", "max_row_tokens = 256"]
    for stage in stages:
        lines += ["[[stages]]", *(f"{key} = {value!r}" for key, value in stage.items())]
    path = folder / "other.toml"
    path.write_text("\n".join(lines))
    return path


def test_a_recipe_that_buys_its_steps_by_another_is_no_measure_of_cost(checkpoint, tmp_path):
    other = written(tmp_path, {**DIRECT, "flop_of": "rim-v2"})
    asked = recipe({**DIRECT, "flop_of": str(other)}, memory=None)
    with pytest.raises(UsageError, match="has a flop_of itself"):
        train(asked, corpus(), training_run.start(checkpoint), tmp_path / "made", seed=1)
    assert not (tmp_path / "made").exists()


def test_an_unknown_recipe_to_be_measured_by_is_named_before_anything_is_trained(checkpoint, tmp_path):
    asked = recipe({**DIRECT, "flop_of": "rim-v3"}, memory=None)
    with pytest.raises(UsageError, match="did you mean"):
        train(asked, corpus(), training_run.start(checkpoint), tmp_path / "made", seed=1)
    assert not (tmp_path / "made").exists()


def test_the_curriculum_alone_trains_without_a_memory_token(tmp_path, bare):
    asked = recipe({**STAGE1, "without_blocks": True}, {**DIRECT, "multiple_choice_weight": 2.0}, memory=None)
    made = train(asked, corpus(), training_run.start(bare), tmp_path, seed=1)
    assert token_id(AutoTokenizer.from_pretrained(made), "<rim_m>") is None
    for stage, steps in ((1, 6), (2, 8)):
        assert int((tmp_path / f"stage-{stage}" / "weights" / "steps").read_text()) == steps


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A checkpoint without memory tokens."""
    import tiny

    torch.set_num_threads(1)
    return tiny.make_checkpoint(tmp_path_factory.mktemp("bare"), special=["<|im_start|>", "<|im_end|>"])
