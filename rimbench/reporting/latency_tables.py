"""What answers take, as tables: times, where the time goes, what it takes besides, where a batch saturates."""

from collections.abc import Sequence

from rimbench.display.tabular import Table
from rimbench.reporting.numbers import milliseconds, share, times
from rimbench.reporting.times import Cost, Saturation, Speedup, TimeConditions, Timings
from rimbench.reporting.timings import SATURATED, with_engine


def latency_tables(timings: Timings) -> list[Table]:
    """Every table on time that there is data for."""
    tables = [
        _cost_table(timings.costs),
        _phase_table(timings.costs),
        _condition_table(timings.costs),
        saturation_table(timings.saturation),
        speedup_table(timings.speedups),
    ]
    return [table for table in tables if table.rows]


def _cost_table(costs: Sequence[Cost]) -> Table:
    """What an answer takes, and how right it is."""
    rows = []
    for cost in costs:
        found, ms = cost.conditions, cost.ms
        lo, hi = ms.ci95 or (None, None)
        rows.append(
            (
                cost.suite,
                with_engine(cost, costs),
                str(cost.batch),
                _way(cost),
                milliseconds(ms.mean),
                f"[{milliseconds(lo)}, {milliseconds(hi)}]",
                *map(milliseconds, (ms.p50, ms.p95, ms.p99)),
                f"{found.per_sample_ms:.3g}",
                "-" if found.prompt_tokens is None else f"{found.prompt_tokens:.0f}",
                "-" if found.accuracy is None else share(found.accuracy.value),
                _timed(found),
                ", ".join(found.noise) or "-",
            )
        )
    engines = sorted({f"{c.engine}, {c.dtype} on {c.device}{_threads(c)}" for c in costs})
    least = min((c.n for c in costs), default=0)
    columns = ("suite", "system", "batch", "answer by", "ms a batch", "95%", "p50", "p95", "p99", "ms each")
    return Table(
        "What an answer costs",
        (*columns, "tokens in", "greedy, %", "of timed, %", "noise"),
        tuple(rows),
        f"{'; '.join(engines)}; {least} samples or more after warm-up, systems in turn on the same items, "
        f"tokenisation outside. 95%: {_intervals(costs)}. To the letter: until the answer's letter can be told, the "
        "mean over a batch's questions. p95 takes 20 samples, p99 100. Greedy: the accuracy of the complete run of "
        "the same system and questions, where one lies beside; of timed: that of the timed questions, of so many.",
        ("p50", "p99", "tokens in", "p95", "noise", "of timed, %", "suite", "95%"),
    )


def _intervals(costs: Sequence[Cost]) -> str:
    """What the intervals are over, and what they leave out."""
    if any(cost.processes == 1 for cost in costs):
        return "over thirds of one process's rounds, so that how processes differ is left out"
    return f"over {' or '.join(map(str, sorted({cost.processes for cost in costs})))} worker processes"


def _phase_table(costs: Sequence[Cost]) -> Table:
    """Where the time goes: passes, prefill and decode, throughput, and the share of the hardware's floor."""
    rows = []
    for cost in costs:
        found = cost.conditions
        if found.passes is None:
            continue
        launches = found.graphs or "-"
        rows.append(
            (
                cost.suite,
                with_engine(cost, costs),
                str(cost.batch),
                _way(cost),
                f"{found.passes:.1f}",
                milliseconds(found.prefill_ms),
                milliseconds(found.decode_ms),
                _number(found.tokens_per_s),
                _number(found.questions_per_s),
                milliseconds(found.floor_ms),
                "-" if found.floor_share is None else f"{100 * found.floor_share:.0f}",
                f"{launches}, launch-bound" if found.launch_bound else launches,
            )
        )
    columns = ("suite", "system", "batch", "answer by", "passes", "prefill, ms", "ms a further pass")
    return Table(
        "Where the time goes",
        (*columns, "tokens a s", "questions a s", "floor, ms", "% of floor", "launches"),
        tuple(rows),
        "Floor: the least time that the bandwidth and matrix rate measured on this device allow; its share is floor "
        "over time. Passes: of each question, be a batch computed at once or in parts. Launch-bound: a further pass "
        "takes as long as the first, and both several times their floor.",
        ("tokens a s", "launches", "floor, ms", "suite"),
    )


