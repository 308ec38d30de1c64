"""One run -> `Cell`: every figure that a report gives of it, each with its interval."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rimbench.records import LETTERS, STATUSES, Item, Manifest, Status
from rimbench.report.reading import RunData
from rimbench.statistics import calibration, estimate, passk
from rimbench.statistics.bootstrap import Resampling, bca_interval, resampling_units
from rimbench.statistics.estimate import Estimate

HEADLINE_K = 8
"""The k of pass@k and maj@k that is always given where there are as many samples."""


@dataclass(frozen=True, slots=True)
class PassAtK:
    """pass@k with its interval, what a uniform guesser has on the same items, and the score above that.

    `exact` is pass@k from the option probabilities at the temperature of the draws, for readouts: what the
    sampled estimate estimates.
    """

    k: int
    estimate: Estimate
    chance: float
    corrected: Estimate | None
    exact: Estimate | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far a readout's probabilities can be trusted; see `rimbench.statistics.calibration`."""

    ece: Estimate
    ece_floor: float
    bins: int
    brier: Estimate
    curve: calibration.RiskCoverage
    reliability: tuple[calibration.ReliabilityBin, ...]
    accuracy_at_half_coverage: Estimate | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One run, summed up. `n` counts the items answered, `n_planned` those of the suite: fewer is partial.

    `bootstrap` is the BCa interval beside Wilson's. `uniform` and `majority` are what a uniform guesser and
    whoever always gives the most frequent gold letter have on the same items.
    """

    manifest: Manifest
    label: str
    n: int
    n_planned: int
    greedy_accuracy: Estimate | None
    bootstrap: tuple[float, float] | None
    given_parsed: Estimate | None
    pass_at_1: Estimate | None
    pass_at_k: tuple[PassAtK, ...]
    maj_at_k: Mapping[int, Estimate]
    statuses: Mapping[Status, int]
    gold_letters: Mapping[str, int]
    predicted_letters: Mapping[str, int]
    uniform: float | None
    majority: estimate.LetterBaseline | None
    calibration: Calibration | None

    @property
    def partial(self) -> bool:
        """Whether greedy answers are missing."""
        return self.n < self.n_planned


def make_cell(run: RunData, label: str) -> Cell:
    """Everything that a report says of one run by itself."""
    answered = run.answered
    how = resampling_of(answered)
    right = np.array([run.right(item) for item in answered], dtype=bool)
    parsed = np.array([run.greedy[item.item_id].status == "ok" for item in answered], dtype=bool)
    gold = [item.gold for item in answered]
    counts = Counter(run.greedy[item.item_id].status for item in answered)
    return Cell(
        manifest=run.manifest,
        label=label,
        n=len(answered),
        n_planned=len(run.items),
        greedy_accuracy=estimate.accuracy(right, how),
        bootstrap=bca_interval(resampling_units(right, how.clusters), how) if answered else None,
        given_parsed=estimate.accuracy_given_parsed(right, parsed),
        pass_at_1=_pass_at(run, 1),
        pass_at_k=_pass_at_ks(run),
        maj_at_k=_maj_at_ks(run),
        statuses={status: counts[status] for status in STATUSES},
        gold_letters=_histogram(gold),
        predicted_letters=_histogram([run.greedy[item.item_id].letter for item in answered]),
        uniform=estimate.uniform_accuracy([len(item.options) for item in answered]),
        majority=estimate.majority_letter(gold),
        calibration=_calibration(run),
    )


def resampling_of(items: Sequence[Item]) -> Resampling:
    """Items that hang together, where the suite names them, are resampled together."""
    clustered = any(item.cluster is not None for item in items)
    return Resampling(clusters=[item.cluster for item in items] if clustered else None)


def pass_values(run: RunData, items: Sequence[Item], k: int) -> np.ndarray | None:
    """pass@k item by item, from the draws; None where an item has fewer than k."""
    samples = [len(run.drawn.get(item.item_id, ())) for item in items]
    right = [run.drawn_right.get(item.item_id, 0) for item in items]
    return passk.pass_values(right, samples, k)


def k_of(run: RunData) -> int | None:
    """The k that is given: the headline's, or all samples where there are fewer; None without draws."""
    return min([HEADLINE_K, *map(len, run.drawn.values())]) if run.drawn else None


def _pass_at(run: RunData, k: int) -> Estimate | None:
    items = run.sampled
    values = pass_values(run, items, k) if items else None
    return None if values is None else estimate.bootstrap_share(values, resampling_of(items))


def _pass_at_ks(run: RunData) -> tuple[PassAtK, ...]:
    k = k_of(run)
    found = _pass_at(run, k) if k else None
    if k is None or found is None:
        return ()
    chance = passk.uniform_pass_at_k([len(item.options) for item in run.sampled], k)
    assert chance is not None
    return (PassAtK(k, found, chance, passk.corrected_for_chance(found, chance), _exact(run, k)),)


def _exact(run: RunData, k: int) -> Estimate | None:
    answer = run.manifest.identity.get("system", {}).get("answer", {})
    items = [item for item in run.sampled if item.item_id in run.greedy]
    if answer.get("mode") != "readout" or not items:
        return None
    if any(run.greedy[item.item_id].option_logprobs is None for item in items):
        return None
    table, gold = _logprob_table(run, items)
    return passk.exact_pass_at_k(table, gold, k, answer["temperature"], resampling_of(items))


def _maj_at_ks(run: RunData) -> dict[int, Estimate]:
    k, items = k_of(run), run.sampled
    if k is None:
        return {}
    answers = [run.drawn[item.item_id] for item in items]
    found = passk.majority_at_k(answers, [item.gold for item in items], k, resampling_of(items))
    return {} if found is None else {k: found}


def _calibration(run: RunData) -> Calibration | None:
    """For items whose greedy answer has option probabilities; None without any, or where items are clustered."""
    items = [item for item in run.answered if run.greedy[item.item_id].option_logprobs is not None]
    if not items or resampling_of(items).clusters is not None:
        return None
    table, gold = _logprob_table(run, items)
    probabilities = passk.option_probabilities(table)
    scored = calibration.predictions(probabilities, gold)
    error = calibration.expected_calibration_error(scored)
    brier = calibration.brier_score(probabilities, gold)
    curve = calibration.risk_coverage(scored)
    if error is None or brier is None or curve is None:
        return None
    half = calibration.selective_accuracy(scored, 0.5)
    bins = calibration.reliability(scored)
    return Calibration(error.ece, error.floor, error.bins, brier, curve, bins, half)


def _logprob_table(run: RunData, items: Sequence[Item]) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities (items, most options), short items filled up with -inf, and the gold columns."""
    width = max(len(item.options) for item in items)
    absent = -np.inf
    columns = LETTERS[:width]
    rows = [run.greedy[item.item_id].option_logprobs or {} for item in items]
    table = np.array([[row.get(letter, absent) for letter in columns] for row in rows])
    return table, np.array([LETTERS.index(item.gold) for item in items])


def _histogram(letters: Sequence[str | None]) -> dict[str, int]:
    counts = Counter(letters)
    return {letter: counts[letter] for letter in LETTERS if counts[letter]}
