"""What is drawn of measured times: throughput and speed-ups by batch size, accuracy against time."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from rimbench.latency.measured import Quantity
from rimbench.reporting.drawing import (
    GREY,
    MARKERS,
    STYLE,
    Plot,
    colour_of,
    file_name,
    legend_below,
    logarithmic,
    marker_of,
    panels,
    short,
    whiskers,
    widen,
)
from rimbench.reporting.times import Cost, Speedup
from rimbench.statistics.estimate import Estimate

SPAN = 20
"""Points of accuracy that an axis spans at least."""


def plot_accuracy_against_time(costs: Sequence[Cost], systems: Sequence[str], suite: str, table: str) -> Plot | None:
    """Accuracy against the time of an answer on one suite, with the Pareto front; None without both.

    It stands with `table`, the suite's verdict.
    """
    answers = [c for c in costs if c.suite == suite and c.quantity == "answer"]
    shown = [(c, c.conditions.accuracy) for c in answers if c.conditions.accuracy is not None]
    if not shown:
        return None
    batches = sorted({cost.batch for cost, _ in shown})
    figure, grid = panels(len(batches), 2.7)
    for axes, batch in zip(grid, batches, strict=True):
        points = [(c.conditions.per_sample_ms, accuracy, c) for c, accuracy in shown if c.batch == batch]
        spans: list[float] = []
        for time, accuracy, row in points:
            lo, hi = (end / batch for end in row.ms.ci95 or (row.ms.mean, row.ms.mean))
            spans += lo, hi
            style = {"color": colour_of(systems, row.label), "fmt": marker_of(systems, row.label), "capsize": 3}
            ends = [[max(0.0, time - lo)], [max(0.0, hi - time)]]
            axes.errorbar(time, 100 * accuracy.value, whiskers([accuracy]), ends, label=short(row.label), **style)
        front = pareto_front([(time, accuracy.value) for time, accuracy, _ in points])
        logarithmic(axes, [time for time, _, _ in points], spans)
        steps = [*front, (axes.get_xlim()[1], front[-1][1])]
        axes.plot([x for x, _ in steps], [100 * y for _, y in steps], color=GREY, drawstyle="steps-post", zorder=0)
        axes.set_title(f"{short(suite)}, batch {batch}")
        axes.set_ylabel("greedy, % [95%]")
        widen(axes, SPAN)
    grid[-1].set_xlabel("ms a question [95%]; line: the Pareto front, best by then")
    legend_below(figure)
    title = f"Accuracy against the time of an answer on {suite}, with 95% intervals of both and the Pareto front"
    return Plot(f"accuracy-against-time-{file_name(suite)}", title, figure, table)


def plot_throughput(costs: Sequence[Cost], systems: Sequence[str] = ()) -> Plot | None:
    """Questions a second against the batch size, a system a colour, that of its place among `systems`, or else among
    those timed; None for fewer than two batch sizes. Two batch sizes say nothing of what lies between: no line.
    """
    drawn = _drawn(c.quantity for c in costs)
    shown = sorted((c for c in costs if c.quantity == drawn), key=lambda c: c.batch)
    if len({row.batch for row in shown}) < 2:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        engines = sorted({row.engine for row in shown})
        names = sorted({row.label for row in shown})
        suites = sorted({c.suite for c in costs})
        for suite, name, engine in itertools.product(suites, names, engines):
            rows = [c for c in shown if (c.suite, c.label, c.engine) == (suite, name, engine)]
            words = [name, *([engine] if len(engines) > 1 else []), *([suite] if len(suites) > 1 else [])]
            marker = MARKERS[engines.index(engine)] if len(engines) > 1 else marker_of(systems or names, name)
            style: dict[str, Any] = {"marker": marker, "color": colour_of(systems or names, name), "capsize": 3}
            if rows:
                style |= {"ls": "-" if len(rows) > 2 else "", "label": ", ".join(map(short, words))}
                y, ends = zip(*map(_questions_per_s, rows), strict=True)
                axes.errorbar([row.batch for row in rows], y, np.transpose(ends), **style)
        _by_batch(axes, {row.batch for row in shown}, "questions a second [95%]")
        legend_below(figure)
    title = "Questions answered a second at each batch size, by system"
    return Plot("throughput", title, figure, "Questions a second by batch size")


def plot_speedups(speedups: Sequence[Speedup]) -> Plot | None:
    """How many times as fast, with intervals, by batch size: a pair in the colour of the faster system and the marker
    of the slower one; None for fewer than two batch sizes, and no line between two.
    """
    drawn = _drawn(s.quantity for s in speedups)
    shown = [s for s in speedups if s.quantity == drawn]
    if len({s.batch for s in shown}) < 2:
        return None
    several = len({engine for s in shown for engine in s.engines}) > 1
    # The side that is faster at the smallest batch names the line: at a larger one it may be the slower.
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    lines: dict[tuple[str, str], list[tuple[int, Estimate]]] = {}
    doubted: list[tuple[int, float]] = []
    for s in sorted(shown, key=lambda s: s.batch):
        sides = s.sides(with_engines=several)
        named = pairs.setdefault(frozenset(sides), sides)
        ratio = s.ratio if named == sides else _turned(s.ratio)
        lines.setdefault(named, []).append((s.batch, ratio))
        doubted += [(s.batch, ratio.value)] if s.noise else []
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        names = sorted({name for s in shown for name in s.sides(with_engines=several)})
        for (fast, slow), found in lines.items():
            y = [ratio.value for _, ratio in found]
            below = [ratio.value - (ratio.lo or ratio.value) for _, ratio in found]
            above = [(ratio.hi or ratio.value) - ratio.value for _, ratio in found]
            style: dict[str, Any] = {
                "marker": marker_of(names, slow),
                "color": colour_of(names, fast),
                "ls": "-" if len(found) > 2 else "",
            }
            label = f"{short(fast)} than {short(slow)}"
            axes.errorbar([batch for batch, _ in found], y, [below, above], capsize=3, label=label, **style)
        if doubted:
            at, ratios = zip(*doubted, strict=True)
            axes.scatter(at, ratios, 120, facecolors="none", edgecolors=GREY, label="ringed: noisy times")
        axes.axhline(1, color=GREY, linewidth=1)
        _by_batch(axes, {s.batch for s in shown}, "times as fast [95%]")
        legend_below(figure)
    title = "How many times as fast one system answers as another, at each batch size"
    return Plot("speedups", title, figure, "Speed-ups by batch size")


def _questions_per_s(cost: Cost) -> tuple[float, tuple[float, float]]:
    """Questions a second, and how far the interval of the time reaches below and above."""
    rate, (lo, hi) = cost.conditions.questions_per_s or 0.0, cost.ms.ci95 or (cost.ms.mean, cost.ms.mean)
    return rate, (max(0.0, rate - rate * cost.ms.mean / hi), max(0.0, rate * cost.ms.mean / lo - rate))


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


def pareto_front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (time, accuracy), those that no other beats in one without losing in the other; the fastest first."""
    front: list[tuple[float, float]] = []
    for time, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or accuracy > front[-1][1]:
            front.append((time, accuracy))
    return front
