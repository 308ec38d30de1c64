"""One cell as JSON: every figure that a table shows of it, and where each comes from."""

from collections.abc import Sequence
from typing import Any

from rimbench.report.budgets import StoredSweep, what_was_asked
from rimbench.report.cells import Cell, PassAtK
from rimbench.report.numbers import as_interval
from rimbench.report.variants import controls_of
from rimbench.statistics.estimate import Estimate
from rimbench.store import Manifest, as_json


def as_cell(cell: Cell, sweeps: Sequence[StoredSweep]) -> dict[str, Any]:
    """The entry of `cells`; what is undefined is null."""
    greedy, controls = cell.greedy_accuracy, controls_of(cell.manifest)
    return {
        "run": cell.manifest.run,
        "system": cell.manifest.system,
        "suite": cell.manifest.suite,
        "n": cell.n,
        "greedy_accuracy": greedy.value if greedy else None,
        "ci95": as_interval(greedy),
        "method": greedy.method if greedy else None,
        "pass_at_k": {str(passed.k): _passed(passed, cell) for passed in cell.pass_at_k},
        "maj_at_k": {str(k): estimate.value for k, estimate in cell.maj_at_k.items()},
        "statuses": dict(cell.statuses),
        "ece": cell.calibration.error.ece.value if cell.calibration else None,
        "label_mass": cell.label_mass,
        "k_sweep": _sweep_of(cell.manifest, sweeps),
        "headline": {"of": cell.of, **_estimate(cell.headline, "value", "method", "ci95")},
        "mean_over_draws": _mean_over_draws(cell),
        "label": cell.label,
        "departures": {name: list(values) for name, values in cell.departures.items()},
        "controls": {"permute_options": controls.permute_options, "blind": controls.blind},
        "n_asked": cell.n_planned,
        "partial": cell.partial,
        "samples_asked": cell.manifest.samples,
        "bca_ci95": list(cell.bootstrap) if cell.bootstrap else None,
        "guess": cell.uniform,
        "one_letter": {"letter": cell.majority.letter, "accuracy": cell.majority.accuracy.value}
        if cell.majority
        else None,
        "maj_at_k_ci95": {str(k): as_interval(estimate) for k, estimate in cell.maj_at_k.items()},
        "given_ok": _full(cell.given_parsed),
        "letters": {"gold": dict(cell.gold_letters), "answered": dict(cell.predicted_letters)},
        "calibration": _calibration(cell),
        "origin": _origin(cell.manifest),
    }


def _passed(passed: PassAtK, cell: Cell) -> dict[str, Any]:
    found = passed.estimate
    return {
        "value": found.value,
        "ci95": as_interval(found),
        "chance": passed.chance,
        "n": found.n,
        "n_asked": cell.n_planned,
        "method": found.method,
        "above_chance": _full(passed.corrected),
        "exact": _full(passed.exact),
    }


def _estimate(found: Estimate | None, *names: str) -> dict[str, Any]:
    every: dict[str, Any] = {"value": None, "ci95": None, "n": None, "method": None}
    if found is not None:
        every = {"value": found.value, "ci95": as_interval(found), "n": found.n, "method": found.method}
    return {name: every[name] for name in names}


def _full(found: Estimate | None) -> dict[str, Any] | None:
    return _estimate(found, "value", "ci95", "n", "method") if found else None


def _mean_over_draws(cell: Cell) -> dict[str, Any] | None:
    """Accuracy averaged over the draws of each item, and how many an item has at least; None without draws."""
    found = cell.pass_at_1
    if found is None:
        return None
    draws = min(map(len, cell.run.drawn.values()))
    return {**_estimate(found, "value", "ci95", "method", "n"), "draws": draws}


def _calibration(cell: Cell) -> dict[str, Any] | None:
    found = cell.calibration
    if found is None:
        return None
    return {
        "n": found.n,
        "bins": found.error.bins,
        "ece": _full(found.error.ece),
        "ece_corrected": _full(found.error.corrected),
        "ece_floor": found.error.floor,
        "brier": _full(found.brier),
        "risk_coverage": _full(found.curve.area),
        "surer_half": _full(found.accuracy_at_half_coverage),
    }


def _sweep_of(manifest: Manifest, sweeps: Sequence[StoredSweep]) -> dict[str, float | None] | None:
    """Accuracy by memory budget, K = 0 first, from a sweep of the same, shown the same items; None without."""
    for sweep in sweeps:
        if what_was_asked(sweep.manifest) == what_was_asked(manifest):
            budgets = sweep.outcome.budgets
            return {str(b.blocks): b.accuracy.value if b.accuracy else None for b in budgets}
    return None


def _origin(manifest: Manifest) -> dict[str, Any]:
    """What made the answers."""
    identity = manifest.identity
    return {
        "model": as_json(manifest.model_source),
        "weights_sha256": identity.weights_sha256,
        "content_sha256": identity.suite.content_sha256,
        "system_file": manifest.system_file,
        "suite_file": manifest.suite_file,
        "engine": dict(identity.document["engine"]),
        "seed": identity.seed,
        "device": dict(manifest.device),
        "commit": manifest.commit,
        "dirty": manifest.dirty,
        "versions": dict(manifest.versions),
        "started_at": manifest.started_at,
        "ended_at": manifest.ended_at,
    }
