"""The claims held against what was measured here, each by an interval: reproduced, contradicted or undecided.

Pairs of systems are compared item by item on the items that both answered. What needs all pairs takes each interval
at 1 - 2 alpha (Berger 1982, Technometrics 24:295); what one pair of m refutes takes it at 1 - 2 alpha / m.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from rimbench.claims.equivalence import Deviation, Standing, decide, reach_of
from rimbench.claims.finding import in_factor, in_points
from rimbench.claims.measured import Key, MeasuredAccuracy, MeasuredFlips, MeasuredTime, Reproduction, relative
from rimbench.claims.pairs import Bar
from rimbench.latency.measured import unfair_conditions
from rimbench.reporting.keys import EstimateParts
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.times import ratio_of_times
from rimbench.statistics.verdict import SMALLEST_N


@dataclass(frozen=True, slots=True)
class MeasuredPair:
    """The difference of two measured accuracies, a less b on the same items, at the level that decides, and what
    it says.
    """

    suite: str
    a: str
    b: str
    difference: Annotated[Estimate, EstimateParts(n="n", value="delta", ci95="interval", method="method")]
    outcome: Standing


@dataclass(frozen=True, slots=True)
class Held:
    """What own measurements say of a claim; `outcome` is None where nothing is judged.

    `value` and `interval` are of the one number that decides, where there is one: a ratio, a share; `margin` is what
    it or the pairs were held to, None where the question is only which side of a bound they lie on.
    """

    ORDER: ClassVar = ("outcome", "reason", "margin")
    outcome: Standing | None
    reason: str
    level: float
    margin: float | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    items_needed: int | None = None
    pairs: tuple[MeasuredPair, ...] = ()


@dataclass(frozen=True, slots=True)
class Measures:
    """What a claim is held against: measured accuracies by cell, flips by system and suite, reproductions by figure,
    and the bars.
    """

    accuracies: Mapping[Key, MeasuredAccuracy]
    flips: Mapping[tuple[str, str], MeasuredFlips]
    reproduced: Mapping[str, Reproduction]
    bar: Bar
    time_bar: Bar


@dataclass(frozen=True, slots=True)
class Relation:
    """What of a difference reproduces, and what contradicts: beyond a bound, or inside a margin."""

    margin: float | None
    bound: float = 0.0
    downward: bool = False

    def outcome(self, lo: float, hi: float) -> Standing:
        """What an interval says of it."""
        if self.margin is not None:
            return decide(lo, hi, self.margin)
        lo, hi = (-hi, -lo) if self.downward else (lo, hi)
        return "reproduced" if lo > self.bound else "contradicted" if hi < self.bound else "undecided"

    def items_needed(self, difference: Estimate) -> int | None:
        """How many would decide it, if the values stay."""
        own = reach_of(difference)
        if own is None:
            return None
        if self.margin is not None:
            return Deviation(difference.value, difference.value, own).items_needed(self.margin)
        room = (-difference.value if self.downward else difference.value) - self.bound
        towards = own.below if (room > 0) != self.downward else own.above
        return None if room == 0 else math.floor(own.n * (towards / room) ** 2) + 1


def hold_pairs(
    wanted: Sequence[tuple[Key, Key]],
    relation: Relation,
    entrants: Mapping[str, set[str]] | None,
    measures: Measures,
) -> Held | None:
    """Pairs of cells against a relation, item by item; `entrants` as in `rimbench.claims.claim`."""
    cells, level = measures.accuracies, measures.bar.level
    there = [(cells[a], cells[b]) for a, b in wanted if a in cells and b in cells]
    if not there:
        return None
    unlike = {f"{_label(run)}: {'; '.join(run.unlike)}" for pair in there for run in pair if run.unlike}
    if unlike:
        return Held(None, f"not judged: {'; '.join(sorted(unlike))}", level, relation.margin)
    pairs = list(_compare(there, relation, level))
    strict = list(_compare(there, relation, 1 - 2 * measures.bar.alpha / len(there)))
    if len(pairs) < len(there):
        return Held(None, "not judged: some runs share no item, or their difference has no interval", level)
    outcome = _joint(entrants, pairs, strict, complete=len(there) == len(wanted))
    open_pairs = [pair for pair in pairs if pair.outcome != "reproduced"]
    needed = None
    if outcome == "undecided" and len(there) == len(wanted):
        counts = [relation.items_needed(pair.difference) for pair in open_pairs]
        needed = None if None in counts else max((n for n in counts if n is not None), default=None)
    reason = _say(outcome, pairs, len(wanted), needed)
    return Held(outcome, reason, level, relation.margin, items_needed=needed, pairs=tuple(pairs))


def _compare(
    there: Sequence[tuple[MeasuredAccuracy, MeasuredAccuracy]], relation: Relation, level: float
) -> Iterator[MeasuredPair]:
    for a, b in there:
        difference = a.outcomes.less(b.outcomes, level)
        if difference is None or difference.lo is None or difference.hi is None:
            continue
        few = difference.n < SMALLEST_N
        outcome: Standing = "undecided" if few else relation.outcome(difference.lo, difference.hi)
        yield MeasuredPair(a.suite, _name(a), _name(b), difference, outcome)


def _joint(
    entrants: Mapping[str, set[str]] | None,
    pairs: Sequence[MeasuredPair],
    strict: Sequence[MeasuredPair],
    *,
    complete: bool,
) -> Standing:
    """All pairs reproduce, or one contradicts; of several systems as one entrant, each of them must be beaten."""
    beaten = [pair for pair in strict if pair.outcome == "contradicted"]
    if entrants is not None:
        lost = any({p.a for p in beaten if p.suite == suite} == systems for suite, systems in entrants.items())
    else:
        lost = bool(beaten)
    if lost:
        return "contradicted"
    return "reproduced" if complete and all(pair.outcome == "reproduced" for pair in pairs) else "undecided"


def _say(outcome: Standing, pairs: Sequence[MeasuredPair], wanted: int, needed: int | None) -> str:
    def told(pair: MeasuredPair) -> str:
        lo, hi = (in_points(end or 0.0, signed=True) for end in (pair.difference.lo, pair.difference.hi))
        value = in_points(pair.difference.value, signed=True)
        return f"{pair.a} less {pair.b} on {pair.suite}: {value} [{lo}, {hi}] points, n = {pair.difference.n:,}"

    marked = [pair for pair in pairs if pair.outcome == outcome] if outcome != "reproduced" else list(pairs)
    shown = "; ".join(map(told, (marked or list(pairs))[:3])) + ("; ..." if len(marked) > 3 else "")
    if len(pairs) < wanted:
        shown += f"; {len(pairs)} of its {wanted} pairs were measured"
    if outcome == "undecided" and len(pairs) == wanted:
        few = [pair for pair in pairs if pair.difference.n < SMALLEST_N]
        if few:
            shown += f"; fewer than {SMALLEST_N} items are too few for a verdict"
        elif needed is not None:
            shown += f"; {needed:,} items would decide it, if the values stay"
    return shown


def hold_share(run: MeasuredAccuracy | MeasuredFlips, relation: Relation, level: float, beside: str) -> Held:
    """The mean of one run against a bound; `beside` says what the bound is."""
    if run.unlike:
        return Held(None, f"not judged: {'; '.join(run.unlike)}", level)
    own = run.outcomes.at(level)
    if own is None or own.lo is None or own.hi is None:
        return Held(None, "not judged: there is no interval", level)
    outcome: Standing = "undecided" if own.n < SMALLEST_N else relation.outcome(own.lo, own.hi)
    told = f"{in_points(own.value)} [{in_points(own.lo)}, {in_points(own.hi)}] %, {beside}"
    needed = relation.items_needed(own) if outcome == "undecided" and own.n >= SMALLEST_N else None
    if needed is not None:
        told += f"; {needed:,} items would decide it, if the values stay"
    elif own.n < SMALLEST_N:
        told += f"; fewer than {SMALLEST_N} items are too few for a verdict"
    return Held(outcome, told, level, None, own.value, (own.lo, own.hi), needed)


def hold_factor(figures: tuple[str, str], printed: tuple[float, float], measures: Measures) -> Held | None:
    """One time over another, as a part of the printed factor."""
    level, margin = measures.time_bar.level, measures.time_bar.margin
    sides = [measures.reproduced.get(name) for name in figures]
    times = [side.measured for side in sides if side is not None and isinstance(side.measured, MeasuredTime)]
    if len(times) < 2:
        return None
    unjudged = [
        f"{name}: {side.reason}"
        for name, side in zip(figures, sides, strict=True)
        if side is not None and side.outcome is None
    ]
    if unjudged:
        return Held(None, "; ".join(unjudged), level, margin)
    if unfair := unfair_conditions(*(time.conditions for time in times)):
        return Held(None, f"not judged: {', '.join(unfair)}", level, margin)
    ratio = _ratio(times[0], times[1], level)
    if ratio is None or ratio.lo is None or ratio.hi is None:
        return Held(None, "not judged: the ratio has no interval", level, margin)
    deviation = relative(ratio, *printed)
    outcome: Standing = "undecided" if ratio.n < SMALLEST_N else decide(deviation.lo, deviation.hi, margin)
    needed = deviation.items_needed(margin) if outcome == "undecided" else None
    told = f"{in_factor(ratio.value)} x [{in_factor(ratio.lo)}, {in_factor(ratio.hi)}], {ratio.method}"
    if needed is not None and ratio.n >= SMALLEST_N:
        told += f"; {needed:,} samples would decide it, if the values stay"
    told += "".join(f"; {name}: {', '.join(t.noises)}" for name, t in zip(figures, times, strict=True) if t.noises)
    return Held(outcome, told, level, margin, ratio.value, (ratio.lo, ratio.hi), needed)


def _ratio(a: MeasuredTime, b: MeasuredTime, level: float) -> Estimate | None:
    """Paired where both took turns in one measurement; else from two intervals, square-and-add of their
    logarithms.
    """
    together = (a.taken, a.batch, a.by_process, len(a.round_s)) == (b.taken, b.batch, b.by_process, len(b.round_s))
    if together and a.taken:
        found = ratio_of_times(a.round_s, b.round_s, a.by_process or (len(a.round_s),), level)
        return replace(found, method=f"rounds in turn, {found.method}")
    of_a, of_b = a.at(level), b.at(level)
    if of_a is None or of_b is None or None in (of_a.lo, of_a.hi, of_b.lo, of_b.hi):
        return None
    logs = [math.log(end) for end in (of_a.value, of_a.lo or 0, of_a.hi or 0, of_b.value, of_b.lo or 0, of_b.hi or 0)]
    value = logs[0] - logs[3]
    lo = value - math.hypot(logs[0] - logs[1], logs[5] - logs[3])
    hi = value + math.hypot(logs[2] - logs[0], logs[3] - logs[4])
    n = min(of_a.n, of_b.n)
    return Estimate(math.exp(value), math.exp(lo), math.exp(hi), n, "two measurements, square-and-add", level)


def _name(run: MeasuredAccuracy) -> str:
    return run.system if run.setting is None else f"{run.system} ({run.setting})"


def _label(run: MeasuredAccuracy) -> str:
    return f"{_name(run)} on {run.suite}"
