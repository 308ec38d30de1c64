"""Several answers to one question: pass@k, maj@k, and what chance gives.

In: per question, how many of its samples were right, their letters, or its options' log-probabilities. Out:
`Estimate` values over questions. Questions are what is resampled, never pooled samples: eight answers to one
question are not eight questions.
"""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from rimbench.statistics.bootstrap import ITEMWISE, FloatArray, Resampling
from rimbench.statistics.estimate import Estimate, bootstrap_share


@lru_cache(maxsize=65536)
def pass_probability(right: int, samples: int, k: int) -> float | None:
    """The unbiased pass@k of one question, 1 - C(n-c, k) / C(n, k); None for k > n.

    Chen et al. 2021 (arXiv 2107.03374), eq. 1. Computed in whole numbers and rounded once, so that it is
    exact for any k and n, where a product of floats loses digits and a quotient of floats overflows.
    """
    if not 0 <= right <= samples or k < 1:
        raise ValueError(f"{right} right of {samples} samples, k = {k}")
    if k > samples:
        return None
    ways = math.comb(samples, k)
    return (ways - math.comb(samples - right, k)) / ways


def pass_values(right: Sequence[int], samples: Sequence[int], k: int) -> FloatArray | None:
    """pass@k question by question; None where any question has fewer than k samples, or there are none.

    A mean over the questions that happen to have enough samples would be a mean over another suite.
    """
    values = [pass_probability(c, n, k) for c, n in zip(right, samples, strict=True)]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    return np.array(known)


def pass_at_k(
    right: Sequence[int],
    samples: Sequence[int],
    k: int,
    how: Resampling = ITEMWISE,
) -> Estimate | None:
    """pass@k over questions with a BCa bootstrap interval over questions; None as in `pass_values`.

    Chen et al. 2021, eq. 1. `right[i]` of `samples[i]` answers to question i were right. With k = 1 this is
    accuracy averaged over samples. Where no question or every question passes surely, the interval is Wilson's.
    """
    values = pass_values(right, samples, k)
    if values is None:
        return None
    return bootstrap_share(values, how)


def majority_values(answers: Sequence[Sequence[str | None]], gold: Sequence[str], k: int) -> FloatArray | None:
    """maj@k question by question: the chance that the vote of k of its samples, drawn without replacement, is gold.

    The rule: each sample with a letter has one vote, an unparsed one (None) has none; the letter with most votes
    wins, t letters that tie share the win (1/t each), and where nobody votes nobody wins. Exact, by counting
    the k-subsets, not by drawing them; with k = n it is the vote of all samples. After Wang et al. 2023
    (self-consistency, arXiv 2203.11171), who leave ties open. None where a question has fewer than k samples.
    """
    if k < 1:
        raise ValueError(f"k = {k}")
    if not answers or min(map(len, answers)) < k:
        return None
    shares = []
    for letters, correct in zip(answers, gold, strict=True):
        others = sorted([letters.count(letter) for letter in {*letters} - {correct, None}])
        shares.append(_majority_share(letters.count(correct), tuple(others), letters.count(None), k))
    return np.array(shares)


@lru_cache(maxsize=65536)
def _majority_share(for_gold: int, others: tuple[int, ...], silent: int, k: int) -> float:
    """Sums over the gold votes g in a k-subset; ways[size, ties] counts what other letters can add to it."""
    won = 0.0
    for g in range(1, min(for_gold, k) + 1):
        ways = {(0, 0): 1}
        for votes in others:
            longer: Counter[tuple[int, int]] = Counter()
            for (size, ties), count in ways.items():
                for j in range(min(votes, g, k - g - size) + 1):
                    longer[size + j, ties + (j == g)] += count * math.comb(votes, j)
            ways = dict(longer)
        for (size, ties), count in ways.items():
            won += math.comb(for_gold, g) * count * math.comb(silent, k - g - size) / (1 + ties)
    return won / math.comb(for_gold + sum(others) + silent, k)


