"""The one result document: every figure of a report as a typed value, worked out once.

Tables, JSON, CSV, LaTeX, the page, plots and the model index show what stands here, and work out nothing. The fields
are the keys of the JSON, a published format (`docs/report.schema.json`), but for those that are `hidden`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from rimbench.records import InterventionKind
from rimbench.reporting.adaptive import AdaptiveMemory
from rimbench.reporting.breakdown import Breakdown, PairBreakdown
from rimbench.reporting.families import Family
from rimbench.reporting.keys import HIDDEN, SPREAD, EstimateParts, Span, as_value
from rimbench.reporting.reading import RunData
from rimbench.reporting.rotations import Rotations
from rimbench.reporting.times import Timings
from rimbench.reporting.trust import Carried
from rimbench.reporting.variants import Origin
from rimbench.statistics.estimate import Estimate, LetterBaseline
from rimbench.statistics.verdict import Verdict
from rimbench.store import Manifest
from rimbench.suites.controls import Controls

SCHEMA: Literal[1] = 1
"""Goes up when a key changes its meaning; one may be added without."""
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class OneLetter:
    """The most frequent gold letter, and what whoever always gives it has."""

    letter: str
    accuracy: float


def one_letter(found: LetterBaseline | None) -> OneLetter | None:
    """The same without its interval, which nobody is shown."""
    return None if found is None else OneLetter(found.letter, found.accuracy.value)


@dataclass(frozen=True, slots=True, eq=False)
class CellResult:
    """One run, summed up, under the `label` by which every table shows it.

    `n` counts the items answered, of `n_asked`; `partial` says whether answers are missing that the run was asked
    for; `k_sweep` is the accuracy by memory budget of a sweep of the same. `figures` has a value of each metric.
    """

    ORDER: ClassVar = (
        *("run", "system", "suite", "n", "greedy_accuracy", "ci95", "method", "pass_at_k", "maj_at_k", "statuses"),
        *("ece", "label_mass", "k_sweep", "headline", "mean_over_draws", "label", "departures", "controls"),
        *("n_asked", "partial", "samples_asked", "bca_ci95", "guess", "one_letter", "maj_at_k_ci95", "given_ok"),
        *("letters", "calibration", "origin"),
    )
    run: str
    system: str
    suite: str
    n: int
    k_sweep: Mapping[str, float | None] | None
    label: str
    departures: Mapping[str, Sequence[Any]]
    controls: Controls
    n_asked: int
    partial: bool
    samples_asked: int
    origin: Origin
    figures: Annotated[tuple[Any, ...], SPREAD]
    data: Annotated[RunData, HIDDEN]
    shown_suite: Annotated[str, HIDDEN]
    name: Annotated[str, HIDDEN]

    @property
    def manifest(self) -> Manifest:
        """What the answers were made with."""
        return self.data.manifest

    def metric(self, kind: type[M]) -> M:
        """The figures of one metric, by their type."""
        return next(found for found in self.figures if isinstance(found, kind))


def say_verdict(verdict: Verdict | None, reason: str) -> str:
    """The verdict in a word, or why there is none."""
    if verdict is not None:
        return verdict
    return "partial" if reason.startswith("partial") else "too few items"


@dataclass(frozen=True, slots=True)
class WithinMargin:
    """Whether a difference is shown to be smaller than the margin: its `interval` at `level` lies within."""

    shown: bool
    margin: float
    level: float
    interval: Span | None
    p_value: float | None
    method: str


@dataclass(frozen=True, slots=True)
class PassDifference:
    """pass@k compared where both have as many draws; not part of the family."""

    k: int
    difference: Annotated[Estimate, EstimateParts(value="value", ci95="ci95", n="n", method="method")]
    p_value: float
    test: str


@dataclass(frozen=True, slots=True)
class Pair:
    """`a` against `b` on one suite, a minus b, judged within their family: labels, the baseline second.

    `n` counts the items that both have answered, of `n_asked`; `runs` are theirs; `table` is [[both right, A only],
    [B only, both wrong]]; `detectable` is the smallest difference that the test finds here with a power of 80%;
    `n_deciding` the items that would decide an undecided pair as often, were it as it looks.
    """

    suite: str
    a: str
    b: str
    n: int
    difference: Annotated[Estimate, EstimateParts(value="delta", ci95="ci95")]
    p_value: float
    p_adjusted: float
    verdict: Verdict | None
    table: tuple[tuple[int, int], tuple[int, int]] | None
    n_asked: int
    reason: str
    family: Family
    runs: tuple[str, str]
    suite_file: str | None
    method: str
    test: str
    units: int
    mid_p: float | None
    bootstrap: Estimate | None
    effect: Estimate | None
    detectable: float | None
    n_deciding: int | None
    equivalence: WithinMargin
    pass_at_k: PassDifference | None
    shown_suite: Annotated[str, HIDDEN]

    @property
    def said(self) -> str:
        """The verdict in words, or why there is none."""
        return say_verdict(self.verdict, self.reason)


@dataclass(frozen=True, slots=True)
class SystemSummary:
    """A system among the others on one suite, by accuracy: `difference` is against the suite's baseline, `answer_ms`
    what an answer takes at batch 1, `verdicts` those against each system in turn; None against itself.
    """

    label: str
    run: str
    n: int
    n_asked: int
    accuracy: Estimate | None
    pass_at_k: Estimate | None
    answer_ms: float | None
    ece: float | None
    difference: Estimate | None
    verdicts: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the verdict, and the question that it answers."""

    about: Literal["best", "memory", "cost", "distrust"]
    text: str


