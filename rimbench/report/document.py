"""The summary as the JSON document that other programs read; its keys are a published format."""

from collections.abc import Sequence
from typing import Any

from rimbench.records import Manifest
from rimbench.report.budgets import StoredSweep, what_was_asked
from rimbench.report.cells import Cell
from rimbench.report.costs import Cost, Speedup
from rimbench.report.pairs import Pair
from rimbench.report.summary import Summary
from rimbench.statistics.estimate import Estimate

SCHEMA = 1


def as_document(summary: Summary) -> dict[str, Any]:
    """The whole report as one JSON value; what is undefined is null."""
    return {
        "schema": SCHEMA,
        "cells": [_cell(cell, summary.sweeps) for cell in summary.cells],
        "comparisons": [as_comparison(pair) for pair in summary.pairs],
        **latency_document(summary.costs, summary.speedups),
    }


def latency_document(costs: Sequence[Cost], speedups: Sequence[Speedup]) -> dict[str, Any]:
    """The keys `latency` and `speedups` of the document."""
    return {
        "latency": _latency(costs),
        "speedups": [
            {
                "system": speedup.system,
                "baseline": speedup.baseline,
                "batch": speedup.batch,
                "quantity": speedup.quantity,
                "ratio": speedup.ratio.value,
                "ci95": _interval(speedup.ratio),
                "engines": list(speedup.engines),
                "unfair": list(speedup.unfair),
                "allowed_by_passes": speedup.allowed,
                "above_passes": speedup.is_too_fast,
            }
            for speedup in speedups
        ],
    }


def _latency(costs: Sequence[Cost]) -> list[dict[str, Any]]:
    """One entry a system, engine, device and batch size; a readout's answer is its one pass."""
    entries: dict[tuple[object, ...], dict[str, Any]] = {}
    for cost in sorted(costs, key=lambda cost: cost.measured.quantity):  # answers before readouts
        row = cost.measured
        graphs = row.setting.graphs if row.setting and row.quantity != "readout" else None
        key = (cost.suite, row.system, row.engine, row.device, row.dtype, row.batch)
        entry = entries.setdefault(key, _entry(cost) | {"graphs": graphs})
        if row.quantity == "answer":
            entry["answer_ms"] = _times(cost)
        if row.quantity == "letter":
            entry["letter_ms"] = _times(cost)
        if cost.is_one_pass and row.quantity != "letter":
            entry["readout_ms"] = _times(cost)
            entry["readout_floor_ms"] = row.passes.floor_ms if row.passes else None
    return list(entries.values())


def _times(cost: Cost) -> dict[str, Any]:
    percentiles = {f"p{p}": value for p, value in cost.percentiles.items()}
    return {"mean": cost.mean.value, **percentiles, "ci95": _interval(cost.mean)}


def _entry(cost: Cost) -> dict[str, Any]:
    row, passes, setting, told = cost.measured, cost.measured.passes, cost.measured.setting, cost.measured.told
    return {
        "system": row.system,
        "engine": row.engine,
        "device": row.device,
        "batch": row.batch,
        "n": len(row.samples_ms),
        "answer_ms": None,
        "readout_ms": None,
        "per_sample_ms": row.per_question_ms,
        "prompt_tokens": row.prompt_tokens,
        "generated_tokens": row.generated_tokens,
        "floor_ms": passes.floor_ms if passes else None,
        "letter_ms": None,
        "readout_floor_ms": None,
        "suite": cost.suite,
        "dtype": row.dtype,
        "passes": passes.count if passes else None,
        "prefill_ms": passes.prefill_ms if passes else None,
        "decode_ms": passes.decode_ms if passes else None,
        "tokens_per_s": row.tokens_per_s,
        "questions_per_s": None if row.quantity == "letter" else row.questions_per_s,
        "floor_share": row.floor_share,
        "launch_bound": passes.launch_bound if passes else None,
        "truncated": row.truncated,
        "accuracy": cost.accuracy.value if cost.accuracy else None,
        "timed_right": told.right if told else None,
        "timed_items": len(told.letters) if told else None,
        "no_letter": sum(letter is None for letter in told.letters.values()) if told else None,
        "ties": told.ties if told else None,
        "flips": {"changed": cost.flips.changed, "n": cost.flips.n} if cost.flips else None,
        "load_s": setting.load_s if setting else None,
        "compile_s": setting.compile_s if setting else None,
        "first_ms": row.first_ms,
        "warm_up_ms": list(row.warm_up_ms),
        "peak_bytes": setting.peak_bytes if setting else None,
        "cached_tokens": setting.cached_tokens if setting else None,
        "cost_per_1000": cost.per_1000,
        "load_average": row.load,
        "drift": row.drift if len(row.samples_ms) > 1 else None,
        "unstable": row.unstable,
        "noise": row.noises,
        "threads": cost.threads,
    }


