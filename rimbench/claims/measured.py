"""Published accuracies, pass@k and times against those that were measured here: reproduced or not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rimbench.claims.pairs import counts
from rimbench.statistics.estimate import Estimate, wilson
from rimbench.statistics.unpaired import independent_difference
from rimbench.statistics.verdict import SMALLEST_N

if TYPE_CHECKING:
    from rimbench.claims.schema import AccuracyFigure, Figure, LatencyFigure, PassFigure

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
class MeasuredTime:
    """Seconds a question in batches of `batch`, measured on `device`; `run` says where it is kept."""

    run: str
    system: str
    quantity: str
    batch: int
    device: str
    dtype: str
    estimate: Estimate


Measured = MeasuredAccuracy | MeasuredTime


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A published figure beside a measured one. `difference` is measured less published, with its 95% interval.

    `outcome` is None where nothing can be said: n is unstated or below 30 on either side, or a time was taken on
    another device or in another number type.
    """

    measured: Measured
    difference: Estimate | None
    outcome: Outcome | None


def reproductions(figures: "Sequence[Figure]", measured: Sequence[Measured]) -> Mapping[str, Reproduction]:
    """For each figure that was measured, by figure id; of two measurements of one thing the last counts.

    Accuracies are matched by the names of system and suite, and by k, times by system, quantity and batch size. A
    figure with a `setting` is matched to none.
    """
    cells = {(run.system, run.suite, run.k): run for run in measured if isinstance(run, MeasuredAccuracy)}
    times = {(time.system, time.quantity, time.batch): time for time in measured if isinstance(time, MeasuredTime)}
    found = {}
    for figure in figures:
        if figure.kind == "latency":
            batch = figure.batch if isinstance(figure.batch, int) else 0
            if (time := times.get((figure.system, figure.quantity, batch))) is not None:
                found[figure.id] = _reproduced_time(figure, time)
            continue
        if figure.kind == "accuracy" and figure.setting is not None:
            continue
        run = cells.get((figure.system, figure.suite, figure.k if figure.kind == "pass_at_k" else None))
        if run is not None:
            found[figure.id] = _reproduction(_published(figure), run)
    return found


def _reproduced_time(figure: "LatencyFigure", measured: MeasuredTime) -> Reproduction:
    """Whether the measured interval holds a time that rounds to the printed one; on the same hardware alone."""
    found, printed = measured.estimate, figure.value
    lo, hi = (None if end is None else end - printed.value for end in (found.lo, found.hi))
    difference = Estimate(found.value - printed.value, lo, hi, found.n, found.method, found.level, found.seed)
    alike = figure.device is not None and _plain(figure.device) in _plain(measured.device)
    alike = alike and figure.dtype is not None and _plain(figure.dtype) == _plain(measured.dtype)
    if not alike or found.lo is None or found.hi is None or found.n < SMALLEST_N:
        return Reproduction(measured, difference, None)
    overlaps = found.lo <= printed.highest and printed.lowest <= found.hi
    return Reproduction(measured, difference, "reproduced" if overlaps else "not reproduced")


def _plain(name: str) -> str:
    """A device's or a number type's name without what spellings differ in: bf16, bfloat16; H100 SXM, H100-SXM."""
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("bfloat", "bf"))


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
