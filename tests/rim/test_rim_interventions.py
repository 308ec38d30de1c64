import inspect

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from rimbench.errors import ModelError
from rimbench.rim import interventions
from rimbench.rim.interventions import (
    Branch,
    Moments,
    behind_blocks_alone,
    check_replacing,
    holding,
    instead_of_blocks,
    read_branches,
    read_memory,
    reordered,
    without_block,
)
from rimbench.rim.mask import PackedRow, Readout, pack
from rimbench.rim.readout import ReadoutRequest, readout

SMALL = ReadoutRequest((10, 11), ((20, 21), (30, 31)), (50,), (1, 2))
X, O = True, False  # noqa: E741


def drawing(text):
    lines = [line.split() for line in text.splitlines()]
    rows = [line for line in lines if len(line) > 2 and set(line[1:-1]) <= {"x", "-"} and line[-1].isdigit()]
    return [[mark == "x" for mark in row[1:-1]] for row in rows], [int(row[-1]) for row in rows]


def packed(hung):
    return pack([PackedRow(SMALL.question, SMALL.blocks, (hung,))], 0)


def request(length, seed=0, blocks=3):
    numbers = torch.Generator().manual_seed(seed)
    question = tuple(torch.randint(0, 256, (length,), generator=numbers).tolist())
    return ReadoutRequest(question, ((256, 257, 257, 258),) * blocks, (84, 104, 123), (65, 66, 67, 68))


def intact(asked):
    return Branch(Readout(asked.prefix, len(asked.blocks)))


def read(model, asked, *branches):
    return read_branches(model, [asked], [branches])[0][0]


def test_the_mask_of_a_dropped_block_is_the_one_drawn():
    batch = packed(without_block(SMALL, 1))
    assert batch.mask[0, 0].tolist() == [
        [X, O, O, O, O, O, O, O, O],
        [X, X, O, O, O, O, O, O, O],
        [X, X, X, O, O, O, O, O, O],
        [X, X, X, X, O, O, O, O, O],
        [X, X, X, X, X, O, O, O, O],
        [X, X, X, X, X, X, O, O, O],
        [X, X, O, O, O, O, X, O, O],
        [X, X, O, O, O, O, X, X, O],
        [X, X, O, O, O, O, X, X, X],
    ]
    assert batch.position_ids[0].tolist() == [0, 1, 2, 3, 4, 5, 4, 5, 6]
    assert batch.input_ids[0].tolist() == [10, 11, 20, 21, 30, 31, 30, 31, 50]


def test_the_mask_of_a_dropped_last_block_lets_the_readout_see_those_before_it():
    batch = packed(without_block(SMALL, 2))
    assert batch.mask[0, 0, -1].tolist() == [X, X, X, X, O, O, X]
    assert batch.position_ids[0, -1].item() == 6


def test_the_mask_of_a_blind_readout_is_the_one_drawn():
    batch = packed(behind_blocks_alone(SMALL))
    assert batch.mask[0, 0].tolist() == [
        [X, O, O, O, O, O, O],
        [X, X, O, O, O, O, O],
        [X, X, X, O, O, O, O],
        [X, X, X, X, O, O, O],
        [X, X, X, X, X, O, O],
        [X, X, X, X, X, X, O],
        [O, O, X, X, X, X, X],
    ]
    assert batch.position_ids[0].tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_the_mask_of_other_tokens_in_the_blocks_place_is_the_one_drawn():
    batch = packed(instead_of_blocks(SMALL, (7, 7, 7, 7)))
    assert batch.mask[0, 0].tolist() == [
        [X, O, O, O, O, O, O, O, O, O, O],
        [X, X, O, O, O, O, O, O, O, O, O],
        [X, X, X, O, O, O, O, O, O, O, O],
        [X, X, X, X, O, O, O, O, O, O, O],
        [X, X, X, X, X, O, O, O, O, O, O],
        [X, X, X, X, X, X, O, O, O, O, O],
        [X, X, O, O, O, O, X, O, O, O, O],
        [X, X, O, O, O, O, X, X, O, O, O],
        [X, X, O, O, O, O, X, X, X, O, O],
        [X, X, O, O, O, O, X, X, X, X, O],
        [X, X, O, O, O, O, X, X, X, X, X],
    ]
    assert batch.position_ids[0].tolist() == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("drawn", "hung"),
    [
        (without_block, without_block(SMALL, 1)),
        (behind_blocks_alone, behind_blocks_alone(SMALL)),
        (instead_of_blocks, instead_of_blocks(SMALL, (7, 7, 7, 7))),
    ],
)
def test_the_drawings_in_the_docstrings_are_those_masks(drawn, hung):
    marks, positions = drawing(inspect.getdoc(drawn))
    batch = packed(hung)
    assert marks == batch.mask[0, 0].tolist()
    assert positions == batch.position_ids[0].tolist()


