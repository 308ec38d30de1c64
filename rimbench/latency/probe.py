"""A short probe of this machine -> a `Device`: what its memory and its arithmetic reach at best.

The bandwidth is that of reading as many bytes as a model's weights: weights that fit a cache are read from there,
and a floor from the memory's bandwidth would be none.
"""

import functools
import time
from collections.abc import Callable

from rimbench.engines._products import fastest
from rimbench.latency.floor import Device

SECONDS = 0.15
"""Of each of the four trials, at the least."""
SIDE = {"cpu": 2048, "cuda": 8192}
"""Of the square matrices that are multiplied."""
LEAST_BYTES = 1 << 16


@functools.cache
def probe(device: str, dtype: str, weight_bytes: int) -> Device:
    """Matrix rate in `dtype` and bandwidth over `weight_bytes` of this machine's `cpu` or `cuda` device."""
    import torch

    kind = getattr(torch, dtype)
    side = SIDE[device]

    def done() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    with torch.inference_mode():
        a, b = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
        products = fastest(device, kind, side)
        laid = products.laid(b)
        # Two libraries may multiply, and two ways read everything once: the better one counts.
        product_s = min(least_s(lambda: a @ b, done), least_s(lambda: products.linear(a, laid), done))
        columns = 1024
        rows = max(1, max(LEAST_BYTES, weight_bytes) // (columns * a.element_size()))
        weights = torch.zeros(rows, columns, dtype=kind, device=device)
        vector = torch.zeros(columns, dtype=kind, device=device)
        read_s = min(least_s(lambda: weights @ vector, done), least_s(weights.sum, done))
        name = torch.cuda.get_device_name() if device == "cuda" else "this CPU"
    source = f"measured here: {side}x{side} product in {dtype}, {rows * columns * a.element_size():,} bytes read"
    return Device(name, weights.nbytes / read_s, 2 * side**3 / product_s, source)


def least_s(call: Callable[[], object], done: Callable[[], None]) -> float:
    """The least seconds of a call, each waited for by `done`, over three trials or more."""
    call()
    done()
    took: list[float] = []
    while len(took) < 3 or sum(took) < SECONDS:
        began = time.perf_counter()
        call()
        done()
        took.append(time.perf_counter() - began)
    return min(took)
