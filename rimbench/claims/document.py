"""An audit as the JSON document that other programs read; `docs/claims.md` lists its keys, a published format."""

from collections.abc import Mapping
from typing import Any

from rimbench.claims.audit import ClaimsAudit, Finding
from rimbench.claims.figures import FigureCheck
from rimbench.claims.finding import VERDICTS
from rimbench.claims.floors import TimeCheck
from rimbench.claims.measured import MeasuredTime, Reproduction
from rimbench.claims.pairs import Contrast
from rimbench.reporting.keys import as_interval, as_value

SCHEMA = 1
MILLISECONDS = 1000


def audit_document(audit: ClaimsAudit) -> dict[str, Any]:
    """The whole audit as one JSON value; what is undefined is null."""
    verdicts = [finding.judgement.verdict for finding in audit.findings]
    return {
        "schema": SCHEMA,
        "title": audit.spec.title,
        "source": audit.spec.source,
        "margin": audit.spec.margin.value,
        "time_margin": audit.spec.time_margin.value,
        "alpha": audit.spec.alpha,
        "figures": [_figure(check, audit.reproductions) for check in audit.figures],
        "claims": [_claim(finding) for finding in audit.findings],
        "verdicts": {verdict: verdicts.count(verdict) for verdict in VERDICTS},
    }


def _figure(check: FigureCheck, reproductions: Mapping[str, Reproduction]) -> dict[str, Any]:
    figure = check.figure
    return {
        "id": figure.id,
        "kind": figure.kind,
        "system": figure.system,
        "suite": None if figure.kind == "latency" else figure.suite,
        "printed": figure.value.text,
        "value": figure.value.value,
        "lowest": figure.value.lowest,
        "highest": figure.value.highest,
        "n": figure.n if figure.kind != "latency" and figure.n != "unstated" else None,
        "ci95": as_interval(check.estimate),
        "method": check.estimate.method if check.estimate else None,
        "source": figure.source,
        "verdict": check.verdict,
        "sentence": check.sentence,
        "floor": _floor(check.time),
        "measured": _measured(reproductions.get(figure.id)),
    }


def _floor(time: TimeCheck | None) -> dict[str, Any] | None:
    if time is None:
        return None
    return {
        "floor_ms": _milliseconds(time.floor_s),
        "times_floor": time.times_floor,
        "passes": [time.passes.least, time.passes.most] if time.passes else None,
        "ms_per_pass": _milliseconds(time.pass_s),
        "floor_ms_per_pass": _milliseconds(time.pass_floor_s),
        "launch_bound": time.launch_bound if time.pass_floor_s is not None and time.pass_s is not None else None,
        "saturated_floor_ms": _milliseconds(time.saturated.overlapped_s) if time.saturated else None,
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else MILLISECONDS * seconds


def _measured(reproduction: Reproduction | None) -> dict[str, Any] | None:
    if reproduction is None:
        return None
    estimate, difference, measured = reproduction.estimate, reproduction.difference, reproduction.measured
    return {
        "run": measured.run,
        "n": estimate.n if estimate else None,
        "value": estimate.value if estimate else None,
        "ci95": as_interval(estimate),
        "difference": difference.value if difference else None,
        "difference_ci95": as_interval(difference),
        "method": difference.method if difference else None,
        "outcome": reproduction.outcome,
        "reason": reproduction.reason,
        "margin": reproduction.bar.margin,
        "relative": isinstance(measured, MeasuredTime),
        "interval": list(reproduction.interval) if reproduction.interval else None,
        "level": reproduction.bar.level,
        "items_needed": reproduction.items_needed,
        "items_needed_on_both": reproduction.items_needed_on_both,
        "differences": list(measured.unlike),
        "not_compared": list(measured.unverified),
    }


def _claim(finding: Finding) -> dict[str, Any]:
    claim, judgement = finding.claim, finding.judgement
    return {
        "id": claim.id,
        "kind": claim.kind,
        "text": claim.text,
        "source": claim.source,
        "verdict": judgement.verdict,
        "sentence": judgement.sentence,
        "numbers": {number.name: number.value for number in judgement.numbers},
        "pairs": [_pair(pair) for pair in finding.pairs],
        "measured": as_value(finding.held),
    }


def _pair(pair: Contrast) -> dict[str, Any]:
    return {
        "suite": pair.suite,
        "a": pair.a,
        "b": pair.b,
        "delta": pair.delta,
        "ci95": [pair.lo, pair.hi],
        "method": pair.interval,
        "p_value": pair.p_value,
        "p_adjusted": pair.p_adjusted,
        "family_size": pair.family_size,
        "test": pair.test,
    }