def _condition_table(costs: Sequence[Cost]) -> Table:
    """What it takes besides: loading, memory, money; and what became of the answers."""
    rows = []
    for cost in costs:
        found = cost.conditions
        if found.graphs is None or cost.quantity == "letter":
            continue
        rows.append(
            (
                cost.suite,
                with_engine(cost, costs),
                str(cost.batch),
                _way(cost),
                _number(found.load_s),
                _number(found.compile_s),
                milliseconds(found.first_ms),
                str(len(found.warm_up_ms)),
                "-" if found.peak_bytes is None else f"{found.peak_bytes / 2**20:.0f}",
                f"{100 * found.truncated:.1f}",
                "-" if found.no_letter is None else f"{found.no_letter} of {found.timed_items}",
                "-" if found.ties is None else str(found.ties),
                f"{found.flips.changed} of {found.flips.n}" if found.flips else "-",
                "-" if found.cached_tokens is None else str(found.cached_tokens),
                "-" if found.cost_per_1000 is None else f"{found.cost_per_1000:.3g}",
                _number(found.joules_per_1000),
            )
        )
    columns = ("suite", "system", "batch", "answer by", "load, s", "compile, s", "first, ms", "warm-up calls")
    return Table(
        "What it takes besides, and what was answered",
        (*columns, "peak, MiB", "cut off, %", "no letter", "ties", "flips", "cached", "cost of 1000", "J of 1000"),
        tuple(rows),
        "Flips: questions answered alone and in the batch whose letters differ. A tie between letters goes to the "
        "first. Cached: tokens of prompts taken from an earlier answer. Peak: the weights and "
        "one call, without what an engine reserves or copies besides. J: all that the processors, or the GPU, take.",
        ("J of 1000", "warm-up calls", "compile, s", "ties", "cut off, %", "cached", "first, ms", "load, s", "suite"),
    )


def saturation_table(series: Sequence[Saturation]) -> Table:
    """By system, the questions a second at every batch size, and the smallest batch that is hardly beaten."""
    batches = sorted({batch for found in series for batch in found.questions_per_s})
    return Table(
        "Questions a second by batch size",
        ("suite", "system", "answer by", *(str(batch) for batch in batches), "saturated at"),
        tuple(
            (
                found.suite,
                found.system,
                found.answer_by,
                *(_number(found.questions_per_s.get(batch)) for batch in batches),
                f"not by {max(found.questions_per_s)}" if found.saturated_at is None else str(found.saturated_at),
            )
            for found in series
        ),
        f"Saturated: the smallest batch with {100 * SATURATED:.0f}% of the most questions a second.",
    )


def speedup_table(speedups: Sequence[Speedup]) -> Table:
    """How many times as fast the faster of two systems is."""
    several = len({engine for s in speedups for engine in s.engines}) > 1
    quantities = len({s.quantity for s in speedups}) > 1
    rows = [
        (
            s.suite,
            *([s.quantity] if quantities else []),
            str(s.batch),
            *s.sides(with_engines=several),
            times(s.ratio),
            "-" if s.allowed_by_passes is None else f"{s.allowed_by_passes:.3g}",
            _remark(s),
        )
        for s in sorted(speedups, key=lambda s: (s.suite, s.quantity, s.engines, s.system, s.baseline, s.batch))
    ]
    return Table(
        "How many times as fast",
        ("suite", *(["of"] if quantities else []), "batch", "system", "than", "times [95%]", "by passes", "remark"),
        tuple(rows),
        "Ratio of mean times in one measurement: same items, engine, device, number type, launches, path and batch "
        "size. By passes: the ratio that the counts of forward passes allow where every pass takes as long.",
        ("by passes", "suite"),  # never the remark: what makes a ratio unfair or doubtful stays beside it
    )


def _remark(speedup: Speedup) -> str:
    remarks = [f"unfair: {', '.join(speedup.unfair)}"] if speedup.unfair else []
    if speedup.above_passes:
        remarks.append("more than the passes allow: the rest is not the method's")
    remarks += speedup.noise
    return "; ".join(remarks) or "-"


def _way(cost: Cost) -> str:
    if cost.quantity == "letter":
        return "to the letter"
    return "one pass" if cost.is_one_pass else f"{cost.conditions.generated_tokens:.1f} tokens"


def _threads(cost: Cost) -> str:
    return f" with {cost.threads} threads" if cost.threads and cost.device == "cpu" else ""


def _timed(found: TimeConditions) -> str:
    """The greedy accuracy of the timed questions, and how many these are."""
    accuracy = found.timed_greedy_accuracy
    return "-" if accuracy is None else f"{share(accuracy)} of {found.timed_items}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"
