"""One run -> `Cell`: every figure that a report gives of it, each with its interval.

A figure is worked out when a format first asks for it, and kept: no format shows them all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rimbench.records import LETTERS, STATUSES, Item, Status
from rimbench.report.columns import GreedyAnswer
from rimbench.report.reading import RunData
from rimbench.report.variants import departures_of, suite_label
from rimbench.statistics import calibration, estimate, passk
from rimbench.statistics.bootstrap import FloatArray, Resampling, bca_interval, resampling_units
from rimbench.statistics.estimate import Estimate
from rimbench.store import Manifest

HEADLINE_K = 8
"""The k of pass@k and maj@k that is always given where there are as many samples."""


@dataclass(frozen=True, eq=False)
class PassAtK:
    """pass@k of a run with its interval, what a uniform guesser has on the same items, and the score above that."""

    run: RunData
    k: int
    estimate: Estimate

    @cached_property
    def chance(self) -> float:
        """The uniform guesser's pass@k."""
        chance = passk.uniform_pass_at_k([len(item.options) for item in self.run.sampled], self.k)
        assert chance is not None  # an estimate has items
        return chance

    @cached_property
    def corrected(self) -> Estimate | None:
        """The score above chance: 0 for a guesser, 1 for perfect."""
        return passk.corrected_for_chance(self.estimate, self.chance)

    @cached_property
    def exact(self) -> Estimate | None:
        """From the option probabilities at the temperature of the draws, for readouts: what `estimate` estimates."""
        run = self.run
        answer = run.manifest.identity.answer
        items = [item for item in run.sampled if item.item_id in run.greedy]
        if answer.mode != "readout" or not answer.temperature or not items:
            return None
        if not all(run.greedy[item.item_id].is_read_out for item in items):
            return None
        table, gold = _logprob_table(run, items)
        return passk.exact_pass_at_k(table, gold, self.k, answer.temperature, resampling_of(items))


@dataclass(frozen=True, eq=False)
class Calibration:
    """How far a readout's probabilities can be trusted; see `rimbench.statistics.calibration`.

    `probabilities` has a row an item, one or more of them, and `gold` the column of each one's gold letter.
    """

    probabilities: FloatArray
    gold: NDArray[np.intp]
    how: Resampling

    @property
    def n(self) -> int:
        """The items that have probabilities."""
        return len(self.gold)

    @cached_property
    def _scored(self) -> calibration.Predictions:
        return calibration.predictions(self.probabilities, self.gold, self.how.clusters)

    @cached_property
    def error(self) -> calibration.CalibrationError:
        """ECE, its bin count, and its floor."""
        error = calibration.expected_calibration_error(self._scored)
        assert error is not None
        return error

    @cached_property
    def brier(self) -> Estimate:
        """The Brier score, from 0 to 2."""
        brier = calibration.brier_score(self.probabilities, self.gold, self.how)
        assert brier is not None
        return brier

    @cached_property
    def curve(self) -> calibration.RiskCoverage:
        """Risk against coverage, and the area under it."""
        curve = calibration.risk_coverage(self._scored)
        assert curve is not None
        return curve

    @cached_property
    def reliability(self) -> tuple[calibration.ReliabilityBin, ...]:
        """The reliability diagram's bins, those that hold something."""
        return calibration.reliability(self._scored)

    @cached_property
    def accuracy_at_half_coverage(self) -> Estimate | None:
        """Accuracy on the surer half of the items."""
        return calibration.selective_accuracy(self._scored, 0.5)


