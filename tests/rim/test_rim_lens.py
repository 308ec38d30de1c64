"""The memory lens against the slow way: one plain sequence after another."""

import pytest
import torch

from rimbench.rim.lens import LensRow, continuations, text_probabilities

BLOCKS = ((256, 257, 257, 258), (256, 257, 257, 258), (256, 257, 257, 258))
ROWS = [
    LensRow(tuple(range(40, 60)), BLOCKS, ((65, 66, 67), (70,))),
    LensRow((90, 80, 70), BLOCKS[:1], ((71, 72),)),
    LensRow((33, 44, 55, 66), BLOCKS),
]


def next_probabilities(model, ids):
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids])).logits[0, -1].double().softmax(-1)


def slow_probability(model, ids, text):
    share = 1.0
    for place, token in enumerate(text):
        share *= float(next_probabilities(model, [*ids, *text[:place]])[token])
    return share


def test_the_probability_of_a_text_after_a_block_is_that_of_the_plain_sequence(model):
    found = text_probabilities(model, ROWS, pad_id=0)
    for row, blocks in zip(ROWS, found, strict=True):
        assert len(blocks) == len(row.blocks) + 1
        for block, shares in enumerate(blocks):
            wanted = [slow_probability(model, row.up_to(block), text) for text in row.texts]
            assert shares == pytest.approx(wanted, rel=1e-3)
    assert len({round(shares[1], 12) for shares in found[0]}) == 4  # the blocks do differ


def test_rows_without_texts_have_no_probabilities(model):
    assert text_probabilities(model, ROWS[2:], pad_id=0) == [[[], [], [], []]]


def test_what_is_written_after_a_block_is_the_greedy_continuation_of_the_plain_sequence(model):
    model.generation_config.do_sample, model.generation_config.temperature = True, 9.0  # a checkpoint's own settings
    for row, blocks in zip(ROWS, continuations(model, ROWS, 3, pad_id=0), strict=True):
        for block, written in enumerate(blocks):
            ids = list(row.up_to(block))
            for _ in range(3):
                ids.append(int(next_probabilities(model, ids).argmax()))
            assert written == tuple(ids[-3:])


def test_a_stop_token_ends_what_is_written(model):
    [[first, *_]] = continuations(model, ROWS[1:2], 3, pad_id=0)
    [[ended, *_]] = continuations(model, ROWS[1:2], 3, pad_id=0, stop_ids=[first[1]])
    assert ended == first[: first.index(first[1])]
