"""Of a checkpoint folder just what its hash covers is loaded, and nothing of it is run."""

import json
import shutil
import subprocess
import sys

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from rimbench import checkpoints
from rimbench.errors import ModelError


@pytest.fixture
def folder(checkpoint, tmp_path):
    return shutil.copytree(checkpoint, tmp_path / "checkpoint")


def sharded(folder, name="model-00001-of-00002.safetensors", at=None):
    """The checkpoint's weights in two files, the second under that name, which may lie elsewhere."""
    tensors = load_file(folder / checkpoints.WEIGHTS)
    (folder / checkpoints.WEIGHTS).unlink()
    keys = sorted(tensors)
    parts = {"model-a.safetensors": keys[::2], name: keys[1::2]}
    for part, held in parts.items():
        place = (at or folder / name) if part == name else folder / part
        save_file({key: tensors[key].clone() for key in held}, place, metadata={"format": "pt"})
    weight_map = {key: part for part, held in parts.items() for key in held}
    (folder / checkpoints.INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def names(folder):
    return [path.relative_to(folder).as_posix() for path in checkpoints.loaded_files(folder)]


def test_one_file_of_weights_and_what_model_and_tokenizer_read_are_loaded(folder):
    assert names(folder) == [
        "chat_template.jinja", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json",
    ]  # fmt: skip


def test_shards_are_loaded_where_the_index_names_them_with_the_index(folder):
    whole = checkpoints.load_model(folder, "float32").state_dict()
    sharded(folder)
    assert {"model-00001-of-00002.safetensors", "model-a.safetensors", checkpoints.INDEX} < set(names(folder))
    for key, value in checkpoints.load_model(folder, "float32").state_dict().items():
        assert torch.equal(value, whole[key])


@pytest.mark.parametrize(
    "beside",
    ["decoy.safetensors", "notes.txt", "results.json", "README.md", "training_args.bin", "optimizer.pt", "model.py"],
)
def test_what_is_not_loaded_changes_no_hash(folder, beside):
    before = checkpoints.hash_folder(folder)
    (folder / beside).write_bytes(b"something else")
    assert checkpoints.hash_folder(folder) == before


@pytest.mark.parametrize("changed", ["config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"])
def test_what_is_loaded_changes_it(folder, changed):
    before = checkpoints.hash_folder(folder)
    (folder / changed).write_bytes((folder / changed).read_bytes() + b" ")
    assert checkpoints.hash_folder(folder) != before


def test_each_shard_changes_it(folder):
    sharded(folder)
    before = checkpoints.hash_folder(folder)
    shard = folder / "model-00001-of-00002.safetensors"
    tensors = {key: value + 1 for key, value in load_file(shard).items()}
    save_file(tensors, shard, metadata={"format": "pt"})
    assert checkpoints.hash_folder(folder) != before


@pytest.mark.parametrize("shard", ["../outside.safetensors", "{outside}", "sub/outside.safetensors", "..", "a.bin"])
def test_an_index_that_names_a_shard_outside_the_folder_is_refused(folder, tmp_path, shard):
    outside = tmp_path / "outside.safetensors"
    sharded(folder, shard.format(outside=outside), at=outside)
    for use in (checkpoints.hash_folder, checkpoints.check, lambda f: checkpoints.load_model(f, "float32")):
        with pytest.raises(ModelError, match="names the shard"):
            use(folder)


@pytest.mark.parametrize("index", ["", "[]", '{"weight_map": 3}', '{"weight_map": {"a": ["b"]}}', "[" * 5000])
def test_an_index_that_is_none_is_refused(folder, index):
    (folder / checkpoints.WEIGHTS).unlink()
    (folder / checkpoints.INDEX).write_text(index)
    with pytest.raises(ModelError, match="is no index of weights"):
        checkpoints.check(folder)


def test_a_missing_shard_is_named(folder):
    sharded(folder)
    (folder / "model-a.safetensors").unlink()
    with pytest.raises(
        ModelError, match=r"holds no model-a\.safetensors, which model\.safetensors\.index\.json names"
    ):
        checkpoints.check(folder)


@pytest.mark.parametrize("decoy", [True, False])
def test_a_pickle_is_never_loaded_and_refused_beside_safetensors_too(folder, decoy):
    tensors = load_file(folder / checkpoints.WEIGHTS)
    torch.save(tensors, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"holds pytorch_model\.bin, weights as a pickle"):
        checkpoints.check(folder)
    (folder / checkpoints.WEIGHTS).unlink()
    if decoy:
        save_file({"x": torch.zeros(1)}, folder / "decoy.safetensors")
    with pytest.raises(ModelError, match=r"holds no model\.safetensors"):
        checkpoints.load_model(folder, "float32")
    with pytest.raises(ModelError, match=r"holds no model\.safetensors"):
        checkpoints.hash_folder(folder)


def test_an_adapter_which_would_load_another_model_is_refused(folder):
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "/elsewhere", "peft_type": "LORA"}')
    with pytest.raises(ModelError, match="holds an adapter to another model"):
        checkpoints.load_model(folder, "float32")


