"""The one result document: every figure of a report as a typed value, worked out once.

Tables, JSON, CSV, LaTeX, the page, plots and the model index show what stands here, and work out nothing. The fields
are the keys of the JSON, a published format (`docs/report.schema.json`), but for those that are `hidden`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from rimbench.records import InterventionKind
from rimbench.reporting.adaptive import AdaptiveMemory
from rimbench.reporting.breakdown import Breakdown, PairBreakdown
from rimbench.reporting.compared import Gap, OrderEffect, Pair, SuiteSummary, say_verdict
from rimbench.reporting.families import Family
from rimbench.reporting.keys import HIDDEN, SPREAD, EstimateParts, as_value
from rimbench.reporting.reading import RunData
from rimbench.reporting.rotations import Rotations
from rimbench.reporting.times import Timings
from rimbench.reporting.trust import Carried
from rimbench.reporting.variants import Origin
from rimbench.statistics.estimate import Estimate, LetterBaseline
from rimbench.statistics.verdict import Verdict
from rimbench.store import Manifest
from rimbench.store.lenses import Lens
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
    data: Annotated[RunData, HIDDEN] = field(repr=False)
    shown_suite: Annotated[str, HIDDEN]
    name: Annotated[str, HIDDEN]

    @property
    def manifest(self) -> Manifest:
        """What the answers were made with."""
        return self.data.manifest

    def metric(self, kind: type[M]) -> M:
        """The figures of one metric, by their type."""
        return next(found for found in self.figures if isinstance(found, kind))


@dataclass(frozen=True, slots=True)
class Budget:
    """The accuracy at `k` memory blocks, and how the answers differ from those at k - 1 (None for k = 0).

    `to_right` and `to_wrong` are the changed answers that became right, or wrong; the rest stayed wrong. `above_none`
    is the accuracy less that at k = 0, item by item.
    """

    k: int
    accuracy: Annotated[Estimate | None, EstimateParts(value="accuracy", ci95="ci95", method="method")]
    failed: int
    changed: int | None
    to_right: int | None
    to_wrong: int | None
    above_none: Annotated[Estimate | None, HIDDEN]


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
    lenses: Annotated[tuple[Lens, ...], HIDDEN] = ()


def as_document(made: Report | Timings | Pair | BudgetSweep | Ablation) -> dict[str, Any]:
    """The document, or a part of it, as one JSON value; what is undefined is null."""
    found: dict[str, Any] = as_value(made)
    return found
