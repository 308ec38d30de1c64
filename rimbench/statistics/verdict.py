"""From a pair of systems to one word: the comparison, Holm over the family, equivalence, the verdict.

In: outcomes or scores of two systems on the same items. Out: `Comparison` values, one a pair, and their
`Judgement` once the whole family is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from rimbench.statistics.bootstrap import ITEMWISE, Resampling, resampling_units, sign_flip_p
from rimbench.statistics.estimate import Estimate, without_negative_zeros
from rimbench.statistics.paired import (
    PairedTable,
    bootstrap_difference,
    cohens_g,
    mcnemar_mid_p,
    mcnemar_p,
    paired_table,
    score_difference,
    score_p_above,
)

Verdict = Literal["better", "worse", "equivalent", "undecided"]
"""What a pair comes to, said of the first system."""

MARGIN = 0.03
SMALLEST_N = 30


@dataclass(frozen=True, slots=True)
class Settings:
    """What a family of comparisons is judged by, chosen before looking.

    `margin` is the largest difference that does not matter, `alpha` the level of every test, `how` what is
    drawn where something is, and by which clusters.
    """

    margin: float = MARGIN
    alpha: float = 0.05
    how: Resampling = ITEMWISE

    def __post_init__(self) -> None:
        if not (0 < self.margin < 1 and 0 < self.alpha < 0.5):
            raise ValueError(f"margin {self.margin} lies in (0, 1), alpha {self.alpha} in (0, 0.5)")


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Two one-sided tests that a difference is smaller than the margin, as an interval at level 1 - 2 alpha.

    `lo` and `hi` are None where there is no such interval; `p_value` is the larger of the two, None where the
    interval is a bootstrap's.
    """

    margin: float
    lo: float | None
    hi: float | None
    p_value: float | None
    alpha: float
    method: str

    def __post_init__(self) -> None:
        without_negative_zeros(self, "lo", "hi")

    @property
    def shown(self) -> bool:
        """Whether the whole interval lies strictly within the margin."""
        return self.lo is not None and self.hi is not None and -self.margin < self.lo and self.hi < self.margin


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that one pair of systems shows by itself, A minus B, before other pairs are considered.

    `units` counts what varies independently: items, or clusters. `table` is None for scores that are
    not right or wrong; `mid_p` and `effect` are, too, and with clusters, which they do not know.
    """

    difference: Estimate
    bootstrap: Estimate
    units: int
    table: PairedTable | None
    p_value: float
    test: str
    mid_p: float | None
    effect: Estimate | None
    equivalence: Equivalence


@dataclass(frozen=True, slots=True)
class Judgement:
    """A comparison's place in its family: the adjusted p-value, the verdict (None: too few items), and why."""

    p_adjusted: float
    verdict: Verdict | None
    reason: str


def equivalence(table: PairedTable, margin: float = MARGIN, alpha: float = 0.05) -> Equivalence | None:
    """TOST for paired proportions by Tango's score test; None for no items.

    Schuirmann 1987 (J. Pharmacokinetics and Biopharmaceutics 15:657) with the score statistic of Tango 1998;
    equivalence is shown at alpha exactly where p < alpha.
    """
    within = score_difference(table, 1 - 2 * alpha)
    if within is None:
        return None
    p = max(score_p_above(table, -margin), score_p_above(table.swapped, -margin))
    return Equivalence(margin, within.lo, within.hi, p, alpha, "TOST, Tango score")


def compare_outcomes(
    correct_a: ArrayLike, correct_b: ArrayLike, settings: Settings | None = None
) -> Comparison | None:
    """Compares right/wrong outcomes on the same items; None for no items.

    Tango's score interval, exact McNemar and score TOST; with clusters, which these do not know, the
    cluster bootstrap and sign flips of whole clusters take their place. The exact p can exceed 0.05 where the score
    interval just leaves out 0: the verdict follows p, the more cautious of the two.
    """
    settings = settings or Settings()
    table = paired_table(correct_a, correct_b)
    if settings.how.clusters is not None:
        return _compare_by_resampling(np.asarray(correct_a, bool), np.asarray(correct_b, bool), settings, table)
    difference = score_difference(table, settings.how.level)
    within = equivalence(table, settings.margin, settings.alpha)
    bootstrap = bootstrap_difference(np.asarray(correct_a, bool), np.asarray(correct_b, bool), settings.how)
    if difference is None or within is None or bootstrap is None:
        return None
    return Comparison(
        difference=difference,
        bootstrap=bootstrap,
        units=table.n,
        table=table,
        p_value=mcnemar_p(table),
        test="McNemar exact",
        mid_p=mcnemar_mid_p(table),
        effect=cohens_g(table),
        equivalence=within,
    )


