"""What a cascade costs: the tokens of both stored answers, and times, where both systems were timed in turn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rimbench.latency.measured import Measured, Measurement
from rimbench.records import Item
from rimbench.reporting.reading import RunData
from rimbench.reporting.variants import name_of
from rimbench.statistics.bootstrap import FloatArray
from rimbench.store import Identity, SecondSetup


@dataclass(frozen=True, slots=True)
class CascadeCost:
    """What a question takes on the mean: ms where both systems were timed in turn, and tokens, those of the prompts
    among them.
    """

    ms: float | None
    tokens: float
    generated_tokens: float


@dataclass(frozen=True, slots=True)
class MeasuredCascade:
    """A system of kind `cascade` of these two that was timed end to end: its mean ms a question beside the one that
    is predicted at its threshold.
    """

    label: str
    threshold: float
    ms: float
    predicted_ms: float


@dataclass(frozen=True, slots=True)
class CascadeCosts:
    """What asking the two takes: their tokens item by item, each of shape (items, 2), and their measured times."""

    runs: tuple[RunData, RunData]
    tokens: tuple[NDArray[np.int64], NDArray[np.int64]]
    rows: tuple[Measured, Measured] | None

    @classmethod
    def of(
        cls, runs: tuple[RunData, RunData], items: Sequence[Item], measurements: Sequence[Measurement]
    ) -> "CascadeCosts":
        """Of two runs on these items."""
        first, second = (run.greedy.columns(items).tokens for run in runs)
        return cls(runs, (first, second), _times(measurements, runs))

    @property
    def conditions(self) -> str | None:
        """Under which both were timed; None where they were not, in turn."""
        return None if self.rows is None else _say_times(self.rows[0])

    def of_cascade(self, within: NDArray[np.bool_], passed_on: NDArray[np.bool_]) -> CascadeCost:
        """Of the cascade: the first on all of these items, the second on those passed on."""
        both = self.tokens[0][within] + self.tokens[1][within] * passed_on[:, None]
        ms = None if self.rows is None else self.predicted_ms(float(passed_on.mean()))
        return _cost(both, ms)

    def of_one(self, within: NDArray[np.bool_], side: int) -> CascadeCost:
        """Of one of the two on all of these items."""
        return _cost(self.tokens[side][within], None if self.rows is None else self.rows[side].per_question_ms)

    def predicted_ms(self, passed_on: float) -> float:
        """The first's mean time, and the second's as often as it is asked."""
        assert self.rows is not None
        return self.rows[0].per_question_ms + passed_on * self.rows[1].per_question_ms

    def measured(self, measurements: Sequence[Measurement], margins: FloatArray) -> list[MeasuredCascade]:
        """Systems of kind `cascade` of these two that were timed under the conditions of the prediction."""
        found = list[MeasuredCascade]()
        suite = self.runs[0].manifest.suite
        for row in (row for each in measurements for row in each.rows if each.suite == suite):
            if self.rows is None or row.subject is None or row.conditions != self.rows[0].conditions:
                continue
            first, second = row.subject.identity, row.subject.identity.setup.second
            if second is not None and _is_cascade_of(first, second, self.runs):
                predicted = self.predicted_ms(float((margins < second.threshold).mean()))
                found.append(MeasuredCascade(row.label, second.threshold, row.per_question_ms, predicted))
        return found


def _cost(tokens: NDArray[np.int64], ms: float | None) -> CascadeCost:
    of_prompt, generated = tokens.mean(axis=0).tolist()
    return CascadeCost(ms, of_prompt + generated, generated)


def _times(measurements: Sequence[Measurement], runs: tuple[RunData, RunData]) -> tuple[Measured, Measured] | None:
    """The answer times of both, measured in turn under the same conditions: the last of the smallest batch."""
    found: list[tuple[Measured, Measured]] = []
    for measurement in measurements:
        rows = [row for row in measurement.rows if row.quantity == "answer"]
        if measurement.suite != runs[0].manifest.suite:
            continue
        found += [
            (one, other)
            for one in rows
            for other in rows
            if _is_of(one, runs[0]) and _is_of(other, runs[1]) and one.conditions == other.conditions
        ]
    return min(reversed(found), key=lambda pair: pair[0].batch, default=None)


def _is_of(row: Measured, run: RunData) -> bool:
    """Whether a time is that of a run's system, with the same weights where they are known."""
    own = run.manifest.identity.weights_sha256
    weights = own if row.subject is None else row.subject.identity.weights_sha256
    return row.label == name_of(run.manifest) and weights == own


def _say_times(row: Measured) -> str:
    return f"batch {row.batch}, {row.engine} on {row.device}, {row.dtype}"


def _is_cascade_of(first: Identity, second: SecondSetup, runs: tuple[RunData, RunData]) -> bool:
    """Whether the two systems of a cascade are those of these runs, asked alike with the same weights."""
    one, other = (run.manifest.identity for run in runs)
    pairs = ((first.weights_sha256, first.setup, one), (second.weights_sha256, second, other))
    return all(
        (weights, style.prompt, style.memory, style.answer)
        == (own.weights_sha256, own.setup.prompt, own.setup.memory, own.setup.answer)
        for weights, style, own in pairs
    )
