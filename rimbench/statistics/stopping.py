"""Answers in stages, each taken where its margin is sure: what a threshold gives, and which one to take.

A cascade has two stages, a first system and a second; adaptive memory has one a block. In: by item and stage, the
margin (the largest option probability less the next, 0 to 1) of every stage but the last, and whether its answer is
right. An item stops at the first stage whose margin is at least the threshold, or else at the last.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rimbench.statistics.bootstrap import FloatArray

SLACK = 1e-12


def margins(probabilities: ArrayLike) -> FloatArray:
    """The largest probability less the next of each row, shape (items, options of 2 or more)."""
    table = np.sort(np.asarray(probabilities, dtype=float), axis=-1)
    return np.asarray(table[..., -1] - table[..., -2])


@dataclass(frozen=True, slots=True)
class Steps:
    """What every threshold gives, the lowest (0: all stop at once) first and infinity (none before the last) behind:
    the share that is right, and the mean number of stages beyond the first.
    """

    thresholds: FloatArray
    accuracy: FloatArray
    further: FloatArray

    @property
    def frontier(self) -> list[int]:
        """The places of the thresholds that are more accurate than every one with fewer stages."""
        best, found = -1.0, list[int]()
        for place, value in enumerate(self.accuracy.tolist()):
            if value > best + SLACK:
                best, found = value, [*found, place]
        return found

    def choose(self, loss: float = 0.0) -> int:
        """The place of the cheapest threshold that is as accurate as the most accurate one, less `loss`."""
        return int(np.argmax(self.accuracy >= self.accuracy.max() - loss - SLACK))


def steps(margin: ArrayLike, right: ArrayLike) -> Steps:
    """Every threshold at which anything changes; `margin` is (items, stages - 1), `right` (items, stages).

    Raising the threshold above the largest margin so far moves an item on by one stage: all moves are sorted once.
    """
    sure, correct = np.asarray(margin, dtype=float), np.asarray(right, dtype=float)
    if correct.ndim != 2 or not len(correct) or sure.shape != (len(correct), correct.shape[1] - 1):
        raise ValueError(f"margins {sure.shape} and outcomes {correct.shape} are not (items, stages - 1) and stages")
    moves = np.maximum.accumulate(sure, axis=1).ravel()
    order = np.argsort(moves, kind="stable")
    gained = np.concatenate([[0.0], np.cumsum(np.diff(correct, axis=1).ravel()[order])])
    thresholds = np.unique(np.concatenate([[0.0], moves, [math.inf]]))
    before = np.searchsorted(moves[order], thresholds, side="left")
    n = len(correct)
    return Steps(thresholds, (correct[:, 0].sum() + gained[before]) / n, before / n)


def finite(threshold: float) -> float | None:
    """The threshold; None for infinity, as every format has it."""
    return None if math.isinf(threshold) else float(threshold)


def judged_at(
    margin: FloatArray, right: NDArray[np.bool_], judging: NDArray[np.bool_], threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The stages at which the items that judge stop, and whether their answers there are right."""
    stages = stages_at(margin[judging], threshold)
    return stages, right[judging][np.arange(len(stages)), stages]


def stages_at(margin: ArrayLike, threshold: float) -> NDArray[np.intp]:
    """The stage at which each item stops, 0 for the first."""
    sure = np.asarray(margin, dtype=float) >= threshold
    return np.asarray(np.where(sure.any(axis=1), sure.argmax(axis=1), sure.shape[1]), dtype=np.intp)
