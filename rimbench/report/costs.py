"""Stored measurements -> what an answer takes, system by system, and how many times as fast one is as another."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rimbench.latency.stored import Measured, Measurement, Quantity, ratio
from rimbench.report.cells import Cell
from rimbench.report.variants import is_plain
from rimbench.statistics.estimate import Estimate

PERCENTILES = (50, 95, 99)
ALIKE = ("engine", "device", "dtype", "launches", "batch")
"""What must be the same on both sides of a speed-up, beside the items."""
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Flips:
    """Of the items that were answered both alone and in a batch, how many got another letter."""

    changed: int
    n: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What one system's answers took at one batch size: the mean of a batch, and its percentiles, in ms.

    A percentile is None where there are too few samples for it. `accuracy` is the greedy one of a complete run of the
    same system on the same items, where one lies beside. `flips` are those against batch 1; `per_1000` is what 1,000
    questions cost, in the money of the price that was stated; `threads` are those that the process computed with.
    """

    suite: str
    measured: Measured
    mean: Estimate
    percentiles: Mapping[int, float | None]
    accuracy: Estimate | None
    flips: Flips | None = None
    per_1000: float | None = None
    threads: int | None = None

    @property
    def is_one_pass(self) -> bool:
        """Whether it is the time of one forward pass to the option letters' logits."""
        return self.measured.quantity == "readout" or self.measured.generated_tokens == 0


@dataclass(frozen=True, slots=True)
class Speedup:
    """How many times as long `baseline` took as `system`, both as labelled, on the same items, all else equal.

    `unfair` names what else differs, where that was asked for. `allowed` is the ratio that the counts of forward
    passes allow, each pass of the slower over a prompt no longer than the faster's; None where they are not known.
    `engines` are the system's and the baseline's.
    """

    suite: str
    system: str
    baseline: str
    batch: int
    quantity: Quantity
    ratio: Estimate
    engines: tuple[str, str]
    unfair: tuple[str, ...] = ()
    allowed: float | None = None

    def sides(self, *, with_engines: bool) -> tuple[str, str]:
        """The two systems as a person reads them, each with its engine where several were timed."""
        names = (self.system, self.baseline)
        if not with_engines:
            return names
        one, other = (f"{name} ({engine})" for name, engine in zip(names, self.engines, strict=True))
        return one, other

    @property
    def is_too_fast(self) -> bool:
        """Whether it is above what the passes allow, beyond its interval: the rest is not the method's."""
        return self.allowed is not None and (self.ratio.lo or self.ratio.value) > self.allowed


def accuracies_beside(cells: Sequence[Cell]) -> dict[tuple[str, str], Estimate]:
    """The greedy accuracies of complete cells, by what was asked and suite; for times of earlier builds by system."""
    whole = [cell for cell in cells if not cell.partial and cell.greedy_accuracy is not None]
    found: dict[tuple[str, str], Estimate] = {}
    for cell in whole:
        assert cell.greedy_accuracy is not None
        found[cell.manifest.identity.asked_sha256, cell.manifest.suite] = cell.greedy_accuracy
        if is_plain(cell.manifest):
            found[cell.manifest.system, cell.manifest.suite] = cell.greedy_accuracy
    return found


def find_costs(
    measurements: Sequence[Measurement],
    accuracies: Mapping[tuple[str, str], Estimate],
    *,
    allow_unfair: bool = False,
) -> tuple[list[Cost], list[Speedup]]:
    """Costs by suite, batch size, quantity and time, each system's last measurement; speed-ups of each measurement.

    A speed-up is given only where quantity, engine, device, dtype, launches and batch size are the same on both sides
    (all but quantity and batch size may differ, labelled, with `allow_unfair`), and both were measured in turn in one
    measurement: the faster against the slower.
    """
    last: dict[tuple[object, ...], Cost] = {}
    speedups: dict[tuple[object, ...], Speedup] = {}
    for measurement in measurements:
        for row in measurement.rows:
            key = (measurement.suite, row.label, row.quantity, *_conditions(row))
            last[key] = _cost(measurement, row, accuracies)
        for pair in _pairs(measurement):
            found = _speedup(measurement.suite, *pair)
            if not found.unfair or allow_unfair:
                sides = sorted(zip((found.system, found.baseline), found.engines, strict=True))
                speedups[found.suite, *sides, found.batch, found.quantity] = found
    costs = sorted(last.values(), key=lambda c: (c.suite, c.measured.batch, c.measured.quantity, c.mean.value))
    ordered = sorted(
        speedups.values(), key=lambda s: (s.suite, s.batch, s.quantity, s.system, s.engines, -s.ratio.value)
    )
    return costs, ordered


def refused(measurement: Measurement) -> list[str]:
    """A sentence for each pair of one measurement that is not compared, with what differs."""
    found = (_speedup(measurement.suite, *pair) for pair in _pairs(measurement))
    return [
        f"not compared: {' and '.join(s.sides(with_engines=s.engines[0] != s.engines[1]))}, {s.quantity} at batch "
        f"{s.batch}: "
        f"{', '.join(s.unfair)}; --allow-unfair labels it instead"
        for s in found
        if s.unfair
    ]


def _pairs(measurement: Measurement) -> list[tuple[Measured, Measured]]:
    """One quantity of two systems or engines, measured in the same rounds: at one batch size, sample by sample."""
    pairs = [
        (a, b)
        for a, b in itertools.combinations(measurement.rows, 2)
        if (a.batch, a.quantity) == (b.batch, b.quantity) and len(a.samples_ms) == len(b.samples_ms) > 1
    ]
    return [(a, b) for a, b in pairs if (a.label, *_conditions(a)) != (b.label, *_conditions(b))]


def _conditions(row: Measured) -> tuple[object, ...]:
    return row.engine, row.device, row.dtype, row.setting.graphs if row.setting else None, row.batch


def _cost(measurement: Measurement, row: Measured, accuracies: Mapping[tuple[str, str], Estimate]) -> Cost:
    price = measurement.price_per_hour
    return Cost(
        measurement.suite,
        row,
        row.mean,
        {p: row.percentile(p) for p in PERCENTILES},
        accuracies.get((row.asked_sha256 or row.label, measurement.suite)),
        _flips(measurement, row),
        None if price is None or row.quantity == "letter" else 1000 * price / SECONDS_AN_HOUR / row.questions_per_s,
        measurement.device.get("threads"),
    )


def _flips(measurement: Measurement, row: Measured) -> Flips | None:
    for other in measurement.rows:
        alone = replace(other, batch=row.batch)
        same = (other.label, other.quantity, *_conditions(alone)) == (row.label, row.quantity, *_conditions(row))
        if same and other.batch == 1 < row.batch and other.told and row.told:
            shared = other.told.letters.keys() & row.told.letters.keys()
            changed = sum(other.told.letters[key] != row.told.letters[key] for key in shared)
            return Flips(changed, len(shared))
    return None


def _speedup(suite: str, a: Measured, b: Measured) -> Speedup:
    fast, slow = sorted((a, b), key=lambda row: sum(row.samples_ms))
    sides = zip(ALIKE, _conditions(fast), _conditions(slow), strict=True)
    unfair = tuple(f"{name} {x} against {y}" for name, x, y in sides if x != y)
    allowed = None
    if fast.passes and slow.passes:
        longer = max(1.0, slow.prompt_tokens / fast.prompt_tokens)
        allowed = longer * slow.passes.count / fast.passes.count
    engines = (fast.engine, slow.engine)
    times = ratio(slow, fast)
    return Speedup(suite, fast.label, slow.label, fast.batch, fast.quantity, times, engines, unfair, allowed)
