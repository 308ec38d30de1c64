"""A sweep's runs -> memory that stops at the first block whose readout is sure, instead of after all of them.

The threshold of the margin is chosen on one half of the items and judged on the other (`rimbench.statistics.halves`).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rimbench.records import Item
from rimbench.reporting.reading import RunData, choosing_half_of, resampling_of
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


def adaptive_memory(items: Sequence[Item], runs: Sequence[RunData]) -> AdaptiveMemory | None:
    """What a sweep's answers at K = 0, 1, ... give, a run each; None below two blocks, without an item to judge, and
    where an answer has no option probabilities.
    """
    read = runs[1:]  # before the first block there is none to stop at
    if len(read) < 2 or len(items) < 2 or any(len(run.read_out(items)) < len(items) for run in read):
        return None
    choosing = choosing_half_of(items)
    judging = ~choosing
    if not judging.any():
        return None
    tables = [run.logprob_table(items)[0] for run in read[:-1]]
    margin = np.stack([stopping.margins(option_probabilities(table)) for table in tables], axis=1)
    right = np.column_stack([run.rights(items) for run in read])
    found = stopping.steps(margin[choosing], right[choosing])
    threshold = float(found.thresholds[found.choose()])
    stages, answered = stopping.judged_at(margin, right, judging, threshold)
    how = resampling_of(list(itertools.compress(items, judging)))
    own, blocks = accuracy(answered, how), bootstrap_mean(stages + 1, how)
    compared = compare_outcomes(answered, right[judging, -1], Settings(how=how))
    assert own is not None and blocks is not None and compared is not None  # there are items that judge
    points = [
        AdaptivePoint(stopping.finite(found.thresholds[p]), float(found.accuracy[p]), float(found.further[p]) + 1)
        for p in found.frontier
    ]
    n = int(choosing.sum())
    return AdaptiveMemory(
        *(stopping.finite(threshold), n, len(items) - n, own, blocks, compared.difference, halves.HOW, tuple(points))
    )
