import dataclasses

import pytest
import tiny
import torch

from rimbench.errors import ModelError
from rimbench.rim.blocks import Memory
from rimbench.training.packing import (
    Segment,
    TrainingRow,
    balanced,
    collate,
    encoding,
    sft_row,
    stage1_row,
    stage2_row,
)
from rimbench.training.recipe import TrainingWording


def texts(encode, row):
    """Each segment as (its block, the part that is given, the part that is learned)."""
    decode = encode.tokenizer.decode
    return [
        (s.block, decode(s.token_ids[: s.learned_from]), decode(s.token_ids[s.learned_from :])) for s in row.segments
    ]


def test_stage_1_without_shift_reads_step_t_after_block_t_and_the_answer_after_the_last(encode, examples):
    row = stage1_row(examples[1], encode, shift=0)
    assert texts(encode, row) == [
        (1, "", "x is no."),
        (2, "", "y it is."),
        (3, "", "So B."),
        (3, "It is {", "B}<|im_end|>"),
    ]
    assert len(row.blocks) == 3


def test_stage_1_with_the_papers_shift_reads_step_t_plus_1_after_block_t(encode, examples):
    row = stage1_row(examples[1], encode, shift=1)
    assert texts(encode, row) == [
        (1, "", "y it is."),
        (2, "", "So B."),
        (3, "It is {", "B}<|im_end|>"),
    ]
    assert texts(encode, stage1_row(examples[2], encode, shift=1)) == [(1, "It is {", "so}<|im_end|>")]


def test_stage_2_reads_the_answer_after_every_block(encode, examples):
    row = stage2_row(examples[0], encode, blocks=4)
    assert texts(encode, row) == [(k, "It is {", "3}<|im_end|>") for k in (1, 2, 3, 4)]


def test_stage_2_for_any_budget_reads_the_answer_after_the_question_too_and_learns_it_there(encode, examples):
    row = stage2_row(examples[0], encode, blocks=2, any_budget=True)
    assert texts(encode, row) == [(k, "It is {", "3}<|im_end|>") for k in (0, 1, 2)]
    batch, asked = collate([row], pad_id=0), len(row.question)
    prefix, answer = len(encode.text("It is {")), len(encode.text("3}")) + 1
    assert batch.block.tolist() == [0, 1, 2]
    assert torch.bincount(batch.segment).tolist() == [answer] * 3
    at = [batch.position_ids[0, asked + 8 + k * (prefix + answer)].item() for k in (0, 1, 2)]
    assert at == [asked, asked + 4, asked + 8]
    seen = batch.mask[0, 0, asked + 8 : asked + 8 + prefix + answer]  # the readout at K = 0
    assert not seen[:, asked : asked + 8].any() and seen[:, :asked].all()


def test_stage_1_without_memory_gives_each_steps_number_and_every_readout_sees_the_question_alone(examples):
    bare = encoding(tiny.make_tokenizer(["<|im_start|>", "<|im_end|>"]), None, TrainingWording(prefix="It is {"))
    assert texts(bare, stage1_row(examples[1], bare, shift=0)) == [
        (1, "1:\n", "x is no."),
        (2, "2:\n", "y it is."),
        (3, "3:\n", "So B."),
        (3, "It is {", "B}<|im_end|>"),
    ]
    row = stage1_row(examples[1], bare, shift=1)
    assert texts(bare, row) == [(1, "2:\n", "y it is."), (2, "3:\n", "So B."), (3, "It is {", "B}<|im_end|>")]
    assert row.layout.token_ids == (*row.question, *(i for segment in row.segments for i in segment.token_ids))
    for at, segment in enumerate(row.segments):
        assert row.layout.unpacked(at) == (*row.question, *segment.token_ids)
    batch = collate([row], pad_id=0)
    assert (batch.block.tolist(), batch.blocks.tolist()) == ([1, 2, 3], [3, 3, 3])  # weighed as with blocks


