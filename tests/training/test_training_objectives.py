from dataclasses import replace

import pytest
import torch

from rimbench.training.objectives import (
    anneal_weights,
    any_budget_weights,
    anytime_weights,
    batch_loss,
    segment_nll,
    sft_weights,
    stage1_weights,
)
from rimbench.training.packing import collate, sft_row, stage1_row, stage2_row


def separate_nll(model, row, at):
    """The slow reference: the mean NLL of one segment's learned tokens in a plain causal pass of its own."""
    sequence, segment = torch.tensor([row.layout.unpacked(at)]), row.segments[at]
    logprobs = model(input_ids=sequence).logits[0].log_softmax(-1)
    first = sequence.shape[1] - len(segment.token_ids) + segment.learned_from
    picked = [-logprobs[place - 1, sequence[0, place]] for place in range(first, sequence.shape[1])]
    return torch.stack(picked).mean()


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (0.0, [1, 1, 1, 1]),
        (0.125, [0.5, 0.75, 0.8333333, 0.875]),
        (0.25, [0, 0.5, 0.6666667, 0.75]),
        (0.5, [0, 0, 0.3333333, 0.5]),
        (0.75, [0, 0, 0, 0.25]),
        (1.0, [0, 0, 0, 0]),
    ],
)
def test_the_anneal_of_four_blocks_is_the_one_worked_by_hand(progress, expected):
    blocks = torch.full((4,), 4)
    assert anneal_weights(torch.tensor([1, 2, 3, 4]), blocks, progress).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("total", [1, 2, 8])
def test_the_anneal_falls_from_1_to_0_and_earlier_blocks_fall_first(total):
    block, blocks = torch.arange(1, total + 1), torch.full((total,), total)
    curve = torch.stack([anneal_weights(block, blocks, s / 40) for s in range(41)])
    assert (curve[0] == 1).all()
    assert curve[-1].abs().max() < 1e-6
    assert (curve.diff(dim=0) <= 0).all()
    assert (curve.diff(dim=1) >= 0).all()


def test_the_answer_of_stage_1_is_weighted_apart_from_the_steps(encode, examples):
    batch = collate([stage1_row(examples[0], encode, shift=0)], 0)
    assert stage1_weights(batch, 0.25, answer_weight=3.0).tolist() == [0.5, 0.75, 2.25]


def test_anytime_weights_rise_linearly_and_sum_to_1_for_every_row(encode, examples):
    rows = [stage2_row(examples[0], encode, 4), stage2_row(examples[1], encode, 8)]
    weights = anytime_weights(collate(rows, 0))
    assert weights[:4].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert weights[4:].sum() == pytest.approx(1)
    torch.testing.assert_close(weights[4:].diff(), torch.full((7,), 1 / 36))


@pytest.mark.parametrize("shift", [0, 1])
def test_the_packed_stage_1_loss_is_the_sum_of_separate_passes(model, encode, examples, shift):
    rows = [stage1_row(example, encode, shift) for example in examples]
    batch = collate(rows, 0)
    packed = batch_loss(segment_nll(model, batch, "mean"), stage1_weights(batch, 0.2, 2.0), batch)
    total = 0.0
    for row in rows:
        for at, segment in enumerate(row.segments):
            decay = max(0, 1 - 0.2 / (segment.block / len(row.blocks)))
            total += decay * (2.0 if segment.is_answer else 1.0) * separate_nll(model, row, at)
    torch.testing.assert_close(packed, total / 3, atol=1e-4, rtol=1e-5)


def test_the_packed_stage_2_loss_is_the_sum_of_separate_passes(model, encode, examples):
    rows = [stage2_row(example, encode, 3, multiple_choice_weight=5.0) for example in examples]
    batch = collate(rows, 0)
    packed = batch_loss(segment_nll(model, batch, "mean"), anytime_weights(batch), batch)
    total = sum(
        row.weight * sum(w * separate_nll(model, row, at) for at, w in enumerate([1 / 6, 2 / 6, 3 / 6]))
        for row in rows
    )
    torch.testing.assert_close(packed, total / 3, atol=1e-4, rtol=1e-5)


def test_the_loss_of_any_budget_is_that_of_a_drawn_budget_on_average_over_the_draws(model, encode, examples):
    rows = [stage2_row(example, encode, 3, multiple_choice_weight=5.0, any_budget=True) for example in examples]
    batch = collate(rows, 0)
    packed = batch_loss(segment_nll(model, batch, "mean"), any_budget_weights(batch), batch)
    drawn = 0.0
    for example in examples:
        for budget in range(4):
            alone = stage2_row(example, encode, budget) if budget else sft_row(example, encode, "answer")
            weight = 5.0 if example.multiple_choice else 1.0
            drawn += weight * separate_nll(model, alone, -1) / 4
    torch.testing.assert_close(packed, drawn / 3, atol=1e-4, rtol=1e-5)


def test_stage_2_without_blocks_is_fine_tuning_on_the_answer(model, encode, examples):
    bare = replace(encode, block=())
    anytime = collate([stage2_row(example, bare, 4) for example in examples], 0)
    once = collate([sft_row(example, bare, "answer") for example in examples], 0)
    torch.testing.assert_close(
        batch_loss(segment_nll(model, anytime, "mean"), anytime_weights(anytime), anytime),
        batch_loss(segment_nll(model, once, "mean"), sft_weights(once), once),
        atol=1e-4,
        rtol=1e-5,
    )


@pytest.mark.parametrize("completion", ["reasoning", "answer"])
def test_the_sft_loss_is_that_of_separate_passes(model, encode, examples, completion):
    rows = [sft_row(example, encode, completion) for example in examples]
    batch = collate(rows, 0)
    packed = batch_loss(segment_nll(model, batch, "mean"), sft_weights(batch), batch)
    torch.testing.assert_close(packed, sum(separate_nll(model, row, 0) for row in rows) / 3, atol=1e-4, rtol=1e-5)


def test_summed_segments_are_their_means_times_their_learned_tokens(model, encode, examples):
    batch = collate([stage1_row(example, encode, 0) for example in examples], 0)
    counts = torch.bincount(batch.segment)
    torch.testing.assert_close(
        segment_nll(model, batch, "sum"), segment_nll(model, batch, "mean") * counts, atol=1e-3, rtol=1e-5
    )


def test_the_gradient_of_a_packed_batch_is_that_of_separate_passes(model, encode, examples):
    row = stage1_row(examples[1], encode, 0)
    batch = collate([row, stage1_row(examples[2], encode, 0)], 0)
    weight = model.model.layers[0].mlp.up_proj.weight
    weights = torch.where(batch.row == 0, 1.0, 0.0)
    (packed,) = torch.autograd.grad(batch_loss(segment_nll(model, batch, "mean"), weights, batch), weight)
    separate = sum(separate_nll(model, row, at) for at in range(len(row.segments))) / 2
    (expected,) = torch.autograd.grad(separate, weight)
    torch.testing.assert_close(packed, expected, atol=1e-4, rtol=1e-3)


def test_the_loss_of_two_equal_batches_is_the_mean_of_theirs(model, encode, examples):
    rows = [stage2_row(example, encode, 2) for example in [*examples, examples[0]]]

    def loss(some):
        batch = collate(some, 0)
        return batch_loss(segment_nll(model, batch, "mean"), anytime_weights(batch), batch)

    torch.testing.assert_close(loss(rows), (loss(rows[:2]) + loss(rows[2:])) / 2, atol=1e-5, rtol=1e-5)
