"""How every plot is drawn: style, colours, intervals, axes, and files that are the same for the same figure.

Drawn by matplotlib without a display. An SVG's text is text, in the ink of the page around it.
"""

import hashlib
import html
import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from rimbench.display.plaintext import plain
from rimbench.statistics.estimate import Estimate

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "rimbench",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10,
    "font.family": "sans-serif",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f3fbf", "#808080")
"""Told apart without red and green, in light and in dark; by the place of a system among those of the report."""
MARKERS = "osD^vP*X"
GREY = "#8a8a8a"
LONGEST_NAME, LONG_NAME = 34, 24
"""Characters of a name that is cut, and of one that may stick out of a figure."""
WIDTH = 5.2
"""Inches of every figure: one column of a page, the whole width of a telephone."""
INK = "#000000"


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure with a name for its files, and what it shows in one sentence, for those who do not see it.

    `table` is the beginning of the title of the table that says the same in numbers.
    """

    name: str
    title: str
    figure: Figure
    table: str


def as_svg(plot: Plot) -> str:
    """The plot as an SVG element with the ink of the text around it, and its title for a screen reader."""
    out = io.StringIO()
    save(plot.figure, out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # What matplotlib leaves without a fill is black by default, and its ids are one page's among several plots.
    text = re.sub(r"""(id="|url\(#|xlink:href="#|href="#)""", rf"\g<1>{plot.name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    label = html.escape(plain(plot.title))
    return text.replace("<svg ", f'<svg role="img" fill="currentColor" aria-label="{label}" ', 1)


def as_svg_file(plot: Plot) -> str:
    """The same for a file: its ink and its paper are light or dark as the reader's screen is."""
    light, dark = "svg{color:#1b1f24;background:#fff}", "svg{color:#e6e9ed;background:#14171b}"
    style = f"<style>{light}@media (prefers-color-scheme:dark){{{dark}}}</style>"
    return re.sub(r"<svg [^>]*>", rf"\g<0>{style}", as_svg(plot), count=1)


def save(figure: Figure, target: Any, **options: Any) -> None:
    """Write a figure, the same bytes for the same figure, and the wider where a long name sticks out."""
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a browser has other fonts, a PNG shows a box
        names = [axes.get_title("left") for axes in figure.axes]
        names += [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
        if max(map(len, names)) > LONG_NAME:  # it takes a second layout
            figure.draw_without_rendering()
            options["bbox_inches"] = Bbox.union([figure.bbox_inches, figure.get_tightbbox()])
        figure.savefig(target, **options)


def panels(count: int, height: float, *, share_x: bool = False) -> tuple[Figure, list[Any]]:
    """A figure of panels below one another, `height` inches each."""
    figure = Figure(figsize=(WIDTH, height * count), layout="constrained")
    grid = figure.subplots(count, 1, squeeze=False, sharex=share_x)
    for axes in grid.flat:
        axes.tick_params(labelbottom=True)
    return figure, list(grid.flat)


def name_rows(axes: Any, names: Sequence[str]) -> None:
    """One row for each name, the first on top, with room around them."""
    axes.set_yticks(range(len(names)), [short(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def rows_height(count: int) -> float:
    """The height in inches of a panel of so many rows."""
    return 1.0 + 0.28 * count


def bar(axes: Any, place: int, estimate: Estimate | None, colour: str) -> None:
    """One row's value with its interval."""
    if estimate is not None:
        axes.errorbar(100 * estimate.value, place, xerr=whiskers([estimate]), fmt="o", color=colour, capsize=3)


def line(  # noqa: PLR0913 - what a line is drawn from
    axes: Any, x: Sequence[float], estimates: Sequence[Estimate], colour: str, marker: str, label: str
) -> None:
    """Values with their intervals, which step back behind them."""
    y = [100 * estimate.value for estimate in estimates]
    axes.errorbar(x, y, whiskers(estimates), fmt="none", ecolor=colour, alpha=0.45, capsize=2)
    axes.plot(x, y, color=colour, marker=marker, ms=4.5, label=label)


def whiskers(estimates: Sequence[Estimate | None]) -> list[list[float]]:
    """How far intervals reach below and above their values; not at all where there is none."""
    known = [e for e in estimates if e is not None]
    below = [100 * max(0.0, e.value - e.lo) if e.lo is not None else 0.0 for e in known]
    above = [100 * max(0.0, e.hi - e.value) if e.hi is not None else 0.0 for e in known]
    return [below, above]


def logarithmic(axes: Any, values: Sequence[float], ends: Sequence[float]) -> None:
    """A logarithmic x axis with room around values and for the ends of their intervals; its ticks are plain numbers,
    never fewer than two.
    """
    axes.set_xscale("log")
    lo, hi = min(min(values) / 1.6, min(ends) / 1.1), max(max(values) * 1.9, max(ends) * 1.1)
    axes.set_xlim(lo, hi)
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if hi / lo < 200 else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def colour_of(systems: Sequence[str], system: str) -> str:
    """A system's colour, the same in every plot of a report."""
    return COLOURS[systems.index(system) % len(COLOURS)] if system in systems else INK


def marker_of(systems: Sequence[str], system: str) -> str:
    """A system's marker, the same in every plot of a report; where colours repeat, it is another one."""
    place = systems.index(system) if system in systems else 0
    return MARKERS[(place + place // len(COLOURS)) % len(MARKERS)]


def legend_below(figure: Figure) -> None:
    """One legend for all panels, below them, where it hides no point however many systems there are."""
    named = {
        name: handle for axes in figure.axes for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    columns = 2 if max(map(len, named), default=0) < 28 else 1
    figure.set_figheight(figure.get_figheight() + 0.2 * -(-len(named) // columns))
    figure.legend(list(named.values()), list(named), loc="outside lower left", ncols=columns)


def widen(axes: Any, points: float) -> None:
    """Make a y axis of percentages span so many points at least, so that noise does not fill it."""
    lo, hi = axes.get_ylim()
    more = max(0.0, points - (hi - lo)) / 2
    axes.set_ylim(lo - more, hi + more)


def short(name: str) -> str:
    """A name as a plot shows it: one line, not too long. It is cut in its middle: a variant differs at its end."""
    text = plain(name)
    if len(text) <= LONGEST_NAME:
        return text
    head = (LONGEST_NAME - 3) // 3
    return f"{text[:head]}...{text[head + 3 - LONGEST_NAME :]}"


def file_name(name: str) -> str:
    """What a plot's file is called after a suite: its name, or what is left of it with a hash of the whole."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    return plain if plain == name else f"{plain or 'suite'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
