"""What answers take, as JSON: the keys `latency`, `speedups` and `saturation` of a report's document."""

from collections.abc import Sequence
from typing import Any

from rimbench.report.costs import Cost, Speedup
from rimbench.report.latency_tables import find_saturation
from rimbench.report.numbers import as_interval

OF_ALL = (
    *("system", "engine", "device", "batch", "n", "answer_ms", "readout_ms", "letter_ms", "readout_floor_ms"),
    *("suite", "dtype", "threads", "label", "departures"),
)
"""What an entry says of all its quantities at once."""


def latency_document(costs: Sequence[Cost], speedups: Sequence[Speedup]) -> dict[str, Any]:
    """The keys of the document that hold times."""
    return {
        "latency": _latency(costs),
        "speedups": [
            {
                "system": speedup.system,
                "baseline": speedup.baseline,
                "batch": speedup.batch,
                "quantity": speedup.quantity,
                "ratio": speedup.ratio.value,
                "ci95": as_interval(speedup.ratio),
                "engines": list(speedup.engines),
                "unfair": list(speedup.unfair),
                "allowed_by_passes": speedup.allowed,
                "above_passes": speedup.is_too_fast,
                "suite": speedup.suite,
            }
            for speedup in speedups
        ],
        "saturation": [
            {
                "suite": found.suite,
                "system": found.label,
                "answer_by": found.answer_by,
                "questions_per_s": {str(batch): rate for batch, rate in sorted(found.rates.items())},
                "saturated_at": found.at,
            }
            for found in find_saturation(costs)
        ],
    }


def _latency(costs: Sequence[Cost]) -> list[dict[str, Any]]:
    """One entry a system, engine, device and batch size; a readout's answer is its one pass.

    The figures at the top of an entry are those of its answer; `quantities` has those of each quantity.
    """
    entries: dict[tuple[object, ...], dict[str, Any]] = {}
    for cost in sorted(costs, key=lambda cost: cost.measured.quantity):  # answers before readouts
        row = cost.measured
        graphs = row.setting.graphs if row.setting and row.quantity != "readout" else None
        key = (cost.suite, row.label, row.engine, row.device, row.dtype, row.batch)
        entry = entries.setdefault(key, _entry(cost) | {"graphs": graphs, "quantities": {}})
        if row.quantity == "answer":
            entry["answer_ms"] = _times(cost)
        if row.quantity == "letter":
            entry["letter_ms"] = _times(cost)
        if cost.is_one_pass and row.quantity != "letter":
            entry["readout_ms"] = _times(cost)
            entry["readout_floor_ms"] = row.passes.floor_ms if row.passes else None
        own = {name: value for name, value in _entry(cost).items() if name not in OF_ALL}
        entry["quantities"][row.quantity] = {"ms": _times(cost), **own}
    return list(entries.values())


def _times(cost: Cost) -> dict[str, Any]:
    percentiles = {f"p{p}": value for p, value in cost.percentiles.items()}
    return {"mean": cost.mean.value, **percentiles, "ci95": as_interval(cost.mean)}


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
        "graphs": setting.graphs if setting else None,
        "timed_greedy_accuracy": told.greedy_accuracy if told else None,
        "label": row.label,
        "departures": {name: list(values) for name, values in row.departures.items()},
    }
