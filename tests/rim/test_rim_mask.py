import dataclasses
import inspect

import pytest
import torch

from rimbench.errors import ModelError, UsageError
from rimbench.rim import mask as mask_module
from rimbench.rim.mask import PackedRow, Readout, check_model, pack

DRAWN = PackedRow((10, 11), ((20, 21), (30, 31)), (Readout((40, 41), 1), Readout((50,), 2)))


def ids(*lengths, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    return tuple(tuple(torch.randint(0, 256, (n,), generator=numbers).tolist()) for n in lengths)


def random_row(seed=0):
    question, a, b, c, r0, r1, r2, r3, other = ids(9, 4, 4, 4, 3, 5, 1, 4, 6, seed=seed)
    hung = (Readout(r1, 1), Readout(r0, 0), Readout(r3, 3), Readout(r2, 2), Readout(other, 1))
    return PackedRow(question, (a, b, c), hung)


def packed_logits(model, rows, pad_id=0):
    batch = pack(rows, pad_id)
    with torch.inference_mode():
        return model(
            input_ids=batch.input_ids,
            position_ids=batch.position_ids,
            attention_mask=batch.mask,
        ).logits


def readout_logits(model, row):
    """Each readout's logits in the packed pass."""
    logits = packed_logits(model, [row])[0]
    return [logits[s : s + len(r.token_ids)] for s, r in zip(row.starts(), row.readouts, strict=True)]


def separate_logits(model, row, index):
    """The slow reference: one plain causal pass over this readout's own sequence, nothing explicit."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([row.unpacked(index)])).logits[0]
    return logits[-len(row.readouts[index].token_ids) :]


def drawing(text):
    """The mask and the positions as drawn: lines of a label, x or - per column, and the position."""
    lines = [line.split() for line in text.splitlines()]
    rows = [line for line in lines if len(line) > 2 and set(line[1:-1]) <= {"x", "-"} and line[-1].isdigit()]
    return [[mark == "x" for mark in row[1:-1]] for row in rows], [int(row[-1]) for row in rows]


def test_the_mask_is_the_one_drawn():
    longer = PackedRow((1,) * 11, (), ())
    batch = pack([DRAWN, longer], pad_id=0)
    x, o = True, False
    assert batch.mask[0, 0].tolist() == [
        [x, o, o, o, o, o, o, o, o, o, o],
        [x, x, o, o, o, o, o, o, o, o, o],
        [x, x, x, o, o, o, o, o, o, o, o],
        [x, x, x, x, o, o, o, o, o, o, o],
        [x, x, x, x, x, o, o, o, o, o, o],
        [x, x, x, x, x, x, o, o, o, o, o],
        [x, x, x, x, o, o, x, o, o, o, o],
        [x, x, x, x, o, o, x, x, o, o, o],
        [x, x, x, x, x, x, o, o, x, o, o],
        [o, o, o, o, o, o, o, o, o, x, o],
        [o, o, o, o, o, o, o, o, o, o, x],
    ]
    assert batch.position_ids[0].tolist() == [0, 1, 2, 3, 4, 5, 4, 5, 6, 0, 0]
    assert batch.input_ids[0].tolist() == [10, 11, 20, 21, 30, 31, 40, 41, 50, 0, 0]


def test_the_drawing_in_the_docstring_is_that_mask():
    batch = pack([DRAWN, PackedRow((1,) * 11, (), ())], pad_id=0)
    marks, positions = drawing(inspect.getdoc(mask_module))
    assert marks == batch.mask[0, 0].tolist()
    assert positions == batch.position_ids[0].tolist()


def test_a_readout_on_the_question_itself_sees_the_question_and_no_block():
    row = PackedRow((1, 2), ((3,), (4,)), (Readout((5, 6), 0),))
    batch = pack([row], pad_id=0)
    assert batch.mask[0, 0, 4:].tolist() == [
        [True, True, False, False, True, False],
        [True, True, False, False, True, True],
    ]
    assert batch.position_ids[0, 4:].tolist() == [2, 3]


def test_every_readout_in_the_packed_pass_equals_its_own_separate_pass(model):
    row = random_row()
    for index, packed in enumerate(readout_logits(model, row)):
        torch.testing.assert_close(packed, separate_logits(model, row, index), atol=1e-4, rtol=0)


def test_the_question_and_blocks_are_what_they_are_without_readouts(model):
    row = random_row()
    bare = dataclasses.replace(row, readouts=())
    trunk = len(bare.token_ids)
    with torch.inference_mode():
        alone = model(input_ids=torch.tensor([bare.token_ids])).logits[0]
    torch.testing.assert_close(packed_logits(model, [row])[0, :trunk], alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("changed", range(5))
def test_changing_the_text_of_a_readout_changes_no_other_and_not_the_trunk(model, changed):
    row = random_row()
    hung = list(row.readouts)
    hung[changed] = Readout(tuple((t + 1) % 256 for t in hung[changed].token_ids), hung[changed].block)
    other = dataclasses.replace(row, readouts=tuple(hung))
    before, after = readout_logits(model, row), readout_logits(model, other)
    for index in range(5):
        assert torch.equal(before[index], after[index]) == (index != changed)
    trunk = row.reach(3)
    assert torch.equal(packed_logits(model, [row])[0, :trunk], packed_logits(model, [other])[0, :trunk])


@pytest.mark.parametrize("changed", [1, 2, 3])
def test_changing_a_block_changes_the_readouts_from_it_on_and_none_before(model, changed):
    row = random_row()
    blocks = list(row.blocks)
    blocks[changed - 1] = tuple((t + 1) % 256 for t in blocks[changed - 1])
    other = dataclasses.replace(row, blocks=tuple(blocks))
    pairs = zip(row.readouts, readout_logits(model, row), readout_logits(model, other), strict=True)
    for readout, before, after in pairs:
        assert torch.equal(before, after) == (readout.block < changed)


@pytest.mark.parametrize("pads", [2, 3, 7])
def test_rows_padded_with_two_or_more_pads_keep_their_logits_and_no_row_is_nan(model, pads):
    row = random_row()
    length = len(row.token_ids)
    (question,) = ids(length + pads, seed=3)
    logits = packed_logits(model, [row, PackedRow(question, (), ())], pad_id=7)
    assert torch.isfinite(logits).all()
    torch.testing.assert_close(logits[0, :length], packed_logits(model, [row])[0], atol=1e-4, rtol=0)


def test_gradients_through_padded_rows_are_finite(model):
    row, longer = random_row(), PackedRow(ids(60)[0], (), ())
    batch = pack([row, longer], pad_id=0)
    out = model(input_ids=batch.input_ids, position_ids=batch.position_ids, attention_mask=batch.mask)
    out.logits[0, : len(row.token_ids)].logsumexp(-1).sum().backward()
    assert model.get_input_embeddings().weight.grad.any()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_the_explicit_mask_wins_over_the_packing_that_transformers_infers_from_position_ids(model):
    row = random_row()
    batch = pack([row], pad_id=0)
    with torch.inference_mode():
        inferred = model(input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False).logits
    explicit = packed_logits(model, [row])
    start = row.starts()[0]
    assert not torch.allclose(inferred[0, start:], explicit[0, start:], atol=1e-2)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: PackedRow((), (), ()),
        lambda: PackedRow((1,), ((2,),), (Readout((3,), 2),)),
        lambda: PackedRow((1,), ((2,),), (Readout((3,), -1),)),
        lambda: PackedRow((1,), ((2,),), (Readout((), 1),)),
        lambda: pack([], pad_id=0),
    ],
)
def test_a_row_that_cannot_be_laid_out_is_refused(wrong):
    with pytest.raises(UsageError):
        wrong()


def test_a_row_beyond_the_context_is_refused_with_both_lengths(model):
    check_model(model, 256)
    with pytest.raises(ModelError, match=r"need 257 positions, .* has 256"):
        check_model(model, 257)


@pytest.mark.parametrize("attention", ["eager", "flex_attention"])
def test_an_attention_that_would_misread_the_mask_is_refused(model, attention):
    model.set_attn_implementation(attention)
    with pytest.raises(ModelError, match="attn_implementation='sdpa'"):
        check_model(model, 10)
