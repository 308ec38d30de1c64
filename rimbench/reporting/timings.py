"""Stored measurements -> what an answer takes, system by system, and how many times as fast one is as another."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rimbench.latency.measured import Measured, Measurement, noises_of, ratio, unfair_conditions
from rimbench.reporting.document import CellResult
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.times import (
    Cost,
    Flips,
    LatencyEntry,
    QuantityCost,
    Saturation,
    Speedup,
    TimeConditions,
    Times,
    Timings,
)
from rimbench.reporting.variants import is_unchanged
from rimbench.statistics.estimate import Estimate

REMOTE = "remote"
"""The device of what a server has."""
SECONDS_AN_HOUR = 3600
SATURATED = 0.9
"""A system is saturated from the smallest batch that gives this share of its most questions a second."""


def accuracies_beside(cells: Sequence[CellResult]) -> dict[tuple[str, str], Estimate]:
    """The greedy accuracies of complete cells, by what was asked and suite; for times of earlier builds by system."""
    found: dict[tuple[str, str], Estimate] = {}
    for cell in cells:
        greedy = cell.metric(Accuracy).greedy
        if greedy is not None and not cell.partial:
            found[cell.manifest.identity.asked_sha256, cell.suite] = greedy
            if is_unchanged(cell.manifest):
                found[cell.system, cell.suite] = greedy
    return found


def make_timings(
    measurements: Sequence[Measurement],
    accuracies: Mapping[tuple[str, str], Estimate],
    *,
    allow_unfair: bool = False,
) -> Timings:
    """Costs by suite, batch size, quantity and time, each system's last measurement; speed-ups of each measurement.

    A speed-up is given only where quantity, engine, device, dtype, launches and batch size are the same on both sides
    (all but quantity and batch size may differ, labelled, with `allow_unfair`), and both were measured in turn in one
    measurement: the faster against the slower.
    """
    last: dict[tuple[object, ...], Cost] = {}
    speedups: dict[tuple[object, ...], Speedup] = {}
    for measurement in measurements:
        for row in measurement.rows:
            key = (measurement.suite, row.label, row.quantity, *row.conditions.values())
            last[key] = _cost(measurement, row, accuracies)
        for pair in _pairs(measurement):
            found = _speedup(measurement.suite, *pair)
            if not found.unfair or allow_unfair:
                sides = sorted(zip((found.system, found.baseline), found.engines, strict=True))
                speedups[found.suite, *sides, found.batch, found.quantity] = found
    costs = sorted(last.values(), key=lambda c: (c.suite, c.batch, c.quantity, c.ms.mean))
    ordered = sorted(
        speedups.values(), key=lambda s: (s.suite, s.batch, s.quantity, s.system, s.engines, -s.ratio.value)
    )
    return Timings(tuple(_entries(costs)), tuple(ordered), tuple(_saturation(costs)), tuple(costs))


def superseded(measurements: Sequence[Measurement]) -> Iterator[str]:
    """A sentence for each suite on which the same time was measured several times."""
    for suite in sorted({measurement.suite for measurement in measurements}):
        taken = Counter(
            (row.label, row.quantity, *row.conditions.values())
            for measurement in measurements
            if measurement.suite == suite
            for row in measurement.rows
        )
        if (most := max(taken.values())) > 1:
            yield f"times on {suite} were measured {most} times: the last ones count"


def refused(measurement: Measurement) -> list[str]:
    """A sentence for each pair of one measurement that is not compared, with what differs."""
    found = (_speedup(measurement.suite, *pair) for pair in _pairs(measurement))
    return [
        f"not compared: {' and '.join(s.sides(with_engines=s.engines[0] != s.engines[1]))}, {s.quantity} at batch "
        f"{s.batch}: {', '.join(s.unfair)}; --allow-unfair labels it instead"
        for s in found
        if s.unfair
    ]


def doubts(rows: Sequence[Measured]) -> Iterator[str]:
    """A sentence for each time of answers without a letter, each system on a server, and each noisy time."""
    for row in rows:
        if row.quantity == "answer" and row.told and not any(row.told.letters.values()):
            yield f"{row.label} at batch {row.batch}: no answer names a letter, so its time is that of no answer"
    cached = {row.label: row.setting.cached_tokens for row in rows if row.device == REMOTE and row.setting}
    for label, tokens in cached.items():
        cache = "; whether a prompt came from its prefix cache the server does not say: turn that off"
        told = "" if tokens == 0 else cache
        yield f"{label}: its times hold the network, and the load is this machine's{told}"
    for row in rows:
        if row.noises:
            yield f"{row.label}, {row.quantity} at batch {row.batch}: {', '.join(row.noises)}"


def _pairs(measurement: Measurement) -> list[tuple[Measured, Measured]]:
    """One quantity of two systems or engines, measured in the same rounds: at one batch size, sample by sample."""
    pairs = [
        (a, b)
        for a, b in itertools.combinations(measurement.rows, 2)
        if (a.batch, a.quantity) == (b.batch, b.quantity) and a.taken == b.taken and sum(a.taken) > 1
    ]
    return [(a, b) for a, b in pairs if (a.label, a.conditions) != (b.label, b.conditions)]


def _cost(measurement: Measurement, row: Measured, accuracies: Mapping[tuple[str, str], Estimate]) -> Cost:
    passes, setting, told, mean = row.passes, row.setting, row.told, row.mean
    price = measurement.price_per_hour
    conditions = TimeConditions(
        per_sample_ms=row.per_question_ms,
        prompt_tokens=row.prompt_tokens,
        generated_tokens=row.generated_tokens,
        floor_ms=passes.floor_ms if passes else None,
        passes=passes.count if passes else None,
        prefill_ms=passes.prefill_ms if passes else None,
        decode_ms=passes.decode_ms if passes else None,
        tokens_per_s=row.tokens_per_s,
        questions_per_s=None if row.quantity == "letter" else row.questions_per_s,
        floor_share=row.floor_share,
        launch_bound=passes.launch_bound if passes else None,
        truncated=row.truncated,
        accuracy=accuracies.get((row.asked_sha256 or row.label, measurement.suite)),
        timed_right=told.right if told else None,
        timed_items=len(told.letters) if told else None,
        no_letter=sum(letter is None for letter in told.letters.values()) if told else None,
        ties=told.ties if told else None,
        flips=_flips(measurement, row),
        load_s=setting.load_s if setting else None,
        compile_s=setting.compile_s if setting else None,
        first_ms=row.first_ms,
        warm_up_ms=row.warm_up_ms,
        peak_bytes=setting.peak_bytes if setting else None,
        cached_tokens=setting.cached_tokens if setting else None,
        cost_per_1000=None
        if price is None or row.quantity == "letter"
        else 1000 * price / SECONDS_AN_HOUR / row.questions_per_s,
        joules_per_1000=1000 * setting.joules / row.batch
        if setting and setting.joules is not None and row.quantity != "letter"
        else None,
        load_average=row.load,
        drift=row.drift if len(row.samples_ms) > 1 else None,
        unstable=row.unstable,
        noise=tuple(row.noises),
        graphs=setting.graphs if setting else None,
        timed_greedy_accuracy=told.greedy_accuracy if told else None,
    )
    interval = None if mean.lo is None or mean.hi is None else (mean.lo, mean.hi)
    return Cost(
        ms=Times(mean.value, row.percentile(50), row.percentile(95), row.percentile(99), interval),
        conditions=conditions,
        quantity=row.quantity,
        system=row.system,
        label=row.label,
        departures=row.departures,
        suite=measurement.suite,
        engine=row.engine,
        device=row.device,
        dtype=row.dtype,
        batch=row.batch,
        n=len(row.samples_ms),
        processes=len(row.taken),
        threads=measurement.device.get("threads"),
    )


def _entries(costs: Sequence[Cost]) -> list[LatencyEntry]:
    """The quantities of one system, engine, device and batch size together, answers before readouts."""
    groups: dict[tuple[object, ...], list[Cost]] = {}
    for cost in sorted(costs, key=lambda cost: cost.quantity):
        key = (cost.suite, cost.label, cost.engine, cost.device, cost.dtype, cost.batch)
        groups.setdefault(key, []).append(cost)
    return [_entry(group) for group in groups.values()]


def _entry(group: Sequence[Cost]) -> LatencyEntry:
    first, times = group[0], {cost.quantity: cost.ms for cost in group}
    conditions = first.conditions if first.quantity != "readout" else replace(first.conditions, graphs=None)
    one_pass = [cost for cost in group if cost.is_one_pass and cost.quantity != "letter"]
    return LatencyEntry(
        system=first.system,
        engine=first.engine,
        device=first.device,
        batch=first.batch,
        n=first.n,
        processes=first.processes,
        answer_ms=times.get("answer"),
        readout_ms=one_pass[-1].ms if one_pass else None,
        letter_ms=times.get("letter"),
        readout_floor_ms=one_pass[-1].conditions.floor_ms if one_pass else None,
        suite=first.suite,
        dtype=first.dtype,
        threads=first.threads,
        label=first.label,
        departures=first.departures,
        quantities={cost.quantity: QuantityCost(cost.ms, (cost.conditions,)) for cost in group},
        conditions=(conditions,),
    )


def _saturation(costs: Sequence[Cost]) -> list[Saturation]:
    """Every system that was measured at two batch sizes or more."""
    series: dict[tuple[str, str, str], dict[int, float]] = {}
    for cost in costs:
        if cost.conditions.questions_per_s is not None:
            answer_by = "one pass" if cost.is_one_pass else "tokens"
            rates = series.setdefault((cost.suite, with_engine(cost, costs), answer_by), {})
            rates[cost.batch] = cost.conditions.questions_per_s
    several = len({batch for rates in series.values() for batch in rates}) > 1
    found = []
    for key, rates in series.items() if several else ():
        enough = min(batch for batch, rate in rates.items() if rate >= SATURATED * max(rates.values()))
        found.append(Saturation(*key, dict(sorted(rates.items())), None if enough == max(rates) else enough))
    return found


def with_engine(cost: Cost, costs: Sequence[Cost]) -> str:
    """The system, with its engine where several were timed."""
    several = len({(each.engine, each.dtype) for each in costs}) > 1
    return f"{cost.label} ({cost.engine}, {cost.dtype})" if several else cost.label


def _flips(measurement: Measurement, row: Measured) -> Flips | None:
    for other in measurement.rows:
        alone = replace(other, batch=row.batch)
        same = (other.label, other.quantity, alone.conditions) == (row.label, row.quantity, row.conditions)
        if same and other.batch == 1 < row.batch and other.told and row.told:
            shared = other.told.letters.keys() & row.told.letters.keys()
            changed = sum(other.told.letters[key] != row.told.letters[key] for key in shared)
            return Flips(changed, len(shared))
    return None


def _speedup(suite: str, a: Measured, b: Measured) -> Speedup:
    fast, slow = sorted((a, b), key=lambda row: sum(row.samples_ms))
    allowed = None
    if fast.passes and slow.passes and fast.prompt_tokens and slow.prompt_tokens:
        longer = max(1.0, slow.prompt_tokens / fast.prompt_tokens)
        allowed = longer * slow.passes.count / fast.passes.count
    times = ratio(slow, fast)
    return Speedup(
        system=fast.label,
        baseline=slow.label,
        batch=fast.batch,
        quantity=fast.quantity,
        ratio=times,
        engines=(fast.engine, slow.engine),
        unfair=unfair_conditions(fast.conditions, slow.conditions),
        allowed_by_passes=allowed,
        above_passes=allowed is not None and (times.lo or times.value) > allowed,
        suite=suite,
        noise=noises_of((fast, slow)),
    )
