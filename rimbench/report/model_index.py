"""The summary as the hub's evaluation metadata: what stands between the two `---` of a model card.

Source: the model-index specification, as `huggingface_hub`'s card classes write and read it.
"""

from collections.abc import Sequence
from typing import Any

from rimbench.report.cells import Cell
from rimbench.report.summary import Summary
from rimbench.statistics.estimate import Estimate

DATASET_NAMES = {"medqa": "MedQA", "medmcqa": "MedMCQA"}


def as_model_index(summary: Summary) -> str:
    """A YAML document a system, `---` between them: whoever reads a card takes all its results for one model's."""
    from huggingface_hub import ModelCardData

    systems = sorted({cell.manifest.system for cell in summary.cells})
    documents = []
    for system in systems:
        results = _results([cell for cell in summary.cells if cell.manifest.system == system])
        if results:
            documents.append(ModelCardData(model_name=system, eval_results=results).to_yaml() + "\n")
    return "---\n".join(documents)


def _results(cells: Sequence[Cell]) -> list[Any]:
    found = []
    for cell in cells:
        if cell.headline is not None:
            name = "greedy accuracy" if cell.of == "greedy" else f"accuracy, {cell.of}"
            found.append(_result(cell, "accuracy", name, cell.headline, {}))
        for passed in cell.pass_at_k:
            chance = {"k": passed.k, "guesser": round(passed.chance, 4)}
            found.append(_result(cell, "pass@k", f"pass@{passed.k}", passed.estimate, chance))
    return found


def _result(cell: Cell, kind: str, name: str, estimate: Estimate, more: dict[str, Any]) -> Any:
    from huggingface_hub import EvalResult

    source, suite = cell.manifest.suite_source, cell.manifest.suite
    on_hub = source.get("kind") == "hub"
    setting = f" ({cell.label})" if cell.label != cell.manifest.system else ""
    interval = None if estimate.lo is None or estimate.hi is None else [round(estimate.lo, 4), round(estimate.hi, 4)]
    args = {"run": cell.manifest.run, "n": estimate.n, "ci95": interval, "interval": estimate.method, **more}
    return EvalResult(
        task_type="question-answering",
        task_name="multiple-choice question answering",
        dataset_type=source["name"] if on_hub else suite,
        dataset_name=DATASET_NAMES.get(suite, suite) + setting,
        dataset_split=source.get("split"),
        dataset_revision=source.get("revision") if on_hub else None,
        metric_type=kind,
        metric_name=name,
        metric_value=round(estimate.value, 4),
        metric_args=args,
    )
