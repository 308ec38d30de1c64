"""The summary as the JSON document that other programs read; its keys are a published format.

Whatever a table shows is here too, not rounded: one test goes through every column of every table.
"""

from typing import Any

from rimbench.report.budgets import StoredSweep
from rimbench.report.cell_document import as_cell
from rimbench.report.latency_document import latency_document
from rimbench.report.numbers import as_interval
from rimbench.report.pairs import Gap, OrderEffect, Pair
from rimbench.report.summary import Summary
from rimbench.statistics.estimate import Estimate

SCHEMA = 1


def as_document(summary: Summary) -> dict[str, Any]:
    """The whole report as one JSON value; what is undefined is null."""
    return {
        "schema": SCHEMA,
        "cells": [as_cell(cell, summary.sweeps) for cell in summary.cells],
        "comparisons": [as_comparison(pair) for pair in summary.pairs],
        **latency_document(summary.costs, summary.speedups),
        "sweeps": [as_sweep(sweep) for sweep in summary.sweeps],
        "gaps": [_gap(gap) for gap in summary.gaps],
        "order_effects": [_order_effect(effect) for effect in summary.order_effects],
        "notes": list(summary.notes),
        "margin": summary.settings.margin,
        "alpha": summary.settings.alpha,
    }


def as_comparison(pair: Pair) -> dict[str, Any]:
    """One entry of `comparisons`; `table` is [[both right, A only], [B only, both wrong]]."""
    comparison, family = pair.comparison, pair.family
    rows = comparison.table.rows if comparison.table else None
    return {
        "suite": pair.suite,
        "a": pair.a,
        "b": pair.b,
        "n": pair.n,
        "delta": comparison.difference.value,
        "ci95": as_interval(comparison.difference),
        "p_value": comparison.p_value,
        "p_adjusted": pair.judgement.p_adjusted,
        "verdict": pair.judgement.verdict,
        "table": [list(row) for row in rows] if rows else None,
        "n_asked": pair.n_asked,
        "reason": pair.judgement.reason,
        "family": {"size": family.size, "adjustment": family.method, "pairs": family.name},
        "runs": [run.manifest.run for run in pair.runs],
        "suite_file": pair.runs[0].manifest.suite_file,
        "method": comparison.difference.method,
        "test": comparison.test,
        "units": comparison.units,
        "mid_p": comparison.mid_p,
        "bootstrap": _estimate(comparison.bootstrap),
        "effect": _estimate(comparison.effect),
        "detectable": pair.detectable,
        "equivalence": _equivalence(pair),
        "pass_at_k": _pass_at_k(pair),
    }


def _equivalence(pair: Pair) -> dict[str, Any]:
    found = pair.comparison.equivalence
    return {
        "shown": found.shown,
        "margin": found.margin,
        "level": 1 - 2 * found.alpha,
        "interval": None if found.lo is None or found.hi is None else [found.lo, found.hi],
        "p_value": found.p_value,
        "method": found.method,
    }


def _pass_at_k(pair: Pair) -> dict[str, Any] | None:
    if pair.pass_at_k is None:
        return None
    k, compared = pair.pass_at_k
    return {"k": k, **(_estimate(compared.difference) or {}), "p_value": compared.p_value, "test": compared.test}


def _estimate(found: Estimate | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"value": found.value, "ci95": as_interval(found), "n": found.n, "method": found.method}


def as_sweep(sweep: StoredSweep) -> dict[str, Any]:
    """One entry of `sweeps`: every memory budget, K = 0 first."""
    outcome, memory = sweep.outcome, sweep.outcome.memory
    best = outcome.majority
    return {
        "schema": SCHEMA,
        "system": sweep.manifest.system,
        "suite": sweep.manifest.suite,
        "n": outcome.n,
        "budgets": [
            {
                "k": budget.blocks,
                "accuracy": budget.accuracy.value if budget.accuracy else None,
                "ci95": as_interval(budget.accuracy),
                "method": budget.accuracy.method if budget.accuracy else None,
                "failed": budget.failed,
                "changed": budget.changed,
                "to_right": budget.to_right,
                "to_wrong": budget.to_wrong,
            }
            for budget in outcome.budgets
        ],
        "memory": memory
        and {
            "k": outcome.budgets[-1].blocks,
            "delta": memory.difference.value,
            "ci95": as_interval(memory.difference),
            "method": memory.difference.method,
            "p_value": memory.p_value,
            "test": memory.test,
        },
        "label": sweep.label,
        "departures": {name: list(values) for name, values in sweep.departures.items()},
        "suite_file": sweep.manifest.suite_file,
        "n_asked": outcome.n_asked,
        "guess": outcome.uniform,
        "one_letter": {"letter": best.letter, "accuracy": best.accuracy.value} if best else None,
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "system": gap.system,
        "inside": gap.inside,
        "outside": gap.outside,
        "delta": gap.difference.value,
        "ci95": as_interval(gap.difference),
        "method": gap.difference.method,
        "n": list(gap.answered),
        "n_asked": list(gap.asked),
    }


def _order_effect(effect: OrderEffect) -> dict[str, Any]:
    moved = effect.moved
    return {
        "suite": effect.suite,
        "system": effect.system,
        "n": effect.n,
        "n_asked": effect.n_asked,
        "orders": effect.orders,
        "mean_accuracy": effect.mean_accuracy,
        "moved": moved,
        "follow_text": effect.follow_text / moved if moved else None,
        "follow_letter": effect.follow_letter / moved if moved else None,
    }
