"""A temperature that was fitted on one suite, taken to another of the same system."""

from collections.abc import Sequence

from rimbench.display.tabular import Table
from rimbench.reporting.document import CellResult
from rimbench.reporting.metrics.temperature import Heat, judging_items
from rimbench.reporting.numbers import decimal, number
from rimbench.reporting.trust import Carried, trust_at
from rimbench.suites import catalogue


def carried(cells: Sequence[CellResult]) -> list[Carried]:
    """Each system's temperature of each suite on each of its other suites; one cell a suite."""
    found = []
    for target in cells:
        others = [cell for cell in cells if cell.name == target.name and cell.suite != target.suite]
        sources = [(cell, heat) for cell in others if (heat := cell.metric(Heat).temperature) is not None]
        judging = judging_items(target.data)[1] if sources else []
        if not judging:
            continue
        own = target.metric(Heat).temperature
        before = trust_at(target.data, judging, 1.0) if own is None else own.before
        own_trust = None if own is None else own.after
        for cell, heat in sources:
            after = trust_at(target.data, judging, heat.value)
            found.append(
                Carried(cell.system, cell.suite, target.suite, heat.value, before, own_trust, after, cell.name)
            )
    return sorted(found, key=lambda carried: (carried.fitted_on, carried.system, carried.label))


def carried_table(found: Sequence[Carried]) -> Table:
    """A row for each that comes from the suite that is drawn as the training data were, or else for each."""
    inside = [own for own in found if catalogue.role(own.fitted_on).in_distribution]
    return Table(
        "A temperature carried to another suite",
        ("system", "fitted on", "judged on", "temperature", "ECE", "ECE at its own", "Brier", "Brier after [95%]"),
        tuple(
            (
                own.label,
                own.fitted_on,
                own.suite,
                decimal(own.temperature, 2),
                f"{decimal(own.before.ece.value, 3)} to {decimal(own.after.ece.value, 3)}",
                "-" if own.own is None else decimal(own.own.ece.value, 3),
                decimal(own.before.brier.value, 3),
                number(own.after.brier),
            )
            for own in inside or found
        ),
        "Before and after, on the half of the other suite on which its own temperature was not fitted.",
        ("Brier", "Brier after [95%]", "temperature"),
    )
