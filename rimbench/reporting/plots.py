"""The report as plots: what the tables say, at a glance. Nothing is worked out here but where it is drawn."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from rimbench.errors import DataError
from rimbench.files.writing import replacing, write_whole
from rimbench.reporting.conclusions import MIRRORED, summary_title
from rimbench.reporting.document import Ablation, CellResult, Report
from rimbench.reporting.drawing import (
    GREY,
    MARKERS,
    STYLE,
    WIDTH,
    Plot,
    as_svg_file,
    bar,
    colour_of,
    file_name,
    legend_below,
    line,
    marker_of,
    name_rows,
    panels,
    rows_height,
    save,
    short,
    whiskers,
    widen,
)
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.metrics.calibration import Calibration, Confidence
from rimbench.reporting.metrics.draws import SeveralAnswers
from rimbench.reporting.numbers import counted, decimal
from rimbench.reporting.tables import ablation_title, budget_title
from rimbench.reporting.time_plots import SPAN, plot_accuracy_against_time, plot_throughput

VERDICT_COLOURS = {"better": "#0072b2", "worse": "#d55e00", "equivalent": "#009e73", "undecided": GREY}
SHORT = {"too few items": "too few", "partial": "partial"}
CURVE_POINTS = 200
FEWEST = 20
"""Answers from which on their risk is drawn: of fewer it jumps by 5 points with each."""
COSTS = "What an answer costs"
CALIBRATION = "Can a readout's confidence be trusted"


def make_plots(report: Report) -> list[Plot]:
    """Every plot that the report has data for, in the order of the tables."""
    with mpl.rc_context(STYLE):
        costs = [cost for timings in report.timings for cost in timings.costs]
        of_cells, of_sweeps = {cell.label for cell in report.cells}, {sweep.label for sweep in report.sweeps}
        systems = sorted(of_cells | of_sweeps | {cost.label for cost in costs})
        suites = sorted({cell.suite for cell in report.cells})
        verdicts = _verdict_titles(report)
        found: list[Plot | None] = [_accuracy(report.cells, systems, suites)] if report.cells else []
        found += [_verdicts(report, suite) for suite in suites]
        found.append(_pass_at_k(report.cells, systems, suites))
        found.append(_budgets(report, systems))
        found += [_interventions(ablation, place) for place, ablation in enumerate(report.ablations, start=1)]
        found += [plot_accuracy_against_time(costs, systems, suite, verdicts.get(suite, COSTS)) for suite in suites]
        found.append(plot_throughput(costs, systems))
        for suite in suites:
            found.append(_reliability(report.cells, systems, suite))
            found.append(_risk_against_coverage(report.cells, systems, suite))
        return [plot for plot in found if plot is not None]


def _verdict_titles(report: Report) -> dict[str, str]:
    """The title of each suite's verdict, by the suite's own name."""
    titles = {summary.suite: summary_title(summary) for summary in report.summary}
    named = {cell.suite: cell.shown_suite for cell in reversed(report.cells) if cell.shown_suite in titles}
    return {suite: titles[shown] for suite, shown in named.items()}


def save_plots(plots: Iterable[Plot], folder: Path) -> list[Path]:
    """Write plots as SVG and as PNG; DataError where the folder cannot be written."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for plot in plots:
            svg, png = folder / f"{plot.name}.svg", folder / f"{plot.name}.png"
            write_whole(svg, as_svg_file(plot))
            with replacing(png) as scratch:
                save(plot.figure, scratch, format="png", facecolor="white", dpi=160, metadata={"Software": None})
            written += [svg, png]
    except OSError as error:
        raise DataError(f"cannot write plots to {folder}: {error.strerror}; give another folder") from error
    return written


def _accuracy(cells: Sequence[CellResult], systems: Sequence[str], suites: Sequence[str]) -> Plot | None:
    most = max(sum(cell.suite == suite for cell in cells) for suite in suites)
    figure, grid = panels(len(suites), rows_height(most), share_x=True)
    for axes, suite in zip(grid, suites, strict=True):
        found = [(cell, cell.metric(Accuracy)) for cell in cells if cell.suite == suite]
        shown = [(cell, own) for cell, own in found if own.headline.estimate is not None]
        for place, (cell, own) in enumerate(shown):
            bar(axes, place, own.headline.estimate, colour_of(systems, cell.label))
        guess = next((own.guess for _, own in shown if own.guess is not None), None)
        if guess is not None:
            axes.axvline(100 * guess, color=GREY, ls=":")
        names = [(cell, "" if own.headline.of == "greedy" else f", {own.headline.of}") for cell, own in shown]
        name_rows(axes, [_told(cell, cell.label + of) for cell, of in names])
        axes.set_title(short(suite))
    greedy = all(cell.metric(Accuracy).headline.of == "greedy" for cell in cells)
    kind = "greedy accuracy" if greedy else "accuracy"
    grid[-1].set_xlabel(f"{kind}, % [95%]; dotted: chance")
    title = f"{kind.capitalize()} of each system with its 95% interval, and chance as a dotted line"
    return Plot("accuracy", title, figure, "Accuracy")


