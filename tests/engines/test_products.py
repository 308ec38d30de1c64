"""The products of the fast path, whichever library multiplies."""

import pytest
import torch

from rimbench.engines._products import OneDnnProducts, TorchProducts, fastest

ONEDNN = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="no oneDNN")
WAYS = [
    TorchProducts,
    pytest.param(OneDnnProducts, marks=ONEDNN),
    pytest.param(lambda: OneDnnProducts(copies=False), marks=ONEDNN, id="OneDnnProducts-in-place"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rows", [1, 7, 130])
def test_products_equal_the_plain_ones_and_leave_what_goes_in_alone(way, rows):
    chance = torch.Generator().manual_seed(0)
    x, residual, bias = (torch.randn(*shape, generator=chance) for shape in ((rows, 24), (rows, 40), (40,)))
    weight = torch.randn(80, 24, generator=chance)[20:60]  # a part of a larger matrix, as the side-by-side ones are
    products, before = way(), residual.clone()
    laid = products.laid(weight)
    wanted = (x.double() @ weight.double().t()).float()
    with torch.inference_mode():
        torch.testing.assert_close(products.linear(x, laid), wanted)
        torch.testing.assert_close(products.linear(x, laid, bias), wanted + bias)
        torch.testing.assert_close(products.added(x, laid, residual), wanted + residual)
        gate, up = wanted.chunk(2, -1)
        for pair in ((weight,), weight.chunk(2)):
            made = products.gated(x, products.laid_pair(pair))
            torch.testing.assert_close(made, torch.nn.functional.silu(gate) * up)
    assert torch.equal(residual, before)


@ONEDNN
def test_onednn_multiplies_wide_fp32_on_a_cpu_and_torch_everything_else():
    assert isinstance(fastest("cpu", torch.float32, 576), OneDnnProducts)
    assert (
        fastest("cpu", torch.float32, 576)._reordered and not fastest("cpu", torch.float32, 576, 1 << 40)._reordered
    )
    assert isinstance(fastest("cpu", torch.float32, 64), TorchProducts)
    assert isinstance(fastest("cpu", torch.bfloat16, 576), TorchProducts)
    assert isinstance(fastest("cuda", torch.float32, 576), TorchProducts)
