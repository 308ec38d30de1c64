"""Attention of prompts by products, block after block, against torch's kernel."""

import pytest
import torch
from test_products import ONEDNN

from rimbench.engines._attention import QUERIES_AT_ONCE, attention, attention_in_blocks
from rimbench.engines._products import OneDnnProducts, TorchProducts


@pytest.mark.parametrize("products", [TorchProducts, pytest.param(OneDnnProducts, marks=ONEDNN)])
@pytest.mark.parametrize("width", [2, QUERIES_AT_ONCE, 2 * QUERIES_AT_ONCE + 19])
@pytest.mark.parametrize("key_heads", [1, 3, 6])
def test_blocks_find_what_torchs_kernel_finds_and_each_row_by_itself(products, width, key_heads):
    chance = torch.Generator().manual_seed(0)
    # Parts of one larger matrix, as those of a decoder are.
    mixed = torch.randn(2, width, 6 + 2 * key_heads, 16, generator=chance)
    parts = mixed.split([6, key_heads, key_heads], 2)
    with torch.inference_mode():
        found = attention_in_blocks(torch, products(), *parts)
        torch.testing.assert_close(found, attention(torch, *parts, None))
        alone = attention_in_blocks(torch, products(), *(part[1:] for part in parts))
    assert torch.equal(found[width:], alone)
