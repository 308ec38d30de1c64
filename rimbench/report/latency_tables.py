"""What answers take, as tables: times, where the time goes, what it takes besides, where a batch saturates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rimbench.display.tabular import Table
from rimbench.report.costs import Cost, Speedup
from rimbench.report.numbers import milliseconds, share, times

SATURATED = 0.9
"""A system is saturated from the smallest batch that gives this share of its most questions a second."""


def latency_tables(costs: Sequence[Cost], speedups: Sequence[Speedup]) -> list[Table]:
    """Every table on time that there is data for."""
    tables = [
        cost_table(costs),
        phase_table(costs),
        condition_table(costs),
        saturation_table(costs),
        speedup_table(speedups),
    ]
    return [table for table in tables if table.rows]


def cost_table(costs: Sequence[Cost]) -> Table:
    """What an answer takes, and how right it is."""
    rows = []
    for cost in costs:
        row = cost.measured
        rows.append(
            (
                cost.suite,
                _named(cost, costs),
                str(row.batch),
                _way(cost),
                milliseconds(cost.mean.value),
                f"[{milliseconds(cost.mean.lo)}, {milliseconds(cost.mean.hi)}]",
                *(milliseconds(value) for value in cost.percentiles.values()),
                f"{row.per_question_ms:.3g}",
                f"{row.prompt_tokens:.0f}",
                "-" if cost.accuracy is None else share(cost.accuracy.value),
                _timed(cost),
                ", ".join(row.noises) or "-",
            )
        )
    engines = sorted({f"{c.measured.engine}, {c.measured.dtype} on {c.measured.device}{_threads(c)}" for c in costs})
    least = min((len(c.measured.samples_ms) for c in costs), default=0)
    columns = ("suite", "system", "batch", "answer by", "ms a batch", "95%", "p50", "p95", "p99", "ms each")
    return Table(
        "What an answer costs",
        (*columns, "tokens in", "greedy, %", "of timed, %", "noise"),
        tuple(rows),
        f"{'; '.join(engines)}; {least} samples or more after warm-up, systems in turn on the same items, "
        "tokenisation outside. To the letter: until the answer's letter can be told, the mean over a batch's "
        "questions. p95 takes 20 samples, p99 100. Greedy: the accuracy of the complete run of the same system and "
        "questions, where one lies beside; of timed: that of the questions that were timed, of so many.",
        ("p50", "p99", "tokens in", "p95", "noise", "of timed, %", "suite", "95%"),
    )


def phase_table(costs: Sequence[Cost]) -> Table:
    """Where the time goes: passes, prefill and decode, throughput, and the share of the hardware's floor."""
    rows = []
    for cost in costs:
        row, passes = cost.measured, cost.measured.passes
        if passes is None:
            continue
        launches = row.setting.graphs if row.setting else "-"
        rows.append(
            (
                cost.suite,
                _named(cost, costs),
                str(row.batch),
                _way(cost),
                f"{passes.count:.1f}",
                milliseconds(passes.prefill_ms),
                milliseconds(passes.decode_ms),
                _number(row.tokens_per_s),
                _number(row.questions_per_s),
                milliseconds(passes.floor_ms),
                "-" if row.floor_share is None else f"{100 * row.floor_share:.0f}",
                f"{launches}, launch-bound" if passes.launch_bound else launches,
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


def condition_table(costs: Sequence[Cost]) -> Table:
    """What it takes besides: loading, memory, money; and what became of the answers."""
    rows = []
    for cost in costs:
        row, setting, told = cost.measured, cost.measured.setting, cost.measured.told
        if setting is None or row.quantity == "letter":
            continue
        silent = sum(letter is None for letter in told.letters.values()) if told else 0
        rows.append(
            (
                cost.suite,
                _named(cost, costs),
                str(row.batch),
                _way(cost),
                _number(setting.load_s),
                _number(setting.compile_s),
                milliseconds(row.first_ms),
                str(len(row.warm_up_ms)),
                "-" if setting.peak_bytes is None else f"{setting.peak_bytes / 2**20:.0f}",
                f"{100 * row.truncated:.1f}",
                f"{silent} of {len(told.letters)}" if told else "-",
                str(told.ties) if told else "-",
                f"{cost.flips.changed} of {cost.flips.n}" if cost.flips else "-",
                "-" if setting.cached_tokens is None else str(setting.cached_tokens),
                "-" if cost.per_1000 is None else f"{cost.per_1000:.3g}",
            )
        )
    columns = ("suite", "system", "batch", "answer by", "load, s", "compile, s", "first, ms", "warm-up calls")
    return Table(
        "What it takes besides, and what was answered",
        (*columns, "peak, MiB", "cut off, %", "no letter", "ties", "flips", "cached", "cost of 1000"),
        tuple(rows),
        "Flips: questions answered alone and in the batch whose letters differ. A tie between letters goes to the "
        "first. Cached: tokens of prompts taken from an earlier answer. Peak: the weights and "
        "one call, without what an engine reserves or copies besides.",
        ("warm-up calls", "compile, s", "ties", "cut off, %", "cached", "first, ms", "load, s", "suite"),
    )


@dataclass(frozen=True, slots=True)
class Saturation:
    """Questions a second of one system by batch size, and the smallest batch that is hardly beaten.

    `at` is None where that is the largest one measured: a larger one may give more.
    """

    suite: str
    label: str
    answer_by: str
    rates: Mapping[int, float]
    at: int | None


def find_saturation(costs: Sequence[Cost]) -> list[Saturation]:
    """Every system that was measured at two batch sizes or more."""
    series: dict[tuple[str, str, str], dict[int, float]] = {}
    for cost in costs:
        if cost.measured.quantity != "letter":
            key = (cost.suite, _named(cost, costs), _way(cost, counted=False))
            series.setdefault(key, {})[cost.measured.batch] = cost.measured.questions_per_s
    several = len({batch for found in series.values() for batch in found}) > 1
    found = []
    for key, rates in series.items() if several else ():
        enough = min(batch for batch, rate in rates.items() if rate >= SATURATED * max(rates.values()))
        found.append(Saturation(*key, rates, None if enough == max(rates) else enough))
    return found


def saturation_table(costs: Sequence[Cost]) -> Table:
    """By system, the questions a second at every batch size, and the smallest batch that is hardly beaten."""
    series = find_saturation(costs)
    batches = sorted({batch for found in series for batch in found.rates})
    return Table(
        "Questions a second by batch size",
        ("suite", "system", "answer by", *(str(batch) for batch in batches), "saturated at"),
        tuple(
            (
                found.suite,
                found.label,
                found.answer_by,
                *(_number(found.rates.get(batch)) for batch in batches),
                f"not by {max(found.rates)}" if found.at is None else str(found.at),
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
            "-" if s.allowed is None else f"{s.allowed:.3g}",
            _remark(s),
        )
        for s in sorted(speedups, key=lambda s: (s.suite, s.quantity, s.engines, s.system, s.baseline, s.batch))
    ]
    return Table(
        "How many times as fast",
        ("suite", *(["of"] if quantities else []), "batch", "system", "than", "times [95%]", "by passes", "remark"),
        tuple(rows),
        "Ratio of mean times in one measurement: same items, engine, device, number type, launches and batch size. "
        "By passes: the ratio that the counts of forward passes allow where every pass takes as long.",
        ("remark", "by passes"),
    )


def _remark(speedup: Speedup) -> str:
    remarks = [f"unfair: {', '.join(speedup.unfair)}"] if speedup.unfair else []
    if speedup.is_too_fast:
        remarks.append("more than the passes allow: the rest is not the method's")
    return "; ".join(remarks) or "-"


def _named(cost: Cost, costs: Iterable[Cost]) -> str:
    """The system, with its engine where several were timed."""
    several = len({(c.measured.engine, c.measured.dtype) for c in costs}) > 1
    row = cost.measured
    return f"{row.label} ({row.engine}, {row.dtype})" if several else row.label


def _way(cost: Cost, *, counted: bool = True) -> str:
    row = cost.measured
    if row.quantity == "letter":
        return "to the letter"
    if cost.is_one_pass:
        return "one pass"
    return f"{row.generated_tokens:.1f} tokens" if counted else "tokens"


def _threads(cost: Cost) -> str:
    return f" with {cost.threads} threads" if cost.threads and cost.measured.device == "cpu" else ""


def _timed(cost: Cost) -> str:
    """The greedy accuracy of the timed questions, and how many these are."""
    told = cost.measured.told
    if told is None or told.greedy_accuracy is None:
        return "-"
    return f"{share(told.greedy_accuracy)} of {len(told.letters)}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"
