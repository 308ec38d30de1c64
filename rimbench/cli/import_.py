"""`rimbench import`: answers that another harness wrote become a run."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rimbench.cli.options import AllowOutside, Data, Results

if TYPE_CHECKING:
    from rimbench.importing import Imported


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The answers, item by item, or a folder with them.")],
    system: Annotated[
        str, typer.Option(metavar="NAME", help="What to call the system that answered, or its TOML file.")
    ],
    suite: Annotated[str, typer.Option(metavar="NAME", help="The suite that was asked, by name or TOML file.")],
    data: Data = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME", help="The file's format; auto: by what it holds.")
    ] = "auto",
    score: Annotated[
        str | None,
        typer.Option(
            "--score", metavar="NAME", help="The metric to read by, as the log names it: acc_norm, or a scorer."
        ),
    ] = None,
    allow_outside: AllowOutside = False,
    results: Results = None,
    json: Annotated[bool, typer.Option("--json", help="What was imported, as JSON.")] = False,
) -> None:
    """Import answers from elsewhere as a run, which report and compare read like any other.

    FILE is in the plain form (JSONL, a JSON array, CSV, TSV or Parquet: item_id, predicted, gold), or a log of
    lm-evaluation-harness, inspect_ai, lighteval, evalscope, HELM, OpenCompass, simple-evals, Every Eval Ever or of
    OpenAI's batch API, found by what it holds; of a folder it is the one log in it. What lies beside and belongs to
    it (totals, requests, predictions) is read too, and what cannot be read there is named.

    Repeated answers, and answers at a temperature above 0, are draws: no answer is greedy, and the mean over the
    draws is the headline. The harness's own accuracy is worked out from its scores and shown beside ours.

    Examples:

    \b
      rimbench import gpt-4o-mini.jsonl --system gpt-4o-mini --suite medqa
      rimbench import outputs/20261127/ --system my-model --suite medqa
      rimbench import samples_medmcqa.jsonl --system my-model --suite medmcqa --data dev.json --score acc_norm
    """
    from rimbench import importing, systems
    from rimbench.api.project import read_project
    from rimbench.api.selection import data_of
    from rimbench.cli.output import note, print_json

    project = read_project(allow_outside=allow_outside)
    folder = project.results_or(results)

    known = systems.load(system, allow_outside=allow_outside) if system.endswith(".toml") else None
    system = known.name if known else system
    importing.refuse_taken(system, systems.registered(), folder)
    answers = importing.read(file, format_, score)
    target = importing.load_target(suite, data_of(suite, data or (), project, note), allow_outside=allow_outside)
    if known:
        target = replace(target, reasoning_tags=known.answer.reasoning_tags)
    matching = importing.match(answers.reading.answers, target, str(answers.path))
    imported = importing.keep(answers, system, target, matching, folder)
    for line in imported.outcome.notes:
        note(line)
    note(_outcome(imported))
    if json:
        print_json(_document(imported))
    else:
        typer.echo(imported.folder)


def _outcome(imported: "Imported") -> str:
    manifest, found = imported.manifest, imported.outcome
    done = "was imported before, nothing changed" if imported.known else "imported"
    errors = f", {len(found.errors)} ended in an error" if found.errors else ""
    if found.by_draws:
        right = f"{found.right} of {found.answers} draws right, mean accuracy over the draws {_share(found.accuracy)}"
    else:
        right = f"{found.right} right (accuracy {_share(found.accuracy)})"
    if found.errors and found.n:
        right += f", with errors as wrong answers {_share(found.with_errors)}"
    return (
        f"{manifest.system} on {manifest.suite}: {done}; {found.n} of {manifest.n} items answered{errors}, {right}"
        f"{_told_of_own(imported)}{_told_of_whole(imported)}"
    )


def _told_of_own(imported: "Imported") -> str:
    own = imported.outcome.own
    if own is None:
        return ""
    differing = f"{len(own.differing)} of {own.n} items differ" if own.differing else f"none of {own.n} items differs"
    return f"; by the harness's own {own.score} {own.accuracy:.4f}, here {own.ours:.4f} of the same ({differing})"


def _told_of_whole(imported: "Imported") -> str:
    if imported.outcome.whole_file is None:
        return ""
    right, n = imported.outcome.whole_file
    return f"; the whole file, by its own gold letters: {right} of {n} right ({right / n:.4f})"


def _share(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _document(imported: "Imported") -> dict[str, Any]:
    """Every id stands in its list, however long; the notes name the first few of each."""
    manifest, matching, found = imported.manifest, imported.matching, imported.outcome
    return {
        "run": manifest.run,
        "folder": str(imported.folder),
        "system": manifest.system,
        "suite": manifest.suite,
        "format": manifest.identity.imported.format if manifest.identity.imported else None,
        "n": found.n,
        "n_suite": manifest.n,
        "right": found.right,
        "accuracy": found.accuracy,
        "whole_file": _whole(imported),
        "statuses": dict(found.statuses),
        "imported_before": imported.known,
        "beyond_sample": list(matching.beyond_sample),
        "faulty_rows": list(matching.faulty),
        "not_in_suite": list(matching.unknown),
        "unanswered": list(matching.unanswered),
        "reordered": sum(match.reordered for match in matching.matches),
        "notes": list(found.notes),
        "accuracy_of": "mean over draws" if found.by_draws else "single answers",
        "answers": found.answers,
        "draws": manifest.samples,
        "temperature": manifest.identity.answer.temperature,
        "versions": dict(manifest.versions),
        "accuracy_with_errors_wrong": found.with_errors,
        "own": _own(imported),
        "own_figures": {name: {"value": value, "n": n} for name, (value, n) in found.figures.items()},
        **{name: list(ids) for name, ids in found.lists.items()},
    }


def _own(imported: "Imported") -> dict[str, Any] | None:
    own = imported.outcome.own
    if own is None:
        return None
    return {"score": own.score, "n": own.n, "accuracy": own.accuracy, "ours": own.ours}


def _whole(imported: "Imported") -> dict[str, Any] | None:
    if imported.outcome.whole_file is None:
        return None
    right, n = imported.outcome.whole_file
    return {"n": n, "right": right, "accuracy": right / n}
