import itertools

import pytest
import torch

from rimbench.errors import ModelError, UsageError
from rimbench.rim.readout import ReadoutRequest, readout, readouts, readouts_with_mass

BLOCK = (256, 257, 257, 258)
PREFIX = (84, 104, 101, 123)
BUDGETS = range(9)


def request(length, options=4, seed=0, blocks=8):
    numbers = torch.Generator().manual_seed(seed)
    question = tuple(torch.randint(0, 256, (length,), generator=numbers).tolist())
    return ReadoutRequest(question, (BLOCK,) * blocks, PREFIX, tuple(range(65, 65 + options)))


def test_the_readout_at_every_budget_from_one_pass_equals_the_separate_passes(model):
    asked = request(30)
    (packed,) = readouts(model, [asked], BUDGETS)
    separate = torch.stack([readout(model, asked, budget) for budget in BUDGETS])
    torch.testing.assert_close(packed, separate, atol=1e-4, rtol=0)
    assert (separate[1:] - separate[:-1]).abs().max() > 1e-2  # the budgets do differ


def test_a_batch_of_questions_of_different_lengths_and_options_equals_them_one_by_one(model):
    asked = [request(30, 4, 1), request(7, 10, 2), request(19, 2, 3), request(12, 5, 4, blocks=9)]
    for one, packed in zip(asked, readouts(model, asked, [0, 3, 8]), strict=True):
        assert packed.shape == (3, len(one.options))
        separate = torch.stack([readout(model, one, budget) for budget in [0, 3, 8]])
        torch.testing.assert_close(packed, separate, atol=1e-4, rtol=0)


def test_the_probabilities_are_over_the_options_alone(model):
    (packed,) = readouts(model, [request(10, 3)], [8])
    assert packed.exp().sum(-1).tolist() == pytest.approx([1.0])


def test_the_mass_of_the_options_is_that_of_the_plain_pass_over_the_whole_vocabulary(model):
    asked = request(30)
    ((logprobs, masses),) = readouts_with_mass(model, [asked], [0, 8])
    torch.testing.assert_close(logprobs, readouts(model, [asked], [0, 8])[0])
    for mass, budget in zip(masses.tolist(), (0, 8), strict=True):
        ids = (*asked.question, *itertools.chain(*asked.blocks[:budget]), *asked.prefix)
        with torch.inference_mode():
            whole = model(input_ids=torch.tensor([ids])).logits[0, -1].float().softmax(-1)
        assert mass == pytest.approx(float(whole[list(asked.options)].sum()), abs=1e-5)


def test_budgets_come_back_in_the_order_asked(model):
    asked = request(10)
    (forward,), (backward,) = readouts(model, [asked], [1, 5]), readouts(model, [asked], [5, 1])
    torch.testing.assert_close(forward.flip(0), backward, atol=1e-5, rtol=0)


def test_no_requests_give_no_readouts(model):
    assert readouts(model, [], BUDGETS) == []


def test_a_budget_beyond_the_blocks_is_refused(model):
    with pytest.raises(UsageError, match="hung on block 9: the row has 8 blocks"):
        readouts(model, [request(10)], [9])


def test_blocks_beyond_the_context_are_refused(model):
    with pytest.raises(ModelError, match="positions"):
        readouts(model, [request(240)], [8])
