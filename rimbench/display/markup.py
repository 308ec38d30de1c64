"""Tables as Markdown and as HTML, with nothing in them that either would read as markup: texts come from anywhere."""

import html
import re
from collections.abc import Sequence

from rimbench.display.tabular import Table

MARKUP = re.compile(r"[\\`*_<>|$~&]|(?<=\])[(\[]|:(?=//)|@(?=\w)|#(?=\d)|(?<=www)\.", re.IGNORECASE)
"""Marks, entities, mathematics; links, also bare ones; mentions of people and issues. Intervals stay as they are."""


def table_as_markdown(table: Table) -> str:
    """A table under its title, its remark below."""
    rows: list[Sequence[str]] = [[escape(c) for c in table.columns], ["---"] * len(table.columns)]
    rows += [[escape(cell) for cell in row] for row in table.rows]
    grid = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    remark = ["\n".join(map(escape, table.remark.split("\n")))] if table.remark else []
    lead = [" ".join(map(escape, table.lead))] if table.lead else []
    return "\n\n".join([f"## {escape(table.title)}", *lead, grid, *remark])


def as_html(table: Table) -> str:
    """The same for a notebook."""
    align = ["right" if numeric else "left" for numeric in table.numeric]

    def line(cells: Sequence[str], tag: str) -> str:
        made = (
            f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
            for cell, side in zip(cells, align, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>"

    rows = "".join(line(row, "td") for row in table.rows)
    remark = f"<p>{html.escape(table.remark)}</p>" if table.remark else ""
    lead = f"<p>{html.escape(' '.join(table.lead))}</p>" if table.lead else ""
    return (
        f"{lead}<table><caption>{html.escape(table.title)}</caption><thead>{line(table.columns, 'th')}</thead>"
        f"<tbody>{rows}</tbody></table>{remark}"
    )


def escape(text: str) -> str:
    """Plain text on one line, with nothing in it that Markdown, GitHub or HTML would read as markup."""
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
