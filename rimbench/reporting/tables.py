"""The report as tables of plain text, in the order of a reader's questions; every format prints these."""

from collections.abc import Sequence

from rimbench.display.tabular import Table
from rimbench.reporting.adaptive import AdaptiveMemory
from rimbench.reporting.breakdown import breakdown_tables
from rimbench.reporting.carried import carried_table
from rimbench.reporting.compared import Gap, OrderEffect
from rimbench.reporting.conclusions import summary_tables
from rimbench.reporting.document import Ablation, BudgetSweep, CellResult, Report
from rimbench.reporting.latency_tables import latency_tables
from rimbench.reporting.metrics import find_metrics
from rimbench.reporting.numbers import counted, decimal, percent, points, share
from rimbench.reporting.origin_tables import making_table, origin_table
from rimbench.reporting.pair_tables import certainty_table, verdict_table
from rimbench.reporting.rotations import rotations_table

LONGEST_SETTING = 60
"""Characters of a setting, an instruction say, that a table shows."""
DISCLAIMER = "A research tool: nothing here is fit for clinical use."


def make_tables(report: Report, *, all_pairs: bool = False) -> list[Table]:
    """Suite by suite the verdict, then who is better of `all_pairs`, how sure, what it costs, what to distrust, where
    each number comes from; none is empty.
    """
    cells, pairs = report.cells, report.comparisons
    listed = [pair for summary in report.summary for pair in summary.pairs] if all_pairs else []
    placed = [
        (-1, summary_tables(report.summary)),
        (1, [_variants(cells)]),
        (2, [verdict_table(listed)]),
        (2.5, breakdown_tables(report.breakdowns, report.pair_breakdowns)),
        (4, [budget_table(sweep) for sweep in report.sweeps]),
        (4, [ablation_table(ablation) for ablation in report.ablations]),
        (5, [certainty_table(pairs, report.margin, report.alpha)]),
        (6, [table for timings in report.timings for table in latency_tables(timings)]),
        (7, [Table("What to distrust", ("remark",), tuple((note,) for note in report.notes))]),
        (12, [_gaps(report.gaps), carried_table(report.carried), _order_effects(report.order_effects)]),
        (12.5, [rotations_table(report.rotations)]),
        (13, [origin_table(cells), making_table(cells)]),
        *((metric.place, [metric.table(cells)]) for metric in find_metrics() if metric.table),
    ]
    return [table for _, tables in sorted(placed, key=lambda each: each[0]) for table in tables if table.rows]


def _variants(cells: Sequence[CellResult]) -> Table:
    """A row for each setting in which a run departs from its system's own file."""
    return Table(
        "What departs from a system's own file",
        ("suite", "system", "shown as", "setting", "own", "here"),
        tuple(
            (cell.shown_suite, cell.system, cell.label, name, _setting(own), _setting(here))
            for cell in cells
            for name, (own, here) in cell.departures.items()
        ),
        "Such a run is a variant of its system, not the system; one that is blind or permuted is a control.",
    )


def _setting(value: object) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= LONGEST_SETTING else f"{text[: LONGEST_SETTING - 3]}..."


def budget_title(sweep: BudgetSweep) -> str:
    """The title of a sweep's table; under that of the first one stands the plot of all."""
    return f"Accuracy by memory budget: {sweep.label} on {sweep.shown_suite}, N = {counted(sweep.n, sweep.n_asked)}"


def budget_table(sweep: BudgetSweep) -> Table:
    """Accuracy at every memory budget, K = 0 first, and what the memory is worth."""
    rows = [
        (
            str(b.k),
            percent(b.accuracy),
            *("-" if count is None else str(count) for count in (b.changed, b.to_right, b.to_wrong)),
            str(b.failed),
        )
        for b in sweep.budgets
    ]
    remark = "K = 0 has no memory. Changed: answers that differ from those at K - 1."
    memory, best = sweep.memory, sweep.one_letter
    if memory is not None:
        remark += (
            f" K = {memory.k} minus K = 0: {points(memory.difference)} points, "
            f"p = {memory.p_value:.2g} ({memory.test})."
        )
    if sweep.adaptive is not None:
        remark += f" {_say_adaptive(sweep.adaptive)}"
    if sweep.guess is not None and best is not None:
        remark += f" Chance is {share(sweep.guess)}%, the majority letter {share(best.accuracy)}% ({best.letter})."
    return Table(
        budget_title(sweep),
        ("K", "greedy, % [95%]", "changed", "to right", "to wrong", "failed"),
        tuple(rows),
        remark,
    )


def _say_adaptive(found: AdaptiveMemory) -> str:
    """What stopping at the first sure block comes to."""
    sure = "never" if found.threshold is None else f"from a margin of {found.threshold:.3f}"
    blocks = decimal(found.blocks.value, 1)
    return (
        f"Stopping at the first block that is sure, {sure}, chosen on {found.n_choosing} items: {blocks} blocks on "
        f"the mean of the other {found.n_judging}, {percent(found.accuracy)}%, {points(found.against_all)} points "
        "against all blocks."
    )


def ablation_title(ablation: Ablation) -> str:
    """The title of an ablation's table, under which its plot stands, too."""
    told = f"{ablation.label} on {ablation.shown_suite}, N = {counted(ablation.n, ablation.n_asked)}"
    return f"What the memory does: {told}"


def ablation_table(ablation: Ablation) -> Table:
    """What the memory does: the accuracy under every intervention on it beside the intact run's."""
    counts = {effect.n for effect in ablation.effects}
    remark = f"Intact: {percent(ablation.intact)}. Difference: intervened minus intact, on the items that both have. "
    remark += "Changed: answers that became others. p: adjusted. "
    for effect in ablation.effects:
        if effect.follows is not None:
            shown = effect.follows
            remark += (
                f"Given another item's memory, {share(shown.donor)}% of the answers are that item's gold letter, "
                f"{share(shown.question)}% their own, {share(shown.neither)}% neither. "
            )
    return Table(
        ablation_title(ablation),
        ("intervention", "n", "accuracy, % [95%]", "difference, points [95%]", "changed", "p", "verdict"),
        tuple(
            (
                effect.intervention,
                counted(effect.n, ablation.n_asked),
                percent(effect.accuracy),
                points(effect.difference),
                str(effect.changed),
                f"{effect.p_adjusted:.2g}",
                effect.said,
            )
            for effect in ablation.effects
        ),
        f"{remark}Family: {ablation.family.pairs} ({ablation.family.adjustment}).",
        ("n", "changed") if counts == {ablation.n_asked} else ("changed",),
    )


def _gaps(gaps: Sequence[Gap]) -> Table:
    return Table(
        "In distribution against out of it",
        ("system", "suites", "n", "gap, points [95%]"),
        tuple(
            (
                gap.system,
                f"{gap.inside} - {gap.outside}",
                ", ".join(map(counted, gap.n, gap.n_asked)),
                points(gap.difference),
            )
            for gap in gaps
        ),
        "" if not gaps else "n: the items of the two suites.",
    )


def _order_effects(effects: Sequence[OrderEffect]) -> Table:
    return Table(
        "When the options change places",
        ("suite", "system", "n", "orders", "mean accuracy, %", "moved", "follow the text, %", "follow the letter, %"),
        tuple(
            (
                effect.suite,
                effect.system,
                counted(effect.n, effect.n_asked),
                str(effect.orders),
                share(effect.mean_accuracy),
                str(effect.moved),
                share(effect.follow_text),
                share(effect.follow_letter),
            )
            for effect in effects
        ),
        "Moved: answers whose option stood under another letter in the other order.",
    )