def test_memory_replaced_by_itself_gives_the_intact_readout(model):
    model.double()
    asked = request(9)
    (own,) = read_memory(model, [asked])
    table = read(model, asked, intact(asked), holding(asked, own))
    torch.testing.assert_close(table[0], table[1], atol=1e-6, rtol=0)
    assert table[0].dtype == torch.float32
    check_replacing(model, asked)


def test_replaced_memory_beside_it_changes_no_other_readout(model):
    asked, other = request(9), request(17, seed=1)
    (given,) = read_memory(model, [other])
    alone = read(model, asked, intact(asked))[0]
    table = read(model, asked, holding(asked, given), intact(asked), Branch(behind_blocks_alone(asked)))
    torch.testing.assert_close(table[1], alone, atol=1e-4, rtol=0)
    assert (table[0] - alone).abs().max() > 1e-2


def test_a_transplant_does_not_depend_on_where_the_donor_blocks_stood(model):
    """Keys are taken before rotation: a donor at another distance gives its contents at the taker's own places."""
    short, long = request(5), request(21, seed=2)
    (own,), (given,) = read_memory(model, [short]), read_memory(model, [long])
    assert own.keys() == given.keys()
    assert all(own[name].shape == given[name].shape for name in own)
    # The plain reference: the long question's blocks read in a batch of its own, behind pads of another row.
    together = read_memory(model, [short, long])[1]
    for name in given:
        torch.testing.assert_close(together[name], given[name], atol=1e-4, rtol=0)


def test_a_readout_under_an_intervention_is_what_a_plain_pass_with_that_prompt_gives(model):
    asked = request(9)
    filler = (7,) * 12
    plain = readout(model, ReadoutRequest(asked.question + filler, (), asked.prefix, asked.options), 0)
    table = read(model, asked, Branch(instead_of_blocks(asked, filler)), intact(asked))
    torch.testing.assert_close(table[0], plain, atol=1e-4, rtol=0)
    torch.testing.assert_close(table[1], readout(model, asked, 3), atol=1e-4, rtol=0)


def test_a_dropped_block_is_hidden_from_the_blocks_behind_it_too(model):
    """The reference: the sequence in a row of its own, with the block's columns masked out and positions kept."""
    asked = request(9)
    ids = torch.tensor([[*asked.question, *(t for block in asked.blocks for t in block), *asked.prefix]])
    length, hidden = ids.shape[1], slice(9, 13)
    mask = torch.ones(length, length, dtype=torch.bool).tril()
    mask[13:, hidden] = False
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=mask[None, None], position_ids=torch.arange(length)[None]).logits
    expected = logits[0, -1, list(asked.options)].log_softmax(-1)
    found = read(model, asked, Branch(without_block(asked, 1)))[0]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_contents_are_reordered_block_by_block():
    asked = request(4, blocks=2)
    held = {"k_proj": torch.arange(8.0)[:, None]}
    moved = reordered(asked, held, (1, 0))
    assert moved["k_proj"][:, 0].tolist() == [4, 5, 6, 7, 0, 1, 2, 3]


def test_mean_and_noise_are_of_the_questions_that_were_counted():
    moments = Moments()
    for value in (1.0, 3.0):
        moments.add({"k_proj": torch.full((2, 3), value), "v_proj": torch.full((2, 3), 5.0)})
    assert moments.mean()["k_proj"].tolist() == [[2.0] * 3] * 2
    drawn = moments.noise(torch.Generator().manual_seed(0))
    again = moments.noise(torch.Generator().manual_seed(0))
    assert torch.equal(drawn["k_proj"], again["k_proj"])
    assert torch.equal(drawn["v_proj"], torch.full((2, 3), 5.0, dtype=torch.float64))  # no spread
    normal = torch.randn(2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(drawn["k_proj"], 2 + 1 * normal)  # the spread of 1 and 3 is 1


def test_a_model_without_separate_projections_is_refused_in_one_line():
    shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 1}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=320, attn_implementation="sdpa", **shape)).eval()
    attention = model.model.layers[0].self_attn
    attention.key = attention.k_proj
    del attention._modules["k_proj"]
    with pytest.raises(ModelError, match="has no k_proj and v_proj in each of its layers"):
        read_memory(model, [request(4)])


def test_dropping_each_block_in_turn_takes_few_more_tokens_than_the_intact_pass():
    """K = 8 blocks of 4 tokens behind a question of the length that a medical one has."""
    asked = request(260, blocks=8)
    whole = PackedRow(asked.question, asked.blocks, (intact(asked).readout,))
    dropped = tuple(without_block(asked, block) for block in range(1, 9))
    row = PackedRow(asked.question, asked.blocks, dropped)
    # 7 + 6 + ... + 0 blocks are worked out again, and 8 prefixes of 3 tokens stand behind them.
    assert len(row.token_ids) == 260 + 32 + 28 * 4 + 8 * 3
    assert len(row.token_ids) <= 2.5 * len(whole.token_ids)


def test_every_intervention_is_drawn_or_says_whose_mask_it_has():
    assert "instead_of_blocks" in inspect.getdoc(interventions.holding)
