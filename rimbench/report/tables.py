"""The summary as tables of plain text, in the order of a reader's questions; every format prints these."""

from collections.abc import Sequence

from rimbench.display.tabular import Table
from rimbench.records import STATUSES
from rimbench.report.cells import Cell
from rimbench.report.cost_tables import budget_table
from rimbench.report.latency_tables import latency_tables
from rimbench.report.numbers import counted, counts, decimal, interval, number, percent, points, share
from rimbench.report.origin_tables import making_table, origin_table
from rimbench.report.pair_tables import certainty_table, verdict_table
from rimbench.report.summary import Summary

LONGEST_SETTING = 60
"""Characters of a setting, an instruction say, that a table shows."""
DISCLAIMER = "A research tool: nothing here is fit for clinical use."


def make_tables(summary: Summary) -> list[Table]:
    """Who is better, how sure, what it costs, what to distrust, where each number comes from; none is empty."""
    cells = summary.cells
    tables = [
        _accuracy(cells),
        _variants(cells),
        verdict_table(summary.pairs),
        _pass_at_k(cells),
        *(budget_table(sweep) for sweep in summary.sweeps),
        certainty_table(summary.pairs, summary.settings),
        *latency_tables(summary.costs, summary.speedups),
        Table("What to distrust", ("remark",), tuple((note,) for note in summary.notes)),
        _statuses(cells),
        _letters(cells),
        _calibration(cells),
        _gaps(summary),
        _order_effects(summary),
        origin_table(cells),
        making_table(cells),
    ]
    return [table for table in tables if table.rows]


def _accuracy(cells: Sequence[Cell]) -> Table:
    methods = sorted({cell.headline.method for cell in cells if cell.headline})
    told = any(cell.of != "greedy" for cell in cells)
    rows = [
        (
            cell.suite,
            cell.label,
            counted(cell.n, cell.n_planned),
            percent(cell.headline),
            *([cell.of] if told else []),
            interval(*cell.bootstrap) if cell.bootstrap else "-",
            share(cell.uniform),
            f"{share(cell.majority.accuracy.value)} ({cell.majority.letter})" if cell.majority else "-",
        )
        for cell in cells
    ]
    return Table(
        "Accuracy",
        (
            *("suite", "system", "n"),
            *(("accuracy, % [95%]", "of") if told else ("greedy, % [95%]",)),
            *("BCa", "guess, %", "one letter, %"),
        ),
        tuple(rows),
        f"Intervals: {', '.join(methods) or 'none'}, and the BCa bootstrap beside it. An answer that names no letter "
        "counts as wrong. Guess: a uniform guesser; one letter: whoever always gives the most frequent gold letter.",
        ("BCa",),
    )


def _variants(cells: Sequence[Cell]) -> Table:
    """A row for each setting in which a run departs from its system's own file."""
    return Table(
        "What departs from a system's own file",
        ("suite", "system", "shown as", "setting", "own", "here"),
        tuple(
            (cell.suite, cell.manifest.system, cell.label, name, _setting(own), _setting(here))
            for cell in cells
            for name, (own, here) in cell.departures.items()
        ),
        "Such a run is a variant of its system, not the system; one that is blind or permuted is a control.",
    )


def _setting(value: object) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= LONGEST_SETTING else f"{text[: LONGEST_SETTING - 3]}..."


def _pass_at_k(cells: Sequence[Cell]) -> Table:
    rows = [
        (
            cell.suite,
            cell.label,
            counted(passed.estimate.n, cell.n_planned),
            str(passed.k),
            percent(passed.estimate),
            share(passed.chance),
            percent(passed.corrected),
            percent(passed.exact),
            percent(cell.pass_at_1),
            percent(cell.maj_at_k.get(passed.k)),
        )
        for cell in cells
        for passed in cell.pass_at_k
    ]
    return Table(
        "Several answers a question",
        ("suite", "system", "n", "k", "pass@k, % [95%]", "guess, %", "above chance", "exact", "pass@1", "maj@k"),
        tuple(rows),
        "pass@k: the unbiased estimator, bootstrapped over questions; one near guess, a uniform guesser's, "
        "says little. Above chance: (value - guess) / (1 - guess). Exact: from a readout's probabilities.",
        ("exact", "pass@1", "above chance", "maj@k", *_whole_n(cells)),
    )


