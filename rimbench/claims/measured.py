"""Published accuracies against those of runs: reproduced or not, as two independent samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rimbench.claims.pairs import counts
from rimbench.statistics.estimate import Estimate, wilson
from rimbench.statistics.unpaired import independent_difference
from rimbench.statistics.verdict import SMALLEST_N

if TYPE_CHECKING:
    from rimbench.claims.schema import AccuracyFigure, Figure

Outcome = Literal["reproduced", "not reproduced"]


@dataclass(frozen=True, slots=True)
class MeasuredAccuracy:
    """What one run found; `estimate` carries its n."""

    run: str
    system: str
    suite: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A published accuracy beside a run's. `difference` is measured less published, with its 95% interval.

    `outcome` is None where nothing can be said: n is unstated, or below 30 on either side.
    """

    measured: MeasuredAccuracy
    difference: Estimate | None
    outcome: Outcome | None


def reproductions(figures: "Sequence[Figure]", measured: Sequence[MeasuredAccuracy]) -> Mapping[str, Reproduction]:
    """For each accuracy that a run measured, by figure id; of two runs of one system and suite the last counts.

    Runs are matched by the names of system and suite; a figure with a `setting` is matched to none.
    """
    cells = {(run.system, run.suite): run for run in measured}
    return {
        figure.id: _reproduction(figure, cells[figure.system, figure.suite])
        for figure in figures
        if figure.kind == "accuracy" and figure.setting is None and (figure.system, figure.suite) in cells
    }


def _reproduction(figure: "AccuracyFigure", measured: MeasuredAccuracy) -> Reproduction:
    known = counts(figure)
    if known is None:
        return Reproduction(measured, None, None)
    difference = independent_difference(measured.estimate, wilson(*known))
    if difference is None or difference.lo is None or difference.hi is None:
        return Reproduction(measured, difference, None)
    if min(known[1], measured.estimate.n) < SMALLEST_N:
        return Reproduction(measured, difference, None)
    outcome: Outcome = "reproduced" if difference.lo <= 0 <= difference.hi else "not reproduced"
    return Reproduction(measured, difference, outcome)
