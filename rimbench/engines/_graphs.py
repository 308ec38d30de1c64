"""Passes captured once by shape as CUDA graphs, and replayed on other numbers: hundreds of launches become one.

Flows in: a pass, its shape, and the tensors that it reads. Flows out: what it gives, replayed or computed eagerly.

All graphs of an object share one pool of memory, since they run one after the other, and what a pass gives is read
before the next. A first replay is held against the eager pass; where a graph cannot be captured, or gives something
else, every pass runs eagerly from then on, and a warning says so.
"""

import logging
import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_log = logging.getLogger(__name__)
PROMPT_STEP = 64
"""Prompts that graphs are captured for are padded to a multiple of this."""
TOKENS_IN_A_GRAPH = 8192
"""Above it a pass computes for so long that its launches are hidden: it runs eagerly."""
GRAPHS_AT_MOST = 128
APART = 5e-2
"""How far a replay may be from the eager pass, of its largest number: kernels chosen anew round in another order."""


class Graphs:
    """Captured passes by shape; `used` ends with the first that cannot be captured.

    `capture` makes of a pass and the tensors that it reads a replay, which gives the tensor that it writes.
    """

    def __init__(
        self, *, used: bool, capture: "Callable[[Callable[[], Tensor], Any], Callable[[], Tensor]] | None" = None
    ) -> None:
        self.used = used
        self.capture_s = 0.0
        self.eager_passes = 0
        self._capture = capture or capture_on_gpu
        self._pool: list[Any] = []
        self._captured: dict[Hashable, tuple[tuple[Tensor, ...], Callable[[], Tensor]]] = {}

    def takes(self, tokens: int) -> bool:
        """Whether a pass over so many tokens is worth a graph."""
        return self.used and tokens <= TOKENS_IN_A_GRAPH

    def run(self, shape: Hashable | None, compute: "Callable[..., Tensor]", *read: "Tensor") -> "Tensor":
        """What `compute(*read)` gives, to be read before the next call; without a shape, eagerly.

        A pass reads nothing else that changes its place, and gives the same again when it is run again.
        """
        if self.used and shape is not None and (shape in self._captured or len(self._captured) < GRAPHS_AT_MOST):
            try:
                if shape not in self._captured:
                    self._add(shape, compute, read)
                places, replay = self._captured[shape]
                for place, tensor in zip(places, read, strict=True):
                    place.copy_(tensor)
                return replay()
            except (RuntimeError, AssertionError) as error:  # what a model does may be impossible to capture
                self.clear()
                self.used = False
                said = str(error).splitlines()[:1] or [type(error).__name__]
                _log.warning("rimbench: no CUDA graph could be captured, passes run eagerly: %s", *said)
        self.eager_passes += 1
        return compute(*read)

    def clear(self) -> None:
        """Forget all graphs: what they read or write has another place from now on."""
        self._captured.clear()

    def _add(self, shape: Hashable, compute: "Callable[..., Tensor]", read: "tuple[Tensor, ...]") -> None:
        began = time.perf_counter()
        places = tuple(tensor.clone() for tensor in read)
        replay = self._capture(lambda: compute(*places), self._pool)
        wanted, found = compute(*places).clone(), replay()
        if float((wanted - found).abs().max()) > APART * float(wanted.abs().max()):
            raise RuntimeError("a captured pass gives other numbers than the same pass run eagerly")
        self._captured[shape] = (places, replay)
        self.capture_s += time.perf_counter() - began


def capture_on_gpu(compute: "Callable[[], Tensor]", pool: list[Any]) -> "Callable[[], Tensor]":
    """The pass as a CUDA graph; its memory comes from the pool, whose handle the first of them makes."""
    import torch

    if not pool:
        pool.append(torch.cuda.graph_pool_handle())
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):  # lazily made workspaces must exist before the capture
            compute()
    torch.cuda.current_stream().wait_stream(side)
    graph: Any = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool[0]):
        out = compute()

    def replay() -> "Tensor":
        graph.replay()
        return out

    return replay
