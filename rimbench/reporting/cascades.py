"""Two stored runs of the same items -> the cascade that they would be: the first where it is sure, else the second.

No model runs. The first is asked every item; where the margin of its readout is below a threshold, the second is
asked too and its answer counts. The threshold is chosen on one half of the items and judged on the other.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from rimbench.display.plaintext import plain
from rimbench.errors import UsageError
from rimbench.latency.measured import Measurement
from rimbench.latency.stored import read_measurements
from rimbench.records import Item
from rimbench.reporting.cascade_costs import CascadeCost, CascadeCosts, MeasuredCascade
from rimbench.reporting.document import SCHEMA
from rimbench.reporting.doubts import say_partial
from rimbench.reporting.keys import HIDDEN
from rimbench.reporting.pairs import check_same_items
from rimbench.reporting.reading import RunData, choosing_half_of, resampling_of
from rimbench.reporting.summary import labels_of, read_all, shared_runs
from rimbench.reporting.variants import name_of, suite_label
from rimbench.statistics import estimate, halves, stopping
from rimbench.statistics.bootstrap import FloatArray
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.passk import option_probabilities
from rimbench.statistics.verdict import Settings, compare_outcomes

FEW = 50
"""Fewer items that judge are worth a word: the interval of their accuracy is some 28 points wide."""


@dataclass(frozen=True, slots=True)
class Alone:
    """One of the two systems by itself, on the half that judges."""

    label: str
    run: str
    accuracy: Estimate
    cost: CascadeCost


@dataclass(frozen=True, slots=True)
class CascadePoint:
    """The cascade at one threshold, None where every item is passed on: its accuracy on the half that chooses, and on
    the half that judges its accuracy, the share of items passed on, and the cost.
    """

    threshold: float | None
    chosen_on: float
    accuracy: Estimate
    passed_on: Estimate
    cost: CascadeCost


@dataclass(frozen=True, slots=True)
class Cascade:
    """The cascade of two systems on one suite. `chosen` is the cheapest threshold as accurate, on the half that
    chooses, as the best one less `loss`; the differences are its own less each system's, on the half that judges.

    `frontier` has every threshold that is more accurate than each cheaper one, on the half that chooses. `unread`
    counts the items on which the first has no option probabilities: they are passed on.
    """

    schema: Literal[1]
    suite: str
    n: int
    n_asked: int
    n_choosing: int
    n_judging: int
    split: str
    loss: float
    unread: int
    first: Alone
    second: Alone
    chosen: CascadePoint
    against_first: Estimate
    against_second: Estimate
    frontier: tuple[CascadePoint, ...]
    timed: str | None
    measured: tuple[MeasuredCascade, ...]
    notes: tuple[str, ...]
    shown_suite: Annotated[str, HIDDEN]


def find_cascades(results: Path, first: str, second: str, suite: str | None, loss: float) -> list[Cascade]:
    """The cascade of two systems (or runs) on each suite that both have answered, or on the one of that name.

    UsageError where there is none, the two were asked different items, or the first has no option probabilities.
    """
    unread = list[str]()
    runs = read_all(results, unread.append)
    labels, measurements = labels_of(runs), read_measurements(results, unread.append)
    shared, said = shared_runs(runs, labels, first, second, suite)
    return [
        _cascade(both, labels, measurements, loss, () if place else (*unread, *said))
        for place, both in enumerate(shared)
    ]


def _cascade(
    runs: tuple[RunData, RunData],
    labels: dict[str, str],
    measurements: Sequence[Measurement],
    loss: float,
    said: Sequence[str],
) -> Cascade:
    first, second = runs
    items = _common_items(first, second)
    choosing = choosing_half_of(items)
    judging = ~choosing
    if not judging.any():
        raise UsageError(
            f"{len(items)} of {len(first.items)} items of suite {first.manifest.suite} are answered by both: none is "
            "left to judge a threshold that is chosen on the others; answer more of them"
        )
    read, costs = _margins(first, items), CascadeCosts.of(runs, items, measurements)
    right = np.column_stack([run.rights(items) for run in runs])
    found = stopping.steps(read[choosing], right[choosing])

    def point(place: int) -> CascadePoint:
        threshold = float(found.thresholds[place])
        stages, answered = stopping.judged_at(read, right, judging, threshold)
        return CascadePoint(
            stopping.finite(threshold),
            float(found.accuracy[place]),
            _share(answered, items, judging),
            _share(stages > 0, items, judging),
            costs.of_cascade(judging, stages > 0),
        )

    chosen = found.choose(loss)
    _, answered = stopping.judged_at(read, right, judging, float(found.thresholds[chosen]))
    settings = Settings(how=resampling_of(list(itertools.compress(items, judging))))
    against = [compare_outcomes(answered, right[judging, side], settings) for side in (0, 1)]
    assert against[0] is not None and against[1] is not None  # there are items that judge
    named = [labels[run.manifest.run] for run in runs]
    alone = [
        Alone(label, run.manifest.run, _share(right[judging, side], items, judging), costs.of_one(judging, side))
        for side, (label, run) in enumerate(zip(named, runs, strict=True))
    ]
    suite = first.manifest.suite
    notes = [*said, *_notes(runs, int(judging.sum()), suite, timed=costs.conditions is not None)]
    return Cascade(
        schema=SCHEMA,
        suite=suite,
        n=len(items),
        n_asked=len(first.items),
        n_choosing=int(choosing.sum()),
        n_judging=int(judging.sum()),
        split=halves.HOW,
        loss=loss,
        unread=int(np.isneginf(read).sum()),
        first=alone[0],
        second=alone[1],
        chosen=point(chosen),
        against_first=against[0].difference,
        against_second=against[1].difference,
        frontier=tuple(map(point, found.frontier)),
        timed=costs.conditions,
        measured=tuple(costs.measured(measurements, read[:, 0])),
        notes=tuple(map(plain, notes)),
        shown_suite=suite_label(first.manifest),
    )


def _common_items(first: RunData, second: RunData) -> list[Item]:
    """The items that both have answered; UsageError where that makes no cascade."""
    suite, name = first.manifest.suite, name_of(first.manifest)
    if first is second:
        raise UsageError(f"{first.manifest.run} is both systems on suite {suite}: give two")
    check_same_items(first, second)
    for run in (first, second):
        if run.by_draws:
            raise UsageError(f"{run.manifest.run} has draws alone: a cascade is of greedy answers")
    items = [item for item in first.answered if item.item_id in second.greedy]
    if not items:
        raise UsageError(f"the two have answered no item of suite {suite} in common: let both runs go on")
    if not first.read_out(items):
        raise UsageError(
            f"{name} on suite {suite} has no option log-probabilities, and so no margin to be sure by: expected a "
            "system that is read out first, such as rim-v2 or base-direct"
        )
    return items


def _margins(run: RunData, items: Sequence[Item]) -> FloatArray:
    """The margin of each item's readout, shape (items, 1); minus infinity, which is never sure, without one."""
    found = np.full((len(items), 1), -np.inf)
    read = run.greedy.columns(items).is_read_out
    table, _ = run.logprob_table(list(itertools.compress(items, read)))
    found[read, 0] = stopping.margins(option_probabilities(table))
    return found


def _share(values: NDArray[np.bool_], items: Sequence[Item], within: NDArray[np.bool_]) -> Estimate:
    found = estimate.accuracy(values, resampling_of(list(itertools.compress(items, within))))
    assert found is not None  # there are items on either half
    return found


def _notes(runs: tuple[RunData, RunData], judging: int, suite: str, *, timed: bool) -> list[str]:
    found = [say_partial(run) for run in runs if run.missing]
    if judging < FEW:
        found.append(f"only {judging} items of {suite} judge the threshold: their intervals are wide")
    if not timed:
        named = " ".join(f"--system {run.manifest.system}" for run in runs)
        found.append(f"no times of both on {suite}: measure them with 'rimbench latency {named} --suite {suite}'")
    return found
