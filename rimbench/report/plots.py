"""The report as plots: what the tables say, at a glance. Nothing is worked out here but where it is drawn."""

import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from rimbench.errors import DataError
from rimbench.files.writing import replacing, write_whole
from rimbench.latency.stored import Quantity
from rimbench.report.document import CellResult, Report
from rimbench.report.drawing import (
    COLOURS,
    GREY,
    MARKERS,
    STYLE,
    WIDTH,
    Plot,
    as_svg,
    bar,
    colour_of,
    line,
    logarithmic,
    name_rows,
    panels,
    rows_height,
    save,
    short,
    whiskers,
)
from rimbench.report.metrics.accuracy import Accuracy
from rimbench.report.metrics.calibration import Calibration, Confidence
from rimbench.report.metrics.draws import SeveralAnswers
from rimbench.report.numbers import counted, decimal
from rimbench.report.times import Cost, Speedup
from rimbench.statistics.estimate import Estimate

VERDICT_COLOURS = {"better": "#0072b2", "worse": "#d55e00", "equivalent": "#009e73", "undecided": GREY}
SHORT = {"too few items": "too few", "partial": "partial"}
MIRRORED = {"better": "worse", "worse": "better"}
CURVE_POINTS = 200


def make_plots(report: Report) -> list[Plot]:
    """Every plot that the report has data for, in the order of the tables."""
    with mpl.rc_context(STYLE):
        costs = [cost for timings in report.timings for cost in timings.costs]
        systems = sorted({cell.system for cell in report.cells})
        suites = sorted({cell.suite for cell in report.cells})
        found: list[Plot | None] = [_accuracy(report.cells, systems, suites)]
        found += [_verdicts(report, suite) for suite in suites]
        found.append(_pass_at_k(report.cells, systems, suites))
        found.append(_budgets(report, systems))
        found += [_accuracy_against_time(costs, systems, suite) for suite in suites]
        found.append(plot_throughput(costs))
        for suite in suites:
            found.append(_reliability(report.cells, systems, suite))
            found.append(_risk_against_coverage(report.cells, systems, suite))
        return [plot for plot in found if plot is not None]


def write_plots(report: Report, folder: Path) -> list[Path]:
    """Write every plot as SVG and as PNG; DataError where the folder cannot be written."""
    return save_plots(make_plots(report), folder)


