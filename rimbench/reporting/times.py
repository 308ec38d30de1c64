"""What answers take, as the values of the document: times, their conditions, one against another, by batch size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from rimbench.latency.measured import Quantity
from rimbench.reporting.keys import HIDDEN, SPREAD, EstimateParts, Span
from rimbench.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Flips:
    """Of the items that were answered both alone and in a batch, how many got another letter."""

    changed: int
    n: int


@dataclass(frozen=True, slots=True)
class Times:
    """The mean time of a batch in ms, and its percentiles: None where there are too few samples for one."""

    mean: float
    p50: float | None
    p95: float | None
    p99: float | None
    ci95: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeConditions:
    """What else is known of a time: tokens, passes, throughput, what was answered, and what disturbed it.

    `accuracy` is the greedy one of a complete run of the same system on the same items, where one lies beside;
    `flips` are those against batch 1; `cost_per_1000` is what 1,000 questions cost at the price that was stated,
    `joules_per_1000` the energy that they take.
    """

    per_sample_ms: float
    prompt_tokens: float | None
    generated_tokens: float
    floor_ms: float | None
    passes: float | None
    prefill_ms: float | None
    decode_ms: float | None
    tokens_per_s: float | None
    questions_per_s: float | None
    floor_share: float | None
    launch_bound: bool | None
    truncated: float
    accuracy: Annotated[Estimate | None, EstimateParts(value="accuracy")]
    timed_right: int | None
    timed_items: int | None
    no_letter: int | None
    ties: int | None
    flips: Flips | None
    load_s: float | None
    compile_s: float | None
    first_ms: float
    warm_up_ms: tuple[float, ...]
    peak_bytes: int | None
    cached_tokens: int | None
    cost_per_1000: float | None
    joules_per_1000: float | None
    load_average: float | None
    drift: float | None
    unstable: bool
    noise: tuple[str, ...]
    graphs: str | None
    timed_greedy_accuracy: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What one system's answers took at one batch size, of one quantity: `n` samples of so many processes."""

    ms: Times
    conditions: TimeConditions
    quantity: Quantity
    system: str
    label: str
    departures: Mapping[str, Sequence[Any]]
    suite: str
    engine: str
    device: str
    dtype: str
    batch: int
    n: int
    processes: int
    threads: int | None

    @property
    def is_one_pass(self) -> bool:
        """Whether it is the time of one forward pass to the option letters' logits."""
        return self.quantity == "readout" or self.conditions.generated_tokens == 0


@dataclass(frozen=True, slots=True)
class QuantityCost:
    """One quantity of an entry of `latency`."""

    ms: Times
    conditions: Annotated[tuple[TimeConditions], SPREAD]


@dataclass(frozen=True, slots=True)
class LatencyEntry:
    """One system, engine, device and batch size; a readout's answer is its one pass.

    The figures beside the quantities are those of the answer; `quantities` has those of each.
    """

    ORDER: ClassVar = (
        *("system", "engine", "device", "batch", "n", "answer_ms", "readout_ms", "per_sample_ms", "prompt_tokens"),
        *("generated_tokens", "floor_ms", "letter_ms", "readout_floor_ms", "suite", "dtype", "passes", "prefill_ms"),
        *("decode_ms", "tokens_per_s", "questions_per_s", "floor_share", "launch_bound", "truncated", "accuracy"),
        *("timed_right", "timed_items", "no_letter", "ties", "flips", "load_s", "compile_s", "first_ms"),
        *("warm_up_ms", "peak_bytes", "cached_tokens", "cost_per_1000", "load_average", "drift", "unstable", "noise"),
        *("threads", "graphs", "timed_greedy_accuracy", "label", "departures", "quantities", "processes"),
        "joules_per_1000",
    )
    system: str
    engine: str
    device: str
    batch: int
    n: int
    answer_ms: Times | None
    readout_ms: Times | None
    letter_ms: Times | None
    readout_floor_ms: float | None
    suite: str
    dtype: str
    processes: int
    threads: int | None
    label: str
    departures: Mapping[str, Sequence[Any]]
    quantities: Mapping[str, QuantityCost]
    conditions: Annotated[tuple[TimeConditions], SPREAD]


@dataclass(frozen=True, slots=True)
class Speedup:
    """How many times as long `baseline` took as `system`, both as labelled, on the same items, all else equal.

    `unfair` names what else differs, where that was asked for. `allowed_by_passes` is the ratio that the counts of
    forward passes allow, each pass of the slower over a prompt no longer than the faster's, None where they are not
    known; `above_passes` says whether the ratio is above that beyond its interval: the rest is not the method's.
    `noise` is what makes the times of either side doubtful, as "label: what".
    `engines` are the system's and the baseline's.
    """

    system: str
    baseline: str
    batch: int
    quantity: Quantity
    ratio: Annotated[Estimate, EstimateParts(value="ratio", ci95="ci95")]
    engines: tuple[str, str]
    unfair: tuple[str, ...]
    allowed_by_passes: float | None
    above_passes: bool
    suite: str
    noise: tuple[str, ...]

    def sides(self, *, with_engines: bool) -> tuple[str, str]:
        """The two systems as a person reads them, each with its engine where several were timed."""
        names = (self.system, self.baseline)
        if not with_engines:
            return names
        one, other = (f"{name} ({engine})" for name, engine in zip(names, self.engines, strict=True))
        return one, other


@dataclass(frozen=True, slots=True)
class Saturation:
    """Questions a second of one system by batch size, and the smallest batch that is hardly beaten.

    `saturated_at` is None where that is the largest one measured: a larger one may give more.
    """

    suite: str
    system: str
    answer_by: str
    questions_per_s: Mapping[int, float]
    saturated_at: int | None


@dataclass(frozen=True, slots=True)
class Timings:
    """What answers take: by system and batch size, one against another, and by batch size."""

    latency: tuple[LatencyEntry, ...]
    speedups: tuple[Speedup, ...]
    saturation: tuple[Saturation, ...]
    costs: Annotated[tuple[Cost, ...], HIDDEN]
