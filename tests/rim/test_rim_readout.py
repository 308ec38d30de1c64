import itertools

import pytest
import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
)

from rimbench.errors import ModelError, UsageError
from rimbench.rim.head import is_plain_head
from rimbench.rim.readout import ReadoutRequest, check_packed, readout, readouts, readouts_with_mass

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


SHAPE = {
    "vocab_size": 320, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "pad_token_id": 0, "attn_implementation": "sdpa",
}  # fmt: skip
FULL = {"head_dim": 16, "layer_types": ["full_attention"] * 2}
SCALED = {
    "granite": lambda: GraniteForCausalLM(GraniteConfig(logits_scaling=6.0, **SHAPE)),
    "cohere": lambda: CohereForCausalLM(CohereConfig(logit_scale=0.25, **SHAPE)),
    "gemma3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(final_logit_softcapping=2.0, **FULL, **SHAPE)),
}


def wide(model):
    """Weights far enough apart that a scale shows in every log-probability."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
    return model.eval()


class DividesWhatItsHeadIsGiven(LlamaForCausalLM):
    """As MiniCPM does: the scale stands before the head, not behind it."""

    def __init__(self, config):
        super().__init__(config)
        self.lm_head.register_forward_pre_hook(lambda _, given: (given[0] / 4,))


SCALED["divides"] = lambda: DividesWhatItsHeadIsGiven(LlamaConfig(**SHAPE))


@pytest.mark.parametrize("name", SCALED)
def test_a_model_that_does_more_than_multiply_is_read_as_it_answers_in_a_plain_pass(name):
    model, asked = wide(SCALED[name]()), [request(30, 4, 1), request(7, 10, 2)]
    assert not is_plain_head(model)
    for one, packed in zip(asked, readouts(model, asked, [0, 3, 8]), strict=True):
        separate = torch.stack([readout(model, one, budget) for budget in [0, 3, 8]])
        torch.testing.assert_close(packed, separate, atol=1e-4, rtol=0)
    check_packed(model, asked[0])


def test_a_softcap_too_high_to_show_on_a_random_row_is_found_in_every_number_type():
    for dtype in (torch.float32, torch.bfloat16):
        capped = Gemma3ForCausalLM(Gemma3TextConfig(final_logit_softcapping=500.0, **FULL, **SHAPE)).to(dtype).eval()
        assert not is_plain_head(capped)
        assert is_plain_head(wide(LlamaForCausalLM(LlamaConfig(**SHAPE))).to(dtype))


def test_a_model_whose_packed_row_differs_from_plain_passes_is_refused(model):
    body = model.base_model
    plain = body.forward

    def shifted(*given, attention_mask=None, **more):
        found = plain(*given, attention_mask=attention_mask, **more)
        if attention_mask is not None:
            found.last_hidden_state = found.last_hidden_state.flip(-1)
        return found

    body.forward = shifted
    with pytest.raises(
        ModelError, match=r"reads budgets out of one packed row otherwise than one by one .*--blocks K"
    ):
        check_packed(model, request(10))