def save_plots(plots: Iterable[Plot], folder: Path) -> list[Path]:
    """Write plots as SVG and as PNG; DataError where the folder cannot be written."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for plot in plots:
            svg, png = folder / f"{plot.name}.svg", folder / f"{plot.name}.png"
            write_whole(svg, as_svg(plot))
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
            bar(axes, place, own.headline.estimate, colour_of(systems, cell.system))
        guess = next((own.guess for _, own in shown if own.guess is not None), None)
        if guess is not None:
            axes.axvline(100 * guess, color=GREY, ls=":")
        names = [(cell, "" if own.headline.of == "greedy" else f", {own.headline.of}") for cell, own in shown]
        name_rows(axes, [_told(cell, cell.label + of) for cell, of in names])
        axes.set_title(short(suite))
    greedy = all(cell.metric(Accuracy).headline.of == "greedy" for cell in cells)
    kind = "greedy accuracy" if greedy else "accuracy"
    grid[-1].set_xlabel(f"{kind}, % [95%]; dotted: a guesser's")
    title = f"{kind.capitalize()} of each system with its 95% interval, and a uniform guesser's as a dotted line"
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
    return Plot(f"verdicts-{_file_name(suite)}", title, figure, "Who is better")


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
                bar(axes, place, passed.estimate, colour_of(systems, cell.system))
                axes.plot([100 * passed.chance] * 2, [place - 0.45, place + 0.45], color=GREY, ls=":")
        name_rows(axes, [_told(cell, f"{cell.label}, k = {k}") for cell, k, _ in shown])
        axes.set_title(short(suite))
    grid[-1].set_xlabel("pass@k, % [95%]; dotted: a guesser's")
    title = "pass@k of each system with its 95% interval beside a uniform guesser's"
    return Plot("pass-at-k", title, figure, "Several answers")


def _budgets(report: Report, systems: Sequence[str]) -> Plot | None:
    if not report.sweeps:
        return None
    figure, [axes] = panels(1, 3.4)
    for place, sweep in enumerate(report.sweeps):
        known = [(b.k, b.accuracy) for b in sweep.budgets if b.accuracy is not None]
        name = f"{short(sweep.label)} on {short(sweep.shown_suite)}"
        colour = colour_of(systems, sweep.system)
        line(axes, [k for k, _ in known], [a for _, a in known], colour, MARKERS[place % len(MARKERS)], name)
    axes.set_xlabel("memory budget K; K = 0 has no memory")
    axes.set_ylabel("greedy accuracy, % [95%]")
    axes.set_xticks(range(1 + max(b.k for sweep in report.sweeps for b in sweep.budgets)))
    axes.legend()
    title = "Accuracy at every memory budget K, from K = 0 on, with 95% intervals"
    return Plot("budgets", title, figure, "Accuracy by memory budget")


def _accuracy_against_time(costs: Sequence[Cost], systems: Sequence[str], suite: str) -> Plot | None:
    answers = [c for c in costs if c.suite == suite and c.quantity == "answer"]
    shown = [(c, c.conditions.accuracy) for c in answers if c.conditions.accuracy is not None]
    if not shown:
        return None
    batches = sorted({cost.batch for cost, _ in shown})
    figure, grid = panels(len(batches), 3.0)
    for axes, batch in zip(grid, batches, strict=True):
        points = [(c.conditions.per_sample_ms, accuracy, c) for c, accuracy in shown if c.batch == batch]
        for time, accuracy, row in points:
            colour = colour_of(systems, row.system)
            axes.errorbar(time, 100 * accuracy.value, whiskers([accuracy]), fmt="o", color=colour, capsize=3)
            axes.annotate(
                short(row.label), (time, 100 * accuracy.value), (6, 6), textcoords="offset points", fontsize=9
            )
        front = pareto_front([(time, accuracy.value) for time, accuracy, _ in points])
        logarithmic(axes, [time for time, _, _ in points])
        steps = [*front, (axes.get_xlim()[1], front[-1][1])]
        axes.plot([x for x, _ in steps], [100 * y for _, y in steps], color=GREY, drawstyle="steps-post", zorder=0)
        axes.set_title(f"{short(suite)}, batch {batch}")
        axes.set_ylabel("greedy accuracy, % [95%]")
    grid[-1].set_xlabel("ms a question; line: the Pareto front, best by then")
    title = f"Accuracy against the time of an answer on {suite}, with the Pareto front"
    return Plot(f"accuracy-against-time-{_file_name(suite)}", title, figure, "What an answer costs")


def plot_throughput(costs: Sequence[Cost]) -> Plot | None:
    """Questions a second against the batch size, a line a system; None for fewer than two batch sizes."""
    drawn = _drawn(c.quantity for c in costs)
    shown = [c for c in costs if c.quantity == drawn]
    if len({row.batch for row in shown}) < 2:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        engines = sorted({row.engine for row in shown})
        systems = sorted({row.label for row in shown})
        suites = sorted({c.suite for c in costs})
        for suite, name, engine in itertools.product(suites, systems, engines):
            rows = [c for c in costs if c.suite == suite and c.quantity == drawn]
            found = sorted(
                (r.batch, r.conditions.questions_per_s or 0.0) for r in rows if (r.label, r.engine) == (name, engine)
            )
            words = [name, *([engine] if len(engines) > 1 else []), *([suite] if len(suites) > 1 else [])]
            style: dict[str, Any] = {"marker": MARKERS[engines.index(engine)], "color": colour_of(systems, name)}
            if found:
                axes.plot([b for b, _ in found], [q for _, q in found], label=", ".join(map(short, words)), **style)
        _by_batch(axes, {row.batch for row in shown}, "questions a second")
    title = "Questions answered a second at each batch size, by system"
    return Plot("throughput", title, figure, "Questions a second by batch size")


def plot_speedups(speedups: Sequence[Speedup]) -> Plot | None:
    """How many times as fast, with intervals, by batch size, a line a pair; None for fewer than two batch sizes."""
    drawn = _drawn(s.quantity for s in speedups)
    shown = [s for s in speedups if s.quantity == drawn]
    if len({s.batch for s in shown}) < 2:
        return None
    several = len({engine for s in shown for engine in s.engines}) > 1
    # The side that is faster at the smallest batch names the line: at a larger one it may be the slower.
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    lines: dict[tuple[str, str], list[tuple[int, Estimate]]] = {}
    for s in sorted(shown, key=lambda s: s.batch):
        sides = s.sides(with_engines=several)
        named = pairs.setdefault(frozenset(sides), sides)
        lines.setdefault(named, []).append((s.batch, s.ratio if named == sides else _turned(s.ratio)))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        for number, ((fast, slow), found) in enumerate(lines.items()):
            y = [ratio.value for _, ratio in found]
            below = [ratio.value - (ratio.lo or ratio.value) for _, ratio in found]
            above = [(ratio.hi or ratio.value) - ratio.value for _, ratio in found]
            style: dict[str, Any] = {
                "marker": MARKERS[number % len(MARKERS)],
                "color": COLOURS[number % len(COLOURS)],
            }
            label = f"{short(fast)} than {short(slow)}"
            axes.errorbar([batch for batch, _ in found], y, [below, above], capsize=3, label=label, **style)
        axes.axhline(1, color=GREY, linewidth=1)
        _by_batch(axes, {s.batch for s in shown}, "times as fast [95%]")
    title = "How many times as fast one system answers as another, at each batch size"
    return Plot("speedups", title, figure, "Speed-ups by batch size")


def _drawn(quantities: Iterable[Quantity]) -> Quantity:
    """Of the quantities that were measured the one that is drawn: answers, or readouts where there are none."""
    return "answer" if "answer" in quantities else "readout"


def _turned(ratio: Estimate) -> Estimate:
    """The ratio the other way round."""
    lo, hi = (None if end is None else 1 / end for end in (ratio.hi, ratio.lo))
    return replace(ratio, value=1 / ratio.value, lo=lo, hi=hi)


def _by_batch(axes: Any, batches: set[int], what: str) -> None:
    """Batch sizes on the x axis, both axes logarithmic."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(sorted(batches), [str(batch) for batch in sorted(batches)])
    axes.set_xlabel("batch: questions answered at once")
    axes.set_ylabel(what)
    axes.legend(fontsize=8)


