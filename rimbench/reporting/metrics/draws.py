"""Several answers a question: pass@k, the majority of k, and the mean over the draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from rimbench.display.tabular import Table
from rimbench.records import Item
from rimbench.reporting.document import CellResult
from rimbench.reporting.keys import HIDDEN, EstimateParts, Span
from rimbench.reporting.metrics import Metric, whole_n
from rimbench.reporting.numbers import counted, csv_columns, percent, share
from rimbench.reporting.reading import RunData, resampling_of
from rimbench.statistics import estimate, passk
from rimbench.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class PassAtK:
    """pass@k of a run, what choosing uniformly has on the same items, and the score above that: 0 for chance, 1 for
    perfect. `exact` is, for readouts, from the option probabilities at the temperature of the draws.
    """

    ORDER: ClassVar = ("value", "ci95", "chance", "n", "n_asked", "method")
    estimate: Annotated[Estimate, EstimateParts(value="value", ci95="ci95", n="n", method="method")]
    chance: float
    n_asked: int
    above_chance: Estimate | None
    exact: Estimate | None


@dataclass(frozen=True, slots=True)
class MeanOverDraws:
    """Accuracy averaged over the draws of each item, which has at least so many."""

    estimate: Annotated[Estimate, EstimateParts(value="value", ci95="ci95", method="method", n="n")]
    draws: int


@dataclass(frozen=True, slots=True)
class SeveralAnswers:
    """By k, the headline's or as many draws as there are, and without draws none."""

    pass_at_k: Mapping[str, PassAtK]
    maj_at_k: Mapping[str, float]
    mean_over_draws: MeanOverDraws | None
    maj_at_k_ci95: Mapping[str, Span | None]
    majority: Annotated[Estimate | None, HIDDEN]

    @property
    def passed(self) -> tuple[str, PassAtK] | tuple[None, None]:
        """The one k that is given, and pass@k; None without."""
        return next(iter(self.pass_at_k.items()), (None, None))


def _measure(run: RunData, items: Sequence[Item]) -> SeveralAnswers:
    """What the draws of a run come to; they may be of other items than the greedy answers."""
    k, drawn = run.k, run.sampled
    if k is None or not drawn:
        return SeveralAnswers({}, {}, None, {}, None)
    values, how = run.pass_values(drawn, k), resampling_of(drawn)
    passed = None if values is None else estimate.bootstrap_share(values, how)
    majority = passk.majority_at_k([run.drawn[i.item_id] for i in drawn], [i.gold for i in drawn], k, how)
    mean = run.mean_over_draws()
    return SeveralAnswers(
        {} if passed is None else {str(k): _pass_at_k(run, drawn, k, passed)},
        {} if majority is None else {str(k): majority.value},
        None if mean is None else MeanOverDraws(mean, min(map(len, run.drawn.values()))),
        {} if majority is None else {str(k): _ends(majority)},
        majority,
    )


def _pass_at_k(run: RunData, items: Sequence[Item], k: int, passed: Estimate) -> PassAtK:
    chance = passk.uniform_pass_at_k([len(item.options) for item in items], k)
    assert chance is not None  # an estimate has items
    above = passk.corrected_for_chance(passed, chance)
    return PassAtK(passed, chance, len(run.items), above, _exact(run, items, k))


def _exact(run: RunData, sampled: Sequence[Item], k: int) -> Estimate | None:
    answer = run.manifest.identity.answer
    items = run.with_greedy(sampled)
    if answer.mode != "readout" or not answer.temperature or not items:
        return None
    if len(run.read_out(items)) < len(items):
        return None
    return passk.exact_pass_at_k(*run.logprob_table(items), k, answer.temperature, resampling_of(items))


def _ends(found: Estimate) -> Span | None:
    return None if found.lo is None or found.hi is None else (found.lo, found.hi)


def _table(cells: Sequence[CellResult]) -> Table:
    """A row for each cell that has draws."""
    found = [(cell, own, *own.passed) for cell in cells if (own := cell.metric(SeveralAnswers)).pass_at_k]
    rows = [
        (
            cell.shown_suite,
            cell.label,
            counted(passed.estimate.n, cell.n_asked),
            str(k),
            percent(passed.estimate),
            share(passed.chance),
            percent(passed.above_chance),
            percent(passed.exact),
            percent(own.mean_over_draws.estimate if own.mean_over_draws else None),
            percent(own.majority),
        )
        for cell, own, k, passed in found
        if passed is not None
    ]
    return Table(
        "Several answers a question",
        ("suite", "system", "n", "k", "pass@k, % [95%]", "chance, %", "above chance", "exact", "pass@1", "maj@k"),
        tuple(rows),
        "pass@k: the unbiased estimator, bootstrapped over questions; one near chance, that of choosing uniformly, "
        "says little. Above chance: (value - chance) / (1 - chance). Exact: from a readout's probabilities.",
        ("exact", "pass@1", "above chance", "maj@k", *whole_n(cells)),
    )


def _csv(figures: SeveralAnswers) -> Mapping[str, object]:
    """pass@k and the majority of k."""
    k, passed = figures.passed
    return {
        "k": k,
        "pass_at_k_n": passed.estimate.n if passed else None,
        **csv_columns("pass_at_k", passed.estimate if passed else None),
        "pass_at_k_guess": passed.chance if passed else None,
        **csv_columns("maj_at_k", figures.majority),
    }


METRIC = Metric(3, SeveralAnswers, _measure, _csv, _table)