@dataclass(frozen=True, eq=False)
class Cell:
    """One run, summed up, under the `label` by which a table shows it."""

    run: RunData
    label: str

    @property
    def manifest(self) -> Manifest:
        """What the answers were made with."""
        return self.run.manifest

    @property
    def suite(self) -> str:
        """The suite's name, marked where a user's file bears a shipped one's."""
        return suite_label(self.manifest)

    @property
    def departures(self) -> Mapping[str, Sequence[Any]]:
        """What the run departs in from its system's own file."""
        return departures_of(self.manifest)

    @property
    def n(self) -> int:
        """The items answered."""
        return len(self._items)

    @property
    def n_planned(self) -> int:
        """The items of the suite."""
        return len(self.run.items)

    @property
    def partial(self) -> bool:
        """Whether answers are missing that the run was asked for, as `rimbench run` counts them too."""
        return self.run.missing > 0

    @property
    def headline(self) -> Estimate | None:
        """The accuracy that stands for the run: the greedy one, or of draws alone their mean; `of` says which."""
        return self.pass_at_1 if self.run.by_draws else self.greedy_accuracy

    @property
    def of(self) -> str:
        """What the headline is of."""
        if not self.run.by_draws:
            return "greedy"
        counts = sorted({len(letters) for letters in self.run.drawn.values()})
        several = f" to {counts[-1]}" if len(counts) > 1 else ""
        return f"mean over {counts[0]}{several} draw{'s' * (counts[-1] > 1)}"

    @cached_property
    def greedy_accuracy(self) -> Estimate | None:
        """Of the greedy answers: what names no letter counts as wrong. None of draws alone."""
        return None if self.run.by_draws else estimate.accuracy(self._right, self._how)

    @cached_property
    def bootstrap(self) -> tuple[float, float] | None:
        """The headline's BCa interval, beside Wilson's."""
        return bca_interval(resampling_units(self._scores, self._how.clusters), self._how) if self.n else None

    @cached_property
    def given_parsed(self) -> Estimate | None:
        """Accuracy among the greedy answers that name a letter."""
        if self.run.by_draws:
            return None
        parsed = [answer.status == "ok" for answer in self._answers]
        return estimate.accuracy_given_parsed(self._right, np.array(parsed, dtype=bool), self._how)

    @cached_property
    def pass_at_1(self) -> Estimate | None:
        """Accuracy averaged over the draws."""
        return _pass_at(self.run, 1)

    @cached_property
    def pass_at_k(self) -> tuple[PassAtK, ...]:
        """pass@k for the headline's k, or for as many draws as there are; none without draws."""
        k = k_of(self.run)
        found = _pass_at(self.run, k) if k else None
        return () if k is None or found is None else (PassAtK(self.run, k, found),)

    @cached_property
    def maj_at_k(self) -> Mapping[int, Estimate]:
        """The draws' majority vote, for the same k."""
        k, items = k_of(self.run), self.run.sampled
        if k is None:
            return {}
        drawn = [self.run.drawn[item.item_id] for item in items]
        found = passk.majority_at_k(drawn, [item.gold for item in items], k, resampling_of(items))
        return {} if found is None else {k: found}

    @cached_property
    def statuses(self) -> Mapping[Status, int]:
        """How many greedy answers, or of draws alone draws, came to what."""
        greedy = Counter(answer.status for answer in self._answers)
        counts = self.run.drawn_statuses if self.run.by_draws else greedy
        return {status: counts.get(status, 0) for status in STATUSES}

    @cached_property
    def label_mass(self) -> float | None:
        """The mean probability that the whole vocabulary leaves to the option letters; None where it is unknown."""
        known = [answer.label_mass for answer in self._answers if answer.label_mass is not None]
        return fmean(known) if known else None

    @cached_property
    def gold_letters(self) -> Mapping[str, int]:
        """How often each letter is gold, of the items answered."""
        return _histogram([item.gold for item in self._items])

    @cached_property
    def predicted_letters(self) -> Mapping[str, int]:
        """How often each letter was answered."""
        if self.run.by_draws:
            return _histogram([letter for letters in self.run.drawn.values() for letter in letters])
        return _histogram([answer.letter for answer in self._answers])

    @cached_property
    def uniform(self) -> float | None:
        """What a uniform guesser has on the same items."""
        return estimate.uniform_accuracy([len(item.options) for item in self._items])

    @cached_property
    def majority(self) -> estimate.LetterBaseline | None:
        """What whoever always gives the most frequent gold letter has on the same items."""
        return estimate.majority_letter([item.gold for item in self._items])

    @cached_property
    def calibration(self) -> Calibration | None:
        """For the answers that have option probabilities; None without any."""
        greedy = self.run.greedy
        items = [i for i in self._items if i.item_id in greedy and greedy[i.item_id].is_read_out]
        if not items:
            return None
        table, gold = _logprob_table(self.run, items)
        return Calibration(passk.option_probabilities(table), gold, resampling_of(items))

    @cached_property
    def _items(self) -> list[Item]:
        return self.run.answered

    @cached_property
    def _answers(self) -> list[GreedyAnswer]:
        return [] if self.run.by_draws else [self.run.greedy[item.item_id] for item in self._items]

    @cached_property
    def _right(self) -> NDArray[np.bool_]:
        return np.array([self.run.right(item) for item in self._items], dtype=bool)

    @cached_property
    def _scores(self) -> FloatArray:
        return np.array([self.run.score(item) for item in self._items], dtype=float)

    @cached_property
    def _how(self) -> Resampling:
        return resampling_of(self._items)


def resampling_of(items: Sequence[Item]) -> Resampling:
    """Items that hang together, where the suite names them, are resampled together."""
    clustered = any(item.cluster is not None for item in items)
    return Resampling(clusters=[item.cluster for item in items] if clustered else None)


def pass_values(run: RunData, items: Sequence[Item], k: int) -> FloatArray | None:
    """pass@k item by item, from the draws; None where an item has fewer than k."""
    samples = [len(run.drawn.get(item.item_id, ())) for item in items]
    right = [run.drawn_right(item) for item in items]
    return passk.pass_values(right, samples, k)


def k_of(run: RunData) -> int | None:
    """The k that is given: the headline's, or all samples where there are fewer; None without draws."""
    return min([HEADLINE_K, *map(len, run.drawn.values())]) if run.drawn else None


def _pass_at(run: RunData, k: int) -> Estimate | None:
    items = run.sampled
    values = pass_values(run, items, k) if items else None
    return None if values is None else estimate.bootstrap_share(values, resampling_of(items))


def _logprob_table(run: RunData, items: Sequence[Item]) -> tuple[FloatArray, NDArray[np.intp]]:
    """Log-probabilities (items, most options), short items filled up with -inf, and the gold columns."""
    width = max(len(item.options) for item in items)
    table = run.greedy.logprob_table([item.item_id for item in items], width)
    return table, np.array([LETTERS.index(item.gold) for item in items])


def _histogram(letters: Sequence[str | None]) -> dict[str, int]:
    counts = Counter(letters)
    return {letter: counts[letter] for letter in LETTERS if counts[letter]}
