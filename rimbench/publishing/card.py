"""The card of a checkpoint: what its folder says of it, what was measured with its very weights, and who opens it.

Flows in: a checkpoint folder and a report. Flows out: the text of README.md and the files of `.eval_results`, by the
classes of `huggingface_hub`, which is imported where it is used.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rimbench import __version__, portability
from rimbench.display.markup import table_as_markdown
from rimbench.display.tabular import Table
from rimbench.errors import ModelError, first_line
from rimbench.reporting.document import CellResult, Report
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.metrics.draws import SeveralAnswers
from rimbench.reporting.model_index import results_of, why_not
from rimbench.reporting.numbers import counted, percent
from rimbench.reporting.variants import label_runs, run_departures

if TYPE_CHECKING:
    from huggingface_hub import EvalResultEntry

CARD = "README.md"
OPENING, CLOSING = "<!-- rimbench: measured -->", "<!-- rimbench: end -->"
"""What stands between them is written anew with every upload."""
TASK = "default"
"""The task of a benchmark's data set that has one alone."""


def cells_of(report: Report, weights_sha256: str) -> tuple[list[CellResult], list[str]]:
    """The cells that these weights answered, labelled by all but them, and a sentence for each that is no result."""
    own = [cell for cell in report.cells if cell.manifest.identity.weights_sha256 == weights_sha256]
    reasons = [_why_no_result(cell) for cell in own]
    left = [f"left out: {cell.run}, {why}" for cell, why in zip(own, reasons, strict=True) if why]
    kept = [cell for cell, why in zip(own, reasons, strict=True) if not why]
    manifests = [replace(cell.manifest, departures=_but_weights(cell)) for cell in kept]
    return [replace(cell, label=label) for cell, label in zip(kept, label_runs(manifests), strict=True)], left


def _but_weights(cell: CellResult) -> dict[str, list[Any]]:
    return {name: list(both) for name, both in run_departures(cell.manifest).items() if name != "weights"}


def _why_no_result(cell: CellResult) -> str:
    identity = cell.manifest.identity
    if identity.setup.second is not None:
        return "which is a cascade of two systems"
    if identity.intervention is not None:
        return "in which the memory was changed"
    return why_not(cell)


def make_card(folder: Path, repo: str, cells: Sequence[CellResult], weights_sha256: str) -> str:
    """The folder's own card with metadata, results and readers; ModelError where its metadata cannot be read.

    Results that it states stay, but for those that `cells` have anew.
    """
    card, name = _own_card(folder, repo), repo.rpartition("/")[2]
    fresh = results_of(cells, name)
    measured = {(result.unique_identifier, result.metric_type) for result in fresh}
    kept = [old for old in card.data.eval_results or () if (old.unique_identifier, old.metric_type) not in measured]
    if fresh:
        card.data.eval_results = [*kept, *fresh]
        card.data.model_name = card.data.model_name or name
    own = re.sub(f"{re.escape(OPENING)}.*?{re.escape(CLOSING)}\n*", "", card.text, flags=re.DOTALL)
    card.text = f"{own.rstrip()}\n\n{OPENING}\n\n{_measured(folder, cells, weights_sha256)}\n\n{CLOSING}\n"
    return str(card)


def states_licence(card: str) -> bool:
    """Whether a card has one in its metadata."""
    from huggingface_hub import ModelCard

    data: Any = ModelCard(card).data
    return bool(data.license)


def _own_card(folder: Path, repo: str) -> Any:
    from huggingface_hub import ModelCard, ModelCardData

    path = folder / CARD
    try:
        text = path.read_text("utf-8-sig") if path.is_file() else f"# {repo.rpartition('/')[2]}\n"
        if not text.startswith("---"):
            data = ModelCardData(library_name="transformers", tags=["rimbench"])
            text = f"---\n{data.to_yaml()}\n---\n\n{text}"
        return ModelCard(text)
    except Exception as error:  # YAML's own, and whatever the client stumbles over in metadata of another kind
        raise ModelError(
            f"{path} has metadata that cannot be read ({first_line(error)}): mend or remove it"
        ) from error


def _measured(folder: Path, cells: Sequence[CellResult], weights_sha256: str) -> str:
    parts = []
    if cells:
        parts += [
            table_as_markdown(_results_table(cells)),
            f"Measured with rimbench {__version__}, in runs of these very weights: sha256 `{weights_sha256}` "
            "over the files that are loaded.",
        ]
    if any(cell.manifest.identity.setup.memory is not None for cell in cells):
        parts += [
            "The memory ([arXiv 2605.30343](https://arxiv.org/abs/2605.30343)) is part of the prompt, behind the "
            "question: asked without it, the model is not the one that was measured."
        ]
    rows = [(each.reader, each.outcome, each.why) for each in portability.read_by_each(folder, whole=False)]
    return "\n\n".join([*parts, table_as_markdown(Table("Who opens it", ("reader", "reads", "why"), rows))])


def _results_table(cells: Sequence[CellResult]) -> Table:
    rows = []
    for cell in cells:
        headline, (k, passed) = cell.metric(Accuracy).headline, cell.metric(SeveralAnswers).passed
        several = f"{percent(passed.estimate)} of {k}" if passed else "-"
        answered = counted(cell.n, cell.n_asked)
        rows.append((cell.shown_suite, cell.label, answered, percent(headline.estimate), several, cell.run))
    columns = ("suite", "asked as", "n", "accuracy, % [95%]", "pass@k, % [95%]", "run")
    remark = "Multiple choice: an answer that names no letter counts as wrong. pass@k: one of k draws is right."
    return Table("Evaluation", columns, rows, remark)


def result_files(cells: Sequence[CellResult]) -> dict[str, bytes]:
    """By its path, each file of `.eval_results`: the accuracies on data sets of the hub, a file a suite."""
    from huggingface_hub import eval_result_entries_to_yaml
    from huggingface_hub.utils import yaml_dump  # type: ignore[attr-defined]

    entries: dict[str, list[Any]] = {}
    for cell in cells:
        entry = _entry(cell)
        if entry is not None:
            entries.setdefault(f".eval_results/{cell.suite}.yaml", []).append(entry)
    return {
        path: yaml_dump(eval_result_entries_to_yaml(found), sort_keys=False).encode()
        for path, found in entries.items()
    }


def _entry(cell: CellResult) -> "EvalResultEntry | None":
    from huggingface_hub import EvalResultEntry

    source, headline = cell.manifest.suite_source, cell.metric(Accuracy).headline
    if source.kind != "hub" or source.name is None or headline.estimate is None:
        return None
    whole = f"{cell.n} questions" + (f" of the split {source.split}" if source.split else "")
    return EvalResultEntry(
        dataset_id=source.name,
        task_id=TASK,
        value=round(headline.estimate.value, 4),
        dataset_revision=source.revision,
        date=cell.manifest.ended_at,
        notes=f"{cell.label}; {whole}; {percent(headline.estimate)}%; rimbench run {cell.run}",
    )
