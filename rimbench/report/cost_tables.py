"""Tables of what answers cost: by memory budget, in time, and one system against another."""

from collections.abc import Sequence

from rimbench.report.budgets import StoredSweep
from rimbench.report.costs import Cost, Speedup
from rimbench.report.numbers import milliseconds, percent, points, share, times
from rimbench.tabular import Table


def budget_table(sweep: StoredSweep) -> Table:
    """Accuracy at every memory budget, K = 0 first, and what the memory is worth."""
    outcome = sweep.outcome
    rows = [
        (
            str(b.blocks),
            percent(b.accuracy),
            *("-" if count is None else str(count) for count in (b.changed, b.to_right, b.to_wrong)),
            str(b.failed),
        )
        for b in outcome.budgets
    ]
    remark = "K = 0 has no memory. Changed: answers that differ from those at K - 1."
    memory = outcome.memory
    if memory is not None:
        remark += (
            f" K = {outcome.budgets[-1].blocks} minus K = 0: {points(memory.difference)} points, "
            f"p = {memory.p_value:.2g} ({memory.test})."
        )
    return Table(
        f"Accuracy by memory budget: {sweep.manifest.system} on {sweep.manifest.suite}, N = {outcome.n}",
        ("K", "greedy, % [95%]", "changed", "to right", "to wrong", "failed"),
        tuple(rows),
        remark,
    )


def cost_table(costs: Sequence[Cost]) -> Table:
    """What an answer takes, and how right it is."""
    rows = []
    for cost in costs:
        row = cost.measured
        rows.append(
            (
                cost.suite,
                row.system,
                str(row.batch),
                "one pass" if cost.is_one_pass else f"{row.generated_tokens:.1f} tokens",
                milliseconds(cost.mean.value),
                f"[{milliseconds(cost.mean.lo)}, {milliseconds(cost.mean.hi)}]",
                *(milliseconds(value) for value in cost.percentiles.values()),
                f"{row.per_question_ms:.3g}",
                f"{row.prompt_tokens:.0f}",
                share(cost.accuracy.value if cost.accuracy else None),
                ", ".join(row.noises) or "-",
            )
        )
    engines = sorted({f"{c.measured.engine}, {c.measured.dtype} on {c.measured.device}" for c in costs})
    least = min((len(c.measured.samples_ms) for c in costs), default=0)
    columns = ("suite", "system", "batch", "answer by", "ms a batch", "95%", "p50", "p95", "p99", "ms each")
    return Table(
        "What an answer costs",
        (*columns, "tokens in", "greedy, %", "noise"),
        tuple(rows),
        f"{'; '.join(engines)}; {least} samples or more after warm-up, systems in turn on the same items, "
        "tokenisation outside.",
        ("p50", "p99", "tokens in", "p95", "answer by", "noise", "95%"),
    )


def speedup_table(speedups: Sequence[Speedup]) -> Table:
    """How many times as fast the faster of two systems is."""
    rows = [
        (s.suite, str(s.batch), s.system, s.baseline, times(s.ratio))
        for s in speedups
    ]  # fmt: skip
    return Table(
        "How many times as fast",
        ("suite", "batch", "system", "than", "times [95%]"),
        tuple(rows),
        "Ratio of mean answer times in one measurement: same items, engine, device, number type and batch size.",
    )
