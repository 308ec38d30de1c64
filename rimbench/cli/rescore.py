"""`rimbench rescore`: the letters that today's extraction reads in stored texts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rimbench.cli.options import AllowOutside, Results
from rimbench.errors import DataError

if TYPE_CHECKING:
    from rimbench.extraction import Extraction
    from rimbench.running.rescoring import Rescored, Tally

_RUN_COLUMNS = ("run", "answers", "flipped", "greedy right before", "after", "draws right before", "after")
_FLIP_COLUMNS = ("run", "item", "sample", "gold", "recorded", "read today", "right", "the text ends")


def rescore(
    run: Annotated[list[str] | None, typer.Argument(metavar="RUN", help="Runs by name; none: all.")] = None,
    allow_outside: AllowOutside = False,
    results: Results = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Extract the letters again from the stored texts, and show which answers flipped.

    Nothing is changed: the records stay as they are.

    Examples:

    \b
      rimbench rescore
      rimbench rescore cot-medqa-0123456789 --json
    """
    from rimbench.api.project import read_project
    from rimbench.cli.output import note, print_json, print_table
    from rimbench.display.tabular import Table
    from rimbench.running import rescoring

    kept = read_project(allow_outside=allow_outside).runs_in(results)
    rescored = []
    for folder in rescoring.choose_folders(kept, run or []):
        try:
            rescored.append(rescoring.rescore(folder))
        except DataError as error:
            if run:
                raise
            note(f"left out: {error}")
    for each in rescored:
        if each.edited is not None:
            note(each.edited)
    if json:
        print_json({"runs": [_document(each) for each in rescored]})
        return
    print_table(Table("Letters read again", _RUN_COLUMNS, [_run_row(each) for each in rescored]))
    flips = [row for each in rescored for row in _flip_rows(each)]
    if flips:
        print_table(Table("Answers that flipped", _FLIP_COLUMNS, flips))


def _run_row(rescored: "Rescored") -> Sequence[str]:
    run, greedy, draws = rescored.manifest.run, rescored.greedy, rescored.draws
    if rescored.left_alone is not None:
        return run, f"left alone: {rescored.left_alone}", "-", "-", "-", "-", "-"
    answers, flipped = str(greedy.n + draws.n), str(len(rescored.flips))
    return run, answers, flipped, *_shares(greedy), *_shares(draws)


def _shares(tally: "Tally") -> tuple[str, str]:
    if not tally.n:
        return "-", "-"
    before, after = (f"{right} of {tally.n} ({right / tally.n:.2%})" for right in _right(tally))
    return before, after


def _right(tally: "Tally") -> tuple[int, int]:
    return tally.right_before, tally.right_after


def _flip_rows(rescored: "Rescored") -> list[Sequence[str]]:
    said = {True: "right", False: "wrong"}
    return [
        (
            rescored.manifest.run,
            flip.item_id,
            str(flip.sample),
            flip.gold,
            _reading(flip.old),
            _reading(flip.new),
            f"{said[flip.right_before]} -> {said[flip.right_after]}",
            flip.excerpt,
        )
        for flip in rescored.flips
    ]


def _reading(extraction: "Extraction") -> str:
    return extraction.letter or extraction.status.replace("_", " ")


def _document(rescored: "Rescored") -> dict[str, Any]:
    return {
        "run": rescored.manifest.run,
        "system": rescored.manifest.system,
        "suite": rescored.manifest.suite,
        "left_alone": rescored.left_alone,
        "greedy": _counts(rescored.greedy),
        "draws": _counts(rescored.draws),
        "flips": [
            {
                "item_id": flip.item_id,
                "sample": flip.sample,
                "gold": flip.gold,
                "old": {"status": flip.old.status, "answer": flip.old.letter},
                "new": {"status": flip.new.status, "answer": flip.new.letter},
                "right_before": flip.right_before,
                "right_after": flip.right_after,
                "excerpt": flip.excerpt,
            }
            for flip in rescored.flips
        ],
    }


def _counts(tally: "Tally") -> dict[str, Any]:
    before, after = (right / tally.n if tally.n else None for right in _right(tally))
    return {
        "n": tally.n,
        "right_before": tally.right_before,
        "right_after": tally.right_after,
        "accuracy_before": before,
        "accuracy_after": after,
    }
