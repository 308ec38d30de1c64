"""The table of what memory is worth: accuracy by memory budget."""

from rimbench.display.tabular import Table
from rimbench.report.budgets import StoredSweep
from rimbench.report.numbers import counted, percent, points, share
from rimbench.report.variants import suite_label


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
    if outcome.uniform is not None and outcome.majority is not None:
        best = outcome.majority
        remark += (
            f" A uniform guesser has {share(outcome.uniform)}%, one letter {share(best.accuracy.value)}% "
            f"({best.letter})."
        )
    where, n = suite_label(sweep.manifest), counted(outcome.n, outcome.n_asked)
    return Table(
        f"Accuracy by memory budget: {sweep.label} on {where}, N = {n}",
        ("K", "greedy, % [95%]", "changed", "to right", "to wrong", "failed"),
        tuple(rows),
        remark,
    )
