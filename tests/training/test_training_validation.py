import json

import pytest
import torch
import training_run
from training_run import STAGE1, STAGE2, corpus, recipe
from transformers import AutoModelForCausalLM, AutoTokenizer

from rimbench.errors import DataError
from rimbench.training.data import Example, is_for_validation
from rimbench.training.packing import encoding
from rimbench.training.stage import StageTrainer
from rimbench.training.trainer import train

DATA = {"data": {"max_row_tokens": 256, "validation": 0.3}}
SLOW = {**STAGE2, "epochs": 8, "save_steps": 1}


@pytest.fixture
def begin(checkpoint):
    return lambda: training_run.start(checkpoint)


def log_of(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


def scripted(monkeypatch, losses):
    """Validation losses as given, one an evaluation."""
    remaining, plain = iter(losses), StageTrainer.evaluation_loop

    def evaluation_loop(self, *arguments, **options):
        found = plain(self, *arguments, **options)
        found.metrics["eval_loss"] = next(remaining)
        return found

    monkeypatch.setattr(StageTrainer, "evaluation_loop", evaluation_loop)


def test_validation_examples_are_trained_on_in_no_stage_and_their_loss_is_logged(begin, tmp_path, monkeypatch):
    seen = set()
    plain = StageTrainer.compute_loss

    def compute_loss(self, model, inputs, *arguments, **options):
        seen.update(inputs["example"].tolist())
        return plain(self, model, inputs, *arguments, **options)

    monkeypatch.setattr(StageTrainer, "compute_loss", compute_loss)
    train(recipe(STAGE1, STAGE2, **DATA), corpus(64), begin(), tmp_path, seed=1)
    kept = {example.row for example in corpus(64).examples if is_for_validation(example, 0.3)}
    assert kept and seen and not seen & kept
    log = log_of(tmp_path, "validation")
    assert {entry["stage"] for entry in log} == {1, 2}
    assert all(entry["eval_loss"] > 0 for entry in log)


def test_a_stage_with_patience_stops_when_nothing_improves_and_keeps_the_best_weights(begin, tmp_path, monkeypatch):
    scripted(monkeypatch, [3.0, 2.0, 2.5, 2.5, 1.0, 0.9])
    made = train(recipe({**SLOW, "patience": 2}, **DATA), corpus(), begin(), tmp_path / "stopped", seed=1)
    assert [entry["step"] for entry in log_of(tmp_path / "stopped", "validation")] == [1, 2, 3, 4]
    stopped = AutoModelForCausalLM.from_pretrained(made).state_dict()
    monkeypatch.undo()
    states = []
    plain = StageTrainer.evaluation_loop

    def remember(self, *arguments, **options):
        states.append({name: value.clone() for name, value in self.model.state_dict().items()})
        return plain(self, *arguments, **options)

    monkeypatch.setattr(StageTrainer, "evaluation_loop", remember)
    train(recipe(SLOW, **DATA), corpus(), begin(), tmp_path / "whole", seed=1)
    assert all(stopped[name].equal(value) for name, value in states[1].items())
    assert not all(stopped[name].equal(value) for name, value in states[3].items())


def test_patience_goes_on_counting_after_a_kill(begin, tmp_path, monkeypatch):
    asked = recipe({**SLOW, "patience": 2}, **DATA)
    scripted(monkeypatch, [3.0, 2.0, 2.5])
    plain = StageTrainer.compute_loss

    def dies(self, *arguments, **options):
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return plain(self, *arguments, **options)

    monkeypatch.setattr(StageTrainer, "compute_loss", dies)
    with pytest.raises(KeyboardInterrupt):
        train(asked, corpus(), begin(), tmp_path, seed=1)
    monkeypatch.undo()
    scripted(monkeypatch, [2.5, 1.0, 0.9])
    train(asked, corpus(), begin(), tmp_path, seed=1)
    assert [entry["step"] for entry in log_of(tmp_path, "validation")] == [1, 2, 3, 4]


def test_patience_without_validation_examples_is_refused(begin, tmp_path):
    with pytest.raises(ValueError, match=r"set data\.validation"):
        recipe({**STAGE2, "patience": 2})
    tiny_share = recipe({**STAGE2, "patience": 2}, data={"max_row_tokens": 256, "validation": 1e-9})
    with pytest.raises(DataError, match="no validation rows"):
        train(tiny_share, corpus(), begin(), tmp_path, seed=1)


def test_the_share_kept_for_validation_is_about_what_was_asked_and_depends_on_the_question_alone():
    asked = [Example(f"Question {i}?", "", (), str(i), False) for i in range(2000)]
    kept = [is_for_validation(example, 0.1) for example in asked]
    assert 0.08 < sum(kept) / len(kept) < 0.12
    assert kept == [is_for_validation(Example(e.question, "x", ("y",), "z", True), 0.1) for e in asked]


def test_the_validation_loss_is_that_of_the_answer_after_the_last_block_in_plain_passes(begin, tmp_path):
    asked = recipe({**STAGE2, "rows_per_device": 8, "save_steps": 1}, **DATA)
    made = train(asked, corpus(), begin(), tmp_path, seed=1)
    model = AutoModelForCausalLM.from_pretrained(made).eval()
    encode = encoding(AutoTokenizer.from_pretrained(made), asked.block, asked.wording)
    losses = []
    for example in corpus().examples:
        if is_for_validation(example, 0.3):
            answer = encode.answer(example.answer, 3)
            ids = torch.tensor([[*encode.question(example.question), *encode.block * 3, *answer.token_ids]])
            learned = len(answer.token_ids) - answer.learned_from
            logprobs = model(ids).logits[0, -learned - 1 : -1].log_softmax(-1)
            losses.append(-logprobs.gather(1, ids[0, -learned:, None]).mean().item())
    assert len(losses) % 8  # the last batch is incomplete, and counts
    assert log_of(tmp_path, "validation")[-1]["eval_loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-4)
