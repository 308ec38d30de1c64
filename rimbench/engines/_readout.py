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
- On a GPU each shape is captured once as a CUDA graph, prompts padded to multiples of `PROMPT_STEP`, so that a pass
  at batch 1 waits for memory and arithmetic, not for Python to launch some hundred kernels.

Every short cut is checked against the model's own logits before it is used: a model whose logits are not the plain
product with its head is asked for them, and where a graph cannot be captured the same pass runs eagerly; a warning
says so.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rimbench.engines._graphs import PROMPT_STEP, Graphs
from rimbench.engines._lean import TOKENS_AT_ONCE, LeanDecoder, is_plain, turns_by_length
from rimbench.engines._pages import cache_for

if TYPE_CHECKING:
    import torch

_log = logging.getLogger(__name__)


class LetterReadout:
    """Reads the logits of letters out of a causal language model, where it can by captured passes."""

    def __init__(self, model: Any, device: str, graphs: Graphs | None = None) -> None:
        import torch

        from rimbench.rim.head import is_plain_head

        self._torch, self._model, self._device = torch, model, device
        self._body: Any = model.base_model
        self._head: Any = model.get_output_embeddings()
        self._rows: dict[tuple[int, ...], tuple[torch.Tensor, torch.Tensor | None]] = {}
        self._graphs = graphs or Graphs(used=False)
        self._sliced = is_plain_head(model)
        self._tokens_at_once = 0 if turns_by_length(model) else TOKENS_AT_ONCE[device]
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
        for part in _parts([len(row) for row in rows], self._tokens_at_once):
            for place, logits in zip(part, self._pass([rows[i] for i in part], asked), strict=True):
                found[place] = logits
        return found

    def _pass(self, rows: list[Sequence[int]], asked: "_Asked") -> list[list[float]]:
        width = max(map(len, rows))
        shape = None
        if self._graphs.used:
            width += -width % PROMPT_STEP
            if self._graphs.takes(len(rows) * width):
                shape = (len(rows), width, asked)
        ids, last = (part.to(self._device) for part in self._padded(rows, width))
        ragged = shape is not None or min(map(len, rows)) < width
        found = self._graphs.run(shape, lambda i, p: self._letters_at(i, p, asked, ragged=ragged), ids, last)
        logits: list[list[float]] = found.tolist()
        return logits

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
        made: list[tuple[torch.Tensor, torch.Tensor]] = []
        lean.hidden_at(ids, last, ragged=True, made=made)
        kind = cache_for(lean.geometry, self._device, captured=self._graphs.used)
        cache = kind(lean.geometry, len(ids), 32)
        for kept in cache.keep(made, (last + 1).tolist(), ids.shape[1]):
            cache.start(kept)
            cache.release(kept)
        cache.grow(32)
        return lean.logits(lean.step(ids[:, 0], last + 1, 32, cache.reading(last + 1, 32)))[:, :4]


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
