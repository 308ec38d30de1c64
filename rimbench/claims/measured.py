"""Published accuracies, pass@k and times against measured ones: reproduced, contradicted or undecided."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rimbench.claims.equivalence import Deviation, Reach, Standing, decide, reach_of
from rimbench.claims.finding import in_points
from rimbench.claims.outcomes import Outcomes
from rimbench.claims.pairs import Bar, right_counts
from rimbench.records import INTACT
from rimbench.statistics.estimate import Estimate, wilson
from rimbench.statistics.unpaired import independent_difference
from rimbench.statistics.verdict import SMALLEST_N

if TYPE_CHECKING:
    from rimbench.claims.entries import AccuracyFigure, Figure, LatencyFigure, PassFigure

Key = tuple[str, str, str | None, int | None]
"""A cell of the claims file: system, suite, setting, and the k of pass@k."""
ABLATED = "ablated: "
INTACT_SETTING = f"{ABLATED}{INTACT}"
"""The settings of what `rimbench ablate` ran: this, and the name of the intervention."""


@dataclass(frozen=True, slots=True)
class MeasuredAccuracy:
    """What one run found of a cell of the claims file, named as there.

    `k` is that of pass@k, None for greedy answers. `unlike` names what keeps the run from being of what is claimed,
    `unverified` what could not be compared.
    """

    run: str
    system: str
    suite: str
    outcomes: Outcomes
    k: int | None = None
    setting: str | None = None
    unlike: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasuredTime:
    """Seconds a question in batches of `batch`, measured on `device`; `run` says where it is kept.

    `at` gives their mean with its interval at a level, `round_s` the seconds round by round, in which all systems of
    the measurement `taken` took turns, `by_process` how many rounds each process took. `conditions` are, by name,
    those that both sides of a ratio must share, `noises` what makes the times doubtful.
    """

    run: str
    system: str
    quantity: str
    batch: int
    device: str
    dtype: str
    at: Callable[[float], Estimate | None]
    round_s: tuple[float, ...] = ()
    taken: str = ""
    by_process: tuple[int, ...] = ()
    prompt_tokens: float | None = None
    unlike: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    conditions: Mapping[str, object] = field(default_factory=dict)
    noises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasuredFlips:
    """What the runs in all orders of the options found: 1 for an item that did not get the same option in each."""

    run: str
    system: str
    suite: str
    outcomes: Outcomes
    unlike: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()


OwnMeasurement = MeasuredAccuracy | MeasuredTime | MeasuredFlips


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A published figure beside a measured one.

    `measured` is the run's with its 95% interval, `difference` measured less published, with that of both.
    `interval` is what `outcome` was read from: at `bar.level`, of the difference of shares or of the relative
    difference of times, with what rounding leaves open. `outcome` is None where nothing is judged; `reason` says why
    it is as it is.
    """

    measured: OwnMeasurement
    estimate: Estimate | None
    difference: Estimate | None
    bar: Bar
    interval: tuple[float, float] | None
    outcome: Standing | None
    reason: str
    items_needed: int | None = None
    items_needed_on_both: int | None = None


def reproductions(
    figures: "Iterable[Figure]", measured: Sequence[OwnMeasurement], bar: Bar, time_bar: Bar
) -> Mapping[str, Reproduction]:
    """For each figure that was measured, by figure id; of two measurements of one thing the last that can be judged.

    Accuracies are matched by the claims file's names of system and suite, by setting and k, times by system,
    quantity and batch size.
    """
    cells = {(r.system, r.suite, r.setting, r.k): r for r in measured if isinstance(r, MeasuredAccuracy)}
    times = [time for time in measured if isinstance(time, MeasuredTime)]
    found = {}
    for figure in figures:
        if figure.kind == "latency":
            wanted = (figure.system, figure.quantity, figure.batch)
            of_it = [time for time in times if (time.system, time.quantity, time.batch) == wanted]
            judged = [_reproduced_time(figure, time, time_bar) for time in of_it]
            if judged:
                found[figure.id] = max(judged, key=lambda side: (side.outcome is not None, judged.index(side)))
        elif (run := cells.get(key_of(figure))) is not None:
            found[figure.id] = _reproduced_share(figure, run, bar)
    return found


def key_of(figure: "AccuracyFigure | PassFigure") -> Key:
    """The cell that a figure is of."""
    if figure.kind == "accuracy":
        return figure.system, figure.suite, figure.setting, None
    return figure.system, figure.suite, None, figure.k


def _reproduced_share(figure: "AccuracyFigure | PassFigure", run: MeasuredAccuracy, bar: Bar) -> Reproduction:
    """Both n counted, as independent samples: whether outcomes go together item by item is unpublished."""
    estimate = run.outcomes.at(0.95)
    difference = independent_difference(estimate, _published(figure, 0.95))
    own, published = run.outcomes.at(bar.level), _published(figure, bar.level)
    reaches = reach_of(own), reach_of(published)
    if run.unlike:
        return Reproduction(run, estimate, difference, bar, None, None, f"not judged: {'; '.join(run.unlike)}")
    if published is None:
        return Reproduction(run, estimate, None, bar, None, None, "not judged: the published n is not stated")
    if own is None or reaches[0] is None or reaches[1] is None:
        return Reproduction(run, estimate, difference, bar, None, None, "not judged: there is no interval")
    lowest, highest = _unrounded(figure)
    deviation = Deviation(own.value - highest, own.value - lowest, reaches[0], reaches[1])
    if min(published.n, own.n) < SMALLEST_N:
        reason = f"fewer than {SMALLEST_N} items on one side are too few for a verdict"
        interval = deviation.lo, deviation.hi
        return Reproduction(run, estimate, difference, bar, interval, "undecided", reason)
    return _judged(run, (estimate, difference), deviation, bar)


