"""Keys and values of the rows that are being written, and attention over them.

Flows in: what a pass over prompts made, then each newest token's queries, keys and values. Flows out: what the
queries find. A row is known by its place among those that write; where one ends, the last takes its place.

The one here gives each row a slot, as far as the longest may reach, and attends as torch does: for what a graph is
captured of, whose places must not change, and for number types that `rimbench.engines._pages` is not for.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Geometry:
    """What a decoder keeps of a token: in each layer a key and a value [size] a head of keys; `like` is a weight."""

    layers: int
    heads: int
    key_heads: int
    size: int
    like: "Tensor"


class Attend(Protocol):
    """Attention of each row's newest token in one layer."""

    def __call__(self, layer: int, queries: "Tensor", keys: "Tensor", values: "Tensor") -> "Tensor":
        """What queries [rows, heads, size] find [rows, heads x size], after keys and values were added."""
        ...


class Cache(ABC):
    """Room for so many rows of so many tokens, of which `lengths` says how many each row has."""

    STEP: ClassVar[int]
    """Tokens are a multiple of it."""

    def __init__(self, of: Geometry, slots: int, tokens: int) -> None:
        import torch

        self._torch, self._of, self.slots, self.tokens = torch, of, slots, tokens
        self.lengths: list[int] = []

    @abstractmethod
    def keep(self, made: "list[tuple[Tensor, Tensor]]", lengths: list[int], width: int) -> list[Any]:
        """Prompts of these lengths out of one pass, each as rows start from it.

        `made` are each layer's keys and values [tokens, heads of keys, size], of which a prompt has `width`, or no
        more than its own where its padding was left out.
        """

    @abstractmethod
    def start(self, kept: Any) -> None:
        """A row more, that goes on from a prompt."""

    @abstractmethod
    def release(self, kept: Any) -> None:
        """No further row starts from the prompt."""

    @abstractmethod
    def end(self, row: int) -> None:
        """The row leaves."""

    @abstractmethod
    def grow(self, width: int) -> None:
        """Room for a token more of each row, all below `width`."""

    @abstractmethod
    def reading(self, places: "Tensor", width: int) -> Attend:
        """How a step's tokens attend at these places [rows], all below `width`, beyond which nothing is looked at."""


class SlotCache(Cache):
    """Keys and values [layers, 2, slots, heads of keys, tokens, size]."""

    STEP = 16  # kernels want their rows to start at a multiple of it

    def __init__(self, of: Geometry, slots: int, tokens: int) -> None:
        super().__init__(of, slots, tokens)
        self._held = of.like.new_empty((of.layers, 2, slots, of.key_heads, tokens, of.size))
        self._cleared = 0

    def keep(self, made: "list[tuple[Tensor, Tensor]]", lengths: list[int], width: int) -> "list[Tensor]":
        """Each prompt [layers, 2, heads of keys, tokens, size], in a place of its own."""
        packed = len(made[0][0]) < len(lengths) * width
        ends = accumulate(lengths if packed else [width] * len(lengths), initial=0)
        stack = self._torch.stack
        return [
            stack([stack([part[start : start + length].transpose(0, 1) for part in both]) for both in made])
            for start, length in zip(ends, lengths, strict=False)
        ]

    def start(self, kept: "Tensor") -> None:
        """A row more, that goes on from a prompt."""
        tokens = kept.shape[3]
        self._clear(tokens)
        self._held[:, :, len(self.lengths), :, :tokens] = kept
        self.lengths.append(tokens)

    def release(self, kept: "Tensor") -> None:
        """Nothing is held for it."""

    def end(self, row: int) -> None:
        """The row leaves."""
        tokens = self.lengths.pop()
        if row < len(self.lengths):
            self._held[:, :, row, :, :tokens] = self._held[:, :, len(self.lengths), :, :tokens]
            self.lengths[row] = tokens

    def grow(self, width: int) -> None:
        """Room for a token more of each row, all below `width`."""
        self._clear(width)
        self.lengths = [tokens + 1 for tokens in self.lengths]

    def reading(self, places: "Tensor", width: int) -> Attend:
        """torch's attention, with a mask."""
        count = len(places)
        rows = self._torch.arange(count, device=places.device)
        # Added to the scores, not picked by it: torch's kernel turns a mask of booleans into this one in each layer.
        mask = self._held.new_zeros(count, 1, 1, width)
        unseen = self._torch.arange(width, device=places.device) > places[:, None]
        mask.masked_fill_(unseen[:, None, None], -self._torch.inf)

        def attend(layer: int, queries: "Tensor", keys: "Tensor", values: "Tensor") -> "Tensor":
            all_keys, all_values = self._held[layer]
            all_keys[rows, :, places], all_values[rows, :, places] = keys, values
            # The queries that share a head of keys stand as so many positions, so that keys are read once.
            grouped = queries.reshape(count, self._of.key_heads, -1, self._of.size)
            found: Tensor = self._torch.nn.functional.scaled_dot_product_attention(
                grouped, all_keys[:count, :, :width], all_values[:count, :, :width], attn_mask=mask
            )
            return found.reshape(count, -1)

        return attend

    def _clear(self, tokens: int) -> None:
        """Make it hold numbers up to so many tokens: what a mask leaves out is still multiplied, by 0."""
        if tokens > self._cleared:
            tokens += -tokens % self.STEP
            self._held[:, :, :, :, self._cleared : tokens] = 0
            self._cleared = tokens
