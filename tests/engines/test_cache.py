"""Keys and values of rows that are being written: either cache gives what plain attention over each row gives."""

import pytest
import torch

from rimbench.engines._cache import Geometry, SlotCache
from rimbench.engines._pages import PAGE, PagedCache, cache_for

LAYERS, HEADS, KEY_HEADS, SIZE = 2, 4, 2, 16
PROMPTS = [1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 5]
ROWS_OF = [0, 1, 2, 2, 2, 3, 4, 4, 4]
"""The prompt that each row goes on from."""


def geometry():
    return Geometry(LAYERS, HEADS, KEY_HEADS, SIZE, torch.zeros(1))


def random_of(chance):
    return lambda *shape: torch.randn(*shape, generator=chance)


def plain(queries, keys, values):
    """What queries [heads, size] of one row find among its keys and values [tokens, heads of keys, size]."""
    keys, values = (part.repeat_interleave(HEADS // KEY_HEADS, 1).double() for part in (keys, values))
    scores = torch.einsum("hd,thd->ht", queries.double(), keys) / SIZE**0.5
    return torch.einsum("ht,thd->hd", scores.softmax(-1), values).flatten().float()


class Rows:
    """A cache with rows in it, and beside it what each row should hold in each layer."""

    def __init__(self, kind, rows_of=ROWS_OF, slots=9):
        self.new, self.cache = random_of(torch.Generator().manual_seed(0)), kind(geometry(), slots, 5 * PAGE)
        made = [tuple(self.new(sum(PROMPTS), KEY_HEADS, SIZE) for _ in "kv") for _ in range(LAYERS)]
        kept = self.cache.keep(made, PROMPTS, max(PROMPTS))
        cut = [[part.split(PROMPTS) for part in layer] for layer in made]
        self.held = []
        for prompt in rows_of:
            self.cache.start(kept[prompt])
            self.held.append([[part[prompt] for part in layer] for layer in cut])
        for prompt in kept:
            self.cache.release(prompt)

    def end(self, row):
        self.cache.end(row)
        last = self.held.pop()
        if row < len(self.held):
            self.held[row] = last

    def step(self):
        """What a token more of each row finds in each layer, and should."""
        places, count = torch.tensor(self.cache.lengths), len(self.held)
        self.cache.grow(self.cache.tokens)
        attend = self.cache.reading(places, self.cache.tokens)
        found, wanted = [], []
        for layer in range(LAYERS):
            queries = self.new(count, HEADS, SIZE)
            new = [self.new(count, KEY_HEADS, SIZE) for _ in "kv"]
            found.append(attend(layer, queries, *new))
            for row, held in enumerate(self.held):
                held[layer] = [
                    torch.cat((old, part[row : row + 1])) for old, part in zip(held[layer], new, strict=True)
                ]
            wanted.append(torch.stack([plain(q, *held[layer]) for q, held in zip(queries, self.held, strict=True)]))
        return torch.stack(found), torch.stack(wanted)


@pytest.mark.parametrize("kind", [SlotCache, PagedCache])
def test_rows_of_any_lengths_find_what_they_should_while_others_end(kind):
    rows = Rows(kind)
    for ending in [None, 4, None, 0, None, 6, 5, *[None] * PAGE]:
        if ending is not None:
            rows.end(ending)
        torch.testing.assert_close(*rows.step(), atol=1e-5, rtol=1e-5)
    assert rows.cache.lengths == [len(held[0][0]) for held in rows.held]


def test_a_row_finds_the_same_to_the_last_bit_whoever_shares_its_prompt_or_is_longer():
    found = {}
    for rows_of in ([2], [2, 2, 2, 2], [2, 4, 0]):
        new = random_of(torch.Generator().manual_seed(1))
        rows = Rows(PagedCache, rows_of)
        rows.cache.grow(rows.cache.tokens)
        attend = rows.cache.reading(torch.tensor(rows.cache.lengths) - 1, rows.cache.tokens)
        mine = [new(1, heads, SIZE) for heads in (HEADS, KEY_HEADS, KEY_HEADS)]
        others = [torch.randn(len(rows_of) - 1, *part.shape[1:]) for part in mine]
        found[len(rows_of)] = attend(0, *(torch.cat(both) for both in zip(mine, others, strict=True)))[0]
    assert torch.equal(found[1], found[4]) and torch.equal(found[1], found[3])


def test_full_pages_of_a_prompt_are_held_once_and_all_come_back():
    rows = Rows(PagedCache, [4] * 6, slots=6)
    cache = rows.cache
    shared = PROMPTS[4] // PAGE
    assert len({page for table in cache._tables for page in table}) == shared + 6
    assert {tuple(table[:shared]) for table in cache._tables} == {tuple(cache._tables[0][:shared])}
    for _ in range(6):
        cache.end(0)
    assert len(cache._free) == len(cache._readers) and not any(cache._readers)


@pytest.mark.parametrize("slots", [1, 3])
def test_as_many_rows_as_there_are_slots_have_room_to_the_end(slots):
    """A prompt whose last page is not full has more rows than there are slots."""
    cache, length = PagedCache(geometry(), slots, 3 * PAGE), 2 * PAGE - 1
    made = [tuple(torch.zeros(length, KEY_HEADS, SIZE) for _ in "kv") for _ in range(LAYERS)]
    [prompt] = cache.keep(made, [length], length)
    for _ in range(2):
        for _ in range(slots):
            cache.start(prompt)
        while cache.lengths[0] < 3 * PAGE:
            cache.grow(cache.tokens)
        for _ in range(slots):
            cache.end(0)
    cache.release(prompt)
    assert len(cache._free) == len(cache._readers)


def test_pages_are_for_wide_decoders_in_fp32_on_a_cpu_without_graphs():
    wide, half = (
        Geometry(LAYERS, 9, 3, 64, torch.zeros(1, dtype=dtype)) for dtype in (torch.float32, torch.bfloat16)
    )
    assert cache_for(wide, "cpu", captured=False) is PagedCache
    others = [(wide, "cuda", False), (half, "cpu", False), (wide, "cpu", True), (geometry(), "cpu", False)]
    assert {cache_for(of, device, captured=captured) for of, device, captured in others} == {SlotCache}
