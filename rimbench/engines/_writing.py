"""Answers written by the plain decoder: prompts in, tokens out, the decoder never waiting for the longest answer.

Flows in: rows, each a prompt and how it is answered. Flows out: the same rows with their tokens, as they end.

- A prompt is computed once, whatever number of rows it has: its greedy answer and its draws start from the same
  keys and values.
- A row that ends gives its slot to the next; where none is left, the last row moves into it, so that every row that
  is computed is one that still writes.
- Keys and values lie in one cache that is allocated once for all slots (`_cache.py`, `_pages.py`).
- On a GPU a step is replayed from a graph of the next power of two of rows and of a width in steps of 128; the rows
  that are too many write into slots that nobody has. So is the pass over prompts that a batch begins with, which lays
  their keys and values in one place that all such graphs share.
"""

import itertools
import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from rimbench.engines import Decoding
from rimbench.engines._cache import Cache
from rimbench.engines._draws import draw_tokens, not_numbers
from rimbench.engines._graphs import PROMPT_STEP, TOKENS_IN_A_GRAPH, Graphs
from rimbench.engines._lean import TOKENS_AT_ONCE, LeanDecoder
from rimbench.engines._memory import free_bytes
from rimbench.engines._pages import cache_for

if TYPE_CHECKING:
    import torch

_log = logging.getLogger(__name__)
SLOTS_EACH = 4
"""Rows that are written at once for each sequence of a batch: an item's draws take slots, but no prompts."""
CACHE_SHARE = 0.5
"""Of the memory that is free, what keys and values may take."""
GRAPH_STEP = 128
"""A graph's step reads its cache up to a multiple of this: there is one a width."""


@dataclass(slots=True, eq=False)
class WrittenRow:
    """One answer: what it starts from, the chance it is drawn by (None: greedy), and what is written so far.

    `first` are the logits [vocabulary] in fp32 that its first token is taken from; `finished` says that it ended by
    itself. `token_at` has the moment of each token.
    """

    prompt: tuple[int, ...]
    decoding: Decoding
    chance: Random | None
    tokens: list[int] = field(default_factory=list)
    token_at: list[float] = field(default_factory=list)
    first: "torch.Tensor | None" = None
    finished: bool = False


@dataclass(frozen=True, slots=True)
class _Computed:
    """A prompt as the cache keeps it, its last logits, and the rows that want a slot."""

    kept: Any
    logits: "torch.Tensor"
    rows: "deque[WrittenRow]"


