"""Means of times that were taken one after another, and ratios of two taken in the same rounds, with intervals.

Neighbouring times are alike: whatever slows a machine lasts. So an interval is made over a few long stretches, each
of which counts as one value: the worker processes, so that how these differ is part of it, or, of a single process,
the thirds of its rounds. Values are logarithms, as times are slowed by factors, and the interval is Student's t,
which knows how few the values are.

In: milliseconds in the order in which they were taken, and how many of them each process took. Out: `Estimate`s.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from rimbench.statistics.bootstrap import FloatArray
from rimbench.statistics.estimate import Estimate

BLOCKS = 3
"""Stretches of a single process. More are narrower, but too short to be independent: with 32 rounds of a lag-1
autocorrelation of 0.5, 3, 4 and 8 blocks cover 94, 93 and 90%."""


def mean_time(ms: Sequence[float], taken: Sequence[int], level: float = 0.95) -> Estimate:
    """The mean of times of which each process took so many; ValueError where these do not add up.

    The interval is for the mean that further processes would find. `lo` and `hi` are None for a single time, and
    where nothing varies. Coverage, and how often a rerun's mean lies within, stand in docs/latency.md.
    """
    return _estimate(math.fsum(ms) / len(ms), np.log(_means(ms, taken)), len(ms), taken, level)


def ratio_of_times(
    slower: Sequence[float], faster: Sequence[float], taken: Sequence[int], level: float = 0.95
) -> Estimate:
    """How many times as long one takes as the other, over the same rounds: a ratio of means, as `mean_time`.

    What slows both sides of a process falls out of its ratio.
    """
    logs = np.log(_means(slower, taken)) - np.log(_means(faster, taken))
    return _estimate(math.fsum(slower) / math.fsum(faster), logs, len(slower), taken, level)


def _means(ms: Sequence[float], taken: Sequence[int]) -> FloatArray:
    """The mean of each process, or of each block of a single one."""
    if sum(taken) != len(ms) or len(ms) == 0:
        raise ValueError(f"{len(ms)} times, of which {sum(taken)} were taken")
    if len(taken) > 1:
        parts = np.split(np.array(ms), list(itertools.accumulate(taken))[:-1])
    else:
        parts = np.array_split(np.array(ms), min(BLOCKS, len(ms)))
    return np.array([part.mean() for part in parts if part.size])


def _estimate(value: float, logs: FloatArray, n: int, taken: Sequence[int], level: float) -> Estimate:
    what = f"{len(logs)} processes" if len(taken) > 1 else f"{len(logs)} blocks of one process"
    if len(logs) < 2 or np.ptp(logs) == 0:
        return Estimate(value, None, None, n, f"{what}: no spread between them", level)
    from scipy.special import stdtrit  # scipy.stats takes half of the time that a report may take

    half = float(stdtrit(len(logs) - 1, (1 + level) / 2)) * float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
    # Beyond the largest float a factor is no number any more: two values far apart can reach it.
    reach = math.exp(min(half, 300.0))
    return Estimate(value, value / reach, value * reach, n, f"t over {what}, of logarithms", level)
