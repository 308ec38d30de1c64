"""A cell -> the batches in which it is asked, in an order of which every beginning is a random part of the items.

Every draw of all items is a pass of its own, in the batches of the greedy pass: what an answer is computed with
depends neither on the number of samples nor on where an earlier start was cut off. An engine that computes a prompt
once for all samples is asked for all of them together instead. Prompts are built window by window.
"""

import itertools
import random
from array import array
from collections.abc import Callable, Container, Iterator, Sequence

from rimbench.engines import Decoding, Request
from rimbench.running.cell import Cell
from rimbench.running.ondemand import take

WINDOW_BATCHES = 32
"""Batches are sorted by length within windows of so many: the more, the less padding; the fewer, the nearer is what
was answered first to a random part of the items (see `benchmarks/padding.py`)."""
SELF_SCHEDULED = 8192
"""So many items are given at once to an engine that schedules by itself: the prompts of all may not fit in memory."""


def plan(
    cell: Cell,
    batch_size: int | None,
    done: Container[tuple[str, int]],
    failed: Container[tuple[str, int]] = frozenset(),
    *,
    together: bool = False,
) -> Iterator[list[Request]]:
    """The batches in which the cell is asked, less those of which nothing is missing but what failed before.

    Any number of batches from the first on is a random part of the items: they are shuffled, sorted by length within
    windows, cut into batches of at most `batch_size` sequences, and the batches of a window shuffled again. An engine
    that schedules by itself (None) gets only what is missing, very many at once; it may finish short answers first.
    One that is asked for all samples `together` gets what is missing of a window's items, item by item.
    """
    if together and cell.system.answer.mode != "readout":
        yield from _together(cell, batch_size, done, failed)
        return
    for decoding, sample in passes(cell):
        asked = samples_of(cell, decoding, sample)

        def is_lacking(item_id: str, asked: tuple[int, ...] = asked) -> bool:
            return any((item_id, s) not in done and (item_id, s) not in failed for s in asked)

        for batch in _batches(cell, batch_size, decoding, sample, is_lacking):
            if batch_size is not None:
                if any(is_lacking(request.item_id) for request in batch):
                    yield batch
            elif lacking := [request for request in batch if is_lacking(request.item_id)]:
                yield lacking


def _together(
    cell: Cell, batch_size: int | None, done: Container[tuple[str, int]], failed: Container[tuple[str, int]]
) -> Iterator[list[Request]]:
    asked = list(passes(cell))

    def lacking(item_id: str) -> list[tuple[Decoding, int]]:
        return [one for one in asked if (item_id, one[1]) not in done and (item_id, one[1]) not in failed]

    [(greedy, first), *_] = asked
    for window in _windows(cell, batch_size, greedy, first, lambda item_id: bool(lacking(item_id))):
        wanted = [
            Request(request.item_id, request.prompt, (sample,), decoding)
            for request in itertools.chain.from_iterable(window)
            for decoding, sample in lacking(request.item_id)
        ]
        if wanted:
            yield wanted


def plan_again(cell: Cell, batch_size: int | None, done: Container[tuple[str, int]]) -> Iterator[list[Request]]:
    """What is missing alone, in batches of other company than at first: what failed before fails them no more."""
    size = batch_size or SELF_SCHEDULED
    for decoding, sample in passes(cell):
        asked = samples_of(cell, decoding, sample)

        def is_lacking(item_id: str, asked: tuple[int, ...] = asked) -> bool:
            return any((item_id, s) not in done for s in asked)

        requests = itertools.chain.from_iterable(_batches(cell, batch_size, decoding, sample, is_lacking))
        lacking = (request for request in requests if is_lacking(request.item_id))
        while batch := list(itertools.islice(lacking, size)):
            yield batch


def passes(cell: Cell) -> Iterator[tuple[Decoding, int]]:
    """The greedy pass, and one for each draw; a readout needs one pass for all of them."""
    answer = cell.system.answer
    if answer.mode == "readout":
        yield Decoding(readout=True, max_new_tokens=cell.new_tokens), 0
        return
    yield Decoding(readout=False, max_new_tokens=cell.new_tokens), 0
    drawing = Decoding(False, cell.new_tokens, answer.temperature, answer.top_p)
    for sample in range(1, cell.samples + 1):
        yield drawing, sample


def samples_of(cell: Cell, decoding: Decoding, sample: int) -> tuple[int, ...]:
    """The samples whose records one request of a pass gives."""
    return tuple(range(cell.samples + 1)) if decoding.readout else (sample,)


def _batches(
    cell: Cell, batch_size: int | None, decoding: Decoding, sample: int, is_lacking: Callable[[str], bool]
) -> Iterator[list[Request]]:
    """One sample of every item, batch by batch."""
    return itertools.chain.from_iterable(_windows(cell, batch_size, decoding, sample, is_lacking))


def _windows(
    cell: Cell, batch_size: int | None, decoding: Decoding, sample: int, is_lacking: Callable[[str], bool]
) -> Iterator[list[list[Request]]]:
    """The batches of each window, in an order that is the same for every pass and start.

    Left out are windows in which no item is lacking: their prompts are not even built.
    """
    item_ids = cell.item_ids
    places = array("L", range(len(item_ids)))
    chance = random.Random(f"order:{cell.seed}")
    chance.shuffle(places)
    size = SELF_SCHEDULED if batch_size is None else WINDOW_BATCHES * batch_size
    for start in range(0, len(places), size):
        window = places[start : start + size]
        order = list(range(0, len(window), batch_size or size))
        chance.shuffle(order)
        if not any(is_lacking(item_ids[place]) for place in window):
            continue
        requests = _requests(cell, window, decoding, sample)
        if batch_size is not None:
            requests.sort(key=lambda request: -len(request.prompt.token_ids))
        batches = [requests[first : first + (batch_size or size)] for first in order]
        del requests
        yield batches
        del batches  # the prompts of one window are not held while those of the next are made


def _requests(cell: Cell, places: Sequence[int], decoding: Decoding, sample: int) -> list[Request]:
    prompts = zip(places, take(cell.prompts, places), strict=True)
    return [
        Request(cell.item_ids[place], prompt, (sample,), decoding, cell.intervention) for place, prompt in prompts
    ]