def _judged(
    measured: OwnMeasurement, shown: tuple[Estimate | None, Estimate | None], deviation: Deviation, bar: Bar
) -> Reproduction:
    interval = deviation.lo, deviation.hi
    outcome = decide(*interval, bar.margin)
    margin = in_points(bar.margin) + (" %" if isinstance(measured, MeasuredTime) else " points")
    needed = both = None
    if outcome == "reproduced":
        reason = f"the difference is shown to be below {margin}"
    elif outcome == "contradicted":
        reason = f"the difference is shown to be above {margin}"
    else:
        needed, both = deviation.items_needed(bar.margin), deviation.items_needed_on_both(bar.margin)
        reason = _say_needed(deviation, needed, both, margin)
    return Reproduction(measured, *shown, bar, interval, outcome, reason, needed, both)


def _say_needed(deviation: Deviation, needed: int | None, both: int | None, margin: str) -> str:
    what = "items" if deviation.published.n else "samples"
    if needed is not None:
        return f"{needed:,} measured {what} would decide it, if the values stay"
    if both is not None and deviation.published.n:
        return (
            f"no number of measured items would decide it: the published n of {deviation.published.n:,} leaves too "
            f"much open; {both:,} items on both sides would, if the values stay"
        )
    return f"as it was printed, the figure can lie on either side of {margin}: no number of {what} decides that"


def _reproduced_time(figure: "LatencyFigure", time: MeasuredTime, bar: Bar) -> Reproduction:
    """As a part of the printed time, whose sampling error is unknown; on the same hardware alone."""
    estimate, own, printed = time.at(0.95), time.at(bar.level), figure.value
    assert estimate is not None and own is not None  # a measurement has samples
    lo, hi = (None if end is None else end - printed.value for end in (estimate.lo, estimate.hi))
    difference = Estimate(
        estimate.value - printed.value, lo, hi, estimate.n, estimate.method, estimate.level, estimate.seed
    )
    unlike = (*time.unlike, *unlike_conditions(figure, time, bar))
    if unlike:
        return Reproduction(time, estimate, difference, bar, None, None, f"not judged: {'; '.join(unlike)}")
    if own.lo is None or own.hi is None:
        return Reproduction(time, estimate, difference, bar, None, None, "not judged: there is no interval")
    deviation = relative(own, printed.lowest, printed.highest)
    if own.n < SMALLEST_N:
        reason = f"fewer than {SMALLEST_N} samples are too few for a verdict"
        return Reproduction(time, estimate, difference, bar, (deviation.lo, deviation.hi), "undecided", reason)
    return _judged(time, (estimate, difference), deviation, bar)


def relative(own: Estimate, lowest: float, highest: float) -> Deviation:
    """A measured mean or ratio over a printed one that lies between two values, less 1."""
    assert own.lo is not None and own.hi is not None
    own_reach = Reach((own.value - own.lo) / highest, (own.hi - own.value) / lowest, own.n)
    return Deviation(own.value / highest - 1, own.value / lowest - 1, own_reach)


def unlike_conditions(figure: "LatencyFigure", time: MeasuredTime, bar: Bar) -> tuple[str, ...]:
    """What was otherwise while timing: device, number type, the length of the prompts."""
    found = []
    if figure.device is None or _plain(figure.device) not in _plain(time.device):
        found.append(f"measured on {time.device}, published {_stated(figure.device, 'on ', 'without a device')}")
    if figure.dtype is None or _plain(figure.dtype) != _plain(time.dtype):
        found.append(f"measured in {time.dtype}, published {_stated(figure.dtype, 'in ', 'without a number type')}")
    if figure.prompt_tokens is not None and time.prompt_tokens is not None:
        apart = abs(time.prompt_tokens / figure.prompt_tokens - 1)
        if apart > bar.margin:
            found.append(f"prompts of {time.prompt_tokens:.0f} tokens, published with {figure.prompt_tokens}")
    return tuple(found)


def _stated(value: str | None, before: str, missing: str) -> str:
    return missing if value is None else f"{before}{value}"


def _plain(name: str) -> str:
    """A device's or a number type's name without what spellings differ in: bf16, bfloat16; H100 SXM, H100-SXM."""
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("bfloat", "bf"))


def _published(figure: "AccuracyFigure | PassFigure", level: float) -> Estimate | None:
    """The figure with Wilson's interval, the widest that a mean of shares can have; None where n is unstated."""
    if figure.kind == "accuracy":
        known = right_counts(figure)
        return None if known is None else wilson(*known, level)
    return None if figure.n == "unstated" else wilson(figure.value.value * figure.n, figure.n, level)


def _unrounded(figure: "AccuracyFigure | PassFigure") -> tuple[float, float]:
    """The least and the largest share that would be printed like this: for an accuracy, of whole right answers."""
    lowest, highest = figure.value.lowest, min(figure.value.highest, 1.0)
    if figure.kind == "pass_at_k" or figure.n == "unstated":
        return lowest, highest
    slack = 1e-9 * figure.n
    least, most = math.ceil(lowest * figure.n - slack), math.floor(highest * figure.n + slack)
    return (lowest, highest) if least > most else (least / figure.n, most / figure.n)