def test_only_multiple_choice_examples_are_weighted_up(encode, examples):
    rows = balanced([stage2_row(e, encode, 2, multiple_choice_weight=4.0) for e in examples])
    assert [row.weight for row in rows] == [0.5, 2.0, 0.5]
    assert [sft_row(e, encode, "answer", multiple_choice_weight=4.0).weight for e in examples] == [1.0, 4.0, 1.0]


def test_sft_learns_the_reasoning_and_the_answer_or_the_answer_alone(encode, examples):
    assert texts(encode, sft_row(examples[0], encode, "reasoning")) == [
        (0, "", "<think>\nUp to 6. Then 3.\n</think>\n\nIt is {3}<|im_end|>")
    ]
    assert texts(encode, sft_row(examples[0], encode, "answer")) == [(0, "It is {", "3}<|im_end|>")]


def test_without_reasoning_a_frame_that_opens_before_it_stands_empty_and_another_not(encode, examples):
    row = sft_row(dataclasses.replace(examples[0], reasoning=""), encode, "reasoning")
    assert texts(encode, row) == [(0, "", "<think>\n\n</think>\n\nIt is {3}<|im_end|>")]
    bare = dataclasses.replace(encode, wording=TrainingWording(prefix="It is {", before_reasoning=""))
    row = sft_row(dataclasses.replace(examples[0], reasoning=""), bare, "reasoning")
    assert texts(encode, row) == [(0, "It is {", "3}<|im_end|>")]


def test_the_question_is_the_chat_template_with_its_arguments(encode, examples):
    tokenizer = encode.tokenizer
    asked = tokenizer.decode(stage1_row(examples[0], encode, 0).question)
    assert asked == "<|im_start|>user\nWhat now?<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    thinking = encoding(tokenizer, None, TrainingWording(chat_template={"enable_thinking": True}))
    assert tokenizer.decode(thinking.question("Q")).endswith("assistant\n")


def test_every_learned_token_is_predicted_by_the_token_before_it_in_its_own_sequence(encode, examples):
    rows = [stage1_row(e, encode, shift) for e in examples for shift in (0, 1)]
    batch = collate(rows, pad_id=0)
    predictors = batch.predicts.flatten().nonzero().flatten()
    length, learned = batch.input_ids.shape[1], iter(range(len(batch.target)))
    number = 0
    for index, row in enumerate(rows):
        for at, segment in enumerate(row.segments):
            sequence = row.layout.unpacked(at)
            first = len(sequence) - len(segment.token_ids) + segment.learned_from
            for place in range(first, len(sequence)):
                n = next(learned)
                where = divmod(int(predictors[batch.source[n]]), length)
                assert where[0] == index
                assert batch.position_ids[where] == place - 1
                assert batch.input_ids[where] == sequence[place - 1]
                assert batch.target[n] == sequence[place]
                assert batch.segment[n] == number
            assert batch.row[number] == index
            number += 1
    assert next(learned, None) is None


def test_one_token_predicts_the_first_tokens_of_two_segments_on_its_block():
    row = TrainingRow((1, 2), ((3, 4),), (Segment((5, 6), 1), Segment((7,), 1)))
    batch = collate([row], pad_id=0)
    assert batch.predicts[0].tolist() == [False, False, False, True, True, False, False]
    assert batch.source.tolist() == [0, 1, 0]
    assert batch.target.tolist() == [5, 6, 7]


def test_pads_are_neither_learned_nor_predict(encode, examples):
    rows = [stage2_row(e, encode, 3) for e in examples]
    batch = collate(rows, pad_id=271)
    for index, row in enumerate(rows):
        assert not batch.predicts[index, row.tokens :].any()
    assert not (batch.target == 271).any()
    assert torch.equal(batch.row_weight, torch.ones(3))


def test_a_tokenizer_without_blocks_or_end_token_is_refused():
    plain = tiny.make_tokenizer(["<|im_start|>", "<|im_end|>"])
    with pytest.raises(ModelError, match="not a RiM checkpoint"):
        encoding(plain, Memory(2), TrainingWording())
    assert encoding(plain, None, TrainingWording()).block == ()
    plain.eos_token = None
    with pytest.raises(ModelError, match="no end token"):
        encoding(plain, None, TrainingWording())
