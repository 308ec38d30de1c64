"""Accuracy: of the greedy answers, or of draws alone their mean, beside what is had without reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from rimbench.display.tabular import Table
from rimbench.records import Item
from rimbench.reporting.document import CellResult, OneLetter, one_letter
from rimbench.reporting.keys import EstimateParts, Span
from rimbench.reporting.metrics import Metric
from rimbench.reporting.numbers import counted, csv_columns, interval, percent, share
from rimbench.reporting.reading import RunData, resampling_of
from rimbench.statistics import estimate
from rimbench.statistics.bootstrap import bca_interval, resampling_units
from rimbench.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Headline:
    """The accuracy that stands for the run: the greedy one, or of draws alone their mean; `of` says which."""

    of: str
    estimate: Annotated[Estimate | None, EstimateParts(value="value", method="method", ci95="ci95")]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What names no letter counts as wrong. The greedy one is None of draws alone; `bca_ci95` is the headline's other
    interval, beside Wilson's; `guess` is chance, what choosing uniformly has on the same items.
    """

    greedy: Annotated[Estimate | None, EstimateParts(value="greedy_accuracy", ci95="ci95", method="method")]
    headline: Headline
    bca_ci95: Span | None
    guess: float | None
    one_letter: OneLetter | None


def _measure(run: RunData, items: Sequence[Item]) -> Accuracy:
    """The accuracy of a run."""
    how = resampling_of(items)
    scores = run.scores(items)
    greedy = None if run.by_draws else estimate.accuracy(scores, how)
    return Accuracy(
        greedy,
        Headline(_of(run), run.mean_over_draws() if run.by_draws else greedy),
        bca_interval(resampling_units(scores, how.clusters), how) if items else None,
        estimate.uniform_accuracy([len(item.options) for item in items]),
        one_letter(estimate.majority_letter([item.gold for item in items])),
    )


def _of(run: RunData) -> str:
    if not run.by_draws:
        return "greedy"
    counts = sorted({len(letters) for letters in run.drawn.values()})
    several = f" to {counts[-1]}" if len(counts) > 1 else ""
    return f"mean over {counts[0]}{several} draw{'s' * (counts[-1] > 1)}"


def _table(cells: Sequence[CellResult]) -> Table:
    """The first table of a report."""
    found = [(cell, cell.metric(Accuracy)) for cell in cells]
    methods = sorted({own.headline.estimate.method for _, own in found if own.headline.estimate})
    told = any(own.headline.of != "greedy" for _, own in found)
    rows = [
        (
            cell.shown_suite,
            cell.label,
            counted(cell.n, cell.n_asked),
            percent(own.headline.estimate),
            *([own.headline.of] if told else []),
            interval(*own.bca_ci95) if own.bca_ci95 else "-",
            share(own.guess),
            f"{share(own.one_letter.accuracy)} ({own.one_letter.letter})" if own.one_letter else "-",
        )
        for cell, own in found
    ]
    return Table(
        "Accuracy",
        (
            *("suite", "system", "n"),
            *(("accuracy, % [95%]", "of") if told else ("greedy, % [95%]",)),
            *("BCa", "chance, %", "majority, %"),
        ),
        tuple(rows),
        f"Intervals: {', '.join(methods) or 'none'}, and the BCa bootstrap beside it. An answer that names no letter "
        "counts as wrong. Chance: choosing uniformly; majority: always the most frequent gold letter.",
        ("BCa",),
    )


def _csv(figures: Accuracy) -> Mapping[str, object]:
    """The greedy accuracy and the headline, each with its interval."""
    return {
        **csv_columns("greedy_accuracy", figures.greedy),
        "headline_of": figures.headline.of,
        **csv_columns("headline", figures.headline.estimate),
        "guess": figures.guess,
    }


METRIC = Metric(0, Accuracy, _measure, _csv, _table)
