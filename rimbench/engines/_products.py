"""Products with a weight matrix, by the faster of the two libraries that torch carries for them on a CPU.

torch multiplies fp32 matrices with MKL, which makes no use of AVX-512 on processors of other makers than its own.
oneDNN does, and adds residuals and gates in the same call: `benchmarks/latency.py` times a pass with either.
Other devices and number types have torch's own product.
"""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


LEAST_WIDTH = 256
"""Below it a call of oneDNN costs more than it saves, as the same benchmark shows at nano size."""


class Products(Protocol):
    """Products of rows [n, in] with a weight [out, in]."""

    def linear(self, rows: "Tensor", weight: "Tensor", bias: "Tensor | None" = None) -> "Tensor":
        """Rows times the weight, plus the bias [out]: [n, out]."""

    def added(self, rows: "Tensor", weight: "Tensor", residual: "Tensor") -> "Tensor":
        """Rows times the weight, plus a residual [n, out]."""

    def gated(self, rows: "Tensor", weight: "Tensor") -> "Tensor":
        """SwiGLU, of a gate's weight above another, [2 x out, in]: SiLU of one product times the other, [n, out]."""


class TorchProducts:
    """torch's own."""

    def __init__(self) -> None:
        import torch

        self._torch = torch

    def linear(self, rows: "Tensor", weight: "Tensor", bias: "Tensor | None" = None) -> "Tensor":
        """Rows times the weight, plus the bias."""
        return self._torch.nn.functional.linear(rows, weight, bias)

    def added(self, rows: "Tensor", weight: "Tensor", residual: "Tensor") -> "Tensor":
        """Rows times the weight, plus a residual."""
        return self._torch.addmm(residual, rows, weight.t())

    def gated(self, rows: "Tensor", weight: "Tensor") -> "Tensor":
        """SiLU of one product, times the other."""
        gate, up = self.linear(rows, weight).chunk(2, -1)
        return self._torch.nn.functional.silu(gate).mul_(up)


class OneDnnProducts:
    """oneDNN's, by the operators that torch's own compiler calls; no gradients."""

    def __init__(self) -> None:
        import torch

        self._linear = torch.ops.mkldnn._linear_pointwise

    def linear(self, rows: "Tensor", weight: "Tensor", bias: "Tensor | None" = None) -> "Tensor":
        """Rows times the weight, plus the bias."""
        found: Tensor = self._linear(rows, weight, bias, "none", [], "")
        return found

    def added(self, rows: "Tensor", weight: "Tensor", residual: "Tensor") -> "Tensor":
        """Rows times the weight, plus a residual."""
        found: Tensor = self._linear.binary(rows, residual, weight, None, "add")
        return found

    def gated(self, rows: "Tensor", weight: "Tensor") -> "Tensor":
        """SiLU of one product, times the other."""
        gate, up = weight.chunk(2)
        gates = self._linear(rows, gate, None, "swish", [None], "")
        found: Tensor = self._linear.binary(rows, gates, up, None, "mul")
        return found


def fastest(device: str, dtype: "torch.dtype", width: int) -> Products:
    """The products for `cpu` or `cuda`, a number type, and inputs of so many numbers a row."""
    import torch

    onednn: Any = torch.backends.mkldnn
    if device == "cpu" and dtype == torch.float32 and width >= LEAST_WIDTH and onednn.is_available():
        try:
            return OneDnnProducts()
        except AttributeError:  # a torch without these operators
            pass
    return TorchProducts()
