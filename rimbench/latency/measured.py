"""What was measured, as typed values: every raw sample with what it depends on, and the figures made of them."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import PlainValidator

from rimbench.statistics.estimate import Estimate
from rimbench.statistics.times import mean_time, ratio_of_times
from rimbench.store import Identity, ModelSource, identity_of
from rimbench.systems.departures import label

Quantity = Literal["answer", "letter", "readout"]
NOISY = 0.1
"""A drift, or a relative spread of the middle half, beyond which a measurement is marked as noisy."""
BUSY = 1.0
"""A load average as measuring begins from which other work is taken to disturb it."""
STOLEN = 0.02
"""A share of the processors' time taken by other machines of the same host that is worth a word."""
UNSTABLE = 0.05
"""Half the 95% interval over the mean from which a mean is called unstable: it was not known by the limit."""
LAUNCH_BOUND = 3.0
"""Times its floor from which a pass may be waiting for launches, where a decode step is as slow as a prefill too."""
AS_SLOW = 0.8
"""A decode step over a prefill from which the two count as equally slow."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered while timing: the last letter told for each item (None: none), how many of these are right
    (None for questions without meaning), and how many answers had two letters tied for the best.
    """

    letters: Mapping[str, str | None]
    right: int | None
    ties: int

    @property
    def greedy_accuracy(self) -> float | None:
        """The greedy accuracy of the timed items, which is no run's."""
        return None if self.right is None or not self.letters else self.right / len(self.letters)


@dataclass(frozen=True, slots=True)
class Passes:
    """Forward passes of a batch, the mean ms of the first (prefill) and of each further one (decode), and how long
    each of the two, and all passes together (`floor_ms`), must take at the least, where device and shape are known.
    """

    count: float
    prefill_ms: float | None = None
    decode_ms: float | None = None
    prefill_floor_ms: float | None = None
    decode_floor_ms: float | None = None
    floor_ms: float | None = None

    @property
    def launch_bound(self) -> bool | None:
        """Whether a decode step is as slow as a prefill and both take several times their floor; None: unknown."""
        times = (self.prefill_ms, self.decode_ms, self.prefill_floor_ms, self.decode_floor_ms)
        if any(time is None for time in times):
            return None
        prefill, decode, prefill_floor, decode_floor = (time or 0.0 for time in times)
        slow = prefill >= LAUNCH_BOUND * prefill_floor and decode >= LAUNCH_BOUND * decode_floor
        return decode >= AS_SLOW * prefill and slow


@dataclass(frozen=True, slots=True)
class Setting:
    """What else a time depends on: launches (`eager` or `graphs`), seconds of loading and compiling before the first
    call, memory in bytes that the loaded model and one call took at their peak, and what disturbed the machine.

    `stolen` is the share of processor time that other machines took, `throttled` how often a clock was lowered,
    `path` whose arithmetic ran (`rimbench.engines.Conditions`), `joules` the energy of a batch.
    """

    graphs: str
    load_s: float | None = None
    compile_s: float | None = None
    peak_bytes: int | None = None
    cached_tokens: int | None = None
    settled: bool = True
    load_after: float | None = None
    stolen: float | None = None
    throttled: int | None = None
    path: str | None = None
    joules: float | None = None


@dataclass(frozen=True, slots=True)
class Rounds:
    """How samples were taken: how many by each worker process, in their order, and each one's place among the calls
    of its round (none for times to the letter, which are read from the answers'), in the order drawn by `seed`.

    `lost` is the number of processes that ended before they had a time to give.
    """

    by_process: tuple[int, ...]
    places: tuple[int, ...]
    seed: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """What was timed: the identity of the run that its answers would belong to, and where its weights come from."""

    identity: Annotated[Identity, PlainValidator(identity_of)]
    model_source: ModelSource


