"""The products of the fast path, whichever library multiplies."""

import pytest
import torch

from rimbench.engines._products import OneDnnProducts, TorchProducts, fastest

WAYS = [
    TorchProducts,
    pytest.param(
        OneDnnProducts, marks=pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="no oneDNN")
    ),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rows", [1, 7, 130])
def test_products_equal_the_plain_ones_and_leave_what_goes_in_alone(way, rows):
    chance = torch.Generator().manual_seed(0)
    x, residual, bias = (torch.randn(*shape, generator=chance) for shape in ((rows, 24), (rows, 40), (40,)))
    weight = torch.randn(80, 24, generator=chance)[20:60]  # a part of a larger matrix, as the side-by-side ones are
    before = residual.clone()
    wanted = (x.double() @ weight.double().t()).float()
    with torch.inference_mode():
        torch.testing.assert_close(way().linear(x, weight), wanted)
        torch.testing.assert_close(way().linear(x, weight, bias), wanted + bias)
        torch.testing.assert_close(way().added(x, weight, residual), wanted + residual)
        gate, up = wanted.chunk(2, -1)
        torch.testing.assert_close(way().gated(x, weight), torch.nn.functional.silu(gate) * up)
    assert torch.equal(residual, before)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="no oneDNN")
def test_onednn_multiplies_wide_fp32_on_a_cpu_and_torch_everything_else():
    assert isinstance(fastest("cpu", torch.float32, 576), OneDnnProducts)
    assert isinstance(fastest("cpu", torch.float32, 64), TorchProducts)
    assert isinstance(fastest("cpu", torch.bfloat16, 576), TorchProducts)
    assert isinstance(fastest("cuda", torch.float32, 576), TorchProducts)
