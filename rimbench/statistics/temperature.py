"""One temperature for a readout's probabilities, fitted on some items: Guo et al. 2017 (arXiv 1706.04599), 4.2.

In: log-probabilities as `passk.option_probabilities` takes them, and gold columns.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from rimbench.statistics.passk import option_probabilities

LARGEST = 100.0
"""Beyond it, or below its inverse, there is none: the likelihood has no maximum."""
HALVINGS = 60


def fit_temperature(option_logprobs: ArrayLike, gold: ArrayLike) -> float | None:
    """The temperature of the largest likelihood of the gold options: above 1 where a readout is too sure.

    None where there is none: no items, every answer right by any margin, confidence that says nothing, or a gold
    option of probability 0. The likelihood is concave in 1 / temperature, and its slope is bisected.
    """
    logs, index = np.asarray(option_logprobs, dtype=float), np.asarray(gold, dtype=np.intp)
    if not index.size:
        return None
    of_gold = logs[np.arange(index.size), index]
    if np.isneginf(of_gold).any():
        return None
    finite = np.where(np.isneginf(logs), 0.0, logs)  # their weight is 0 at any temperature

    def slope(inverse: float) -> float:
        expected = (option_probabilities(logs, 1 / inverse) * finite).sum(axis=1)
        return float((of_gold - expected).mean())

    low, high = -math.log(LARGEST), math.log(LARGEST)
    if slope(math.exp(low)) <= 0 or slope(math.exp(high)) >= 0:
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(math.exp(middle)) > 0 else (low, middle)
    return math.exp(-(low + high) / 2)
