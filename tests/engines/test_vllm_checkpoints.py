"""Checkpoints with memory tokens of ours in vLLM: in rows that a model has to spare, and in matrices that grew."""

import pytest
import tiny
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from rimbench import engines, suites, systems
from rimbench.engines import Decoding, EngineChoice, Limits, Request
from rimbench.rim.blocks import Memory
from rimbench.rim.checkpoint import add_memory_tokens, save_checkpoint
from rimbench.running import plans

pytestmark = pytest.mark.vllm
ITEMS = 40


@pytest.fixture
def grown(tmp_path):
    """A checkpoint whose matrices grew by the memory tokens."""
    plain = tiny.make_checkpoint(tmp_path / "plain", special=["<|im_start|>", "<|im_end|>"])
    tokenizer, model = AutoTokenizer.from_pretrained(plain), AutoModelForCausalLM.from_pretrained(plain)
    rows = len(tokenizer)
    model.resize_token_embeddings(rows)
    add_memory_tokens(tokenizer, model, Memory(8), torch.Generator().manual_seed(0))
    assert model.config.vocab_size > rows
    save_checkpoint(model, tokenizer, tmp_path / "grown")
    return tmp_path / "grown"


@pytest.mark.parametrize("kind", ["shipped", "grown"])
def test_vllm_and_transformers_read_the_same_letters(kind, grown, tmp_path):
    system = systems.override(systems.load("nano-rim-v2"), model=None if kind == "shipped" else str(grown))
    [run] = plans.plan_runs(
        [system], [suites.load("demo-in-dist", limit=ITEMS)], plans.RunSettings(tmp_path, "transformers", ITEMS)
    )
    read = Decoding(readout=True, max_new_tokens=1)
    asked = [Request(s.item.item_id, p, (0,), read) for s, p in zip(run.cell.shown, run.cell.prompts, strict=True)]
    found = []
    for name in ("transformers", "vllm"):
        facts = engines.find(name).describe(EngineChoice(ITEMS))
        with engines.open_engine(run.checkpoint.folder, facts, Limits(600 if kind == "grown" else 400, 0)) as engine:
            answered = [pair for group in engine.answer(asked, 0) for pair in group]
            found.append({request.item_id: answers[0] for request, answers in answered})
    ours, theirs = found
    assert {key: a.text for key, a in ours.items()} == {key: a.text for key, a in theirs.items()}
    for key, answer in ours.items():
        assert theirs[key].option_logprobs == pytest.approx(answer.option_logprobs, abs=1e-3)
