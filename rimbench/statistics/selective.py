"""How much may be answered at a risk that is guaranteed: a threshold fitted on one half, certified on the other."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rimbench.statistics.bootstrap import FloatArray, Resampling
from rimbench.statistics.estimate import Estimate, accuracy

DELTA = 0.05
"""The chance that a threshold is certified although its risk is above the one allowed."""
METHOD = "Learn then Test, fixed sequence, exact binomial"


@dataclass(frozen=True, slots=True)
class CertifiedCoverage:
    """The share of items that may be answered at a `risk` (wrong among the answered) that holds with 95%.

    All is of the half that certifies, `n` items: of the `answered`, whose confidence is at least `threshold`, so many
    are `wrong`, and `bound` is the upper end of the risk. Where nothing is certified the threshold is None, and
    `reason` says why.
    """

    risk: float
    threshold: float | None
    coverage: Estimate | None
    answered: int
    wrong: int
    bound: float | None
    n: int
    reason: str | None


def needed(risk: float, delta: float = DELTA) -> int:
    """How many answers without a single error show that the risk is below `risk`: 299 for 1%."""
    return math.ceil(math.log(delta) / math.log1p(-risk))


def upper_bound(wrong: int, answered: int, delta: float = DELTA) -> float:
    """The one-sided upper bound of Clopper and Pearson 1934 (Biometrika 26:404) for a share: exact, never too low."""
    from scipy.special import betaincinv

    return 1.0 if wrong == answered else float(betaincinv(wrong + 1, answered - wrong, 1 - delta))


def certified_coverage(
    confidence: ArrayLike, right: ArrayLike, choosing: NDArray[np.bool_], risk: float, how: Resampling
) -> CertifiedCoverage:
    """The largest coverage at a risk: Learn then Test (Angelopoulos et al. 2021, arXiv 2110.01052), by its split
    fixed sequence testing.

    The half that chooses says where to begin, at the threshold that looks surest there, and in which order to go on,
    from one of its confidences to the next lower. On the other half each is tested, H0: the risk is above `risk`, by
    the exact binomial p (its bound is Clopper and Pearson's) at 5%, until one is not rejected: the last that was is
    certified, and the chance of a wrong certificate is 5% at most, however many are tested. Items must be
    independent: with clusters nothing is certified. The coverage is a share of the half that certifies.
    """
    sure, correct = np.asarray(confidence, dtype=float), np.asarray(right, dtype=bool)
    n = int((~choosing).sum())

    def nothing(reason: str) -> CertifiedCoverage:
        return CertifiedCoverage(risk, None, None, 0, 0, None, n, reason)

    if how.clusters is not None:
        return nothing("items hang together in clusters: the exact test is for independent ones")
    if n < needed(risk):
        return nothing(f"{n} items judge: {needed(risk)} without an error would be needed")
    thresholds = np.unique(sure[choosing])[::-1]
    answered, wrong = _counts(sure[choosing], correct[choosing], thresholds)
    begin = int(np.argmin(_p_values(wrong, answered, risk)))
    thresholds = thresholds[begin:]
    answered, wrong = _counts(sure[~choosing], correct[~choosing], thresholds)
    shown = _p_values(wrong, answered, risk) <= DELTA
    passed = len(shown) if shown.all() else int(np.argmin(shown))
    if passed == 0:
        return nothing(f"{wrong[0]} of {answered[0]} answers are wrong at the threshold that looked surest")
    last = passed - 1
    threshold, of, errors = float(thresholds[last]), int(answered[last]), int(wrong[last])
    covered = accuracy(sure[~choosing] >= threshold)
    return CertifiedCoverage(risk, threshold, covered, of, errors, upper_bound(errors, of), n, None)


def _counts(sure: FloatArray, correct: NDArray[np.bool_], thresholds: FloatArray) -> tuple[NDArray[np.intp], ...]:
    """How many are answered at each threshold, and how many of them are wrong."""
    order = np.argsort(-sure, kind="stable")
    errors = np.concatenate([[0], np.cumsum(~correct[order])])
    answered = np.searchsorted(-sure[order], -thresholds, side="right")
    return answered, errors[answered]


def _p_values(wrong: NDArray[np.intp], answered: NDArray[np.intp], risk: float) -> FloatArray:
    """The chance of so few errors where the risk is just `risk`; 1 where nothing is answered."""
    from scipy.special import bdtr

    return np.where(answered > 0, bdtr(wrong, np.maximum(answered, 1), risk), 1.0)
