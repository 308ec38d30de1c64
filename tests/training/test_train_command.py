"""`rimbench train` from its arguments to its checkpoint."""

import json
import os
import subprocess
import sys

import pytest
import tiny

from rimbench.cli.train import train
from rimbench.errors import ConfigError, DataError, ModelError, UsageError
from rimbench.training.trainer import StageTrainer

RECIPE = """
description = "made for a test"
[base]
repo = "some/base"
revision = "abc"
[memory]
[data]
max_row_tokens = 200
held_out_suite = "in-dist"
[[stages]]
objective = "rim-stage1"
epochs = 1
learning_rate = 1e-3
batch_size = 8
rows_per_device = 4
log_steps = 1
save_steps = 1
[[stages]]
objective = "rim-stage2"
blocks = 2
epochs = 1
learning_rate = 1e-3
batch_size = 8
rows_per_device = 4
"""
PLAIN = ["<|im_start|>", "<|im_end|>"]


def row(i):
    """Every third is multiple-choice, every seventh has no reasoning, every tenth is too long."""
    question = f"Start at {i}, what is it now?" + (" And then again, and again?" * 20 if i % 10 == 9 else "")
    if i % 3 == 0:
        question += f"\nA. {i}\nB. {i + 1}"
    reasoning = "" if i % 7 == 6 else f"It goes up to {i + 1}.\n\nSo {i + 1}."
    content = f"\\boxed{{{'B' if i % 3 == 0 else i + 1}}}"
    reply = {"role": "assistant", "content": content, "reasoning_content": reasoning}
    return {"messages": [{"role": "user", "content": question}, reply]}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made.toml").write_text(RECIPE)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row(i)) + "\n" for i in range(60)))
    tiny.make_checkpoint(tmp_path / "base", special=PLAIN)
    return tmp_path


def run(**options):
    train("made.toml", **({"base": "base", "data": "rows.jsonl", "check_suite": ["in-dist"]} | options))


def test_a_training_says_what_it_leaves_out_and_the_overlap_and_prints_where_the_checkpoint_is(place, capsys):
    run()
    printed = capsys.readouterr()
    assert printed.out == "checkpoints/made/checkpoint\n"
    for part in ("data: 60 read, ", " held out, 0 no answer, ", "stage 1 of 2, rim-stage1: ", "too long left out"):
        assert part in printed.err
    assert "overlap with in-dist: 0 of " in printed.err
    card = (place / "checkpoints/made/checkpoint/README.md").read_text()
    assert "overlap with in-dist: 0 of " in card and "base (sha256 " in card
    [overlap] = json.loads((place / "checkpoints/made/overlap.json").read_text())
    assert overlap["suite"] == "in-dist" and overlap["shared"] == []
    drawn = (place / "checkpoints/made/loss.svg").read_text()
    assert "training loss" in drawn and "stage 2" in drawn


def test_starting_again_goes_on_after_the_last_checkpoint_to_the_same_losses(place, monkeypatch, capsys):
    run(out=place / "whole")
    plain = StageTrainer.compute_loss

    def dies(self, *arguments, **options):
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return plain(self, *arguments, **options)

    monkeypatch.setattr(StageTrainer, "compute_loss", dies)
    with pytest.raises(KeyboardInterrupt):
        run(out=place / "cut")
    assert "the same command goes on from there" in capsys.readouterr().err
    monkeypatch.setattr(StageTrainer, "compute_loss", plain)
    run(out=place / "cut")
    assert (place / "cut/loss.jsonl").read_text() == (place / "whole/loss.jsonl").read_text()
    with pytest.raises(UsageError, match="another seed"):
        run(out=place / "cut", seed=1)
    with pytest.raises(UsageError, match="another data"):
        run(out=place / "cut", limit=40)


