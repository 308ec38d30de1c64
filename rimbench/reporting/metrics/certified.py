"""How much a readout may answer at a risk of 1, 5 and 10%: `rimbench.statistics.selective`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rimbench.display.tabular import Table
from rimbench.records import Item
from rimbench.reporting.document import CellResult
from rimbench.reporting.metrics import Metric
from rimbench.reporting.metrics.temperature import Heat
from rimbench.reporting.numbers import csv_columns, decimal, number, percent
from rimbench.reporting.reading import RunData, resampling_of
from rimbench.statistics.passk import option_probabilities
from rimbench.statistics.selective import METHOD, CertifiedCoverage, certified_coverage

RISKS = (0.01, 0.05, 0.1)


@dataclass(frozen=True, slots=True)
class Certified:
    """By the risk allowed, as in "0.05"; None where nothing is read out."""

    coverage_at_risk: Mapping[str, CertifiedCoverage] | None


def _measure(run: RunData, items: Sequence[Item]) -> Certified:
    """Of the greedy answers that have option probabilities."""
    read = run.all_read_out
    if not read:
        return Certified(None)
    table, gold = run.logprob_table(read)
    sure, how = option_probabilities(table), resampling_of(read)
    confidence, right = sure.max(axis=1), sure.argmax(axis=1) == gold
    found = [certified_coverage(confidence, right, run.choosing_half, risk, how) for risk in RISKS]
    return Certified({str(own.risk): own for own in found})


def _table(cells: Sequence[CellResult]) -> Table:
    """A row for each cell that is read out."""
    rows = []
    for cell in cells:
        found, heat = cell.metric(Certified).coverage_at_risk, cell.metric(Heat).temperature
        if found is None:
            continue
        judged = next(iter(found.values())).n
        before_after = ("-", "-") if heat is None else (
            f"{decimal(heat.before.ece.value, 3)} to {decimal(heat.after.ece.value, 3)}",
            f"{decimal(heat.before.brier.value, 3)} to {number(heat.after.brier)}",
        )  # fmt: skip
        rows.append(
            (
                cell.shown_suite,
                cell.label,
                str(judged),
                *(percent(own.coverage) for own in found.values()),
                "-" if heat is None else decimal(heat.value, 2),
                *before_after,
            )
        )
    return Table(
        "What a readout may answer by itself",
        (
            *("suite", "system", "n", "at 1% risk", "at 5% risk", "at 10% risk, % [95%]"),
            *("temperature", "ECE", "Brier [95%]"),
        ),
        tuple(rows),
        "The share that may be answered where so many of the answers may be wrong, by a threshold that is chosen on "
        f"one half of the items and certified on the other, of n, with a chance of 5% to be wrong ({METHOD}); -: "
        "nothing is certified, the JSON says why. Temperature: fitted on the one half; above 1 the readout is too "
        "sure. ECE and Brier before and after it, on the other half.",
        ("at 1% risk", "ECE", "Brier [95%]", "temperature", "n"),
    )


def _csv(figures: Certified) -> Mapping[str, object]:
    found = figures.coverage_at_risk or {}
    columns: dict[str, object] = {}
    for risk in RISKS:
        own = found.get(str(risk))
        columns |= csv_columns(f"coverage_at_{100 * risk:g}_percent_risk", own.coverage if own else None)
    return columns


METRIC = Metric(10.1, Certified, _measure, _csv, _table)