def as_comparison(pair: Pair, *, table: bool = False) -> dict[str, Any]:
    """One entry of `comparisons`; with its 2x2 `table`, [[both right, A only], [B only, both wrong]], if asked."""
    difference = pair.comparison.difference
    entry: dict[str, Any] = {
        "suite": pair.suite,
        "a": pair.a,
        "b": pair.b,
        "n": pair.n,
        "delta": difference.value,
        "ci95": _interval(difference),
        "p_value": pair.comparison.p_value,
        "p_adjusted": pair.judgement.p_adjusted,
        "verdict": pair.judgement.verdict,
    }
    if table:
        rows = pair.comparison.table.rows if pair.comparison.table else None
        entry["table"] = [list(row) for row in rows] if rows else None
    return entry


def _cell(cell: Cell, sweeps: Sequence[StoredSweep]) -> dict[str, Any]:
    greedy = cell.greedy_accuracy
    return {
        "run": cell.manifest.run,
        "system": cell.manifest.system,
        "suite": cell.manifest.suite,
        "n": cell.n,
        "greedy_accuracy": greedy.value if greedy else None,
        "ci95": _interval(greedy),
        "method": greedy.method if greedy else None,
        "pass_at_k": {
            str(p.k): {"value": p.estimate.value, "ci95": _interval(p.estimate), "chance": p.chance}
            for p in cell.pass_at_k
        },
        "maj_at_k": {str(k): estimate.value for k, estimate in cell.maj_at_k.items()},
        "statuses": dict(cell.statuses),
        "ece": cell.calibration.error.ece.value if cell.calibration else None,
        "label_mass": cell.label_mass,
        "k_sweep": _sweep_of(cell.manifest, sweeps),
        "headline": _headline(cell),
        "mean_over_draws": _mean_over_draws(cell),
    }


def _headline(cell: Cell) -> dict[str, Any]:
    """The accuracy that the tables show, and what it is of: the greedy answers, or of draws alone their mean."""
    found = cell.headline
    value = {"value": found.value, "method": found.method} if found else {"value": None, "method": None}
    return {"of": cell.of, **value, "ci95": _interval(found)}


def _mean_over_draws(cell: Cell) -> dict[str, Any] | None:
    """Accuracy averaged over the draws of each item, and how many an item has at least; None without draws."""
    found = cell.pass_at_1
    if found is None:
        return None
    draws = min(map(len, cell.run.drawn.values()))
    return {"value": found.value, "ci95": _interval(found), "method": found.method, "n": found.n, "draws": draws}


def _sweep_of(manifest: Manifest, sweeps: Sequence[StoredSweep]) -> dict[str, float | None] | None:
    """Accuracy by memory budget, K = 0 first, from a sweep of the same weights over the same items; None without."""
    for sweep in sweeps:
        if what_was_asked(sweep.manifest) == what_was_asked(manifest):
            budgets = sweep.outcome.budgets
            return {str(b.blocks): b.accuracy.value if b.accuracy else None for b in budgets}
    return None


def _interval(estimate: Estimate | None) -> list[float] | None:
    if estimate is None or estimate.lo is None or estimate.hi is None:
        return None
    return [estimate.lo, estimate.hi]
