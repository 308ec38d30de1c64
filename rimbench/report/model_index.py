"""The summary as the hub's evaluation metadata: what stands between the two `---` of a model card.

Source: the model-index specification, as `huggingface_hub`'s card classes write and read it.
"""

from collections.abc import Sequence
from typing import Any

from rimbench.report.cells import Cell
from rimbench.report.summary import Summary
from rimbench.report.variants import controls_of, name_of
from rimbench.statistics.estimate import Estimate
from rimbench.suites.controls import Controls

DATASET_NAMES = {"medqa": "MedQA", "medmcqa": "MedMCQA"}


def as_model_index(summary: Summary) -> str:
    """A YAML document a system or variant, `---` between them: whoever reads a card takes all its results for one
    model's. Cells under a control are no model's results, and partial ones no suite's: `left_out` says which.
    """
    from huggingface_hub import ModelCardData

    cells = [cell for cell in summary.cells if not _why_not(cell)]
    documents = []
    for name in sorted({name_of(cell.manifest) for cell in cells}):
        results = _results([cell for cell in cells if name_of(cell.manifest) == name])
        if results:
            documents.append(ModelCardData(model_name=name, eval_results=results).to_yaml() + "\n")
    return "---\n".join(documents)


def left_out(summary: Summary) -> list[str]:
    """A sentence for each cell that no model index holds."""
    return [
        f"left out of the model index: {cell.label} on {cell.suite}, {why}"
        for cell in summary.cells
        if (why := _why_not(cell))
    ]


def _why_not(cell: Cell) -> str:
    if controls_of(cell.manifest) != Controls():
        return "which is a control"
    return f"of which {cell.n} of {cell.n_planned} items are answered" if cell.partial else ""


def _results(cells: Sequence[Cell]) -> list[Any]:
    found = []
    for cell in cells:
        if cell.headline is not None:
            name = "greedy accuracy" if cell.of == "greedy" else f"accuracy, {cell.of}"
            found.append(_result(cell, "accuracy", name, cell.headline, {}))
        for passed in cell.pass_at_k if len(cell.run.sampled) == cell.n_planned else ():
            chance = {"k": passed.k, "guesser": round(passed.chance, 4)}
            found.append(_result(cell, "pass@k", f"pass@{passed.k}", passed.estimate, chance))
    return found


def _result(cell: Cell, kind: str, name: str, estimate: Estimate, more: dict[str, Any]) -> Any:
    from huggingface_hub import EvalResult

    source, suite = cell.manifest.suite_source, cell.manifest.suite
    on_hub = source.kind == "hub"
    setting = f" ({cell.label})" if cell.label != cell.manifest.system else ""
    setting += " (user's file)" if cell.suite != suite else ""
    interval = None if estimate.lo is None or estimate.hi is None else [round(estimate.lo, 4), round(estimate.hi, 4)]
    args = {"run": cell.manifest.run, "n": estimate.n, "ci95": interval, "interval": estimate.method, **more}
    return EvalResult(
        task_type="question-answering",
        task_name="multiple-choice question answering",
        dataset_type=source.name if on_hub and source.name else suite,
        dataset_name=DATASET_NAMES.get(suite, suite) + setting,
        dataset_split=source.split,
        dataset_revision=source.revision if on_hub else None,
        metric_type=kind,
        metric_name=name,
        metric_value=round(estimate.value, 4),
        metric_args=args,
    )
