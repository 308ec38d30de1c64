"""How commands speak: results on stdout, notes on stderr, JSON where asked."""

import json
import re
import sys
from collections.abc import Sequence
from typing import Literal

from rimbench.tabular import Table

LONGEST_WORD = 36
"""A longer word than this may be broken."""
SENTENCE = 20
"""A column of sentences, of more than twice as many letters, is no narrower than this."""
SHORTEST_BREAK = 12
"""No column is made narrower than this by breaking its words."""
GAP = 2
INTERVAL = re.compile(r"\[([^\[\], ]+), ([^\[\], ]+)\]")
"""An interval, which stays in one piece on a terminal."""


def print_json(value: object) -> None:
    """Write one JSON document to stdout; NaN is refused, since undefined is null."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def print_table(table: Table) -> None:
    """Write a table to stdout, its remark below; cells are wrapped between words to the terminal's width.

    Numbers stay in one piece with their intervals. A terminal too narrow for that and for every column's words loses
    the optional columns, and says so. A pipe has no width: there each row stays on one line, so that grep and cut see
    it whole.
    """
    from rich import table as rich_table  # 50 ms that --help does without
    from rich.console import Console
    from rich.markup import escape

    console = Console() if sys.stdout.isatty() else Console(width=100_000)
    cells = [table.columns, *table.rows]
    if sys.stdout.isatty():
        cells = [[INTERVAL.sub(r"[\1,\2]", cell) for cell in row] for row in cells]
    optional = [table.columns.index(name) for name in table.optional]
    widths, left_out = _fit(cells, table.numeric, optional, console.width)
    console.print(escape(table.title), style="italic", highlight=False)
    grid = rich_table.Table(box=None, pad_edge=False)
    for column, width in widths.items():
        justify: Literal["right", "left"] = "right" if table.numeric[column] else "left"
        grid.add_column(escape(cells[0][column]), justify=justify, header_style="bold", overflow="fold", width=width)
    for row in cells[1:]:
        grid.add_row(*(escape(row[column]) for column in widths))
    console.print(grid)
    remark = table.remark
    if left_out:
        remark = f"{remark} Left out at this width: {', '.join(table.columns[i] for i in left_out)}.".strip()
    if remark:
        console.print(escape(remark), style="dim", highlight=False)
    console.print()


def _fit(
    cells: Sequence[Sequence[str]], numeric: Sequence[bool], optional: Sequence[int], room: int
) -> tuple[dict[int, int], list[int]]:
    """Widths of the columns that fit into the room, with no number wrapped and no word broken, and those left out."""
    columns = [[row[i] for row in cells] for i in range(len(cells[0]))]
    least = {}
    for i, column in enumerate(columns):
        pieces = [word for cell in column for word in cell.split()] + (column[1:] if numeric[i] else [])
        sentence = SENTENCE if max(map(len, column)) > 2 * SENTENCE else 1
        least[i] = max(sentence, min(LONGEST_WORD, max(map(len, pieces), default=1)))
    left_out: list[int] = []
    for i in optional:
        if sum(least.values()) + GAP * (len(least) - 1) <= room:
            break
        del least[i]
        left_out.append(i)
    while sum(least.values()) + GAP * (len(least) - 1) > room and max(least.values()) > SHORTEST_BREAK:
        least[max(least, key=lambda i: least[i] * (not numeric[i]))] -= 1
    widths = {i: max(width, *map(len, columns[i])) for i, width in least.items()}
    while sum(widths.values()) + GAP * (len(widths) - 1) > room:
        widest = max(widths, key=lambda i: widths[i] - least[i])
        if widths[widest] == least[widest]:
            break
        widths[widest] -= 1
    return widths, left_out


def note(message: str) -> None:
    """Write one line to stderr, for a person: what was decided, repaired or skipped."""
    sys.stderr.write(f"rimbench: {message}\n")
    sys.stderr.flush()
