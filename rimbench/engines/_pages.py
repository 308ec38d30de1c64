"""Keys and values in pages of 64 tokens: a row is a list of pages, after vLLM (https://arxiv.org/abs/2309.06180, 4).

All rows of a prompt read its full pages where they are, so that these come from memory once; what a row computes is
the same whoever else reads them. For fp32 on a CPU and decoders that are not tiny: there attention over slots is made
of products too small to be fast.
"""

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from rimbench.engines._cache import Attend, Cache, Geometry, SlotCache

if TYPE_CHECKING:
    from torch import Tensor

PAGE = 64
"""Tokens of a page: four of the widest registers."""
WIDE = 256
"""Dimensions of all heads of queries. Below, calls cost more than what they compute, and pages take more of them."""


def cache_for(of: Geometry, device: str, *, captured: bool) -> type[Cache]:
    """The faster cache for a decoder on `cpu` or `cuda`, of whose passes graphs are captured, or not."""
    import torch

    paged = device == "cpu" and of.like.dtype == torch.float32 and of.heads * of.size >= WIDE
    return PagedCache if paged and not captured else SlotCache


@dataclass(frozen=True, slots=True)
class PromptPages:
    """A prompt's tokens, in these pages."""

    pages: list[int]
    tokens: int


@dataclass(frozen=True, slots=True)
class _Bags:
    """Which rows of pages are summed. A bag is a page as one head of queries reads it.

    `tables` [rows, pages] are the rows' pages, those of shorter rows filled up. Of all bags [rows, heads, pages]
    those of a row's own pages are `there`, `asked` by such a head of such a row. `keys` are rows of keys and where
    each bag of them begins; in `values` all pages of a row and head are one bag.
    """

    tables: "Tensor"
    there: "Tensor"
    asked: "Tensor"
    keys: "tuple[Tensor, Tensor]"
    values: "tuple[Tensor, Tensor]"


