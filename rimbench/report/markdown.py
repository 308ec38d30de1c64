"""The report's tables as Markdown that a model card or a review can hold."""

from collections.abc import Sequence

from rimbench.report.summary import Summary
from rimbench.report.tables import DISCLAIMER, make_tables
from rimbench.tabular import Table


def as_markdown(summary: Summary) -> str:
    """The whole report as one Markdown text."""
    parts = ["# rimbench report"]
    for table in make_tables(summary):
        parts += [f"## {table.title}", _table(table)]
        if table.remark:
            parts.append(table.remark)
    return "\n\n".join([*parts, DISCLAIMER]) + "\n"


def _table(table: Table) -> str:
    rows: list[Sequence[str]] = [[_escape(c) for c in table.columns], ["---"] * len(table.columns)]
    rows += [[_escape(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _escape(text: str) -> str:
    """Plain text on one line, with nothing in it that Markdown or HTML would read as markup."""
    return "".join(f"\\{c}" if c in "\\`*_<>|" else c for c in " ".join(text.split()))
