"""Label mass: the mean probability that the whole vocabulary leaves to the option letters where they are read.

Its column stands in the table of calibration: both are of readouts.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from rimbench.records import Item
from rimbench.reporting.metrics import Metric
from rimbench.reporting.reading import RunData


@dataclass(frozen=True, slots=True)
class LabelMass:
    """None where it is unknown."""

    label_mass: float | None


def _measure(run: RunData, items: Sequence[Item]) -> LabelMass:
    """The label mass of a run's greedy answers."""
    found = [] if run.by_draws else run.greedy.columns(items).masses.tolist()
    known = [mass for mass in found if not math.isnan(mass)]
    return LabelMass(fmean(known) if known else None)


METRIC = Metric(11, LabelMass, _measure, asdict)