def test_a_recipe_that_goes_on_from_another_takes_that_trainings_folder(place):
    run(out=place / "first")
    second = RECIPE.replace('repo = "some/base"\nrevision = "abc"', 'recipe = "made"')
    (place / "made.toml").write_text(second)
    with pytest.raises(UsageError, match=r"rimbench train made.*--base FOLDER"):
        run(base=None)
    with pytest.raises(ModelError, match="not a RiM checkpoint"):
        run(base="base", out=place / "from-plain")
    run(base="first", out=place / "second")
    assert (place / "second/checkpoint/model.safetensors").exists()


def test_a_recipe_starts_from_a_new_model_that_is_given_or_from_a_systems_weights(place):
    start = 'repo = "some/base"\nrevision = "abc"'
    (place / "made.toml").write_text(RECIPE.replace(start, 'new = "an untrained model"'))
    with pytest.raises(UsageError, match="trains an untrained model: give its folder with --base FOLDER"):
        run(base=None)
    (place / "made.toml").write_text(RECIPE.replace(start, 'system = "nano-base"'))
    run(base=None, out=place / "from-system")
    config = json.loads((place / "from-system/checkpoint/config.json").read_text())
    assert (config["hidden_size"], config["num_hidden_layers"]) == (64, 8)


def test_other_processes_than_the_first_say_nothing(place, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    run()
    printed = capsys.readouterr()
    assert printed.out == "" and "data:" not in printed.err and "overlap" not in printed.err


@pytest.mark.parametrize(
    ("options", "error", "fault"),
    [
        ({"base": "nowhere/at/all"}, ModelError, "no model at nowhere/at/all"),
        ({"data": "nowhere.jsonl"}, DataError, "nowhere.jsonl: cannot be read"),
        ({"data": "hub"}, UsageError, "names no data set"),
        ({"check_suite": ["medqua"]}, UsageError, "unknown suite 'medqua'.*medqa"),
        ({"limit": 4}, DataError, r"4 rows|[0-9] rows for a batch of 8"),
    ],
)
def test_a_wrong_use_is_refused_before_anything_is_trained(place, options, error, fault):
    with pytest.raises(error, match=fault):
        run(**options)
    assert not list(place.glob("checkpoints/*/stage-*"))


def test_a_tokenizer_with_one_of_the_tokens_is_refused(place):
    tiny.make_checkpoint(place / "half", special=[*PLAIN, "<rim_m>"])
    with pytest.raises(ModelError, match="already has the token <rim_m>"):
        run(base="half")


def test_an_unknown_setting_and_an_unknown_recipe_are_named(place):
    (place / "made.toml").write_text(RECIPE + "momentum = 0.9\n")
    with pytest.raises(ConfigError, match="momentum: unknown key"):
        run()
    with pytest.raises(UsageError, match="unknown recipe 'rim-v3': did you mean"):
        train("rim-v3")


def test_reasoning_without_steps_everywhere_is_an_error_that_counts_them(place):
    rows = [{"messages": [*row(i)["messages"][:1], {"role": "assistant", "content": "yes"}]} for i in range(1, 60, 3)]
    (place / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    with pytest.raises(DataError, match="examples have no steps"):
        run(check_suite=["demo-long"])


def test_under_torchrun_one_process_speaks_and_both_train(place):
    code = "import sys; from rimbench.cli.train import train; train('made.toml', 'base', 'rows.jsonl')"
    (place / "launch.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "launch.py"],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "checkpoints/made/checkpoint\n"
    assert done.stderr.count("rimbench: data:") == 1


def test_a_stage_takes_at_most_its_steps_and_lays_its_schedule_out_for_them(place):
    (place / "made.toml").write_text(RECIPE.replace("epochs = 1", "epochs = 50\nmax_steps = 3", 1))
    run(out=place / "short")
    lines = [json.loads(line) for line in (place / "short/loss.jsonl").read_text().splitlines()]
    first = [line for line in lines if line["stage"] == 1]
    assert [line["step"] for line in first] == [1, 2, 3]
    assert first[-1]["learning_rate"] <= 0.5e-3  # of 1e-3: the schedule falls within three steps
