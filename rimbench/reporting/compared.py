"""The types of the result document that compare: pairs of systems, suites summed up, gaps, orders of options."""

from dataclasses import dataclass
from typing import Annotated, Literal

from rimbench.reporting.families import Family
from rimbench.reporting.keys import HIDDEN, EstimateParts, Span
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.verdict import Verdict


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
