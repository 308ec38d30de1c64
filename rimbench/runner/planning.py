"""A cell -> the batches in which it is asked, in an order of which every beginning is a random part of the items.

Every draw of all items is a pass of its own, in the batches of the greedy pass: what an answer is computed with
depends neither on the number of samples nor on where an earlier start was cut off.
"""

import random
from collections.abc import Container, Iterator

from rimbench.engines import Decoding, Request
from rimbench.runner.cell import Cell

WINDOW_BATCHES = 32
"""Batches are sorted by length within windows of so many: the more, the less padding; the fewer, the nearer is what
was answered first to a random part of the items (see `benchmarks/padding.py`)."""


def plan(
    cell: Cell,
    batch_size: int | None,
    done: Container[tuple[str, int]],
    failed: Container[tuple[str, int]] = frozenset(),
) -> Iterator[list[Request]]:
    """The batches in which the cell is asked, less those of which nothing is missing but what failed before.

    Any number of batches from the first on is a random part of the items: they are shuffled, sorted by length within
    windows, cut into batches of at most `batch_size` sequences, and the batches of a window shuffled again. An engine
    that schedules by itself (None) gets all that is missing at once, shuffled; it may finish short answers first.
    """
    for decoding, sample in passes(cell):
        asked = samples_of(cell, decoding, sample)
        for batch in _order(cell, batch_size):
            requests = [request_of(cell, i, decoding, sample) for i in batch]
            lacking = [
                request
                for request in requests
                if any((request.item_id, s) not in done and (request.item_id, s) not in failed for s in asked)
            ]
            if lacking:
                yield lacking if batch_size is None else requests


def plan_again(cell: Cell, batch_size: int | None, done: Container[tuple[str, int]]) -> Iterator[list[Request]]:
    """What is missing alone, in batches of other company than at first: what failed before fails them no more."""
    for decoding, sample in passes(cell):
        asked = samples_of(cell, decoding, sample)
        order = [i for batch in _order(cell, batch_size) for i in batch]
        requests = (request_of(cell, i, decoding, sample) for i in order)
        lacking = [r for r in requests if any((r.item_id, s) not in done for s in asked)]
        size = batch_size or len(lacking) or 1
        for start in range(0, len(lacking), size):
            yield lacking[start : start + size]


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


def request_of(cell: Cell, place: int, decoding: Decoding, sample: int) -> Request:
    """One sample of the item at a place of the cell."""
    return Request(cell.shown[place].item.item_id, cell.prompts[place], (sample,), decoding)


def _order(cell: Cell, batch_size: int | None) -> list[list[int]]:
    """The places of the items that leave room for an answer, batch by batch; the same for every pass and start."""
    places = [i for i, prompt in enumerate(cell.prompts) if cell.has_room(prompt)]
    chance = random.Random(f"order:{cell.seed}")
    chance.shuffle(places)
    if batch_size is None:
        return [places] if places else []
    batches = []
    for start in range(0, len(places), WINDOW_BATCHES * batch_size):
        window = places[start : start + WINDOW_BATCHES * batch_size]
        window.sort(key=lambda i: -len(cell.prompts[i].token_ids))
        cut = [window[i : i + batch_size] for i in range(0, len(window), batch_size)]
        chance.shuffle(cut)
        batches += cut
    return batches
