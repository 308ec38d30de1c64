"""Published accuracies and pass@k against those of runs: reproduced or not, as two independent samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rimbench.claims.pairs import counts
from rimbench.statistics.estimate import Estimate, wilson
from rimbench.statistics.unpaired import independent_difference
from rimbench.statistics.verdict import SMALLEST_N

if TYPE_CHECKING:
    from rimbench.claims.schema import AccuracyFigure, Figure, PassFigure

Outcome = Literal["reproduced", "not reproduced"]


@dataclass(frozen=True, slots=True)
class MeasuredAccuracy:
    """What one run found; `estimate` carries its n. `k` is that of pass@k, None for the greedy answers."""

    run: str
    system: str
    suite: str
    estimate: Estimate
    k: int | None = None


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A published accuracy or pass@k beside a run's. `difference` is measured less published, with its 95% interval.

    `outcome` is None where nothing can be said: n is unstated, or below 30 on either side.
    """

    measured: MeasuredAccuracy
    difference: Estimate | None
    outcome: Outcome | None


def reproductions(figures: "Sequence[Figure]", measured: Sequence[MeasuredAccuracy]) -> Mapping[str, Reproduction]:
    """For each figure that a run measured, by figure id; of two runs of one system and suite the last counts.

    Runs are matched by the names of system and suite, and by k; a figure with a `setting` is matched to none.
    """
    cells = {(run.system, run.suite, run.k): run for run in measured}
    found = {}
    for figure in figures:
        if figure.kind == "accuracy" and figure.setting is None:
            run = cells.get((figure.system, figure.suite, None))
        elif figure.kind == "pass_at_k":
            run = cells.get((figure.system, figure.suite, figure.k))
        else:
            continue
        if run is not None:
            found[figure.id] = _reproduction(_published(figure), run)
    return found


def _published(figure: "AccuracyFigure | PassFigure") -> Estimate | None:
    """The figure with Wilson's interval, the widest that a mean of shares can have; None where n is unstated."""
    if figure.kind == "accuracy":
        known = counts(figure)
        return None if known is None else wilson(*known)
    return None if figure.n == "unstated" else wilson(figure.value.value * figure.n, figure.n)


def _reproduction(published: Estimate | None, measured: MeasuredAccuracy) -> Reproduction:
    if published is None:
        return Reproduction(measured, None, None)
    difference = independent_difference(measured.estimate, published)
    if difference is None or difference.lo is None or difference.hi is None:
        return Reproduction(measured, difference, None)
    if min(published.n, measured.estimate.n) < SMALLEST_N:
        return Reproduction(measured, difference, None)
    outcome: Outcome = "reproduced" if difference.lo <= 0 <= difference.hi else "not reproduced"
    return Reproduction(measured, difference, outcome)
