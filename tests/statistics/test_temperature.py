"""The temperature of a readout, against an example by hand and a slow reference."""

import numpy as np
import pytest

from rimbench.statistics.passk import option_probabilities
from rimbench.statistics.temperature import fit_temperature


def test_a_readout_that_is_right_three_times_of_four_and_says_ninety_percent_is_cooled_by_hand():
    # Two options at 0.9 and 0.1: log odds ln 9. Right in 3 of 4, so the best says 0.75, log odds ln 3: T = 2.
    logs = np.log([[0.9, 0.1]] * 4)
    assert fit_temperature(logs, [0, 0, 0, 1]) == pytest.approx(2.0)


def test_a_readout_that_is_not_sure_enough_has_a_temperature_below_one():
    logs = np.log([[0.6, 0.4]] * 10)
    assert fit_temperature(logs, [0] * 9 + [1]) == pytest.approx(np.log(1.5) / np.log(9))


def test_the_temperature_has_the_largest_likelihood_of_a_fine_grid():
    rng = np.random.default_rng(0)
    logs = rng.normal(0, 3, size=(300, 4))
    logs[:100, 3] = -np.inf  # items with three options
    gold = [rng.choice(4, p=row) for row in option_probabilities(logs, 1.7)]
    found = fit_temperature(logs, gold)

    def likelihood(temperature):
        return np.log(option_probabilities(logs, temperature)[np.arange(300), gold]).sum()

    grid = np.exp(np.linspace(-2, 2, 4001))
    assert found == pytest.approx(grid[np.argmax([likelihood(t) for t in grid])], rel=2e-3)


@pytest.mark.parametrize(
    ("logs", "gold"),
    [
        (np.empty((0, 4)), []),
        (np.log([[0.9, 0.1]] * 3), [0, 0, 0]),  # all right: the colder the better
        (np.log([[0.9, 0.1]] * 3), [1, 1, 1]),  # all wrong: the warmer the better
        ([[0.0, -np.inf]], [1]),  # gold cannot be, at any temperature
    ],
)
def test_where_the_likelihood_has_no_maximum_there_is_no_temperature(logs, gold):
    assert fit_temperature(logs, gold) is None
