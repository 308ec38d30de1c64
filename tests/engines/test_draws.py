"""Tokens drawn row by row: they follow the model's probabilities, and nothing that is drawn beside them."""

from random import Random

import pytest
import torch
from tiny import build_prompt
from transformers import AutoTokenizer

from rimbench import engines
from rimbench.engines import Decoding, EngineChoice, Limits, Request, chance_of
from rimbench.engines._draws import NumberWatch, TokenDraws
from rimbench.records import Item
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights

WRITES = System("base", "", Weights(), PromptStyle(), AnswerStyle("generate", max_new_tokens=12))
DRAWN = Decoding(readout=False, max_new_tokens=12, temperature=1.0, top_p=0.95)


@pytest.fixture(scope="module", params=["transformers", pytest.param("vllm", marks=pytest.mark.vllm)])
def engine(request, checkpoint):
    facts = engines.find(request.param).describe(EngineChoice(8))
    with engines.open_engine(checkpoint, facts, Limits(600, 0)) as opened:
        yield opened


@pytest.fixture(scope="module")
def prompts(checkpoint):
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    items = [Item(str(i), f"Which drug? {'word ' * i}", {"A": "x", "B": "y"}, "A") for i in range(6)]
    return [build_prompt(WRITES, item, item.question, tokenizer) for item in items]


def drawn(scores, chances):
    left = TokenDraws(torch, chances)(torch.zeros(0), torch.tensor(scores))
    return left.argmax(-1).tolist()


def test_tokens_are_drawn_as_often_as_they_are_probable():
    """4,000 draws of 1/2, 1/4, 1/4 and never: each share within 4 standard errors."""
    logits = torch.tensor([0.5, 0.25, 0.25, 0.0]).log()
    chances = [Random(i) for i in range(4000)]
    tokens = drawn(logits.expand(4000, 4).tolist(), chances)
    for token, share in enumerate((0.5, 0.25, 0.25, 0.0)):
        assert abs(tokens.count(token) / 4000 - share) <= 4 * (share * (1 - share) / 4000) ** 0.5


def test_a_token_of_probability_0_is_not_drawn_at_either_end_of_the_chance():
    class Fixed(Random):
        def __init__(self, value):
            self.value = value

        def random(self):
            return self.value

    logits = torch.tensor([0.0, 0.5, 0.5, 0.0]).log().tolist()
    assert drawn([logits] * 3, [Fixed(0.0), Fixed(0.5), Fixed(1 - 2**-53)]) == [1, 2, 2]


def test_a_row_is_drawn_the_same_whatever_stands_beside_it():
    logits = torch.randn(5, 50, generator=torch.Generator().manual_seed(0)).tolist()
    together = drawn(logits, [chance_of(0, str(i), 1) for i in range(5)])
    assert [drawn([row], [chance_of(0, str(i), 1)])[0] for i, row in enumerate(logits)] == together


def texts(engine, requests, seed=0):
    found = {}
    for request, answers in (pair for group in engine.answer(requests, seed) for pair in group):
        found |= {(request.item_id, s): a.text for s, a in zip(request.samples, answers, strict=True)}
    return found


def test_a_sample_is_drawn_from_the_seed_the_item_and_its_number_alone(engine, prompts):
    """In one batch of all, item by item, sample by sample in other batches: the same texts, all of them different."""
    items = list(enumerate(prompts))
    every = texts(engine, [Request(str(i), prompt, (1, 2, 3), DRAWN) for i, prompt in items])
    assert len(set(every.values())) == 18
    by_item = [texts(engine, [Request(str(i), prompt, (3, 1, 2), DRAWN)]) for i, prompt in items]
    assert {key: text for part in by_item for key, text in part.items()} == every
    by_sample = [texts(engine, [Request(str(i), p, (s,), DRAWN) for i, p in reversed(items)]) for s in (2, 3, 1)]
    assert {key: text for part in by_sample for key, text in part.items()} == every
    assert texts(engine, [Request("0", prompts[0], (1,), DRAWN)], seed=1)["0", 1] != every["0", 1]


def test_top_p_leaves_the_least_probable_tokens_out(engine, prompts):
    certain = Decoding(readout=False, max_new_tokens=12, temperature=1.0, top_p=1e-9)
    greedy = texts(engine, [Request("0", prompts[0], (0,), Decoding(False, 12))])
    assert texts(engine, [Request("0", prompts[0], (1,), certain)])["0", 1] == greedy["0", 0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_no_numbers_are_told(value):
    watch = NumberWatch(torch)
    watch(torch.zeros(0), torch.tensor([[0.0, -torch.inf]]))
    watch.check()
    watch(torch.zeros(0), torch.tensor([[0.0, value]]))
    watch(torch.zeros(0), torch.tensor([[0.0, 1.0]]))
    with pytest.raises(RuntimeError, match="not numbers"):
        watch.check()