class PagedCache(Cache):
    """Keys [layers, pages, heads of keys, size, 64] and values [layers, pages, heads of keys, 64, size].

    A page's scores are the sum of its rows of keys, one a dimension, weighted by the query; what is found is the sum
    of rows of values, weighted by the scores. Both are bags of embeddings, which torch sums each by itself: no row is
    padded to another's length.
    """

    STEP = PAGE

    def __init__(self, of: Geometry, slots: int, tokens: int) -> None:
        super().__init__(of, slots, tokens)
        # One page more: a prompt keeps its last one, which is not full, while its rows copy it.
        shape = (of.layers, slots * -(-tokens // PAGE) + 1, of.key_heads)
        self._keys, self._values = (of.like.new_empty((*shape, *page)) for page in ((of.size, PAGE), (PAGE, of.size)))
        self._head_of = self._torch.arange(of.heads) // (of.heads // of.key_heads)
        self._readers: list[int] = []
        self._free: list[int] = []
        self._tables: list[list[int]] = []
        self._bags: _Bags | None = None

    def keep(self, made: "list[tuple[Tensor, Tensor]]", lengths: list[int], width: int) -> list[PromptPages]:
        """Prompts of these lengths out of one pass without padding, each in pages of its own."""
        kept = [PromptPages([self._take() for _ in range(0, length, PAGE)], length) for length in lengths]
        places = self._torch.cat([self._torch.arange(length) for length in lengths])
        pages = [page for prompt in kept for page in prompt.pages]
        begins = list(accumulate([len(prompt.pages) for prompt in kept], initial=0))[:-1]
        first = self._torch.tensor(begins).repeat_interleave(self._torch.tensor(lengths))
        at = self._torch.tensor(pages)[first + places // PAGE], places % PAGE
        for layer, (keys, values) in enumerate(made):
            self._write(layer, at, keys, values)
        return kept

    def start(self, kept: PromptPages) -> None:
        """A row more, that goes on from a prompt."""
        full, more = divmod(kept.tokens, PAGE)
        table = kept.pages[:full]
        for page in table:
            self._readers[page] += 1
        if more:
            table.append(self._take())
            for part in (self._keys, self._values):
                part[:, table[-1]] = part[:, kept.pages[full]]
        self._tables.append(table)
        self._bags = None
        self.lengths.append(kept.tokens)

    def release(self, kept: PromptPages) -> None:
        """No further row starts from the prompt."""
        self._give_back(kept.pages)

    def end(self, row: int) -> None:
        """The row leaves."""
        self._give_back(self._tables[row])
        self._bags = None
        for each in (self._tables, self.lengths):
            last: Any = each.pop()
            if row < len(each):
                each[row] = last

    def grow(self, width: int) -> None:
        """Room for a token more of each row."""
        for table, tokens in zip(self._tables, self.lengths, strict=True):
            if tokens == len(table) * PAGE:
                table.append(self._take())
                self._bags = None
        self.lengths = [tokens + 1 for tokens in self.lengths]

    def reading(self, places: "Tensor", width: int) -> Attend:
        """Sums over the pages of each row."""
        torch, of, rows = self._torch, self._of, len(places)
        bags = self._bags = self._bags or self._bags_of_rows()
        at = bags.tables[torch.arange(rows), places // PAGE], places % PAGE
        unseen = torch.arange(bags.tables.shape[1] * PAGE) > places[:, None]
        mask = self._keys.new_zeros(unseen.shape).masked_fill_(unseen, -torch.inf)[:, None]

        def attend(layer: int, queries: "Tensor", keys: "Tensor", values: "Tensor") -> "Tensor":
            self._write(layer, at, keys, values)
            asked = queries.reshape(-1, of.size).index_select(0, bags.asked)
            scores = _sums(torch, self._keys[layer], bags.keys, asked)
            shares = torch.add(mask, scores.view(rows, of.heads, -1), alpha=of.size**-0.5).softmax(-1)
            asked = shares.view(-1, PAGE).index_select(0, bags.there)
            return _sums(torch, self._values[layer], bags.values, asked).view(rows, -1)

        return attend

    def _bags_of_rows(self) -> "_Bags":
        torch, of = self._torch, self._of
        counts = torch.tensor([len(table) for table in self._tables])
        most = int(counts.max())
        tables = torch.tensor([table + [0] * (most - len(table)) for table in self._tables])
        in_row = (torch.arange(most) < counts[:, None])[:, None].expand(-1, of.heads, -1).flatten()
        there = in_row.nonzero().squeeze(1)
        pages = (tables[:, None] * of.key_heads + self._head_of[:, None]).flatten()[there].int()[:, None]
        key_rows, value_rows = (pages * n + torch.arange(n, dtype=torch.int32) for n in (of.size, PAGE))
        key_counts, value_counts = in_row * of.size, (counts * PAGE).repeat_interleave(of.heads)
        key_ends, value_ends = (
            torch.nn.functional.pad(each.cumsum(0), (1, 0)).int() for each in (key_counts, value_counts)
        )
        return _Bags(tables, there, there // most, (key_rows.flatten(), key_ends), (value_rows.flatten(), value_ends))

    def _write(self, layer: int, at: "tuple[Tensor, Tensor]", keys: "Tensor", values: "Tensor") -> None:
        """Tokens' keys and values [tokens, heads of keys, size] at their pages and places in these."""
        pages, places = at
        self._keys[layer][pages, :, :, places] = keys
        self._values[layer][pages, :, places] = values

    def _take(self) -> int:
        """A page for one reader; it holds numbers, since what a mask leaves out is still multiplied, by 0."""
        if not self._free:
            self._free.append(len(self._readers))
            self._readers.append(0)
            self._keys[:, self._free[0]] = self._values[:, self._free[0]] = 0
        page = self._free.pop()
        self._readers[page] = 1
        return page

    def _give_back(self, pages: list[int]) -> None:
        for page in pages:
            self._readers[page] -= 1
            if not self._readers[page]:
                self._free.append(page)


def _sums(torch: Any, pages: "Tensor", bags: "tuple[Tensor, Tensor]", weights: "Tensor") -> "Tensor":
    """Of each bag the weighted sum of the pages' rows that are in it."""
    rows, begins = bags
    table = pages.view(-1, pages.shape[-1])
    found: Tensor = torch.embedding_bag(table, rows, begins, False, 0, False, weights.view(-1), True)[0]
    return found
