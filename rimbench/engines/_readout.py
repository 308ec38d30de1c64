"""The fastest single pass from prompts to their option letters' logits, on a loaded transformers model.

Flows in: token ids and the ids of the letters. Flows out: one fp32 logit a letter and, where it is asked for, the
logarithm of the whole vocabulary's sum, which takes the head's other rows too. What makes it fast, and exact:

- Rows are padded on the right, and a causal model never looks there: no mask is made, positions are plain, and
  attention runs its flash kernel. A row's answer stands at its own last token.
- No key-value cache is filled, and only that one position meets the head, of which only the letters' rows are
  multiplied, upcast to fp32: two letters tie only if their fp32 logits are equal.
- A large batch is cut into parts of similar length that fit the cache (`TOKENS_AT_ONCE`), so that hardly anything is
  padding.
- A plain decoder runs as written in `rimbench.engines._lean`, in fewer operators than its own modules.
- On a GPU each shape is captured once as a CUDA graph, prompts padded to multiples of `WIDTH_STEP`, so that a batch-1
  pass waits for memory and arithmetic, not for Python to launch some hundred kernels.

Every short cut is checked against the model's own logits before it is used: a model whose logits are not the plain
product with its head is asked for them, and where a graph cannot be captured the same pass runs eagerly; a warning
says so.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rimbench.engines._lean import TOKENS_AT_ONCE, LeanDecoder, is_plain

if TYPE_CHECKING:
    import torch

_log = logging.getLogger(__name__)
WIDTH_STEP = 64
"""Widths that graphs are captured for are multiples of this."""
TOKENS_IN_A_GRAPH = 8192
"""Above it a pass computes for so long that its launches are hidden: it runs eagerly."""
GRAPHS_AT_MOST = 64


class LetterReadout:
    """Reads the logits of letters out of a causal language model; `graphs` asks for CUDA graphs."""

    def __init__(self, model: Any, device: str, *, graphs: bool) -> None:
        import torch

        from rimbench.rim.head import is_plain_head

        self._torch, self._model, self._device = torch, model, device
        self._body: Any = model.base_model
        self._head: Any = model.get_output_embeddings()
        self._rows: dict[tuple[int, ...], tuple[torch.Tensor, torch.Tensor | None]] = {}
        self._graphs: dict[tuple[int, int, _Asked], _Graph] = {}
        self.uses_graphs = graphs
        self.capture_s = 0.0
        self.eager_passes = 0
        self._sliced = is_plain_head(model)
        self._lean = LeanDecoder(model) if self._sliced and is_plain(model) else None
        if self._lean is not None and not self._agrees():
            _log.warning("rimbench: the short forward pass differs from the model's own, which is run instead")
            self._lean = None
        if self._sliced and self._lean is None:
            self._sliced = self._agrees()
        if not self._sliced:
            _log.warning("rimbench: the model's logits are not its head's plain product: the whole head is computed")

    @property
    def lean(self) -> LeanDecoder | None:
        """The model's decoder where that is one written here and agrees; None where its own modules are run."""
        return self._lean

    def logits(
        self, rows: Sequence[Sequence[int]], letters: tuple[int, ...], *, total: bool = False
    ) -> list[list[float]]:
        """For each row of token ids, the logit of each letter at its last position, in the rows' order.

        With `total`, one more number a row: the logarithm of the sum of exp(logit) over the whole vocabulary.
        """
        asked: _Asked = (letters, total)
        found: list[list[float]] = [[]] * len(rows)
        for part in _parts([len(row) for row in rows], TOKENS_AT_ONCE[self._device]):
            for place, logits in zip(part, self._pass([rows[i] for i in part], asked), strict=True):
                found[place] = logits
        return found

    def _pass(self, rows: list[Sequence[int]], asked: "_Asked") -> list[list[float]]:
        width = max(map(len, rows))
        if self.uses_graphs:
            width = -(-width // WIDTH_STEP) * WIDTH_STEP
            if len(rows) * width <= TOKENS_IN_A_GRAPH and len(self._graphs) < GRAPHS_AT_MOST:
                replayed = self._replay(rows, width, asked)
                if replayed is not None:
                    return replayed
        self.eager_passes += 1
        ids, last = self._padded(rows, width)
        ragged = min(map(len, rows)) < width
        found = self._letters_at(ids.to(self._device), last.to(self._device), asked, ragged=ragged)
        logits: list[list[float]] = found.tolist()
        return logits

    def _replay(self, rows: list[Sequence[int]], width: int, asked: "_Asked") -> list[list[float]] | None:
        key = (len(rows), width, asked)
        ids, last = self._padded(rows, width)
        try:
            if key not in self._graphs:
                began = time.perf_counter()
                self._graphs[key] = _Graph(
                    self._torch, ids, last, lambda i, p: self._letters_at(i, p, asked, ragged=True)
                )
                self.capture_s += time.perf_counter() - began
            return self._graphs[key].replay(ids, last)
        except (RuntimeError, AssertionError) as error:  # what a model does in its pass may be impossible to capture
            self._graphs.clear()
            self.uses_graphs = False
            first = str(error).splitlines()[:1]
            _log.warning(
                "rimbench: no CUDA graph could be captured, passes run eagerly: %s", *first or [type(error).__name__]
            )
            return None

    def _padded(self, rows: list[Sequence[int]], width: int) -> tuple["torch.Tensor", "torch.Tensor"]:
        """Token ids [rows, width], padded on the right, and the index of each row's last token [rows]."""
        # Any token serves as padding, since nothing looks at it: the row's own first.
        ids = self._torch.tensor([[*row, *(row[0],) * (width - len(row))] for row in rows])
        return ids, self._torch.tensor([len(row) - 1 for row in rows])

    def _letters_at(
        self, ids: "torch.Tensor", last: "torch.Tensor", asked: "_Asked", *, ragged: bool
    ) -> "torch.Tensor":
        """Logits [rows, letters] in fp32, and the total where it is asked for, at position `last` of each row."""
        letters, total = asked
        places = self._torch.arange(ids.shape[0], device=ids.device)
        if not self._sliced:
            every: torch.Tensor = self._model(input_ids=ids, use_cache=False).logits[places, last].float()
            found = every[:, list(letters)]
            return self._with_total(found, every, letters) if total else found
        if self._lean is not None:
            hidden = self._lean.hidden_at(ids, last, ragged=ragged)
        else:
            hidden = self._body(input_ids=ids, use_cache=False).last_hidden_state[places, last]
        weight, bias = self._head_rows(letters)
        logits: torch.Tensor = self._torch.nn.functional.linear(hidden.float(), weight, bias)
        if not total:
            return logits
        every = self._head(hidden).float() if self._lean is None else self._lean.logits(hidden)
        return self._with_total(logits, every, letters)

    def _with_total(self, logits: "torch.Tensor", every: "torch.Tensor", letters: tuple[int, ...]) -> "torch.Tensor":
        """Letters' logits, and log sum exp of all with the letters' own, the exact ones, among them."""
        # One column after the other: an index made of a list cannot be captured in a graph.
        for column, letter in enumerate(letters):
            every[:, letter] = logits[:, column]
        return self._torch.cat((logits, every.logsumexp(-1, keepdim=True)), -1)

    def _head_rows(self, letters: tuple[int, ...]) -> tuple["torch.Tensor", "torch.Tensor | None"]:
        if letters not in self._rows:
            bias, picked = getattr(self._head, "bias", None), list(letters)
            self._rows[letters] = (
                self._head.weight[picked].float(),
                None if bias is None else bias[picked].float(),
            )
        return self._rows[letters]

    def _agrees(self) -> bool:
        """Whether the short cuts give the model's own logits on two rows (softcaps and scales would not), and on the
        same with a token more.
        """
        torch = self._torch
        rows: list[Sequence[int]] = [[0, 1, 2, 3] * 4, [3, 1, 2, 0, 1, 1, 2]]
        letters = (0, 1, 2, 3)
        with torch.inference_mode():
            ids, last = (part.to(self._device) for part in self._padded(rows, 16))
            ours = self._letters_at(ids, last, (letters, False), ragged=True)
            asked = [torch.tensor([row], device=self._device) for row in rows]
            own = [self._model(input_ids=row, use_cache=False).logits[0, -1, :4].float() for row in asked]
            if self._lean is not None:
                ours = torch.cat((ours, self._stepped(self._lean, ids, last)))
                longer = [torch.cat((row, row[:, :1]), 1) for row in asked]
                own += [self._model(input_ids=row, use_cache=False).logits[0, -1, :4].float() for row in longer]
        theirs = torch.stack(own)
        scale = float(theirs.abs().max()) or 1.0
        precision = 1e-4 if self._head.weight.dtype == torch.float32 else 5e-2
        return bool(((ours - theirs).abs().max() <= precision * scale).item())

    def _stepped(self, lean: LeanDecoder, ids: "torch.Tensor", last: "torch.Tensor") -> "torch.Tensor":
        """The first four tokens' logits [rows, 4] after each row and its first token once more, by a step."""
        kept: list[torch.Tensor] = []
        lean.hidden_at(ids, last, ragged=True, cached=kept)
        cache = lean.new_cache(len(kept), 32).zero_()
        for place, row in enumerate(kept):
            cache[:, :, place, :, : row.shape[3]] = row
        return lean.logits(lean.step(ids[:, 0], last + 1, cache, 32))[:, :4]


class _Graph:
    """One captured pass: fixed places for what goes in and what comes out."""

    def __init__(self, torch: Any, ids: "torch.Tensor", last: "torch.Tensor", run: Any) -> None:
        self._ids, self._last = ids.cuda(), last.cuda()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):  # lazily made workspaces must exist before the capture
                run(self._ids, self._last)
        torch.cuda.current_stream().wait_stream(side)
        self._graph: Any = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._out = run(self._ids, self._last)

    def replay(self, ids: "torch.Tensor", last: "torch.Tensor") -> list[list[float]]:
        """Run the captured pass on other rows of the same shape."""
        self._ids.copy_(ids)
        self._last.copy_(last)
        self._graph.replay()
        logits: list[list[float]] = self._out.tolist()
        return logits


_Asked = tuple[tuple[int, ...], bool]
"""Letters' tokens, and whether the whole vocabulary's total is wanted beside them."""


def _parts(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Places of rows, the longest first, in parts whose padded rows hold at most so many tokens, or one row."""
    part: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if part and (len(part) + 1) * lengths[part[0]] > tokens:
            yield part
            part = []
        part.append(place)
    if part:
        yield part
