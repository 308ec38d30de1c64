"""Tables as Markdown and as HTML, with nothing in them that either would read as markup: texts come from anywhere."""

import html
import re
from collections.abc import Sequence

from rimbench.display.tabular import Table

MARKUP = re.compile(r"[\\`*_<>|$~&]|(?<=\])[(\[]|:(?=//)|@(?=\w)|#(?=\d)|(?<=www)\.", re.IGNORECASE)
"""Marks, entities, mathematics; links, also bare ones; mentions of people and issues. Intervals stay as they are."""

_IN, _LETTER = r"[^\s,;:()]", "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
# Looked for at the beginnings of words alone: a text of one long word is read once, not from each of its letters.
_WORD = rf"(?<!{_IN})(?={_IN}*{_LETTER}){_IN}*[^\s,;:().]"
RIGHT_TO_LEFT = re.compile(rf"({_WORD}(?: {_WORD})*)")
"""Words with a letter of Hebrew, Arabic and their like in them; what ends a part of a sentence is not theirs."""


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
            f'<{tag} style="text-align: {side}">{isolated(cell)}</{tag}>'
            for cell, side in zip(cells, align, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>"

    rows = "".join(line(row, "td") for row in table.rows)
    remark = f"<p>{isolated(table.remark)}</p>" if table.remark else ""
    lead = f"<p>{isolated(' '.join(table.lead))}</p>" if table.lead else ""
    return (
        f"{lead}<table><caption>{isolated(table.title)}</caption><thead>{line(table.columns, 'th')}</thead>"
        f"<tbody>{rows}</tbody></table>{remark}"
    )


def isolated(text: str) -> str:
    """Plain text for HTML, where a name that is written from right to left turns around no number beside it."""
    pieces = RIGHT_TO_LEFT.split(text)
    return "".join(f"<bdi>{html.escape(p)}</bdi>" if i % 2 else html.escape(p) for i, p in enumerate(pieces))


def escape(text: str) -> str:
    """Plain text on one line, with nothing in it that Markdown, GitHub or HTML would read as markup."""
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
