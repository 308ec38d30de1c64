"""The order of training rows: every row once an epoch, batches of one length, the same however often it is asked."""

import random

from rimbench.training.stage import LengthSampler


def lengths(n, seed=0):
    return [random.Random(f"{seed}:{i}").randint(5, 200) for i in range(n)]


def test_no_row_comes_twice_an_epoch_and_epochs_differ():
    sampler = LengthSampler(lengths(1003), 8, seed=1)
    first = list(sampler)
    assert len(first) == len(set(first)) == len(sampler) == 1000
    sampler.set_epoch(1)
    assert len(set(sampler)) == 1000
    assert list(sampler) != first


def test_an_epoch_asked_again_has_the_order_that_it_had():
    once, again = LengthSampler(lengths(500), 8, seed=1), LengthSampler(lengths(500), 8, seed=1)
    again.set_epoch(3)
    once.set_epoch(3)
    assert list(once) == list(again)
    assert list(LengthSampler(lengths(500), 8, seed=2)) != list(LengthSampler(lengths(500), 8, seed=1))


def test_the_rows_of_a_batch_are_of_nearly_one_length():
    sizes = lengths(4000)
    order = list(LengthSampler(sizes, 8, seed=0))
    padding = batches = 0
    for start in range(0, 4000, 8):
        batch = [sizes[row] for row in order[start : start + 8]]
        padding += 8 * max(batch) - sum(batch)
        batches += 8 * max(batch)
    assert padding / batches < 0.05


def test_batches_are_not_in_order_of_length():
    sizes = lengths(4000)
    order = list(LengthSampler(sizes, 8, seed=0))
    heads = [sizes[order[start]] for start in range(0, 400, 8)]
    assert heads != sorted(heads)


def test_rows_that_fill_no_batch_have_their_turn_in_another_epoch():
    sampler, seen = LengthSampler(lengths(20), 8, seed=0), set()
    for epoch in range(8):
        sampler.set_epoch(epoch)
        order = list(sampler)
        assert len(order) == 16
        seen.update(order)
    assert seen == set(range(20))
