"""What `generate` does between a step's logits and its token: each row drawn by a chance of its own, and a watch.

transformers draws a whole batch from one generator, so that a row's tokens depend on its company and place. Here each
row takes one number from its own generator a step, and the token at which its cumulative probability passes that
number: a draw is the same whatever else is drawn with it.
"""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class TokenDraws:
    """A logits processor, to stand last: leaves each row of `scores` [rows, vocabulary] one token to be taken."""

    def __init__(self, torch: Any, chances: Sequence[Random]) -> None:
        self._torch, self._chances = torch, chances

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        # In double precision: a sum over a large vocabulary would shift the tokens' borders by its rounding.
        reached = scores.softmax(-1, dtype=self._torch.float64).cumsum(-1)
        drawn = self._torch.tensor([[chance.random()] for chance in self._chances], dtype=self._torch.float64)
        passed = reached <= drawn.to(scores.device) * reached[:, -1:]
        token = passed.sum(-1, keepdim=True).clamp(max=scores.shape[-1] - 1)
        kept: torch.Tensor = self._torch.full_like(scores, -self._torch.inf).scatter_(1, token, 0.0)
        return kept


class NumberWatch:
    """A logits processor, to stand first: remembers whether a step's logits were no numbers."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._seen: torch.Tensor | None = None

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        found = (scores.isnan() | (scores == self._torch.inf)).any()
        self._seen = found if self._seen is None else self._seen | found
        return scores

    def check(self) -> None:
        """RuntimeError where there were any: what was written then says nothing of the question."""
        if self._seen is not None and bool(self._seen):
            raise RuntimeError("the model's logits are not numbers (NaN or infinite)")
