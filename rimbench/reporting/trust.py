"""How far a readout's probabilities can be trusted at a temperature: its own suite's, or one carried from another."""

from collections.abc import Sequence
from dataclasses import dataclass

from rimbench.records import Item
from rimbench.reporting.reading import RunData, resampling_of
from rimbench.statistics import calibration
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.passk import option_probabilities


@dataclass(frozen=True, slots=True)
class Trust:
    """The ECE, its interval that of the ECE less its bias, and the Brier score, of `n` items."""

    n: int
    ece: Estimate
    brier: Estimate


@dataclass(frozen=True, slots=True)
class Carried:
    """A temperature that was fitted on the suite `fitted_on`, taken to another of the same system: `before` is at 1,
    `own` at the other suite's own, None without one, `after` at this; all on the half that its own was not fitted on.
    """

    system: str
    fitted_on: str
    suite: str
    temperature: float
    before: Trust
    own: Trust | None
    after: Trust
    label: str


def trust_at(run: RunData, items: Sequence[Item], temperature: float) -> Trust:
    """Of these items, one at least, all of which are read out."""
    table, gold = run.logprob_table(items)
    probabilities, how = option_probabilities(table, temperature), resampling_of(items)
    error = calibration.expected_calibration_error(calibration.predictions(probabilities, gold, how.clusters))
    brier = calibration.brier_score(probabilities, gold, how)
    assert error is not None and brier is not None  # there are items
    return Trust(len(items), error.ece, brier)
