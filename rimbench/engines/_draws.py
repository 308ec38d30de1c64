"""What stands between a step's logits and its tokens: each row drawn by a chance of its own, and a watch.

transformers draws a whole batch from one generator, so that a row's tokens depend on its company and place. Here each
row takes one number from its own generator a step, and the token at which its cumulative probability passes that
number: a draw is the same whatever else is drawn with it.
"""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

BLOCK = 256
"""Probabilities are summed in blocks of so many tokens, and one by one in the block alone where the chance falls."""
CANDIDATES = 256
"""So many of the most probable tokens are sorted first: only where they do not reach `top_p` is the vocabulary."""


def draw_tokens(
    scores: "torch.Tensor", chances: Sequence[Random], temperature: float = 1.0, top_p: float = 1.0
) -> "torch.Tensor":
    """A token [rows] for each row of logits [rows, vocabulary], from softmax(logits / temperature) within `top_p`."""
    import torch

    scores = scores / temperature
    if top_p < 1:
        scores = _within(scores, top_p)
    rows, vocabulary = scores.shape
    shares = scores.softmax(-1)
    if vocabulary % BLOCK:
        shares = torch.nn.functional.pad(shares, (0, -vocabulary % BLOCK))
    shares = shares.view(rows, -1, BLOCK)
    sums = shares.sum(-1).double()
    # In double precision: a sum over a large vocabulary would shift the tokens' borders by its rounding.
    reached = sums.cumsum(-1)
    drawn = torch.tensor([[chance.random()] for chance in chances], dtype=torch.float64).to(scores.device)
    wanted = drawn * reached[:, -1:]
    block = (reached <= wanted).sum(-1, keepdim=True).clamp(max=reached.shape[1] - 1)
    # A share of the block, less than all of it: rounding must not end at a token of probability 0 at either border.
    share = 1 - (reached.gather(1, block) - wanted) / sums.gather(1, block)
    within = shares[torch.arange(rows, device=scores.device), block[:, 0]].cumsum(-1, dtype=torch.float64)
    place = (within <= share.clamp(0, 1 - 1e-12) * within[:, -1:]).sum(-1)
    return (block[:, 0] * BLOCK + place).clamp(max=vocabulary - 1)


def _within(scores: "torch.Tensor", top_p: float) -> "torch.Tensor":
    """Logits of the fewest most probable tokens that reach `top_p` together; the others' are minus infinity."""
    import torch

    total = scores.logsumexp(-1, keepdim=True)
    best = scores.topk(min(CANDIDATES, scores.shape[-1])).values
    if bool(((best - total).exp().sum(-1) < top_p).any()):
        best = scores.sort(descending=True).values
    shares = (best - total).exp().double()
    last = ((shares.cumsum(-1) - shares) < top_p).sum(-1, keepdim=True).clamp(min=1) - 1
    return scores.masked_fill(scores < best.gather(-1, last), -torch.inf)


class TokenDraws:
    """A logits processor, to stand last: leaves each row of `scores` [rows, vocabulary] one token to be taken."""

    def __init__(self, torch: Any, chances: Sequence[Random], temperature: float = 1.0, top_p: float = 1.0) -> None:
        self._torch, self._chances, self._temperature, self._top_p = torch, chances, temperature, top_p

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        token = draw_tokens(scores, self._chances, self._temperature, self._top_p)
        kept: torch.Tensor = self._torch.full_like(scores, -self._torch.inf).scatter_(1, token[:, None], 0.0)
        return kept


class NumberWatch:
    """A logits processor, to stand first: remembers whether a row's logits, or the best of them, were no numbers."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._seen: torch.Tensor | None = None

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        found = ~scores.amax(-1).isfinite().all()
        self._seen = found if self._seen is None else self._seen | found
        return scores

    def check(self) -> None:
        """RuntimeError where there were any: what was written then says nothing of the question."""
        if self._seen is not None and bool(self._seen):
            raise not_numbers()


def not_numbers() -> RuntimeError:
    """The error where logits say nothing of the question."""
    return RuntimeError("the model's logits are not numbers (NaN or infinite)")
