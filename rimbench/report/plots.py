"""The summary as plots: what the tables say, at a glance. Nothing is worked out here but where it is drawn.

Every plot is made by matplotlib without a display. An SVG's text is text, and the same summary gives the same bytes.
"""

import hashlib
import html
import io
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from rimbench.errors import DataError
from rimbench.report.cells import Cell
from rimbench.report.costs import Cost
from rimbench.report.summary import Summary
from rimbench.statistics.estimate import Estimate
from rimbench.tabular import plain

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "rimbench",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f3fbf", "#808080")
"""Told apart without red and green, in light and in dark; by the place of a system among those of the report."""
MARKERS = "osD^vP*X"
VERDICT_COLOURS = {"better": "#0072b2", "worse": "#d55e00", "equivalent": "#009e73", "undecided": "#8a8a8a"}
LONGEST_NAME = 28
INK = "#000000"


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure with a name for its files, and what it shows in one sentence, for those who do not see it."""

    name: str
    title: str
    figure: Figure


def make_plots(summary: Summary) -> list[Plot]:
    """Every plot that the summary has data for, in the order of the tables."""
    with mpl.rc_context(STYLE):
        systems = sorted({cell.manifest.system for cell in summary.cells})
        suites = sorted({cell.manifest.suite for cell in summary.cells})
        found: list[Plot | None] = [_accuracy(summary.cells, systems, suites)]
        found += [_verdicts(summary, suite) for suite in suites]
        found.append(_pass_at_k(summary.cells, systems, suites))
        found.append(_budgets(summary, systems))
        found += [_accuracy_against_time(summary.costs, systems, suite) for suite in suites]
        found += [_reliability(summary.cells, systems, suite) for suite in suites]
        found += [_risk_against_coverage(summary.cells, systems, suite) for suite in suites]
        return [plot for plot in found if plot is not None]


def write_plots(summary: Summary, folder: Path) -> list[Path]:
    """Write every plot as SVG and as PNG; DataError where the folder cannot be written."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for plot in make_plots(summary):
            svg, png = folder / f"{plot.name}.svg", folder / f"{plot.name}.png"
            svg.write_text(as_svg(plot), encoding="utf-8")
            _save(plot.figure, png, facecolor="white", dpi=160, metadata={"Software": None})
            written += [svg, png]
    except OSError as error:
        raise DataError(f"cannot write plots to {folder}: {error.strerror}; give another folder") from error
    return written


