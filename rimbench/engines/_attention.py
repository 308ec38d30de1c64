"""Attention of prompts to themselves: queries [rows, width, heads, size], keys and values of as many heads or fewer.

torch's kernel multiplies with MKL on a CPU. Where oneDNN is the faster, a block of queries is two of its products
with a softmax between them; a single query of a row is torch's everywhere.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from rimbench.engines._products import Products

QUERIES_AT_ONCE = 128
"""Queries of a block: fewer compute less of what the future hides, more are larger products."""


def attention(torch: Any, queries: "Tensor", keys: "Tensor", values: "Tensor", seen: "Tensor | None") -> "Tensor":
    """What queries find by torch's kernel, [rows x width, heads x size].

    Causal, or one query of each row among all of its keys, or those that it has `seen` [rows, 1, 1, width].
    """
    q, k, v = (part.transpose(1, 2) for part in (queries, keys, values))
    found: Tensor = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=seen, is_causal=queries.shape[1] > 1, enable_gqa=q.shape[1] != k.shape[1]
    )
    return found.transpose(1, 2).reshape(-1, q.shape[1] * q.shape[3])


def attention_in_blocks(
    torch: Any, products: "Products", queries: "Tensor", keys: "Tensor", values: "Tensor"
) -> "Tensor":
    """What queries find causally, by products, each row by itself: [rows x width, heads x size]."""
    rows, width, heads, size = queries.shape
    shared = heads // keys.shape[2]
    keys, values = (part.transpose(1, 2).contiguous() for part in (keys, values))
    hidden = _hidden(torch, shared)
    found = queries.new_empty(queries.shape)
    for row in range(rows):
        for head, (its_keys, its_values) in enumerate(zip(keys[row], values[row], strict=True)):
            of_head = slice(head * shared, (head + 1) * shared)
            for start in range(0, width, QUERIES_AT_ONCE):
                end = min(start + QUERIES_AT_ONCE, width)
                asking = (queries[row, start:end, of_head] * size**-0.5).view(-1, size)
                scores = products.linear(asking, its_keys[:end])
                scores[:, start:] += hidden[: len(asking), : end - start]
                mixed = products.linear(scores.softmax(-1), its_values[:end].t())
                found[row, start:end, of_head] = mixed.view(-1, shared, size)
    return found.view(-1, heads * size)


@lru_cache(maxsize=4)
def _hidden(torch: Any, shared: int) -> "Tensor":
    """What is added to a block's scores to hide the future, for so many heads that share keys."""
    future: Tensor = torch.full((QUERIES_AT_ONCE, QUERIES_AT_ONCE), -torch.inf).triu_(1)
    return future.repeat_interleave(shared, 0)
