"""`rimbench import`: answers that another harness wrote become a run."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rimbench.cli.run import RESULTS_OPTION

if TYPE_CHECKING:
    from rimbench.importing import Imported


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The answers, item by item.")],
    system: Annotated[
        str, typer.Option(metavar="NAME", help="What to call the system that answered, or its TOML file.")
    ],
    suite: Annotated[str, typer.Option(metavar="NAME", help="The suite that was asked, by name or TOML file.")],
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="Rows of the suite from a local file.")] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME", help="The file's format; auto: by what it holds.")
    ] = "auto",
    results: Annotated[Path, RESULTS_OPTION] = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="What was imported, as JSON.")] = False,
) -> None:
    """Import answers from elsewhere as a run, which report and compare read like any other.

    FILE is in the plain form (JSONL, a JSON array or CSV: item_id, predicted, gold), a sample log of
    lm-evaluation-harness, or a log of inspect_ai.

    Examples:

    \b
      rimbench import gpt-4o-mini.jsonl --system gpt-4o-mini --suite medqa
      rimbench import samples_medmcqa.jsonl --system my-model --suite medmcqa --data dev.json
    """
    from rimbench import importing, systems
    from rimbench.cli.output import note, print_json

    answers = importing.read(file, format_)
    target = importing.load_target(suite, data)
    if system.endswith(".toml") or system in systems.available():
        known = systems.load(system)
        system, target = known.name, replace(target, reasoning_tags=known.answer.reasoning_tags)
    matching = importing.match(answers.reading.answers, target, str(file))
    imported = importing.keep(answers, system, target, matching, results)
    for line in imported.notes:
        note(line)
    note(_outcome(imported))
    if json:
        print_json(_document(imported))
    else:
        typer.echo(imported.folder)


def _outcome(imported: "Imported") -> str:
    manifest = imported.manifest
    whole = ""
    if imported.whole_file is not None:
        right, n = imported.whole_file
        whole = f"; the whole file, by its own gold letters: {right} of {n} right ({right / n:.4f})"
    accuracy = f"{imported.right / imported.n:.4f}" if imported.n else "undefined"
    done = "was imported before, nothing changed" if imported.known else "imported"
    return (
        f"{manifest.system} on {manifest.suite}: {done}; {imported.n} of {manifest.n} items answered, "
        f"{imported.right} right (accuracy {accuracy}){whole}"
    )


def _document(imported: "Imported") -> dict[str, Any]:
    manifest, matching = imported.manifest, imported.matching
    return {
        "run": manifest.run,
        "folder": str(imported.folder),
        "system": manifest.system,
        "suite": manifest.suite,
        "format": manifest.identity["import"]["format"],
        "n": imported.n,
        "n_suite": manifest.n,
        "right": imported.right,
        "accuracy": imported.right / imported.n if imported.n else None,
        "whole_file": _whole(imported),
        "statuses": dict(imported.statuses),
        "imported_before": imported.known,
        "beyond_sample": list(matching.beyond_sample),
        "faulty_rows": list(matching.faulty),
        "not_in_suite": list(matching.unknown),
        "unanswered": list(matching.unanswered),
        "reordered": sum(match.reordered for match in matching.matches),
        "notes": list(imported.notes),
    }


def _whole(imported: "Imported") -> dict[str, Any] | None:
    if imported.whole_file is None:
        return None
    right, n = imported.whole_file
    return {"n": n, "right": right, "accuracy": right / n}
