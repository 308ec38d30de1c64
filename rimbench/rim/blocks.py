"""The memory layout: which tokens a block is made of, and their ids in a tokenizer.

Flows in: a tokenizer and a `Memory`. Flows out: token ids, which prompts and training append to a question
as they are. Knows nothing of models or tensors, so that prompts can be built without torch.
"""

from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field

from rimbench.errors import ModelError, UsageError


class TokenTable(Protocol):
    """The part of a transformers tokenizer that the layout needs."""

    name_or_path: str

    def convert_tokens_to_ids(self, tokens: str) -> object:
        """The id of a token, or that of the unknown token, or None."""
        ...

    def convert_ids_to_tokens(self, ids: int) -> object:
        """The token that has an id."""
        ...


Marker = Annotated[str, Field(min_length=1)]


MOST_MEMORY = 10_000_000
"""Tokens of a memory: more would fill this machine before any model refused them."""


@dataclass(frozen=True, slots=True)
class Memory:
    """K blocks of `begin`, M x `memory`, `end`: what is appended to a question as working memory.

    Source: the card of RiM-Qwen3-1.7B, M = 2 and K = 8. `blocks` may be 0, the control with no memory.
    """

    blocks: Annotated[int, Field(ge=0)]
    memory_tokens: Annotated[int, Field(ge=1)] = 2
    begin: Marker = "<rim_b>"
    memory: Marker = "<rim_m>"
    end: Marker = "<rim_eb>"

    def __post_init__(self) -> None:
        if self.blocks < 0:
            raise UsageError(f"memory of {self.blocks} blocks: expected 0 or more")
        if self.memory_tokens < 1:
            raise UsageError(f"memory blocks of {self.memory_tokens} memory tokens: expected 1 or more")
        if self.blocks * self.block_length > MOST_MEMORY:
            raise UsageError(
                f"memory of {self.blocks} blocks of {self.block_length} tokens: expected at most {MOST_MEMORY:,} "
                "tokens in all, which no model's context holds"
            )
        if len(set(self.tokens)) < 3:
            raise UsageError(f"memory tokens {', '.join(self.tokens)}: expected three different tokens")

    @property
    def tokens(self) -> tuple[str, str, str]:
        """The three tokens, in the order in which a tokenizer gets them."""
        return (self.begin, self.memory, self.end)

    @property
    def block_length(self) -> int:
        """Tokens in one block, M + 2."""
        return self.memory_tokens + 2


def token_id(tokenizer: TokenTable, token: str) -> int | None:
    """The id under which the tokenizer knows this text as one token of its own, or None."""
    found = tokenizer.convert_tokens_to_ids(token)
    if isinstance(found, int) and tokenizer.convert_ids_to_tokens(found) == token:
        return found
    return None


def block_token_ids(tokenizer: TokenTable, memory: Memory) -> tuple[int, ...]:
    """The ids of one block, M + 2 of them; ModelError where the tokenizer lacks one of the three tokens."""
    ids = {token: found for token in memory.tokens if (found := token_id(tokenizer, token)) is not None}
    missing = [token for token in memory.tokens if token not in ids]
    if missing:
        raise ModelError(
            f"tokenizer '{tokenizer.name_or_path or 'unnamed'}' has no token {', '.join(missing)}: not a RiM "
            "checkpoint; expected one that a rim recipe trained (rimbench train), or a system without blocks"
        )
    return (ids[memory.begin], *(ids[memory.memory],) * memory.memory_tokens, ids[memory.end])


def memory_token_ids(tokenizer: TokenTable, memory: Memory) -> tuple[int, ...]:
    """The ids of all K blocks, K x (M + 2) of them; ModelError as `block_token_ids`."""
    return block_token_ids(tokenizer, memory) * memory.blocks
