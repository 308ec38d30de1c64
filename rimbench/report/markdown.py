"""The report's tables as Markdown that a model card or a review can hold."""

from rimbench.display import markup
from rimbench.report.summary import Summary
from rimbench.report.tables import DISCLAIMER, make_tables


def as_markdown(summary: Summary) -> str:
    """The whole report as one Markdown text."""
    parts = ["# rimbench report", *map(markup.as_markdown, make_tables(summary)), DISCLAIMER]
    return "\n\n".join(parts) + "\n"
