"""The report's tables as Markdown that a model card or a review can hold."""

import re
from collections.abc import Sequence

from rimbench.display.tabular import Table
from rimbench.report.document import Report
from rimbench.report.tables import DISCLAIMER, make_tables

MARKUP = re.compile(r"[\\`*_<>|$~&]|(?<=\])[(\[]|:(?=//)|@(?=\w)|#(?=\d)|(?<=www)\.", re.IGNORECASE)
"""Marks, entities, mathematics; links, also bare ones; mentions of people and issues. Intervals stay as they are."""


def as_markdown(report: Report) -> str:
    """The whole report as one Markdown text."""
    parts = ["# rimbench report"]
    for table in make_tables(report):
        parts += [f"## {_escape(table.title)}", _table(table)]
        if table.remark:
            parts.append("\n".join(map(_escape, table.remark.split("\n"))))
    return "\n\n".join([*parts, DISCLAIMER]) + "\n"


def _table(table: Table) -> str:
    rows: list[Sequence[str]] = [[_escape(c) for c in table.columns], ["---"] * len(table.columns)]
    rows += [[_escape(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _escape(text: str) -> str:
    """Plain text on one line, with nothing in it that Markdown, GitHub or HTML would read as markup."""
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