class LeanWriter:
    """Writes rows by a plain decoder, at most `slots` at once; a row ends with one of `stop_ids` or at its limit."""

    def __init__(
        self, lean: LeanDecoder, device: str, stop_ids: Sequence[int], slots: int, graphs: Graphs | None = None
    ) -> None:
        import torch

        self._torch, self._device = torch, device
        self._graphs = graphs or Graphs(used=False)
        self._passes = _Passes(torch, lean, self._graphs)
        self._lean = lean
        self._stop_ids, self._slots = frozenset(stop_ids), slots
        self._cache: Cache | None = None
        self._said = False

    def write(self, rows: Sequence[WrittenRow]) -> Iterator[list[WrittenRow]]:
        """Write all rows, and give those that ended together; those of equal prompts share its computation."""
        by_prompt: dict[tuple[int, ...], deque[WrittenRow]] = {}
        for row in rows:
            by_prompt.setdefault(row.prompt, deque()).append(row)
        longest = max(len(row.prompt) + row.decoding.max_new_tokens for row in rows)
        cache, self._cache = self._room(min(len(rows), self._slots), longest, timed=rows[0].decoding.traced), None
        batch = _Batch(self._torch, self._passes, cache, min(cache.slots, len(rows)), self._stop_ids)
        waiting = deque(by_prompt.items())
        while waiting or batch.busy:
            with self._torch.inference_mode():
                if batch.free and waiting and not batch.computed:
                    batch.compute(self._next(waiting, batch.free))
                ended = batch.advance()
            if ended:
                yield ended
        self._cache = cache  # only what ended well is used again: a cache must hold numbers

    def _next(
        self, waiting: "deque[tuple[tuple[int, ...], deque[WrittenRow]]]", free: int
    ) -> "list[tuple[tuple[int, ...], deque[WrittenRow]]]":
        """The next prompts, as many as fill the free slots or one pass."""
        taken: list[tuple[tuple[int, ...], deque[WrittenRow]]] = []
        tokens = 0
        while waiting and free > 0 and (not taken or tokens + len(waiting[0][0]) <= TOKENS_AT_ONCE[self._device]):
            taken.append(waiting.popleft())
            tokens += len(taken[-1][0])
            free -= len(taken[-1][1])
        return taken

    def _room(self, slots: int, tokens: int, *, timed: bool) -> Cache:
        """A cache for so many rows, or for as many as the memory holds: one at least, and all that are timed."""
        kind = cache_for(self._lean.geometry, self._device, captured=self._graphs.used)
        tokens += -tokens % kind.STEP
        held = self._cache
        if held is not None and held.slots >= slots and held.tokens >= tokens:
            return held
        self._cache = held = None
        self._passes.forget()
        each, free = self._lean.cache_bytes(tokens), free_bytes(self._torch, self._device)
        wanted = slots
        if free is not None:
            slots = max(1, min(slots, int(CACHE_SHARE * free) // each))
        while True:
            try:
                with self._torch.inference_mode():
                    cache = kind(self._lean.geometry, slots, tokens)
                break
            except RuntimeError:  # the memory does not suffice
                if slots == 1:
                    raise
                slots //= 2
        if slots < min(wanted, self._slots // SLOTS_EACH):
            held_at_once = f"the free memory holds the keys and values of {slots} sequences of {tokens} tokens"
            if timed:
                raise MemoryError(held_at_once)
            if not self._said:
                self._said = True
                _log.warning("rimbench: %s: so many are written at once instead of %d", held_at_once, wanted)
        return cache


class _Passes:
    """The decoder's passes over prompts and over newest tokens, by graphs where these are used."""

    def __init__(self, torch: Any, lean: LeanDecoder, graphs: Graphs) -> None:
        self._torch, self._lean, self._graphs = torch, lean, graphs
        self._made: list[tuple[torch.Tensor, torch.Tensor]] = []

    def forget(self) -> None:
        """The cache has another place from now on."""
        self._graphs.clear()

    def over_prompts(
        self, prompts: Sequence[Sequence[int]], cache: Cache, *, begins: bool
    ) -> "tuple[list[Any], torch.Tensor]":
        """What the cache keeps of each prompt, and its last logits [prompts, vocabulary].

        `begins`: none is written yet.
        """
        device = self._lean.geometry.like.device
        lengths = list(map(len, prompts))
        width = max(lengths)
        wide = width + -width % PROMPT_STEP
        captured = begins and self._graphs.takes(len(prompts) * wide)
        width = wide if captured else width
        ids = self._torch.tensor([[*row, *(row[0],) * (width - len(row))] for row in prompts], device=device)
        last = self._torch.tensor(lengths, device=device) - 1
        if captured and not self._made:
            self._made = self._lean.new_made(TOKENS_IN_A_GRAPH)
        made: list[tuple[torch.Tensor, torch.Tensor]] = []

        def compute(ids: "torch.Tensor", last: "torch.Tensor") -> "torch.Tensor":
            made.clear()
            ragged = captured or min(lengths) < width
            hidden = self._lean.hidden_at(ids, last, ragged=ragged, padded=captured, made=made)
            for kept, new in zip(self._made if captured else (), made, strict=captured):
                for there, here in zip(kept, new, strict=True):
                    there[: len(here)] = here
            return self._lean.logits(hidden)

        shape = ("prompts", len(prompts), width) if captured else None
        logits = self._graphs.run(shape, compute, ids, last)
        kept = [(k[: ids.numel()], v[: ids.numel()]) for k, v in self._made] if captured else made
        return cache.keep(kept, lengths, width), logits.clone() if captured else logits

    def over_newest(self, tokens: list[int], cache: Cache) -> "torch.Tensor":
        """The logits [rows, vocabulary] after one more token of each of the cache's rows."""
        places, count, shape = cache.lengths, len(tokens), None
        tokens_seen, step = max(places) + 1, GRAPH_STEP if self._graphs.used else cache.STEP
        width = min(tokens_seen + -tokens_seen % step, cache.tokens)
        cache.grow(width)
        if self._graphs.used:
            rows = min(1 << (count - 1).bit_length(), cache.slots)
            shape = ("step", rows, width)
            # Rows that nobody has begin at 0, in slots that are filled anew before they are read.
            tokens, places = ([*some, *[0] * (rows - count)] for some in (tokens, places))
        newest, at = self._torch.tensor([tokens, places], device=self._lean.geometry.like.device)

        def compute(newest: "torch.Tensor", at: "torch.Tensor") -> "torch.Tensor":
            return self._lean.logits(self._lean.step(newest, at, cache.tokens, cache.reading(at, width)))

        return self._graphs.run(shape, compute, newest, at)[:count]


class _Batch:
    """The rows that are being written: the i-th is the i-th row of the cache."""

    def __init__(self, torch: Any, passes: _Passes, cache: Cache, slots: int, stop_ids: frozenset[int]) -> None:
        self._torch, self._passes, self._cache, self._slots, self._stop_ids = torch, passes, cache, slots, stop_ids
        self._active: list[WrittenRow] = []
        self.computed: deque[_Computed] = deque()

    @property
    def free(self) -> int:
        """Slots that no row has."""
        return self._slots - len(self._active)

    @property
    def busy(self) -> bool:
        """Whether a row is being written or waits for its slot."""
        return bool(self._active or self.computed)

    def compute(self, prompts: "Sequence[tuple[tuple[int, ...], deque[WrittenRow]]]") -> None:
        """One pass over prompts, of which no token is known yet."""
        kept, logits = self._passes.over_prompts([ids for ids, _ in prompts], self._cache, begins=not self._active)
        self.computed += (_Computed(*found) for found in zip(kept, logits, (r for _, r in prompts), strict=True))

    def advance(self) -> list[WrittenRow]:
        """One token more of each row, the first of those that find a slot: the rows that ended by it."""
        ended = self._start()
        if self._active and not (self.free and self.computed):
            ended += self._step()
        return ended

    def _start(self) -> list[WrittenRow]:
        """Give free slots to rows whose prompt is computed, with their first token."""
        waiting = ((row, source) for source in self.computed for row in source.rows)
        new = list(itertools.islice(waiting, max(0, self.free)))
        if not new:
            return []
        for row, source in new:
            row.first = source.logits
        self._choose([row for row, _ in new], self._torch.stack([source.logits for _, source in new]))
        for row, source in new:
            if not self._has_ended(row):
                self._cache.start(source.kept)
                self._active.append(row)
            source.rows.popleft()
            if not source.rows:
                self._cache.release(source.kept)
                self.computed.popleft()
        return [row for row, _ in new if self._has_ended(row)]

    def _step(self) -> list[WrittenRow]:
        newest = [row.tokens[-1] for row in self._active]
        self._choose(self._active, self._passes.over_newest(newest, self._cache))
        ended = [slot for slot, row in enumerate(self._active) if self._has_ended(row)]
        found = [self._active[slot] for slot in ended]
        for slot in reversed(ended):
            self._cache.end(slot)
            last = self._active.pop()
            if slot < len(self._active):
                self._active[slot] = last
        return found

    def _choose(self, rows: Sequence[WrittenRow], logits: "torch.Tensor") -> None:
        """Each row's next token: the best, or one drawn by its own chance."""
        if not bool(logits.amax(-1).isfinite().all()):
            raise not_numbers()
        alike: dict[Decoding | None, list[int]] = {}
        for place, row in enumerate(rows):
            alike.setdefault(row.decoding if row.chance is not None else None, []).append(place)
        tokens = self._torch.empty(len(rows), dtype=self._torch.long, device=logits.device)
        for decoding, places in alike.items():
            some = logits
            if len(places) < len(rows):
                some = logits.index_select(0, self._torch.tensor(places, device=logits.device))
            if decoding is None:
                tokens[places] = some.argmax(-1)
            else:
                chances = [chance for place in places if (chance := rows[place].chance) is not None]
                tokens[places] = draw_tokens(some, chances, decoding.temperature, decoding.top_p)
        chosen = tokens.tolist()
        now = time.perf_counter()
        for row, token in zip(rows, chosen, strict=True):
            row.tokens.append(token)
            row.token_at.append(now)
            row.finished = token in self._stop_ids

    def _has_ended(self, row: WrittenRow) -> bool:
        return row.finished or len(row.tokens) >= row.decoding.max_new_tokens