def compare_scores(values_a: ArrayLike, values_b: ArrayLike, settings: Settings | None = None) -> Comparison | None:
    """Compares real-valued scores on the same items, pass@k say: bootstrap interval, sign-flip test.

    None for no items. Equivalence is read off the bootstrap interval at 1 - 2 alpha.
    """
    return _compare_by_resampling(values_a, values_b, settings or Settings(), None)


def resampled_difference(
    values_a: ArrayLike, values_b: ArrayLike, how: Resampling
) -> tuple[Estimate, float, str] | None:
    """The difference with its bootstrap interval, the p-value and the name of its test; None for no items."""
    difference = bootstrap_difference(values_a, values_b, how)
    p_value = sign_flip_p(np.subtract(values_a, values_b), how)
    if difference is None or p_value is None:
        return None
    return difference, p_value, "sign-flip permutation" + ("" if how.clusters is None else " of clusters")


def _compare_by_resampling(
    values_a: ArrayLike, values_b: ArrayLike, settings: Settings, table: PairedTable | None
) -> Comparison | None:
    a, b = np.asarray(values_a, dtype=float), np.asarray(values_b, dtype=float)
    found = resampled_difference(a, b, settings.how)
    within = bootstrap_difference(a, b, replace(settings.how, level=1 - 2 * settings.alpha))
    if found is None or within is None:
        return None
    difference, p_value, test = found
    return Comparison(
        difference=difference,
        bootstrap=difference,
        units=resampling_units(a - b, settings.how.clusters).sums.size,
        table=table,
        p_value=p_value,
        test=test,
        mid_p=None,
        effect=None,
        equivalence=Equivalence(
            settings.margin, within.lo, within.hi, None, settings.alpha, f"TOST, {within.method}"
        ),
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment over one family, in the order given; at most 1.

    Holm 1979 (Scandinavian Journal of Statistics 6:65).
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def judge_within(pair: Comparison, size: int) -> Judgement:
    """One comparison's verdict in a family of so many, by the rules of `judge` with Bonferroni's p in Holm's place.

    Whatever the other members of the family show, or whether they have been compared at all, changes nothing here;
    Holm gives the smallest p-value of a family the same. ValueError for a size below 1.
    """
    if size < 1:
        raise ValueError(f"a family of {size} comparisons: expected 1 or more")
    return _judge_pair(pair, min(1.0, size * pair.p_value))


def judge_family(family: Sequence[Comparison]) -> tuple[Judgement, ...]:
    """Gives every comparison of a family its adjusted p-value and its verdict, by these rules in this order.

    1. Fewer than 30 independent units: no verdict.
    2. `equivalent`: the interval at 1 - 2 alpha lies strictly within the margin, even where the difference is
       significant. The margin says what does not matter; a difference that is proved smaller than it is no
       ground for `better`, and the reason says that it is there. (Lakens 2017 keeps the same two questions apart.)
    3. `better` or `worse`: Holm's adjusted p-value is below alpha, by the sign of the difference.
    4. `undecided` otherwise: neither shown. Never `tied`: not finding a difference is not showing that there is none.

    Holm covers claims of a difference, over all pairs given, those under rule 1 included. Equivalence is tested
    for each pair alone at alpha: the family's chance of one false `equivalent` is not held to alpha, and
    whoever needs that passes `holm` the equivalence p-values. Alpha is the one that the comparisons were made
    with; ValueError where they differ in it.
    """
    if len({pair.equivalence.alpha for pair in family}) > 1:
        raise ValueError("a family is judged at one alpha")
    adjusted = holm([pair.p_value for pair in family])
    return tuple(_judge_pair(pair, p) for pair, p in zip(family, adjusted, strict=True))


def _judge_pair(pair: Comparison, p_adjusted: float) -> Judgement:
    alpha = pair.equivalence.alpha
    significant = p_adjusted < alpha and pair.difference.value != 0
    margin = f"{100 * pair.equivalence.margin:g} points"
    if pair.units < SMALLEST_N:
        return Judgement(p_adjusted, None, f"{pair.units} independent units are too few for a verdict")
    if pair.equivalence.shown:
        note = "; it is there, but smaller than what matters" if significant else ""
        return Judgement(p_adjusted, "equivalent", f"the difference is shown to be below {margin}{note}")
    if significant:
        verdict: Verdict = "better" if pair.difference.value > 0 else "worse"
        return Judgement(p_adjusted, verdict, f"adjusted p below {alpha:g}")
    return Judgement(p_adjusted, "undecided", f"neither a difference nor one below {margin} is shown")