@dataclass(frozen=True, slots=True)
class SuiteSummary:
    """What a reader wants first of a suite: `sentences`, the systems by accuracy, and every pair of them.

    `baseline` is the system that the others are held against here, `k` that of pass@k.
    """

    suite: str
    n_asked: int
    baseline: str | None
    k: int | None
    sentences: tuple[Sentence, ...]
    systems: tuple[SystemSummary, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """How much of a system's accuracy is lost from its in-distribution suite to another: unpaired items, whose counts
    are of both suites in that order.
    """

    system: str
    inside: str
    outside: str
    difference: Annotated[Estimate, EstimateParts(value="delta", ci95="ci95", method="method")]
    n: tuple[int, int]
    n_asked: tuple[int, int]


@dataclass(frozen=True, slots=True)
class OrderEffect:
    """What happens to a system's answers when the options change places: runs in different orders.

    Every run has answered at least `n` items. `mean_accuracy` is averaged over the orders. Of the `moved` answers,
    whose option stood under another letter in the other order, `follow_text` is the share that chose the same option
    again and `follow_letter` the same letter.
    """

    suite: str
    system: str
    n: int
    n_asked: int
    orders: int
    mean_accuracy: float
    moved: int
    follow_text: float | None
    follow_letter: float | None


@dataclass(frozen=True, slots=True)
class Budget:
    """The accuracy at `k` memory blocks, and how the answers differ from those at k - 1 (None for k = 0).

    `to_right` and `to_wrong` are the changed answers that became right, or wrong; the rest stayed wrong.
    """

    k: int
    accuracy: Annotated[Estimate | None, EstimateParts(value="accuracy", ci95="ci95", method="method")]
    failed: int
    changed: int | None
    to_right: int | None
    to_wrong: int | None


@dataclass(frozen=True, slots=True)
class MemoryWorth:
    """The largest memory budget against none, item by item."""

    k: int
    difference: Annotated[Estimate, EstimateParts(value="delta", ci95="ci95", method="method")]
    p_value: float
    test: str


@dataclass(frozen=True, slots=True)
class BudgetSweep:
    """Every memory budget over the same `n` items, k = 0 first."""

    schema: Literal[1]
    system: str
    suite: str
    n: int
    budgets: tuple[Budget, ...]
    memory: MemoryWorth | None
    label: str
    departures: Mapping[str, Sequence[Any]]
    suite_file: str | None
    n_asked: int
    guess: float | None
    one_letter: OneLetter | None
    adaptive: AdaptiveMemory | None
    shown_suite: Annotated[str, HIDDEN]
    asked: Annotated[tuple[str, ...], HIDDEN]


@dataclass(frozen=True, slots=True)
class Follows:
    """Whom the answers to items follow that were given another item's memory, as shares: its donor's gold letter,
    that of the question, or neither. The two letters differ on every item.
    """

    donor: float
    question: float
    neither: float


@dataclass(frozen=True, slots=True)
class Effect:
    """One intervention on the memory against the intact run, item by item, judged within its ablation.

    `intervention` is its name, `block` the one that it hides; `difference` is intervened minus intact; `changed`
    counts the answers that became others. `follows` is a transplant's.
    """

    intervention: str
    kind: InterventionKind
    block: int | None
    run: str
    n: int
    accuracy: Annotated[Estimate, EstimateParts(value="accuracy", ci95="ci95")]
    difference: Annotated[Estimate, EstimateParts(value="delta", ci95="delta_ci95", method="method")]
    p_value: float
    p_adjusted: float
    test: str
    verdict: Verdict | None
    reason: str
    changed: int
    follows: Follows | None

    @property
    def said(self) -> str:
        """The verdict in words, or why there is none."""
        return say_verdict(self.verdict, self.reason)


@dataclass(frozen=True, slots=True)
class Ablation:
    """What interventions on a system's memory do to its answers on one suite: `n` items of `n_asked` are answered in
    the intact run; `family` is what the verdicts are adjusted within.
    """

    schema: Literal[1]
    system: str
    suite: str
    n: int
    intact: Annotated[Estimate, EstimateParts(value="accuracy", ci95="ci95", method="method")]
    effects: tuple[Effect, ...]
    family: Family
    label: str
    departures: Mapping[str, Sequence[Any]]
    suite_file: str | None
    n_asked: int
    seed: int | None
    guess: float | None
    shown_suite: Annotated[str, HIDDEN]


@dataclass(frozen=True, slots=True)
class Report:
    """Every run that a report is made from, the pairs that are compared, and what to know of them.

    `notes` hold what to distrust; the breakdowns are by the one facet that was asked for.
    """

    ORDER: ClassVar = ("schema", "cells", "comparisons", "latency", "speedups", "saturation")
    schema: Literal[1]
    cells: tuple[CellResult, ...]
    comparisons: tuple[Pair, ...]
    timings: Annotated[tuple[Timings], SPREAD]
    sweeps: tuple[BudgetSweep, ...]
    ablations: tuple[Ablation, ...]
    gaps: tuple[Gap, ...]
    order_effects: tuple[OrderEffect, ...]
    notes: tuple[str, ...]
    margin: float
    alpha: float
    rotations: tuple[Rotations, ...]
    carried: tuple[Carried, ...]
    summary: tuple[SuiteSummary, ...]
    breakdowns: tuple[Breakdown, ...] = ()
    pair_breakdowns: tuple[PairBreakdown, ...] = ()


def as_document(made: Report | Timings | Pair | BudgetSweep | Ablation) -> dict[str, Any]:
    """The document, or a part of it, as one JSON value; what is undefined is null."""
    found: dict[str, Any] = as_value(made)
    return found