def _told(cell: CellResult, name: str) -> str:
    """A cell's name in a plot, with how many items it is of where some are missing."""
    return f"{name}, {counted(cell.n, cell.n_asked)}" if cell.partial else name


def _verdicts(report: Report, suite: str) -> Plot | None:
    pairs = [pair for pair in report.comparisons if pair.suite == suite]
    names = sorted({name for pair in pairs for name in (pair.a, pair.b)})
    if not pairs:
        return None
    figure = Figure(figsize=(max(WIDTH, 1.8 + 0.72 * len(names)), 1.4 + 0.5 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    for pair in pairs:
        verdict, points = pair.verdict, 100 * pair.difference.value
        for row, column, word, value in (
            (pair.a, pair.b, verdict, points),
            (pair.b, pair.a, MIRRORED.get(verdict or "", verdict), -points),
        ):
            x, y = names.index(column), names.index(row)
            colour = VERDICT_COLOURS.get(word or "", GREY)
            axes.add_patch(mpl.patches.Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, color=colour, alpha=0.25, lw=0))
            text = f"{decimal(value, 1, signed=True)}\n{word or SHORT[pair.said]}"
            axes.text(x, y, text, ha="center", va="center", fontsize=8.5)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xticks(range(len(names)), [short(name) for name in names])
    if len(names) > 2:
        axes.tick_params("x", rotation=25)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), [short(name) for name in names])
    axes.grid(visible=False)
    axes.set_title(short(suite))
    axes.set_xlabel("row minus column, points")
    title = f"Verdict on each pair of systems on {suite}, row against column"
    return Plot(f"verdicts-{file_name(suite)}", title, figure, "Who is better")


def _pass_at_k(cells: Sequence[CellResult], systems: Sequence[str], suites: Sequence[str]) -> Plot | None:
    found = [(cell, *cell.metric(SeveralAnswers).passed) for cell in cells]
    by_suite = {suite: [each for each in found if each[0].suite == suite and each[2]] for suite in suites}
    drawn = {suite: shown for suite, shown in by_suite.items() if shown}
    if not drawn:
        return None
    figure, grid = panels(len(drawn), rows_height(max(map(len, drawn.values()))), share_x=True)
    for axes, (suite, shown) in zip(grid, drawn.items(), strict=True):
        for place, (cell, _, passed) in enumerate(shown):
            if passed is not None:
                bar(axes, place, passed.estimate, colour_of(systems, cell.label))
                axes.plot([100 * passed.chance] * 2, [place - 0.45, place + 0.45], color=GREY, ls=":")
        name_rows(axes, [_told(cell, f"{cell.label}, k = {k}") for cell, k, _ in shown])
        axes.set_title(short(suite))
    grid[-1].set_xlabel("pass@k, % [95%]; dotted: chance")
    title = "pass@k of each system with its 95% interval beside chance"
    return Plot("pass-at-k", title, figure, "Several answers")


def _budgets(report: Report, systems: Sequence[str]) -> Plot | None:
    """The accuracies on an axis from 0 to 100, and what they are above K = 0, on the same items."""
    if not report.sweeps:
        return None
    figure, [upper, lower] = panels(2, 2.4, share_x=True)
    for place, sweep in enumerate(report.sweeps):
        name = f"{short(sweep.label)} on {short(sweep.shown_suite)}"
        colour, marker = colour_of(systems, sweep.label), MARKERS[place % len(MARKERS)]
        known = [(b.k, b.accuracy) for b in sweep.budgets if b.accuracy is not None]
        line(upper, [k for k, _ in known], [own for _, own in known], colour, marker, name)
        above = [(b.k, b.above_none) for b in sweep.budgets if b.above_none is not None]
        line(lower, [k for k, _ in above], [own for _, own in above], colour, marker, name)
    upper.set_ylim(0, 102)
    upper.set_ylabel("greedy, % [95%]")
    lower.axhline(0, color=GREY, ls=":")
    lower.set_ylabel("above K = 0,\npoints [95%]")
    lower.set_xlabel("memory budget K; K = 0 has no memory")
    widen(lower, SPAN)
    lower.set_xticks(range(1 + max(b.k for sweep in report.sweeps for b in sweep.budgets)))
    legend_below(figure)
    title = "Accuracy at every memory budget K, and item by item above that of K = 0, with 95% intervals"
    return Plot("budgets", title, figure, budget_title(report.sweeps[0]))


