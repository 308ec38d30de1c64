"""Measured times as they are kept, every raw sample in `results/latency-<hash>/latency.json`, and what is read there.

Nothing here runs a model: a report reads these files as it reads records.
"""

import dataclasses
import hashlib
import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rimbench.errors import DataError
from rimbench.statistics.bootstrap import Units, bca_interval
from rimbench.statistics.estimate import Estimate, bootstrap_mean

Quantity = Literal["answer", "readout"]
SCHEMA = 1
NOISY = 0.1
"""A drift, or a relative spread of the middle half, beyond which a measurement is marked as noisy."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One system, quantity and batch size: times in ms a batch, and the tokens of one sample's batch per question.

    `samples_ms` are all raw times in the order in which they were taken; `load` is the machine's load average as
    measuring began.
    """

    system: str
    quantity: Quantity
    engine: str
    device: str
    dtype: str
    batch: int
    samples_ms: tuple[float, ...]
    first_ms: float
    warm_up_ms: tuple[float, ...]
    prompt_tokens: float
    generated_tokens: float
    truncated: float
    load: float | None

    @property
    def mean(self) -> Estimate:
        """Mean time of a batch in ms, with its bootstrap interval."""
        estimate = bootstrap_mean(self.samples_ms)
        assert estimate is not None
        return estimate

    def percentile(self, percent: float) -> float:
        """A percentile of the time of a batch, in ms."""
        return float(np.percentile(self.samples_ms, percent))

    @property
    def per_question_ms(self) -> float:
        """The mean time of a batch over its questions."""
        return statistics.fmean(self.samples_ms) / self.batch

    @property
    def drift(self) -> float:
        """How much slower the second half of the samples was than the first: 0.1 is a tenth."""
        half = len(self.samples_ms) // 2
        return statistics.median(self.samples_ms[half:]) / statistics.median(self.samples_ms[:half]) - 1

    @property
    def noises(self) -> list[str]:
        """What makes these times doubtful; nothing for quiet ones."""
        found = []
        spread = (self.percentile(75) - self.percentile(25)) / self.percentile(50)
        if spread > NOISY:
            found.append(f"spread {spread:.0%}")
        if abs(self.drift) > NOISY:
            found.append(f"drift {self.drift:+.0%}")
        return found


@dataclass(frozen=True, slots=True)
class Measurement:
    """Systems measured in turn on the same items of a suite, at one batch size or several; where, when, with what."""

    suite: str
    measured_at: str
    commit: str | None
    dirty: bool | None
    device: Mapping[str, Any]
    versions: Mapping[str, str]
    rows: tuple[Measured, ...]


def ratio(slower: Measured, faster: Measured) -> Estimate:
    """How many times as long one takes as the other, over rounds taken in turn: a ratio of means, with a paired
    bootstrap interval.
    """
    # A mean of `sums` over `sizes`: units are rounds, so that both sides of a round are drawn together.
    units = Units(np.array(slower.samples_ms), np.array(faster.samples_ms))
    interval = bca_interval(units)
    value = sum(slower.samples_ms) / sum(faster.samples_ms)
    lo, hi = interval or (None, None)
    return Estimate(value, lo, hi, len(slower.samples_ms), "paired BCa bootstrap of the ratio of means", seed=0)


def keep(measurement: Measurement, results: Path) -> Path:
    """Write what was measured into the results folder; nothing there is overwritten."""
    text = json.dumps({"schema": SCHEMA, **dataclasses.asdict(measurement)}, indent=1)
    path = results / f"latency-{hashlib.sha256(text.encode()).hexdigest()[:10]}" / "latency.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def read_measurements(results: Path) -> list[Measurement]:
    """Every measurement of a results folder, the oldest first; DataError names a file that is none."""
    from pydantic import TypeAdapter, ValidationError  # slow to import

    adapter = TypeAdapter(Measurement)
    found = []
    for path in sorted(results.glob("latency-*/latency.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
                raise ValueError(f"expected an object of schema {SCHEMA}")
            found.append(adapter.validate_python(document, extra="forbid"))
        except (OSError, ValueError, ValidationError) as error:
            fault = str(error).splitlines()[0]
            raise DataError(
                f"{path} is no measurement of this version ({fault}): measure again, and delete it"
            ) from error
    return sorted(found, key=lambda measurement: measurement.measured_at)