def majority_at_k(
    answers: Sequence[Sequence[str | None]],
    gold: Sequence[str],
    k: int,
    how: Resampling = ITEMWISE,
) -> Estimate | None:
    """maj@k over questions (the rule stands in `majority_values`), BCa bootstrap interval over questions."""
    values = majority_values(answers, gold, k)
    if values is None:
        return None
    return bootstrap_share(values, how)


def uniform_pass_at_k(option_counts: Sequence[int], k: int) -> float | None:
    """The pass@k of choosing uniformly on these items: the mean of 1 - (1 - 1/m)^k; None for no items.

    The expectation of Chen et al. 2021, eq. 1, for k independent guesses among m options: 90.0% at k = 8, m = 4.
    """
    if k < 1 or (option_counts and min(option_counts) < 1):
        raise ValueError(f"k = {k}, and an item has at least one option")
    if not option_counts:
        return None
    return math.fsum(1 - (1 - 1 / m) ** k for m in option_counts) / len(option_counts)


def chance_corrected(value: float, chance: float) -> float | None:
    """(value - chance) / (1 - chance): 0 for chance, 1 for perfect, below 0 for worse than chance.

    The form of Cohen's kappa (Cohen 1960, eq. 1). None where chance is 1: nothing is left to gain.
    """
    return None if chance >= 1 else (value - chance) / (1 - chance)


def corrected_for_chance(estimate: Estimate, chance: float) -> Estimate | None:
    """An estimate and its interval, chance-corrected as in `chance_corrected`; None where chance is 1."""
    value = chance_corrected(estimate.value, chance)
    if value is None:
        return None
    lo = None if estimate.lo is None else chance_corrected(estimate.lo, chance)
    hi = None if estimate.hi is None else chance_corrected(estimate.hi, chance)
    method = f"{estimate.method}, chance-corrected"
    return Estimate(value, lo, hi, estimate.n, method, estimate.level, estimate.seed)


def option_probabilities(option_logprobs: ArrayLike, temperature: float = 1.0) -> FloatArray:
    """Softmax of log-probabilities over temperature, shape (n, options), rows adding up to 1.

    Rows of items with fewer options are filled up with -inf, which becomes probability 0. The log-probabilities
    need not be normalised. Raises ValueError for a temperature that is not above 0.
    """
    logs = np.asarray(option_logprobs, dtype=float)
    if temperature <= 0:
        raise ValueError(f"a sampling temperature is above 0, not {temperature}")
    if logs.ndim != 2 or np.isnan(logs).any() or (logs.size and not np.isfinite(logs.max(axis=1)).all()):
        raise ValueError("log-probabilities are (items, options), each item with a finite one")
    if logs.size == 0:
        return logs
    weights = np.exp((logs - logs.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def exact_pass_values(option_logprobs: ArrayLike, gold: ArrayLike, k: int, temperature: float) -> FloatArray:
    """The exact pass@k of each item that is answered by drawing one letter: 1 - (1 - p_gold)^k.

    `gold` holds column indices. What `pass_probability` estimates without bias from finitely many draws.
    """
    if k < 1:
        raise ValueError(f"k = {k}")
    probabilities = option_probabilities(option_logprobs, temperature)
    index = np.asarray(gold, dtype=np.intp)
    if index.shape != (len(probabilities),):
        raise ValueError(f"{len(probabilities)} items, {index.size} gold options")
    p = probabilities[np.arange(index.size), index]
    # expm1 and log1p keep a gold probability of 1e-12 from being rounded to 0; p = 1 is a sure pass.
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(-np.expm1(k * np.log1p(-p)), 0.0, 1.0))


def exact_pass_at_k(
    option_logprobs: ArrayLike,
    gold: ArrayLike,
    k: int,
    temperature: float,
    how: Resampling = ITEMWISE,
) -> Estimate | None:
    """pass@k of a readout without sampling noise: the mean of 1 - (1 - p_gold)^k at the sampled temperature.

    The population value that Chen et al. 2021, eq. 1, estimates; the BCa interval is over items. None for no items.
    """
    values = exact_pass_values(option_logprobs, gold, k, temperature)
    if values.size == 0:
        return None
    return bootstrap_share(values, how)
