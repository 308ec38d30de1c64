"""The report's tables as Markdown that a model card or a review can hold."""

from rimbench.display import markup
from rimbench.reporting.document import Report
from rimbench.reporting.tables import DISCLAIMER, make_tables


def as_markdown(report: Report, *, all_pairs: bool = False) -> str:
    """The whole report as one Markdown text."""
    tables = make_tables(report, all_pairs=all_pairs)
    parts = ["# rimbench report", *map(markup.table_as_markdown, tables), DISCLAIMER]
    return "\n\n".join(parts) + "\n"