def pareto_front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (time, accuracy), those that no other beats in one without losing in the other; the fastest first."""
    front: list[tuple[float, float]] = []
    for time, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or accuracy > front[-1][1]:
            front.append((time, accuracy))
    return front


def _reliability(cells: Sequence[CellResult], systems: Sequence[str], suite: str) -> Plot | None:
    def draw(axes: Any, cell: CellResult, own: Calibration) -> None:
        at = [100 * b.confidence for b in own.reliability]
        colour = colour_of(systems, cell.system)
        line(axes, at, [b.accuracy for b in own.reliability], colour, "o", short(_told(cell, cell.label)))

    def frame(axes: Any) -> None:
        axes.plot([0, 100], [0, 100], color=GREY, ls=":")
        axes.set_xlabel("confidence, %; dotted: as right as it is sure")
        axes.set_ylabel("accuracy, % [95%]")

    title = f"Reliability on {suite}: accuracy by confidence, bin by bin; dotted: perfect calibration"
    return _calibrated("reliability", title, cells, suite, draw, frame)


def _risk_against_coverage(cells: Sequence[CellResult], systems: Sequence[str], suite: str) -> Plot | None:
    def draw(axes: Any, cell: CellResult, own: Calibration) -> None:
        curve = own.curve
        every = max(1, len(curve.coverage) // CURVE_POINTS)
        coverage, risk = curve.coverage[::-every][::-1], curve.risk[::-every][::-1]
        colour, name = colour_of(systems, cell.system), short(_told(cell, cell.label))
        axes.plot([100 * x for x in coverage], [100 * y for y in risk], color=colour, label=name)

    def frame(axes: Any) -> None:
        axes.set_xlabel("coverage: the surest share that is answered, %")
        axes.set_ylabel("risk: wrong among those, %")
        axes.set_xlim(0, 100)
        axes.set_ylim(bottom=0)

    title = f"Risk against coverage on {suite}: how often the surest answers are wrong"
    return _calibrated("risk-coverage", title, cells, suite, draw, frame)


def _calibrated(  # noqa: PLR0913 - two plots of one frame
    name: str,
    title: str,
    cells: Sequence[CellResult],
    suite: str,
    draw: Callable[[Any, CellResult, Calibration], None],
    frame: Callable[[Any], None],
) -> Plot | None:
    read = [(cell, cell.metric(Confidence).calibration) for cell in cells if cell.suite == suite]
    shown = [(cell, own) for cell, own in read if own is not None]
    if not shown:
        return None
    figure, [axes] = panels(1, 3.6)
    for cell, own in shown:
        draw(axes, cell, own)
    frame(axes)
    axes.set_title(short(suite))
    axes.legend()
    return Plot(f"{name}-{_file_name(suite)}", title, figure, "Can a readout's confidence")


def _file_name(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    return plain if plain == name else f"{plain or 'suite'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
