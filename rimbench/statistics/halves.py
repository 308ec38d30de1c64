"""Items -> two halves: what is chosen on the one is judged on the other, which it has never seen."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rimbench.statistics.bootstrap import Cluster

SEED = 0
HOW = f"by the sha256 of '{SEED}:item ' and its id, or '{SEED}:cluster ' and its name; the lower half chooses"
"""How items are split, in words: the same for every rerun, pair and machine, whatever order the items come in."""


def choosing_half(item_ids: Sequence[str], clusters: Sequence[Cluster] | None = None) -> NDArray[np.bool_]:
    """Which items a threshold is chosen on; the others judge it. Items that hang together are on one side.

    Of an odd number the larger part chooses.
    """
    names = clusters or [None] * len(item_ids)
    units = [
        f"{SEED}:item {item_id}" if name is None else f"{SEED}:cluster {name}"
        for item_id, name in zip(item_ids, names, strict=True)
    ]
    places = [hashlib.sha256(unit.encode()).digest() for unit in units]
    ordered = sorted(set(places))
    last = ordered[(len(ordered) - 1) // 2] if ordered else b""
    return np.array([place <= last for place in places], dtype=bool)
