"""`results_<time>.json` of lm-evaluation-harness: a run's totals, its model and its versions, beside its samples."""

import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rimbench.errors import DataError
from rimbench.importing.reading import Glimpse, beside
from rimbench.importing.stated import mapping, unlike

_VERSIONS = {"lm_eval": "lm_eval_version", "transformers": "transformers_version"}
_ENVIRONMENT = {"torch": r"^PyTorch version: (\S+)", "python": r"^Python version: (\S+)"}


@dataclass(frozen=True, slots=True)
class Totals:
    """What the totals say of the samples beside them."""

    model: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def samples_file_of(glimpse: Glimpse) -> Path:
    """The samples to read: the file itself, or of a file of totals the one beside it; DataError without just one."""
    path = glimpse.path
    if not isinstance(mapping(glimpse.whole).get("results"), Mapping):
        return path
    time = path.stem.removeprefix("results_")
    found = sorted(path.parent.glob(f"samples_*_{glob.escape(time)}.jsonl"))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(file.name for file in found)
        raise DataError(f"{path} holds the totals of {len(found)} tasks: give the samples of one of them: {names}")
    raise DataError(
        f"{path} holds totals and no single answer: give the samples_*.jsonl of the same time, which "
        "lm-evaluation-harness writes beside it with --log_samples"
    )


def totals_of(samples: Path, figures: Mapping[str, tuple[float, int]]) -> Totals:
    """Model and versions from the totals of the same time, and notes where those are not of these samples."""
    name = re.fullmatch(r"samples_(?P<task>.+)_(?P<time>[^_]+)", samples.stem)
    path = samples.parent / f"results_{name['time']}.json" if name else None
    if name is None or path is None or not path.is_file():
        return Totals(notes=("no results_*.json of the same time lies beside: model and versions are not known",))
    totals = mapping(beside(path))
    if not isinstance(totals.get("results"), Mapping):
        return Totals(notes=(f"{path.name} cannot be read: model and versions are not known",))
    versions = {library: str(totals[key]) for library, key in _VERSIONS.items() if totals.get(key)}
    for library, pattern in _ENVIRONMENT.items():
        if found := re.search(pattern, str(totals.get("pretty_env_info") or ""), re.MULTILINE):
            versions[library] = found[1]
    return Totals(_model(totals), versions, tuple(_differences(totals, name["task"], path.name, figures)))


def _model(totals: Mapping[str, Any]) -> str | None:
    config = mapping(totals.get("config"))
    arguments = mapping(config.get("model_args"))
    model = totals.get("model_name") or arguments.get("pretrained") or arguments.get("model") or config.get("model")
    revision = config.get("model_sha") or config.get("model_revision")
    return f"{model} ({revision})" if model and revision else str(model) if model else None


def _differences(
    totals: Mapping[str, Any], task: str, name: str, figures: Mapping[str, tuple[float, int]]
) -> list[str]:
    """Totals that the samples do not come to."""
    stated = mapping(totals["results"].get(task))
    notes = []
    for metric, found in figures.items():
        plain, _, chosen = metric.removesuffix(")").partition(" (")
        keys = (f"{plain},{chosen}",) if chosen else (key for key in stated if key.startswith(f"{plain},"))
        total = next((stated[key] for key in keys if key in stated), None)
        notes += unlike(name, metric, total, found, stated.get("sample_len"))
    return notes
