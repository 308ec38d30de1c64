"""The report's tables as Markdown that a model card or a review can hold."""

from rimbench.display import markup
from rimbench.reporting.document import Report
from rimbench.reporting.tables import DISCLAIMER, make_tables


def as_markdown(report: Report) -> str:
    """The whole report as one Markdown text."""
    parts = ["# rimbench report", *map(markup.table_as_markdown, make_tables(report)), DISCLAIMER]
    return "\n\n".join(parts) + "\n"
