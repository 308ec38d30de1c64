"""Products with a weight matrix, by the faster of the two libraries that torch carries for them on a CPU.

torch multiplies fp32 matrices with MKL, which makes no use of AVX-512 on processors of other makers than its own.
oneDNN does, adds residuals and gates in the same call, and takes weights laid out as it reads them, where the memory
for a second copy is no matter: `benchmarks/latency.py` times a pass with either. Other devices and number types have
torch's own product.
"""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


LEAST_WIDTH = 256
"""Below it a call of oneDNN costs more than it saves, as the same benchmark shows at nano size."""


LAID_OUT_AT_MOST = 2 << 30
"""Bytes of weights up to which a second copy is held, as oneDNN reads them."""


class Products(Protocol):
    """Products of rows [n, in] with a weight [out, in] that was `laid` before."""

    def laid(self, weight: "Tensor") -> "Tensor":
        """A weight [out, in] as it is read fastest."""

    def laid_pair(self, weights: tuple["Tensor", ...]) -> tuple["Tensor", ...]:
        """A gate's weight and another, [out, in] each, or one above the other in one, as `gated` takes them."""

    def linear(self, rows: "Tensor", weight: "Tensor", bias: "Tensor | None" = None) -> "Tensor":
        """Rows times the weight, plus the bias [out]: [n, out]."""

    def added(self, rows: "Tensor", weight: "Tensor", residual: "Tensor") -> "Tensor":
        """Rows times the weight, plus a residual [n, out]."""

    def gated(self, rows: "Tensor", pair: tuple["Tensor", ...]) -> "Tensor":
        """SwiGLU: SiLU of the product with the gate's weight times the product with the other, [n, out]."""


class TorchProducts:
    """torch's own."""

    def __init__(self) -> None:
        import torch

        self._torch = torch

    def laid(self, weight: "Tensor") -> "Tensor":
        """The weight itself."""
        return weight

    def laid_pair(self, weights: tuple["Tensor", ...]) -> tuple["Tensor", ...]:
        """As they are: in one they are one product."""
        return weights

    def linear(self, rows: "Tensor", weight: "Tensor", bias: "Tensor | None" = None) -> "Tensor":
        """Rows times the weight, plus the bias."""
        return self._torch.nn.functional.linear(rows, weight, bias)

    def added(self, rows: "Tensor", weight: "Tensor", residual: "Tensor") -> "Tensor":
        """Rows times the weight, plus a residual."""
        return self._torch.addmm(residual, rows, weight.t())

    def gated(self, rows: "Tensor", pair: tuple["Tensor", ...]) -> "Tensor":
        """SiLU of one product, times the other."""
        products = [self.linear(rows, weight) for weight in pair]
        gate, up = products if len(products) == 2 else products[0].chunk(2, -1)
        return self._torch.nn.functional.silu(gate).mul_(up)


class OneDnnProducts:
    """oneDNN's, by the operators that torch's own compiler calls; no gradients. `copies` lays weights out anew."""

    def __init__(self, *, copies: bool = True) -> None:
        import torch

        self._linear = torch.ops.mkldnn._linear_pointwise
        self._reordered = torch.ops.mkldnn._reorder_linear_weight if copies else None

    def laid(self, weight: "Tensor") -> "Tensor":
        """A copy as oneDNN reads it, for any number of rows."""
        return weight if self._reordered is None else self._reordered(weight.detach(), None)

    def laid_pair(self, weights: tuple["Tensor", ...]) -> tuple["Tensor", ...]:
        """Each by itself: the second product takes the first one's outcome in."""
        return tuple(map(self.laid, weights if len(weights) == 2 else weights[0].chunk(2)))

    def linear(self, rows: "Tensor", weight: "Tensor", bias: "Tensor | None" = None) -> "Tensor":
        """Rows times the weight, plus the bias."""
        found: Tensor = self._linear(rows, weight, bias, "none", [], "")
        return found

    def added(self, rows: "Tensor", weight: "Tensor", residual: "Tensor") -> "Tensor":
        """Rows times the weight, plus a residual."""
        found: Tensor = self._linear.binary(rows, residual, weight, None, "add")
        return found

    def gated(self, rows: "Tensor", pair: tuple["Tensor", ...]) -> "Tensor":
        """SiLU of one product, times the other."""
        gate, up = pair
        gates = self._linear(rows, gate, None, "swish", [None], "")
        found: Tensor = self._linear.binary(rows, gates, up, None, "mul")
        return found


def fastest(device: str, dtype: "torch.dtype", width: int, weight_bytes: int = 0) -> Products:
    """The products for `cpu` or `cuda`, a number type, rows of so many numbers, and weights of so many bytes."""
    import torch

    onednn: Any = torch.backends.mkldnn
    if device == "cpu" and dtype == torch.float32 and width >= LEAST_WIDTH and onednn.is_available():
        try:
            return OneDnnProducts(copies=weight_bytes <= LAID_OUT_AT_MOST)
        except AttributeError:  # a torch without these operators
            pass
    return TorchProducts()