def test_a_tokenizer_that_names_a_file_elsewhere_is_refused(folder):
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["fast_tokenizer_files"] = ["../tokenizer.1.json"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="expected a file in the same folder"):
        checkpoints.hash_folder(folder)


OWN_CODE = "raise SystemExit('the code of a checkpoint was run')\n"


def with_own_code(folder):
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text(OWN_CODE)


def test_a_checkpoint_that_needs_code_of_its_own_is_refused_in_one_line(folder):
    with_own_code(folder)
    for load in (checkpoints.read_config, lambda f: checkpoints.load_model(f, "float32")):
        with pytest.raises(ModelError, match="needs code of its own, which is never run here") as caught:
            load(folder)
        assert "\n" not in str(caught.value)


def test_a_run_with_such_a_checkpoint_asks_nothing_and_ends_with_one_line(rimbench, tmp_path):
    with_own_code(tiny.make_checkpoint(tmp_path / "checkpoint"))
    arguments = ("run", "--system", "base-direct", "--suite", "demo-long", "--limit", 2, "--model", "checkpoint")
    done = rimbench(*arguments, input="y\n" * 5)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1 and "needs code of its own" in done.stderr


def test_the_shipped_models_keep_the_hash_that_names_their_runs():
    """Every file of theirs is loaded, as it was when all files of these kinds were hashed."""
    from rimbench.systems import load, weights

    for name in ("nano-base", "nano-rim-v2"):
        folder = weights.resolve(load(name)).folder
        assert sorted(path.name for path in folder.iterdir()) == names(folder)


@pytest.mark.parametrize("named", ["TokenizersBackend", "PreTrainedTokenizerFast"])
def test_a_tokenizer_that_is_all_in_its_file_is_read_without_torch_and_as_any_other_reader_reads_it(folder, named):
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"tokenizer_class": named}))
    code = (
        "import sys; from pathlib import Path; from rimbench import checkpoints\n"
        "ids = checkpoints.read_tokenizer(Path(sys.argv[1])).encode('The dose is 4 mg.')\n"
        "print(ids, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{AutoTokenizer.from_pretrained(folder).encode('The dose is 4 mg.')} False"


@pytest.mark.parametrize("ends", [7, [7, 9]])
def test_the_end_tokens_are_those_of_the_models_settings_where_there_are_none_of_generation(folder, ends):
    assert checkpoints.end_token_ids(folder) == [
        json.loads((folder / "generation_config.json").read_text())["eos_token_id"]
    ]
    (folder / "generation_config.json").unlink()
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"eos_token_id": ends}))
    assert checkpoints.end_token_ids(folder) == ([ends] if ends == 7 else ends)
