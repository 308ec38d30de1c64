import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import torch
import training_run
from training_run import STAGE, STAGE1, STAGE2, corpus, recipe
from transformers import AutoModelForCausalLM, AutoTokenizer

from rimbench.errors import DataError, ModelError, UsageError
from rimbench.rim.blocks import Memory, memory_token_ids
from rimbench.training import stage as stage_module
from rimbench.training.stage import StageTrainer
from rimbench.training.trainer import train


@pytest.fixture
def begin(checkpoint):
    return lambda: training_run.start(checkpoint)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A checkpoint without memory tokens, and its head untied."""
    folder = tiny.make_checkpoint(tmp_path_factory.mktemp("base"), special=["<|im_start|>", "<|im_end|>"])
    model = AutoModelForCausalLM.from_pretrained(folder, tie_word_embeddings=False)
    with torch.no_grad():
        model.lm_head.weight.copy_(torch.randn_like(model.lm_head.weight) * 0.2)
    model.save_pretrained(folder)
    return folder


def log_of(folder):
    return [json.loads(line) for line in (folder / "loss.jsonl").read_text().splitlines()]


def weights_of(folder):
    return AutoModelForCausalLM.from_pretrained(folder / "checkpoint").state_dict()


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_both_stages_train_log_every_step_and_leave_a_checkpoint_that_plain_transformers_loads(begin, tmp_path):
    made = train(recipe(STAGE1, STAGE2), corpus(), begin(), tmp_path, seed=1)
    log = log_of(tmp_path)
    assert [(e["stage"], e["step"]) for e in log] == [(1, s) for s in range(1, 7)] + [(2, s) for s in range(1, 9)]
    anytime = [entry["loss"] for entry in log[6:]]
    assert sum(anytime[4:]) < 0.8 * sum(anytime[:4])
    tokenizer = AutoTokenizer.from_pretrained(made)
    asked = torch.tensor([[1, *memory_token_ids(tokenizer, Memory(3))]])
    assert torch.isfinite(AutoModelForCausalLM.from_pretrained(made)(asked).logits).all()


def test_only_the_three_memory_rows_of_the_vocabulary_move_with_a_tied_head(begin, checkpoint, tmp_path):
    train(recipe(STAGE1, STAGE2), corpus(), begin(), tmp_path, seed=1)
    before = AutoModelForCausalLM.from_pretrained(checkpoint).state_dict()
    after = weights_of(tmp_path)
    moved = (before["model.embed_tokens.weight"] != after["model.embed_tokens.weight"]).any(dim=1)
    assert moved.nonzero().flatten().tolist() == [258, 259, 260]
    assert torch.equal(after["lm_head.weight"], after["model.embed_tokens.weight"])
    up = "model.layers.0.mlp.up_proj.weight"
    assert not torch.equal(before[up], after[up])


def test_a_base_without_the_tokens_gets_them_and_keeps_every_other_row_of_both_matrices(base, tmp_path):
    train(recipe(STAGE1), corpus(), training_run.start(base), tmp_path, seed=1)
    before, after = AutoModelForCausalLM.from_pretrained(base).state_dict(), weights_of(tmp_path)
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        moved = (before[name] != after[name]).any(dim=1)
        assert moved.nonzero().flatten().tolist() == [258, 259, 260]
    assert not torch.equal(after["lm_head.weight"], after["model.embed_tokens.weight"])


@pytest.mark.parametrize("completion", ["reasoning", "answer"])
def test_fine_tuning_without_memory_leaves_the_vocabulary_alone_unless_told_otherwise(begin, completion, tmp_path):
    sft = {**STAGE, "objective": "sft", "completion": completion}
    first = begin()
    before = first.model.get_input_embeddings().weight.detach().clone()
    train(recipe(sft, memory=None), corpus(), first, tmp_path / "frozen", seed=1)
    assert torch.equal(weights_of(tmp_path / "frozen")["model.embed_tokens.weight"], before)
    log = log_of(tmp_path / "frozen")
    assert log[-1]["loss"] < log[0]["loss"]
    train(recipe(sft, memory=None, train_vocabulary=True), corpus(), begin(), tmp_path / "all", seed=1)
    assert not torch.equal(weights_of(tmp_path / "all")["model.embed_tokens.weight"], before)


@pytest.mark.parametrize("killed", [(1, 2), (1, 5), (2, 4)])
def test_a_training_that_was_killed_goes_on_to_the_same_losses_and_weights(begin, tmp_path, monkeypatch, killed):
    asked = recipe(STAGE1, {**STAGE2, "attention_dropout": 0.2})
    train(asked, corpus(), begin(), tmp_path / "whole", seed=1)
    plain = StageTrainer.compute_loss

    def dies(self, *arguments, **options):
        if (self.guard.stage, self.state.global_step) == killed:
            raise KeyboardInterrupt
        return plain(self, *arguments, **options)

    monkeypatch.setattr(StageTrainer, "compute_loss", dies)
    with pytest.raises(KeyboardInterrupt):
        train(asked, corpus(), begin(), tmp_path / "cut", seed=1)
    monkeypatch.setattr(StageTrainer, "compute_loss", plain)
    train(asked, corpus(), begin(), tmp_path / "cut", seed=1)
    assert log_of(tmp_path / "cut") == log_of(tmp_path / "whole")
    assert same(weights_of(tmp_path / "cut"), weights_of(tmp_path / "whole"))


def test_a_checkpoint_that_a_kill_tore_is_passed_over(begin, tmp_path, monkeypatch):
    def dies(self, *arguments, **options):
        if self.state.global_step == 4:
            (Path(self.args.output_dir) / "checkpoint-9").mkdir()
            raise KeyboardInterrupt
        return plain(self, *arguments, **options)

    plain = StageTrainer.compute_loss
    monkeypatch.setattr(StageTrainer, "compute_loss", dies)
    with pytest.raises(KeyboardInterrupt):
        train(recipe(STAGE1), corpus(), begin(), tmp_path, seed=1)
    monkeypatch.setattr(StageTrainer, "compute_loss", plain)
    train(recipe(STAGE1), corpus(), begin(), tmp_path, seed=1)
    assert [entry["step"] for entry in log_of(tmp_path)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_loss_or_gradient_that_is_no_number_stops_and_names_the_examples_and_the_last_checkpoint(
    begin, tmp_path, monkeypatch, what
):
    plain, calls = stage_module.segment_nll, []

    def broken(model, batch, reduction):
        nll = plain(model, batch, reduction)
        calls.append(batch.example.tolist())
        if len(calls) == 9:  # the first half of step 5
            return nll * float("nan") if what == "loss" else (nll - nll.detach()).sqrt()
        return nll

    monkeypatch.setattr(stage_module, "segment_nll", broken)
    with pytest.raises(ModelError) as raised:
        train(recipe(STAGE1), corpus(), begin(), tmp_path, seed=1)
    named = calls[8] if what == "loss" else calls[8] + calls[9]
    kept = tmp_path / "stage-1" / "checkpoint-3"
    rows = ", ".join(map(str, named))
    assert f"{what} is no number in stage 1, step 5, on rows {rows} of the data, counted from 1:" in str(raised.value)
    assert str(kept) in str(raised.value)
    weights = AutoModelForCausalLM.from_pretrained(kept).state_dict().values()
    assert all(torch.isfinite(weight).all() for weight in weights)
    assert not (tmp_path / "checkpoint").exists()


def test_a_checkpoint_whose_own_loss_is_no_number_is_not_called_good(begin, tmp_path):
    """Updates so large that the weights are finite and nothing that comes of them is."""
    with pytest.raises(ModelError) as raised:
        train(recipe({**STAGE1, "learning_rate": 1e25, "save_steps": 1}), corpus(), begin(), tmp_path, seed=1)
    kept = tmp_path / "stage-1" / "checkpoint-1"  # the warm-up's first update is none
    assert (tmp_path / "stage-1" / "checkpoint-2").exists()
    assert f"the last good checkpoint is {kept};" in str(raised.value) and f"--base {kept}" in str(raised.value)


def test_a_finished_training_is_not_done_again(begin, tmp_path):
    made = train(recipe(STAGE1), corpus(), begin(), tmp_path, seed=1)
    written = {path: path.stat().st_mtime_ns for path in made.iterdir()}
    train(recipe(STAGE1), corpus(), begin(), tmp_path, seed=1)
    assert written == {path: path.stat().st_mtime_ns for path in made.iterdir()}


def test_a_folder_with_another_training_is_refused_and_the_difference_named(begin, tmp_path):
    train(recipe(STAGE1), corpus(), begin(), tmp_path, seed=1)
    with pytest.raises(UsageError, match="another seed"):
        train(recipe(STAGE1), corpus(), begin(), tmp_path, seed=2)
    with pytest.raises(UsageError, match="another recipe, data"):
        train(recipe(STAGE2), corpus(40), begin(), tmp_path, seed=1)


def test_the_card_says_what_the_weights_were_made_from(begin, tmp_path):
    asked = recipe(STAGE1)
    card = (train(asked, corpus(), begin(), tmp_path, seed=7) / "README.md").read_text()
    for part in ("| seed | 7 |", "| commit | abc123 |", "| base | tiny |", asked.sha256(), "hash of 32"):
        assert part in card
    assert "rim-stage1: 25 rows, 6 steps (7 examples without steps and 0 too long left out)" in card


def test_rows_beyond_the_limit_are_left_out_and_too_few_rows_are_an_error(begin, tmp_path):
    with pytest.raises(DataError, match=r"0 rows for a batch of 8 \(7 examples have no steps, 25 are longer than 8"):
        train(recipe(STAGE1, data={"max_row_tokens": 8}), corpus(), begin(), tmp_path, seed=1)


def test_a_later_stage_that_cannot_be_trained_is_refused_before_the_first_and_leaves_the_folder_free(begin, tmp_path):
    with pytest.raises(ModelError, match="has 1024: shorten the question or use fewer blocks"):
        train(
            recipe(STAGE1, {**STAGE2, "blocks": 300}, data={"max_row_tokens": 9000}), corpus(), begin(), tmp_path, 1
        )
    with pytest.raises(DataError, match=r"32 are longer than 256 tokens with their 300 blocks\): .* blocks"):
        train(recipe(STAGE1, {**STAGE2, "blocks": 300}), corpus(), begin(), tmp_path, seed=1)
    train(recipe(STAGE1), corpus(), begin(), tmp_path, seed=1)


def test_rows_beyond_the_models_context_are_refused(tmp_path):
    short = training_run.start(tiny.make_checkpoint(tmp_path / "short", context=64))
    with pytest.raises(ModelError, match="has 64: shorten"):
        train(recipe(STAGE1), corpus(), short, tmp_path / "run", seed=1)


@pytest.mark.parametrize("examples", [32, 36])  # 25 rows with steps, and 28: 3 batches, and half a batch
def test_gradient_accumulation_changes_no_loss(begin, tmp_path, examples):
    train(recipe({**STAGE1, "rows_per_device": 8}), corpus(examples), begin(), tmp_path / "one", seed=1)
    train(recipe({**STAGE1, "rows_per_device": 2}), corpus(examples), begin(), tmp_path / "four", seed=1)
    one, four = ([e["loss"] for e in log_of(tmp_path / name)] for name in ("one", "four"))
    assert four == pytest.approx(one, rel=2e-3)


def test_gradient_checkpointing_changes_no_loss(begin, tmp_path):
    train(recipe(STAGE1), corpus(), begin(), tmp_path / "plain", seed=1)
    train(recipe({**STAGE1, "gradient_checkpointing": True}), corpus(), begin(), tmp_path / "lean", seed=1)
    plain, lean = ([e["loss"] for e in log_of(tmp_path / name)] for name in ("plain", "lean"))
    assert lean == pytest.approx(plain, rel=1e-3)


def two_processes(checkpoint, folder, *sharded):
    """The training in `training_run` by two processes with half of the rows each; what they exited with."""
    return launch_two(checkpoint, folder, *sharded).returncode


def launch_two(checkpoint, folder, *sharded, **environment):
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", training_run.__file__]
    return subprocess.run(
        [sys.executable, *launch, checkpoint, folder, "4", *sharded],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def alone(checkpoint, tmp_path_factory):
    """One process that has all rows of the same training."""
    folder = tmp_path_factory.mktemp("alone")
    stages = [{**stage, "rows_per_device": 8} for stage in (STAGE1, STAGE2)]
    train(recipe(*stages), corpus(), training_run.start(checkpoint), folder, seed=1)
    return folder


@pytest.mark.parametrize("sharded", [(), ("fsdp",)])
def test_two_processes_train_as_one_with_twice_the_rows(alone, checkpoint, tmp_path, sharded):
    assert two_processes(checkpoint, tmp_path, *sharded) == 0
    two, one = ([e["loss"] for e in log_of(folder)] for folder in (tmp_path, alone))
    assert two == pytest.approx(one, rel=2e-3)
    before = AutoModelForCausalLM.from_pretrained(checkpoint).state_dict()["model.embed_tokens.weight"]
    moved = (before != weights_of(tmp_path)["model.embed_tokens.weight"]).any(dim=1)
    assert moved.nonzero().flatten().tolist() == [258, 259, 260]
    pairs = zip(weights_of(tmp_path).values(), weights_of(alone).values(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-2) for a, b in pairs)


def test_a_sharded_training_that_was_killed_goes_on_to_the_same_losses(alone, checkpoint, tmp_path):
    assert two_processes(checkpoint, tmp_path, "fsdp", "5") != 0
    assert not (tmp_path / "checkpoint").exists()
    assert two_processes(checkpoint, tmp_path, "fsdp") == 0
    two, one = ([e["loss"] for e in log_of(folder)] for folder in (tmp_path, alone))
    assert two == pytest.approx(one, rel=2e-3)


def test_the_first_kind_of_fsdp_is_refused_with_what_to_launch(checkpoint, tmp_path):
    refused = launch_two(checkpoint, tmp_path, "fsdp", FSDP_VERSION="1")
    assert refused.returncode != 0
    assert "is not supported: launch with --use_fsdp --fsdp_version 2" in refused.stderr
