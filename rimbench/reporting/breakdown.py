"""What a breakdown by a facet says, as values of the document and as tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from rimbench.display.tabular import Table
from rimbench.reporting.keys import HIDDEN, EstimateParts
from rimbench.reporting.numbers import percent, points
from rimbench.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Group:
    """The `n` answered items of one value of a facet: their accuracy, and that less the accuracy of the run's others.

    The p-values are None where there are no others, and where items hang together or answers are shares of draws.
    """

    group: str
    n: int
    accuracy: Annotated[Estimate, EstimateParts(value="accuracy", ci95="ci95", method="method")]
    against_rest: Annotated[Estimate | None, EstimateParts(value="delta", ci95="delta_ci95", method="delta_method")]
    p_value: float | None
    p_adjusted: float | None
    test: str | None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One run by a facet; p-values are adjusted by Holm over its groups."""

    facet: str
    run: str
    system: str
    suite: str
    label: str
    groups: tuple[Group, ...]
    shown_suite: Annotated[str, HIDDEN]


@dataclass(frozen=True, slots=True)
class PairGroup:
    """Two systems, a minus b, on the `n` items of one value of a facet that both have answered."""

    group: str
    n: int
    difference: Annotated[Estimate, EstimateParts(value="delta", ci95="ci95", method="method")]
    p_value: float
    p_adjusted: float
    test: str


@dataclass(frozen=True, slots=True)
class PairBreakdown:
    """One pair by a facet; p-values are adjusted by Holm over its groups, and no verdict is drawn from them."""

    facet: str
    suite: str
    a: str
    b: str
    groups: tuple[PairGroup, ...]
    shown_suite: Annotated[str, HIDDEN]


def breakdown_tables(breakdowns: Sequence[Breakdown], pairs: Sequence[PairBreakdown]) -> list[Table]:
    """A row a run and group, and a row a pair and group."""
    facet = next((found.facet for found in breakdowns), "")
    single = tuple(
        (
            found.shown_suite,
            found.label,
            each.group,
            str(each.n),
            percent(each.accuracy),
            "-" if each.against_rest is None else points(each.against_rest),
            "-" if each.p_adjusted is None else f"{each.p_adjusted:.2g}",
        )
        for found in breakdowns
        for each in found.groups
    )
    paired = tuple(
        (
            found.shown_suite,
            f"{found.a} - {found.b}",
            each.group,
            str(each.n),
            points(each.difference),
            f"{each.p_adjusted:.2g}",
        )
        for found in pairs
        for each in found.groups
    )
    return [
        Table(
            f"By {facet}",
            ("suite", "system", facet, "n", "accuracy, % [95%]", "less the others', points [95%]", "p"),
            single,
            "p: a group against the run's other items, adjusted by Holm over its groups. Intervals are of one group "
            "alone: of many, some miss.",
        ),
        Table(
            f"Pairs by {facet}",
            ("suite", "pair", facet, "n", "difference, points [95%]", "p"),
            paired,
            "p: adjusted by Holm over the groups of the pair. No part of the report's families: a group that was not "
            "named before looking is a question for new items.",
        ),
    ]