def as_svg(plot: Plot) -> str:
    """The plot as an SVG element with the ink of the text around it, and its title for a screen reader."""
    out = io.StringIO()
    _save(plot.figure, out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # What matplotlib leaves without a fill is black by default, and its ids are one page's among several plots.
    text = re.sub(r"""(id="|url\(#|xlink:href="#|href="#)""", rf"\g<1>{plot.name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    return text.replace("<svg ", f'<svg role="img" fill="currentColor" aria-label="{_attribute(plot.title)}" ', 1)


def _save(figure: Figure, target: Any, **options: Any) -> None:
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a browser has other fonts, a PNG shows a box
        figure.savefig(target, **options)


def _accuracy(cells: Sequence[Cell], systems: Sequence[str], suites: Sequence[str]) -> Plot | None:
    figure, panels = _panels(len(suites), height=_rows_height(cells, suites), share_x=True)
    for axes, suite in zip(panels, suites, strict=True):
        shown = [cell for cell in cells if cell.manifest.suite == suite and cell.greedy_accuracy is not None]
        for place, cell in enumerate(shown):
            _bar(axes, place, cell.greedy_accuracy, _colour(systems, cell.manifest.system))
        guess = next((cell.uniform for cell in shown if cell.uniform is not None), None)
        if guess is not None:
            axes.axvline(100 * guess, color="#8a8a8a", ls=":")
        axes.set_yticks(range(len(shown)), [_short(cell.label) for cell in shown])
        axes.invert_yaxis()
        axes.set_title(_short(suite))
        axes.set_xlabel("greedy accuracy, % [95%]; dotted: a guesser's")
    title = "Greedy accuracy of each system with its 95% interval, and a uniform guesser's as a dotted line"
    return Plot("accuracy", title, figure)


def _verdicts(summary: Summary, suite: str) -> Plot | None:
    pairs = [pair for pair in summary.pairs if pair.suite == suite]
    names = sorted({name for pair in pairs for name in (pair.a, pair.b)})
    if not pairs:
        return None
    size = 1.6 + 0.75 * len(names)
    figure = Figure(figsize=(max(size, 3.5), max(size - 0.6, 2.5)), layout="constrained")
    axes = figure.add_subplot()
    mirrored = {"better": "worse", "worse": "better"}
    for pair in pairs:
        verdict, points = pair.judgement.verdict, 100 * pair.comparison.difference.value
        for row, column, word, value in (
            (pair.a, pair.b, verdict, points),
            (pair.b, pair.a, mirrored.get(verdict or "", verdict), -points),
        ):
            x, y = names.index(column), names.index(row)
            colour = VERDICT_COLOURS.get(word or "", "#8a8a8a")
            axes.add_patch(mpl.patches.Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, color=colour, alpha=0.25, lw=0))
            axes.text(x, y, f"{value:+.1f}\n{word or 'too few'}", ha="center", va="center", fontsize=8)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xticks(range(len(names)), [_short(name) for name in names], rotation=30, ha="right")
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.grid(visible=False)
    axes.set_title(f"{_short(suite)}: row minus column, points")
    return Plot(f"verdicts-{_file_name(suite)}", f"Verdict on each pair of systems on {suite}", figure)


def _pass_at_k(cells: Sequence[Cell], systems: Sequence[str], suites: Sequence[str]) -> Plot | None:
    drawn = [suite for suite in suites if any(c.pass_at_k for c in cells if c.manifest.suite == suite)]
    if not drawn:
        return None
    figure, panels = _panels(len(drawn), height=_rows_height(cells, drawn), share_x=True)
    for axes, suite in zip(panels, drawn, strict=True):
        shown = [cell for cell in cells if cell.manifest.suite == suite and cell.pass_at_k]
        for place, cell in enumerate(shown):
            passed = cell.pass_at_k[0]
            _bar(axes, place, passed.estimate, _colour(systems, cell.manifest.system))
            axes.plot([100 * passed.chance] * 2, [place - 0.4, place + 0.4], color="#8a8a8a", ls=":")
        axes.set_yticks(range(len(shown)), [_short(cell.label) for cell in shown])
        axes.invert_yaxis()
        axes.set_title(_short(suite))
        axes.set_xlabel(f"pass@{shown[0].pass_at_k[0].k}, % [95%]; dotted: a guesser's")
    return Plot("pass-at-k", "pass@k of each system with its 95% interval beside a uniform guesser's", figure)


def _budgets(summary: Summary, systems: Sequence[str]) -> Plot | None:
    if not summary.sweeps:
        return None
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for place, sweep in enumerate(summary.sweeps):
        known = [(b.blocks, b.accuracy) for b in sweep.outcome.budgets if b.accuracy is not None]
        name = f"{_short(sweep.manifest.system)} on {_short(sweep.manifest.suite)}"
        colour = _colour(systems, sweep.manifest.system)
        _line(axes, [k for k, _ in known], [a for _, a in known], colour, MARKERS[place % len(MARKERS)], name)
    axes.set_xlabel("memory budget K; K = 0 has no memory")
    axes.set_ylabel("greedy accuracy, % [95%]")
    axes.set_xticks(range(1 + max(b.blocks for sweep in summary.sweeps for b in sweep.outcome.budgets)))
    axes.legend()
    return Plot("budgets", "Accuracy at every memory budget K, from K = 0 on, with 95% intervals", figure)


def _accuracy_against_time(costs: Sequence[Cost], systems: Sequence[str], suite: str) -> Plot | None:
    shown = [c for c in costs if c.suite == suite and c.accuracy is not None and c.measured.quantity == "answer"]
    if not shown:
        return None
    batches = sorted({cost.measured.batch for cost in shown})
    figure, panels = _panels(len(batches), height=3.4)
    for axes, batch in zip(panels, batches, strict=True):
        at_batch = [cost for cost in shown if cost.measured.batch == batch]
        for cost in at_batch:
            value, time = 100 * cost.accuracy.value, cost.measured.per_question_ms  # type: ignore[union-attr]
            axes.errorbar(time, value, _reach([cost.accuracy]), fmt="o", color=_colour(systems, cost.measured.system))
            axes.annotate(_short(cost.measured.system), (time, value), (5, 5), textcoords="offset points", fontsize=8)
        front = pareto_front([(c.measured.per_question_ms, c.accuracy.value) for c in at_batch if c.accuracy])
        axes.plot([x for x, _ in front], [100 * y for _, y in front], color="#8a8a8a", lw=1, zorder=0)
        axes.set_xscale("log")
        axes.margins(x=0.25)
        axes.set_title(f"{_short(suite)}, batch {batch}")
        axes.set_xlabel("ms a question; line: none is faster and more accurate")
        axes.set_ylabel("greedy accuracy, % [95%]")
    title = f"Accuracy against the time of an answer on {suite}, with the Pareto front"
    return Plot(f"accuracy-against-time-{_file_name(suite)}", title, figure)


def pareto_front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (time, accuracy), those that no other beats in one without losing in the other; the fastest first."""
    front: list[tuple[float, float]] = []
    for time, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or accuracy > front[-1][1]:
            front.append((time, accuracy))
    return front


def _reliability(cells: Sequence[Cell], systems: Sequence[str], suite: str) -> Plot | None:
    def draw(axes: Any, cell: Cell) -> None:
        bins = cell.calibration.reliability if cell.calibration else ()
        at = [100 * b.confidence for b in bins]
        _line(axes, at, [b.accuracy for b in bins], _colour(systems, cell.manifest.system), "o", _short(cell.label))

    def frame(axes: Any) -> None:
        axes.plot([0, 100], [0, 100], color="#8a8a8a", ls=":")
        axes.set_xlabel("confidence, %")
        axes.set_ylabel("accuracy, % [95%]")

    title = f"Reliability on {suite}: accuracy by confidence, bin by bin; dotted: perfect calibration"
    return _calibrated("reliability", title, cells, suite, draw, frame)


def _risk_against_coverage(cells: Sequence[Cell], systems: Sequence[str], suite: str) -> Plot | None:
    def draw(axes: Any, cell: Cell) -> None:
        if cell.calibration is not None:
            curve = cell.calibration.curve
            every = max(1, len(curve.coverage) // 200)
            coverage, risk = curve.coverage[::-every][::-1], curve.risk[::-every][::-1]
            colour = _colour(systems, cell.manifest.system)
            axes.plot([100 * x for x in coverage], [100 * y for y in risk], color=colour, label=_short(cell.label))

    def frame(axes: Any) -> None:
        axes.set_xlabel("coverage: the surest share that is answered, %")
        axes.set_ylabel("wrong among those, %")
        axes.set_ylim(bottom=0)

    title = f"Risk against coverage on {suite}: how often the surest answers are wrong"
    return _calibrated("risk-coverage", title, cells, suite, draw, frame)


def _calibrated(  # noqa: PLR0913 - two plots of one frame
    name: str,
    title: str,
    cells: Sequence[Cell],
    suite: str,
    draw: Callable[[Any, Cell], None],
    frame: Callable[[Any], None],
) -> Plot | None:
    shown = [cell for cell in cells if cell.manifest.suite == suite and cell.calibration is not None]
    if not shown:
        return None
    figure = Figure(figsize=(5, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for cell in shown:
        draw(axes, cell)
    frame(axes)
    axes.set_title(_short(suite))
    axes.legend()
    return Plot(f"{name}-{_file_name(suite)}", title, figure)


def _panels(count: int, height: float, *, share_x: bool = False) -> tuple[Figure, list[Any]]:
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(0.6 + 4.0 * columns, max(height, 1.8) * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=share_x)
    for axes in grid.flat[count:]:
        axes.remove()
    return figure, list(grid.flat[:count])


def _bar(axes: Any, place: int, estimate: Estimate | None, colour: str) -> None:
    if estimate is not None:
        axes.errorbar(100 * estimate.value, place, xerr=_reach([estimate]), fmt="o", color=colour, capsize=3)


def _line(  # noqa: PLR0913 - what a line is drawn from
    axes: Any, x: Sequence[float], estimates: Sequence[Estimate], colour: str, marker: str, label: str
) -> None:
    y = [100 * estimate.value for estimate in estimates]
    axes.errorbar(x, y, _reach(estimates), color=colour, marker=marker, ms=4, capsize=2, label=label)


def _reach(estimates: Sequence[Estimate | None]) -> list[list[float]]:
    """How far intervals reach below and above their values; not at all where there is none."""
    known = [e for e in estimates if e is not None]
    below = [100 * max(0.0, e.value - e.lo) if e.lo is not None else 0.0 for e in known]
    above = [100 * max(0.0, e.hi - e.value) if e.hi is not None else 0.0 for e in known]
    return [below, above]


def _rows_height(cells: Sequence[Cell], suites: Sequence[str]) -> float:
    """The height in inches of a panel with a row for each cell of its suite."""
    return 0.9 + 0.3 * max(sum(cell.manifest.suite == suite for cell in cells) for suite in suites)


def _colour(systems: Sequence[str], system: str) -> str:
    return COLOURS[systems.index(system) % len(COLOURS)] if system in systems else INK


def _short(name: str) -> str:
    """A name as a plot shows it: one line, not too long."""
    text = plain(name)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."


def _file_name(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    return plain if plain == name else f"{plain or 'suite'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _attribute(text: str) -> str:
    return html.escape(plain(text))