def _interventions(ablation: Ablation, place: int) -> Plot:
    figure, [axes] = panels(1, rows_height(len(ablation.effects)))
    for row, effect in enumerate(ablation.effects):
        bar(axes, row, effect.difference, VERDICT_COLOURS.get(effect.verdict or "", GREY))
    axes.axvline(0, color=GREY, ls=":")
    name_rows(axes, [effect.intervention for effect in ablation.effects])
    axes.set_title(short(f"{ablation.label} on {ablation.shown_suite}"))
    axes.set_xlabel("intervened minus intact, points [95%]")
    title = f"What each intervention on the memory of {ablation.label} does to its accuracy on {ablation.suite}"
    return Plot(f"interventions-{place}", title, figure, ablation_title(ablation))


def _reliability(cells: Sequence[CellResult], systems: Sequence[str], suite: str) -> Plot | None:
    """No line joins the bins: one of few items says little, and how many each holds stands below."""
    shown = _read_out(cells, suite)
    if not shown:
        return None
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for cell, own in shown:
        colour, marker = colour_of(systems, cell.label), marker_of(systems, cell.label)
        at = [100 * b.confidence for b in own.reliability]
        accuracies = [b.accuracy for b in own.reliability]
        y = [100 * accuracy.value for accuracy in accuracies]
        axes.errorbar(at, y, whiskers(accuracies), fmt="none", ecolor=colour, alpha=0.45, capsize=2)
        sizes = [8 + 60 * b.n / own.n for b in own.reliability]
        axes.scatter(at, y, sizes, color=colour, marker=marker, label=short(_told(cell, cell.label)))
        inside = {round(b.lower * own.bins): b.n for b in own.reliability}
        edges = [100 * place / own.bins for place in range(own.bins + 1)]
        counts.stairs([inside.get(place, 0) for place in range(own.bins)], edges, color=colour)
    axes.plot([0, 100], [0, 100], color=GREY, ls=":")
    axes.set_ylabel("accuracy, % [95%]")
    counts.set_ylabel("items")
    counts.set_xlabel("confidence, %; dotted: as right as it is sure")
    axes.set_title(short(suite))
    legend_below(figure)
    title = f"Reliability on {suite}: accuracy by confidence, and the items of each bin; dotted: perfect calibration"
    return Plot(f"reliability-{file_name(suite)}", title, figure, CALIBRATION)


def _risk_against_coverage(cells: Sequence[CellResult], systems: Sequence[str], suite: str) -> Plot | None:
    shown = _read_out(cells, suite)
    if not shown:
        return None
    figure, [axes] = panels(1, 3.3)
    top, shade = 0.0, min(0.12, 0.5 / len(shown))
    for cell, own in shown:
        curve, colour = own.curve, colour_of(systems, cell.label)
        n = len(curve.coverage)
        places = range(n - 1, min(n, FEWEST) - 2, -max(1, n // CURVE_POINTS))
        at = [100 * curve.coverage[i] for i in places]
        label = short(_told(cell, cell.label))
        axes.plot(at, [100 * curve.risk[i] for i in places], color=colour, label=label)
        top = max(top, 100 * curve.risk[-1])
        ends = [(100 * (e.lo or 0), 100 * (e.hi or 0)) for i in places if (e := curve.interval(i)) is not None]
        if ends:
            axes.fill_between(at, *zip(*ends, strict=True), color=colour, alpha=shade, lw=0)
    axes.set_xlabel("coverage: the surest share that is answered, %")
    axes.set_ylabel("wrong among those, % [95%]")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, max(SPAN, 1.4 * top))
    axes.set_title(short(suite))
    legend_below(figure)
    title = (
        f"Risk against coverage on {suite}: how often the surest answers are wrong, with 95% intervals of each point"
    )
    return Plot(f"risk-coverage-{file_name(suite)}", title, figure, CALIBRATION)


def _read_out(cells: Sequence[CellResult], suite: str) -> list[tuple[CellResult, Calibration]]:
    read = [(cell, cell.metric(Confidence).calibration) for cell in cells if cell.suite == suite]
    return [(cell, own) for cell, own in read if own is not None]
