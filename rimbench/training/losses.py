"""The loss log as a figure: an SVG whose text can be read out and whose bytes follow from the losses."""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from rimbench.files.writing import replacing

STYLE = {"svg.hashsalt": "rimbench", "svg.fonttype": "none"}
COLUMNS = 3


def draw_losses(logs: Sequence[tuple[str, Path]], path: Path) -> None:
    """The training loss of each log against its steps; stages follow one another, and a line divides them."""
    columns = min(COLUMNS, len(logs))
    rows = -(-len(logs) // columns)
    figure = Figure(figsize=(3 * columns if columns > 1 else 6, 2.6 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(logs) :]:
        axes.axis("off")
    for axes, (name, log) in zip(grid.flat, logs, strict=False):
        entries = [entry for line in log.read_text().splitlines() if "loss" in (entry := json.loads(line))]
        before = 0
        for stage in sorted({entry["stage"] for entry in entries}):
            of_stage = [entry for entry in entries if entry["stage"] == stage]
            steps = [before + entry["step"] for entry in of_stage]
            axes.plot(steps, [entry["loss"] for entry in of_stage], color=f"C{stage - 1}", label=f"stage {stage}")
            before = steps[-1]
        axes.set_title(name)
        axes.set_xlabel("optimizer step")
        axes.set_ylabel("training loss")
        axes.set_yscale("log")
        axes.legend()
    with mpl.rc_context(STYLE), replacing(path) as scratch:  # type: ignore[arg-type]
        figure.savefig(scratch, format="svg", metadata={"Date": None})
