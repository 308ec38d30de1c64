"""One run -> its cell of the document: what it is, what made it, and the figures of every metric."""

from collections.abc import Sequence

from rimbench.reporting.document import BudgetSweep, CellResult
from rimbench.reporting.metrics import Metric
from rimbench.reporting.reading import RunData
from rimbench.reporting.variants import (
    controls_of,
    origin_of,
    run_departures,
    suite_label,
    what_was_asked,
)


def make_cell(
    run: RunData, name: str, label: str, metrics: Sequence[Metric], sweeps: Sequence[BudgetSweep]
) -> CellResult:
    """Every figure of one run, under its model's name and the label by which tables show it."""
    manifest, answered = run.manifest, run.answered
    return CellResult(
        run=manifest.run,
        system=manifest.system,
        suite=manifest.suite,
        n=len(answered),
        k_sweep=_by_budget(run, sweeps),
        label=label,
        departures=run_departures(manifest),
        controls=controls_of(manifest),
        n_asked=len(run.items),
        partial=run.missing > 0,
        samples_asked=manifest.samples,
        origin=origin_of(manifest),
        figures=tuple(metric.measure(run, answered) for metric in metrics),
        data=run,
        shown_suite=suite_label(manifest),
        name=name,
    )


def _by_budget(run: RunData, sweeps: Sequence[BudgetSweep]) -> dict[str, float | None] | None:
    """Accuracy by memory budget, K = 0 first, from a sweep of the same, shown the same items; None without."""
    asked = what_was_asked(run.manifest)
    found = next((sweep for sweep in sweeps if sweep.asked == asked), None)
    return {str(b.k): b.accuracy.value if b.accuracy else None for b in found.budgets} if found else None
