"""How far a readout's probabilities can be trusted: ECE, Brier, risk against coverage; `rimbench.statistics`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from rimbench.display.tabular import Table
from rimbench.records import Item
from rimbench.reporting.document import CellResult
from rimbench.reporting.keys import HIDDEN
from rimbench.reporting.metrics import Metric, whole_n
from rimbench.reporting.metrics.label_mass import LabelMass
from rimbench.reporting.numbers import counted, csv_columns, decimal, number, percent, share
from rimbench.reporting.reading import RunData, resampling_of
from rimbench.statistics import calibration, passk
from rimbench.statistics.calibration import ReliabilityBin, RiskCoverage
from rimbench.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of the `n` items that have probabilities: the ECE over so many bins, less its bias, and what a perfectly
    calibrated system would show; the Brier score, from 0 to 2; the area under the curve of risk against coverage;
    the accuracy of the surer half.
    """

    n: int
    bins: int
    ece: Estimate
    ece_corrected: Estimate
    ece_floor: float
    brier: Estimate
    risk_coverage: Estimate
    surer_half: Estimate | None
    curve: Annotated[RiskCoverage, HIDDEN]
    reliability: Annotated[tuple[ReliabilityBin, ...], HIDDEN]


@dataclass(frozen=True, slots=True)
class Confidence:
    """The calibration of a cell; None where no answer has probabilities."""

    ece: float | None
    calibration: Calibration | None


def _measure(run: RunData, items: Sequence[Item]) -> Confidence:
    """The calibration of the greedy answers that have option probabilities."""
    read = run.all_read_out
    if not read:
        return Confidence(None, None)
    table, gold = run.logprob_table(read)
    probabilities, how = passk.option_probabilities(table), resampling_of(read)
    scored = calibration.predictions(probabilities, gold, how.clusters)
    error, curve = calibration.expected_calibration_error(scored), calibration.risk_coverage(scored)
    brier = calibration.brier_score(probabilities, gold, how)
    assert error is not None and curve is not None and brier is not None  # there are items
    half, bins = calibration.selective_accuracy(scored, 0.5), calibration.reliability(scored)
    floor, area = error.floor, curve.area
    found = Calibration(len(gold), error.bins, error.ece, error.corrected, floor, brier, area, half, curve, bins)
    return Confidence(error.ece.value, found)


def _table(cells: Sequence[CellResult]) -> Table:
    """A row for each cell that has probabilities."""
    read = [(cell, own) for cell in cells if (own := cell.metric(Confidence).calibration) is not None]
    rows = [
        (
            cell.shown_suite,
            cell.label,
            counted(own.n, cell.n_asked),
            decimal(own.ece.value, 3),
            number(own.ece_corrected),
            decimal(own.ece_floor, 3),
            number(own.brier),
            number(own.risk_coverage),
            percent(own.surer_half),
            share(cell.metric(LabelMass).label_mass),
        )
        for cell, own in read
    ]
    return Table(
        "Can a readout's confidence be trusted",
        (
            *("suite", "system", "n", "ECE", "less its bias [95%]", "ECE floor", "Brier [95%]"),
            *("risk-coverage [95%]", "surer half, % [95%]", "label mass, %"),
        ),
        tuple(rows),
        f"ECE over {read[0][1].bins if read else 0} bins of equal width. Few items bias it upwards: the interval is "
        "that of the ECE less its "
        "bias. Floor: what a perfectly calibrated system would show. "
        "Risk-coverage: the area under that curve. Surer half: the accuracy of the half with the higher confidence. "
        "Label mass: what the option letters hold of the whole vocabulary's probability where they are read.",
        ("surer half, % [95%]", "risk-coverage [95%]", "label mass, %", *whole_n(cells)),
    )


def _csv(figures: Confidence) -> Mapping[str, object]:
    """The ECE, less its bias, its floor, and the Brier score."""
    own = figures.calibration
    return {
        **csv_columns("ece", own.ece if own else None),
        **csv_columns("ece_corrected", own.ece_corrected if own else None),
        "ece_floor": own.ece_floor if own else None,
        **csv_columns("brier", own.brier if own else None),
    }


METRIC = Metric(10, Confidence, _measure, _csv, _table)