def _statuses(cells: Sequence[Cell]) -> Table:
    return Table(
        f"What became of the {'answers' if any(cell.run.by_draws for cell in cells) else 'greedy answers'}",
        ("suite", "system", "n", *(status.replace("_", " ") for status in STATUSES), "accuracy given ok"),
        tuple(
            (
                cell.suite,
                cell.label,
                counted(cell.n, cell.n_planned),
                *(str(cell.statuses[status]) for status in STATUSES),
                percent(cell.given_parsed),
            )
            for cell in cells
        ),
        "Of draws alone, every draw is counted." if any(cell.run.by_draws for cell in cells) else "",
        optional=("refused", "truncated", "ambiguous", *_whole_n(cells)),
    )


def _letters(cells: Sequence[Cell]) -> Table:
    return Table(
        "Letters",
        ("suite", "system", "n", "gold", "answered"),
        tuple(
            (
                cell.suite,
                cell.label,
                counted(cell.n, cell.n_planned),
                counts(cell.gold_letters),
                counts(cell.predicted_letters),
            )
            for cell in cells
        ),
        "A system that answers one letter far more often than it is gold follows the position, not the question.",
        _whole_n(cells),
    )


def _whole_n(cells: Sequence[Cell]) -> tuple[str, ...]:
    """The n of whole cells, which the first table has, may be left out; that of a partial one never."""
    return () if any(cell.partial or len(cell.run.sampled) not in (0, cell.n_planned) for cell in cells) else ("n",)


def _calibration(cells: Sequence[Cell]) -> Table:
    rows = [
        (
            cell.suite,
            cell.label,
            counted(found.n, cell.n_planned),
            decimal(found.error.ece.value, 3),
            number(found.error.corrected),
            decimal(found.error.floor, 3),
            number(found.brier),
            number(found.curve.area),
            percent(found.accuracy_at_half_coverage),
            share(cell.label_mass),
        )
        for cell in cells
        if (found := cell.calibration) is not None
    ]
    bins = next((cell.calibration.error.bins for cell in cells if cell.calibration), 0)
    return Table(
        "Can a readout's confidence be trusted",
        (
            "suite",
            "system",
            "n",
            "ECE",
            "less its bias [95%]",
            "ECE floor",
            "Brier [95%]",
            "risk-coverage [95%]",
            "surer half, % [95%]",
            "label mass, %",
        ),
        tuple(rows),
        f"ECE over {bins} bins of equal width. Few items bias it upwards: the interval is that of the ECE less its "
        "bias. Floor: what a perfectly calibrated system would show. "
        "Risk-coverage: the area under that curve. Surer half: the accuracy of the half with the higher confidence. "
        "Label mass: what the option letters hold of the whole vocabulary's probability where they are read.",
        ("surer half, % [95%]", "risk-coverage [95%]", "label mass, %", *_whole_n(cells)),
    )


def _gaps(summary: Summary) -> Table:
    return Table(
        "In distribution against out of it",
        ("system", "suites", "n", "gap, points [95%]"),
        tuple(
            (
                gap.system,
                f"{gap.inside} - {gap.outside}",
                ", ".join(map(counted, gap.answered, gap.asked)),
                points(gap.difference),
            )
            for gap in summary.gaps
        ),
        "" if not summary.gaps else "n: the items of the two suites.",
    )


def _order_effects(summary: Summary) -> Table:
    rows = []
    for effect in summary.order_effects:
        moved = effect.moved or 1
        rows.append(
            (
                effect.suite,
                effect.system,
                counted(effect.n, effect.n_asked),
                str(effect.orders),
                share(effect.mean_accuracy),
                str(effect.moved),
                share(effect.follow_text / moved) if effect.moved else "-",
                share(effect.follow_letter / moved) if effect.moved else "-",
            )
        )
    return Table(
        "When the options change places",
        ("suite", "system", "n", "orders", "mean accuracy, %", "moved", "follow the text, %", "follow the letter, %"),
        tuple(rows),
        "Moved: answers whose option stood under another letter in the other order.",
    )
