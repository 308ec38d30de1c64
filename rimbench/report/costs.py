"""Stored measurements -> what an answer takes, system by system, and how many times as fast one is as another."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rimbench.latency.stored import Measured, Measurement, Quantity, ratio
from rimbench.statistics.estimate import Estimate

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one system's answers took at one batch size: the mean of a batch, and its percentiles, in ms.

    `accuracy` is the greedy one of the same system on the same suite, where a run of it lies beside.
    """

    suite: str
    measured: Measured
    mean: Estimate
    percentiles: Mapping[int, float]
    accuracy: Estimate | None

    @property
    def is_one_pass(self) -> bool:
        """Whether it is the time of one forward pass to the option letters' logits."""
        return self.measured.quantity == "readout" or self.measured.generated_tokens == 0


@dataclass(frozen=True, slots=True)
class Speedup:
    """How many times as long `baseline` took as `system`, on the same items, in turn, all else equal."""

    suite: str
    system: str
    baseline: str
    batch: int
    quantity: Quantity
    ratio: Estimate


def find_costs(
    measurements: Sequence[Measurement], accuracies: Mapping[tuple[str, str], Estimate]
) -> tuple[list[Cost], list[Speedup]]:
    """Costs by suite, batch size, quantity and time, each system's last measurement; speed-ups of each measurement.

    A speed-up is given only where engine, device, dtype and batch size are the same on both sides, and both were
    measured in turn in one measurement: of the answers that users get, the faster against the slower.
    """
    last: dict[tuple[object, ...], tuple[str, Measured]] = {}
    speedups: dict[tuple[object, ...], Speedup] = {}
    for measurement in measurements:
        for row in measurement.rows:
            conditions = (row.engine, row.device, row.dtype, row.batch)
            last[measurement.suite, row.system, row.quantity, conditions] = (measurement.suite, row)
        answers = [row for row in measurement.rows if row.quantity == "answer"]
        for found in (_speedup(measurement.suite, *pair) for pair in itertools.combinations(answers, 2)):
            if found is not None:
                speedups[found.suite, *sorted((found.system, found.baseline)), found.batch] = found
    costs = [
        Cost(suite, row, row.mean, {p: row.percentile(p) for p in PERCENTILES}, accuracies.get((row.system, suite)))
        for suite, row in last.values()
    ]
    costs.sort(key=lambda c: (c.suite, c.measured.batch, c.measured.quantity, c.mean.value))
    ordered = sorted(speedups.values(), key=lambda s: (s.suite, s.batch, s.system, -s.ratio.value))
    return costs, ordered


def _speedup(suite: str, a: Measured, b: Measured) -> Speedup | None:
    if a.system == b.system or any(
        getattr(a, name) != getattr(b, name) for name in ("engine", "device", "dtype", "batch")
    ):
        return None
    fast, slow = sorted((a, b), key=lambda row: sum(row.samples_ms))
    return Speedup(suite, fast.system, slow.system, fast.batch, "answer", ratio(slow, fast))
