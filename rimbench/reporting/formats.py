"""The formats of a report by name, and what a committed report of one of them says otherwise."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from rimbench.display.plaintext import as_json
from rimbench.errors import DataError, UsageError
from rimbench.files.writing import write_pieces
from rimbench.reporting import csv
from rimbench.reporting.document import Report, as_document

SUFFIXES = {
    ".md": "markdown",
    ".json": "json",
    ".csv": "csv",
    ".tex": "latex",
    ".bib": "bibtex",
    ".yaml": "model-index",
    ".yml": "model-index",
    ".html": "html",
}
SHOWN_LINES, SHOWN_CHARACTERS = 40, 200
"""How much of a change is shown."""


def render(  # noqa: PLR0911 - one for each form
    name: str, report: Report, results: Path, *, all_pairs: bool = False, of: csv.RowsOf = "cells"
) -> str:
    """The report in one format; `results` is where the page, which lists every pair anyway, finds single answers, and
    `of` what CSV has a line for.
    """
    if name == "html":
        from rimbench.reporting.page import page_pieces

        return "".join(page_pieces(report, results))
    if name == "json":
        return as_json(as_document(report))
    if name == "csv":
        return csv.as_csv(report, of)
    if name == "latex":
        from rimbench.reporting.latex import as_latex

        return as_latex(report, all_pairs=all_pairs)
    if name == "bibtex":
        from rimbench.reporting.bibtex import as_bibtex

        return as_bibtex(report)
    if name == "model-index":
        from rimbench.reporting.model_index import as_model_index

        return as_model_index(report)
    from rimbench.reporting.markdown import as_markdown

    return as_markdown(report, all_pairs=all_pairs)


def write(path: Path, text: Iterable[str]) -> None:
    """Write a report to a file, over an older one only when it is whole; DataError where that cannot be."""
    try:
        write_pieces(path, (piece.encode() for piece in text))
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}; give a file in a folder that exists") from error


def format_of(path: Path) -> str:
    """The format of a committed report, by its suffix; UsageError for another."""
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: no report has the suffix '{path.suffix}'; known are {', '.join(SUFFIXES)}")
    return SUFFIXES[path.suffix]


def read_committed(path: Path) -> str:
    """A report as it was committed; errors for another suffix, and for a file that cannot be read."""
    format_of(path)
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}; write it with 'rimbench report' first") from error


def changes(committed: str, rebuilt: str) -> list[str]:
    """Lines that a report no longer has (-) and now has (+), the longest and the last of many cut off."""
    found = [
        line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}..."
        for line in difflib.unified_diff(committed.splitlines(), rebuilt.splitlines(), n=0, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    more = len(found) - SHOWN_LINES
    return [*found[:SHOWN_LINES], f"... and {more} lines more"] if more > 0 else found
