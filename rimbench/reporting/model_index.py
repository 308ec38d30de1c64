"""The report as the hub's evaluation metadata: what stands between the two `---` of a model card.

Source: the model-index specification, as `huggingface_hub`'s card classes write and read it.
"""

from collections.abc import Sequence
from typing import Any

from rimbench.reporting.document import CellResult, Report
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.metrics.draws import SeveralAnswers
from rimbench.statistics.estimate import Estimate
from rimbench.suites import catalogue
from rimbench.suites.controls import Controls


def as_model_index(report: Report) -> str:
    """A YAML document a system or variant, `---` between them: whoever reads a card takes all its results for one
    model's. Cells under a control are no model's results, and partial ones no suite's: `left_out` says which.
    """
    from huggingface_hub import ModelCardData

    cells = [cell for cell in report.cells if not why_not(cell)]
    documents = []
    for name in sorted({cell.name for cell in cells}):
        results = results_of([cell for cell in cells if cell.name == name], name)
        if results:
            documents.append(ModelCardData(model_name=name, eval_results=results).to_yaml() + "\n")
    return "---\n".join(documents)


def left_out(report: Report) -> list[str]:
    """A sentence for each cell that no model index holds."""
    return [
        f"left out of the model index: {cell.label} on {cell.shown_suite}, {why}"
        for cell in report.cells
        if (why := why_not(cell))
    ]


def why_not(cell: CellResult) -> str:
    """Why a cell is no result of its model on its suite; empty where it is one."""
    if cell.controls != Controls():
        return "which is a control"
    return f"of which {cell.n} of {cell.n_asked} items are answered" if cell.partial else ""


def results_of(cells: Sequence[CellResult], model: str) -> list[Any]:
    """The accuracy and pass@k of each cell of a model as the hub's `EvalResult`, labelled where it is not the model's
    name.
    """
    found = []
    for cell in cells:
        about, run = _about(cell, model), {"run": cell.run}
        headline = cell.metric(Accuracy).headline
        if headline.estimate is not None:
            name = "greedy accuracy" if headline.of == "greedy" else f"accuracy, {headline.of}"
            found.append(_result(about, "accuracy", name, headline.estimate, run))
        k, passed = cell.metric(SeveralAnswers).passed
        if passed is not None and len(cell.data.sampled) == cell.n_asked:
            chance = {"k": int(k or 0), "chance": round(passed.chance, 4)}
            found.append(_result(about, "pass@k", f"pass@{k}", passed.estimate, run | chance))
    return found


def _about(cell: CellResult, model: str) -> dict[str, Any]:
    """What a result is of."""
    source, suite = cell.manifest.suite_source, cell.suite
    on_hub = source.kind == "hub"
    setting = f" ({cell.label})" if cell.label != model else ""
    setting += " (user's file)" if cell.shown_suite != suite else ""
    return {
        "task_type": "question-answering",
        "task_name": "multiple-choice question answering",
        "dataset_type": source.name if on_hub and source.name else suite,
        "dataset_name": catalogue.role(suite).title + setting,
        "dataset_split": source.split,
        "dataset_revision": source.revision if on_hub else None,
    }


def _result(about: dict[str, Any], kind: str, name: str, estimate: Estimate, more: dict[str, Any]) -> Any:
    from huggingface_hub import EvalResult

    interval = None if estimate.lo is None or estimate.hi is None else [round(estimate.lo, 4), round(estimate.hi, 4)]
    args = {"n": estimate.n, "ci95": interval, "interval": estimate.method, **more}
    value = round(estimate.value, 4)
    return EvalResult(**about, metric_type=kind, metric_name=name, metric_value=value, metric_args=args)
