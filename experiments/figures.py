"""The figures of the experiments, as SVG whose text can be read out and whose bytes follow from the figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt

plt.switch_backend("svg")
GREY = "#808080"
mpl.rcParams.update({"svg.hashsalt": "rimbench", "svg.fonttype": "none"})  # the same figures give the same bytes


def draw_curve(
    accuracies: Sequence[dict[str, Any]], budgets: Sequence[dict[str, Any]], systems: Sequence[str], path: Path
) -> None:
    """Accuracy against the number of training examples, every seed a line, with 95% intervals; RiM's K = 0 beside."""
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    seeds = sorted({entry["seed"] for entry in accuracies})
    for number, system in enumerate(systems):
        for seed in seeds:
            entries = [e for e in accuracies if e["system"] == f"nano-{system}" and e["seed"] == seed]
            x = [e["examples"] * (1 + 0.04 * (number - 1) + 0.015 * seed) for e in entries]
            y = [100 * e["value"] for e in entries]
            below = [100 * (e["value"] - e["ci95"][0]) for e in entries]
            above = [100 * (e["ci95"][1] - e["value"]) for e in entries]
            shown = {"color": f"C{number}", "marker": "os"[seed], "ls": ["-", "--"][seed]}
            axes.errorbar(x, y, [below, above], capsize=3, label=f"nano-{system}, seed {seed}", **shown)
    for seed in seeds:
        without = sorted((b["examples"], 100 * b["accuracy"]["0"]) for b in budgets if b["seed"] == seed)
        style = {"color": GREY, "marker": "os"[seed], "ls": ["-", "--"][seed]}
        axes.plot(*zip(*without, strict=True), label=f"nano-rim-v2 at K = 0, seed {seed}", **style)
    sizes = sorted({entry["examples"] for entry in accuracies})
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("training examples")
    axes.set_ylabel("greedy accuracy on demo-in-dist, % [95%]")
    axes.set_ylim(0, 100)
    axes.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def draw_budgets(found: dict[str, dict[int, tuple[list[float], float]]], path: Path) -> None:
    """Accuracy against the memory budget, a panel a kind of question: every seed a line, its direct control level."""
    figure, panels = plt.subplots(1, len(found), figsize=(4.2 * len(found), 3.6), layout="constrained", sharey=True)
    for axes, (kind, seeds) in zip(panels, found.items(), strict=True):
        for seed, (budgets, direct) in seeds.items():
            style = ["-", "--"][seed]
            line = {"color": "C1", "ls": style, "marker": "os"[seed]}
            axes.plot([100 * value for value in budgets], label=f"nano-rim-v2, seed {seed}", **line)
            axes.axhline(100 * direct, color="C0", ls=style, label=f"nano-direct, seed {seed}")
        axes.set_title(kind)
        axes.set_xlabel("memory budget K")
        axes.set_ylim(0, 100)
    panels[0].set_ylabel("accuracy, %")
    panels[-1].legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})
