"""A sweep's records -> memory that stops at the first block whose readout is sure, instead of after all of them.

The threshold of the margin is chosen on one half of the items and judged on the other (`rimbench.statistics.halves`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rimbench.records import Item, Record
from rimbench.reporting.reading import resampling_of
from rimbench.statistics import halves, stopping
from rimbench.statistics.estimate import Estimate, accuracy, bootstrap_mean
from rimbench.statistics.passk import option_probabilities
from rimbench.statistics.verdict import Settings, compare_outcomes


@dataclass(frozen=True, slots=True)
class AdaptivePoint:
    """One threshold, None where every item takes all blocks, on the half that chooses: accuracy and mean blocks."""

    threshold: float | None
    accuracy: float
    blocks: float


@dataclass(frozen=True, slots=True)
class AdaptiveMemory:
    """Stopping at the first block, from block 1 on, whose margin is at least `threshold`: None takes them all.

    Chosen is the cheapest threshold that is as accurate as the best on the `n_choosing` items; `accuracy`, mean
    `blocks` and `against_all`, the difference from all blocks, are of the other `n_judging`. `frontier` has every
    threshold that is more accurate than each cheaper one, on the half that chooses.
    """

    threshold: float | None
    n_choosing: int
    n_judging: int
    accuracy: Estimate
    blocks: Estimate
    against_all: Estimate
    split: str
    frontier: tuple[AdaptivePoint, ...]


def adaptive_memory(items: Sequence[Item], columns: Sequence[Sequence[Record]]) -> AdaptiveMemory | None:
    """What a sweep's answers at K = 0, 1, ... give, a column each; None below two blocks, without an item to judge,
    and where an answer has no option probabilities.
    """
    read = columns[1:]  # before the first block there is none to stop at
    if len(read) < 2 or len(items) < 2 or any(not r.option_logprobs for column in read for r in column):
        return None
    choosing = halves.choosing_half([item.item_id for item in items], resampling_of(items).clusters)
    if choosing.all():
        return None
    margin = np.stack([stopping.margins(option_probabilities(_logprobs(column))) for column in read[:-1]], axis=1)
    right = np.array([[record.correct for record in column] for column in read]).T
    found = stopping.steps(margin[choosing], right[choosing])
    threshold = float(found.thresholds[found.choose()])
    stages = stopping.stages_at(margin[~choosing], threshold)
    answered = right[~choosing][np.arange(len(stages)), stages]
    how = resampling_of([item for item, own in zip(items, choosing.tolist(), strict=True) if not own])
    own, blocks = accuracy(answered, how), bootstrap_mean(stages + 1, how)
    compared = compare_outcomes(answered, right[~choosing][:, -1], Settings(how=how))
    assert own is not None and blocks is not None and compared is not None  # there are items that judge
    points = [
        AdaptivePoint(_finite(found.thresholds[p]), float(found.accuracy[p]), float(found.further[p]) + 1)
        for p in found.frontier
    ]
    n = int(choosing.sum())
    return AdaptiveMemory(
        _finite(threshold), n, len(items) - n, own, blocks, compared.difference, halves.HOW, tuple(points)
    )


def _finite(threshold: float) -> float | None:
    return float(threshold) if np.isfinite(threshold) else None


def _logprobs(column: Sequence[Record]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    width = max(len(record.option_logprobs or {}) for record in column)
    found = np.full((len(column), width), -np.inf)
    for row, record in enumerate(column):
        values = list((record.option_logprobs or {}).values())
        found[row, : len(values)] = values
    return found