@dataclass(frozen=True, slots=True)
class Measured:
    """One system, quantity and batch size: times in ms a batch, and the tokens of one sample's batch per question.

    A sample of the quantity `letter` is the mean over its batch's questions of the time until each one's letter.
    `prompt_tokens` is None where they are a server's own, which does not count them.
    `samples_ms` are all raw times in the order in which they were taken; `load` is the machine's load average as
    measuring began. `first_ms` is the first process's, `warm_up_ms` has those of all. `subject` is None in
    measurements of earlier versions. `departures` are those of the system from its own file, `asked_sha256` that of a
    run with the same questions (`rimbench.records`). What has a default is that in measurements of earlier versions.
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
    prompt_tokens: float | None
    generated_tokens: float
    truncated: float
    load: float | None
    told: Told | None = None
    passes: Passes | None = None
    setting: Setting | None = None
    subject: Subject | None = None
    departures: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    asked_sha256: str | None = None
    rounds: Rounds | None = None

    @property
    def label(self) -> str:
        """The name under which it is shown: the system's, with what it departs in."""
        return label(self.system, self.departures)

    @property
    def conditions(self) -> dict[str, object]:
        """By name, what must be the same on both sides of a comparison, beside the items."""
        launches, path = (self.setting.graphs, self.setting.path) if self.setting else (None, None)
        return {
            "engine": self.engine,
            "device": self.device,
            "dtype": self.dtype,
            "launches": launches,
            "path": path,
            "batch": self.batch,
        }

    @property
    def taken(self) -> tuple[int, ...]:
        """How many of the samples each process took, in their order; in earlier versions one took them all."""
        return self.rounds.by_process if self.rounds else (len(self.samples_ms),)

    @property
    def mean(self) -> Estimate:
        """Mean time of a batch in ms, with its interval."""
        return mean_time(self.samples_ms, self.taken)

    def percentile(self, percent: float) -> float | None:
        """A percentile of the time of a batch, in ms; None where fewer samples than one are to be beyond it.

        p99 takes 100 samples, p95 takes 20: of fewer it would be the largest sample under another name.
        """
        enough = 100 / min(percent, 100 - percent)
        return float(np.percentile(self.samples_ms, percent)) if len(self.samples_ms) >= enough else None

    @property
    def per_question_ms(self) -> float:
        """The mean time of a batch over its questions; to the letter, a question's own."""
        return statistics.fmean(self.samples_ms) / (1 if self.quantity == "letter" else self.batch)

    @property
    def drift(self) -> float:
        """How much slower the second half of the samples was than the first: 0.1 is a tenth."""
        half = len(self.samples_ms) // 2
        return statistics.median(self.samples_ms[half:]) / statistics.median(self.samples_ms[:half]) - 1

    @property
    def questions_per_s(self) -> float:
        """Questions answered a second; times to the letter overlap in a batch, and give no rate beyond batch 1."""
        return 1000 * self.batch / statistics.fmean(self.samples_ms)

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens generated a second, all questions of a batch together; None where nothing is generated."""
        return self.generated_tokens * self.questions_per_s if self.generated_tokens else None

    @property
    def floor_share(self) -> float | None:
        """The least time that the hardware allows over the time taken; None where it is not known."""
        floor = self.passes.floor_ms if self.passes else None
        return None if floor is None else floor / statistics.fmean(self.samples_ms)

    @property
    def unstable(self) -> bool:
        """Whether the mean is not known well enough, or warm-up never settled."""
        mean = self.mean
        reach = 0.0 if mean.lo is None or mean.hi is None else (mean.hi - mean.lo) / 2
        return reach > UNSTABLE * mean.value or (self.setting is not None and not self.setting.settled)

    @property
    def noises(self) -> list[str]:
        """What makes these times doubtful; nothing for quiet ones."""
        found = []
        low, middle, high = np.percentile(self.samples_ms, (25, 50, 75))
        spread = float((high - low) / middle)
        if spread > NOISY:
            found.append(f"spread {spread:.0%}")
        if len(self.samples_ms) > 1 and abs(self.drift) > NOISY:
            found.append(f"drift {self.drift:+.0%}")
        if self.load is not None and self.load >= BUSY:
            found.append(f"load {self.load:.1f}")
        if self.setting is not None and (self.setting.stolen or 0) > STOLEN:
            found.append(f"stolen {self.setting.stolen:.0%}")
        if self.setting is not None and self.setting.throttled:
            found.append(f"throttled {self.setting.throttled} times")
        if found:
            found[0] = f"noisy: {found[0]}"
        return ["unstable", *found] if self.unstable else found


@dataclass(frozen=True, slots=True)
class Measurement:
    """Systems measured in turn on the same items of a suite, at one batch size or several; where, when, with what.

    `price_per_hour` is what a user said that the machine costs.
    """

    suite: str
    measured_at: str
    commit: str | None
    dirty: bool | None
    device: Mapping[str, Any]
    versions: Mapping[str, str]
    rows: tuple[Measured, ...]
    price_per_hour: float | None = None


def ratio(slower: Measured, faster: Measured) -> Estimate:
    """How many times as long one takes as the other, over rounds taken in turn: a ratio of means."""
    return ratio_of_times(slower.samples_ms, faster.samples_ms, slower.taken)


def unfair_conditions(ours: Mapping[str, object], theirs: Mapping[str, object]) -> tuple[str, ...]:
    """What makes a ratio of two times unfair: the conditions that differ, each by its name and both values."""
    return tuple(f"{name} {own} against {theirs[name]}" for name, own in ours.items() if own != theirs[name])


def noises_of(rows: Iterable[Measured]) -> tuple[str, ...]:
    """What makes the times of any of these doubtful, each by its label."""
    return tuple(f"{row.label}: {', '.join(row.noises)}" for row in rows if row.noises)
