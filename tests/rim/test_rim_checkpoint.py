import copy

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from rimbench.errors import ModelError
from rimbench.rim.blocks import Memory, memory_token_ids
from rimbench.rim.checkpoint import add_memory_tokens, save_checkpoint

MEMORY = Memory(2)


def generator():
    return torch.Generator().manual_seed(1)


def rows_of(model):
    return model.get_input_embeddings().weight


def head_of(model):
    return model.get_output_embeddings().weight


def test_spare_rows_are_used_and_the_model_keeps_its_size(model, tokenizer):
    assert add_memory_tokens(tokenizer, model, MEMORY, generator()) == (256, 257, 258)
    assert rows_of(model).shape[0] == head_of(model).shape[0] == model.config.vocab_size == 320


def test_a_model_without_spare_rows_grows_by_what_is_missing(model, tokenizer):
    model.resize_token_embeddings(257, mean_resizing=False)
    add_memory_tokens(tokenizer, model, MEMORY, generator())
    assert rows_of(model).shape[0] == head_of(model).shape[0] == model.config.vocab_size == 259


@pytest.mark.parametrize("rows", [320, 256])
def test_only_the_new_rows_change_and_a_tied_head_stays_tied(model, tokenizer, rows):
    model.resize_token_embeddings(rows, mean_resizing=False)
    tied = head_of(model) is rows_of(model)
    before, head_before = rows_of(model).detach().clone(), head_of(model).detach().clone()
    new = list(add_memory_tokens(tokenizer, model, MEMORY, generator()))
    kept = [i for i in range(rows) if i not in new]
    assert torch.equal(rows_of(model)[kept], before[kept])
    assert torch.equal(head_of(model)[kept], head_before[kept])
    assert (head_of(model) is rows_of(model)) == tied


def test_new_rows_lie_near_the_mean_of_the_real_ones_and_differ(model, tokenizer):
    with torch.no_grad():
        rows_of(model)[256:] = 1000.0  # the spare rows are not part of the mean
    old = rows_of(model)[:256].detach().clone()
    new = rows_of(model)[list(add_memory_tokens(tokenizer, model, MEMORY, generator()))]
    assert ((new - old.mean(0)).abs() < 0.6 * old.std(0)).all()
    assert not torch.equal(new[0], new[1])
    assert not torch.equal(new[1], new[2])


def test_the_same_generator_gives_the_same_rows(model, tokenizer):
    other, other_tokenizer = copy.deepcopy(model), copy.deepcopy(tokenizer)
    add_memory_tokens(tokenizer, model, MEMORY, generator())
    add_memory_tokens(other_tokenizer, other, MEMORY, generator())
    assert torch.equal(rows_of(model), rows_of(other))


def test_a_tokenizer_that_has_one_of_the_tokens_is_refused_and_left_alone(model, tokenizer):
    tokenizer.add_tokens(["<rim_m>"])
    with pytest.raises(ModelError, match="already has the token <rim_m>"):
        add_memory_tokens(tokenizer, model, MEMORY, generator())
    assert len(tokenizer) == 257


@pytest.mark.parametrize("rows", [320, 256])
def test_plain_transformers_loads_a_saved_checkpoint_with_the_same_logits(model, tokenizer, rows, tmp_path):
    model.resize_token_embeddings(rows, mean_resizing=False)
    add_memory_tokens(tokenizer, model, MEMORY, generator())
    ids = torch.tensor([[1, 2, 3, *memory_token_ids(tokenizer, MEMORY)]])
    save_checkpoint(model, tokenizer, tmp_path / "rim")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "rim")
    assert torch.equal(loaded(ids).logits, model(ids).logits)
    assert loaded.config.vocab_size == rows_of(loaded).shape[0]
    assert (head_of(loaded) is rows_of(loaded)) == (head_of(model) is rows_of(model))
    again = AutoTokenizer.from_pretrained(tmp_path / "rim")
    assert memory_token_ids(again, MEMORY) == memory_token_ids(tokenizer, MEMORY)
    assert again.decode(again("ab<rim_m>c").input_ids, skip_special_tokens=True) == "abc"


def test_saving_again_replaces_the_folder_and_leaves_nothing_beside_it(model, tokenizer, tmp_path):
    add_memory_tokens(tokenizer, model, MEMORY, generator())
    save_checkpoint(model, tokenizer, tmp_path / "rim")
    (tmp_path / "rim" / "stale").write_text("old")
    save_checkpoint(model, tokenizer, tmp_path / "rim")
    assert [path.name for path in tmp_path.iterdir()] == ["rim"]
    assert not (tmp_path / "rim" / "stale").exists()


def test_a_save_that_fails_leaves_the_old_checkpoint_whole(model, tokenizer, tmp_path, monkeypatch):
    save_checkpoint(model, tokenizer, tmp_path / "rim")
    before = {path.name: path.read_bytes() for path in (tmp_path / "rim").iterdir()}

    def fail(folder):
        raise OSError("no space left on device")

    monkeypatch.setattr(tokenizer, "save_pretrained", fail)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(model, tokenizer, tmp_path / "rim")
    assert [path.name for path in tmp_path.iterdir()] == ["rim"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "rim").iterdir()} == before


def test_a_tokenizer_larger_than_the_model_is_not_saved(model, tokenizer, tmp_path):
    model.resize_token_embeddings(200, mean_resizing=False)
    with pytest.raises(ModelError, match="256 tokens, 200 embedding rows"):
        save_checkpoint(model, tokenizer, tmp_path / "rim")
    assert not list(tmp_path.iterdir())
