import json
import shutil

import pytest
import tiny
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

from rimbench import portability
from rimbench.errors import ModelError
from rimbench.portability import NEWER, OLDER, VLLM, config_for_all, read_by_each
from rimbench.rim.checkpoint import save_checkpoint

SHAPE = {"vocab_size": 272, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32}
SCALED = {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e6}


def made(folder, rope):
    """What transformers writes by itself, and the same saved by us."""
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(Qwen3Config(**SHAPE, **HEADS, rope_parameters=rope)).eval()
    tokenizer = tiny.make_tokenizer()
    model.save_pretrained(folder / "theirs")
    tokenizer.save_pretrained(folder / "theirs")
    save_checkpoint(model, tokenizer, folder / "ours")
    return model, tokenizer


def change(folder, file, **values):
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def outcomes(folder):
    return {reading.reader: (reading.outcome, reading.why) for reading in read_by_each(folder)}


def test_what_is_saved_states_the_rotary_base_and_a_tokenizer_under_names_of_both_majors(tmp_path):
    made(tmp_path, {"rope_type": "default", "rope_theta": 1e6})
    config = json.loads((tmp_path / "ours" / "config.json").read_text())
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"] == 1e6
    assert "rope_scaling" not in config
    tokenizer = json.loads((tmp_path / "ours" / "tokenizer_config.json").read_text())
    assert tokenizer["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert {reading.outcome for reading in read_by_each(tmp_path / "ours")} == {"the same"}


@pytest.mark.parametrize("rope", [{"rope_type": "default", "rope_theta": 1e6}, SCALED])
def test_names_for_both_majors_change_no_logit_and_no_id(tmp_path, rope):
    model, tokenizer = made(tmp_path, rope)
    ids = tokenizer.encode("x<rim_b><rim_m><rim_m><rim_eb><|im_start|>y", add_special_tokens=False)
    again, words = (kind.from_pretrained(tmp_path / "ours") for kind in (AutoModelForCausalLM, AutoTokenizer))
    assert words.encode("x<rim_b><rim_m><rim_m><rim_eb><|im_start|>y", add_special_tokens=False) == ids
    assert words.all_special_tokens == tokenizer.all_special_tokens
    assert again.config.rope_parameters == model.config.rope_parameters
    with torch.inference_mode():
        assert torch.equal(again(torch.tensor([ids])).logits, model(torch.tensor([ids])).logits)


def test_a_rotary_base_under_the_newer_name_alone_is_computed_otherwise_by_the_older_reader(tmp_path):
    made(tmp_path, {"rope_type": "default", "rope_theta": 1e6})
    change(tmp_path / "theirs", "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    told = outcomes(tmp_path / "theirs")
    assert told[NEWER] == told[VLLM] == ("the same", "")
    outcome, why = told[OLDER]
    assert outcome == "computes otherwise"
    assert "10,000 for the rotary base 1,000,000" in why


@pytest.mark.parametrize(
    ("config", "outcome"),
    [
        ({"model_type": "qwen3"}, "the same"),
        ({"model_type": "qwen3", "rope_theta": 1e6}, "the same"),
        ({"model_type": "qwen3", "rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}, "the same"),
        ({"model_type": "qwen3", "rope_theta": 5e5, "rope_parameters": {"rope_theta": 1e6}}, "computes otherwise"),
        ({"model_type": "made-up", "rope_parameters": {"rope_theta": 1e4}}, "computes otherwise"),
        ({"model_type": "qwen3", "rope_theta": 1e6, "rope_parameters": SCALED}, "computes otherwise"),
        (config_for_all({"model_type": "qwen3", "rope_parameters": SCALED}), "the same"),
        ({"model_type": "qwen3", "rope_theta": "much", "rope_parameters": {"rope_theta": 1e6}}, "computes otherwise"),
        ({"rope_parameters": {"sliding_attention": {"rope_theta": 1e4}}}, "computes otherwise"),
    ],
)
def test_rotary_settings_are_read_as_the_older_reader_does(checkpoint, tmp_path, config, outcome):
    folder = shutil.copytree(checkpoint, tmp_path / "checkpoint")
    (folder / "config.json").write_text(json.dumps(config))
    change(folder, "tokenizer_config.json", tokenizer_class="Qwen2Tokenizer")
    assert outcomes(folder)[OLDER][0] == outcome


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"tokenizer_class": "TokenizersBackend"}, "TokenizersBackend"),
        ({"tokenizer_class": "Qwen2Tokenizer", "extra_special_tokens": ["<a>"]}, "additional_special_tokens"),
    ],
)
def test_a_tokenizer_that_stops_the_older_reader_is_named_with_what_mends_it(checkpoint, tmp_path, settings, part):
    folder = shutil.copytree(checkpoint, tmp_path / "checkpoint")
    change(folder, "tokenizer_config.json", **settings)
    outcome, why = outcomes(folder)[OLDER]
    assert (outcome, part in why) == ("does not open", True)
    mended = portability.tokenizer_for_all(json.loads((folder / "tokenizer_config.json").read_text()))
    (folder / "tokenizer_config.json").write_text(json.dumps(mended))
    assert outcomes(folder)[OLDER] == ("the same", "")


def test_weights_that_only_vllm_would_load_too_are_named(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "checkpoint")
    shutil.copy(folder / "model.safetensors", folder / "other.safetensors")
    outcome, why = outcomes(folder)[VLLM]
    assert (outcome, "other.safetensors" in why) == ("computes otherwise", True)


def test_a_token_that_the_model_has_no_row_for_stops_every_reader(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "checkpoint")
    change(folder, "config.json", vocab_size=260)
    told = outcomes(folder)
    assert {outcome for outcome, _ in told.values()} == {"does not open"}
    assert "'<rim_eb>' has the id 260" in told[NEWER][1]


@pytest.mark.parametrize("added", [["<a>"], [{"content": "<a>"}], [{"id": "one", "content": "<a>"}], 3])
def test_a_tokenizer_whose_tokens_are_none_is_an_error_that_names_the_file(checkpoint, tmp_path, added):
    folder = shutil.copytree(checkpoint, tmp_path / "checkpoint")
    change(folder, "tokenizer.json", added_tokens=added)
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        read_by_each(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": '])
def test_settings_that_are_no_table_are_an_error_that_names_the_file(checkpoint, tmp_path, text):
    folder = shutil.copytree(checkpoint, tmp_path / "checkpoint")
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"config\.json"):
        read_by_each(folder)


def test_the_command_prints_a_line_a_reader_and_fails_where_one_differs(checkpoint, rimbench):
    done = rimbench("check-checkpoint", checkpoint)
    assert done.returncode == 1
    assert "TokenizersBackend" in done.stdout
    told = json.loads(rimbench("check-checkpoint", checkpoint, "--json").stdout)
    assert [reading["reader"] for reading in told] == [OLDER, NEWER, VLLM]


def test_the_folder_of_a_training_stands_for_the_checkpoint_in_it(checkpoint, rimbench, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "trained" / "checkpoint")
    told = rimbench("check-checkpoint", tmp_path / "trained", "--json").stdout
    assert json.loads(told) == json.loads(rimbench("check-checkpoint", checkpoint, "--json").stdout)
