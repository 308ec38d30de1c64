"""How commands speak: results on stdout, notes on stderr, JSON where asked."""

import json
import re
import sys
from collections.abc import Sequence

from rimbench.tabular import Table

LONGEST_WORD = 24
"""A longer word than this may be broken."""
GAP = 2
INTERVAL = re.compile(r"\[([^\[\], ]+), ([^\[\], ]+)\]")
"""An interval, which stays in one piece on a terminal."""


def print_json(value: object) -> None:
    """Write one JSON document to stdout; NaN is refused, since undefined is null."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def print_table(table: Table) -> None:
    """Write a table to stdout, its remark below; cells are wrapped between words to the terminal's width.

    A terminal too narrow for every column's words loses the optional columns, and says so. A pipe has no width:
    there each row stays on one line, so that grep and cut see it whole.
    """
    from rich import table as rich_table  # 50 ms that --help does without
    from rich.console import Console
    from rich.markup import escape

    console = Console() if sys.stdout.isatty() else Console(width=100_000)
    cells = [table.columns, *table.rows]
    if sys.stdout.isatty():
        cells = [[INTERVAL.sub(r"[\1,\2]", cell) for cell in row] for row in cells]
    widths, left_out = _fit(cells, [table.columns.index(name) for name in table.optional], console.width)
    grid = rich_table.Table(title=escape(table.title), title_justify="left", box=None, pad_edge=False)
    for column, width in widths.items():
        grid.add_column(escape(cells[0][column]), overflow="fold", width=width, header_style="bold")
    for row in cells[1:]:
        grid.add_row(*(escape(row[column]) for column in widths))
    console.print(grid)
    remark = table.remark
    if left_out:
        remark = f"{remark} Left out at this width: {', '.join(table.columns[i] for i in left_out)}.".strip()
    if remark:
        console.print(escape(remark), style="dim", highlight=False)
    console.print()


def _fit(cells: Sequence[Sequence[str]], optional: Sequence[int], room: int) -> tuple[dict[int, int], list[int]]:
    """Widths of the columns that fit into the room without breaking a word, and the optional ones left out for it."""
    columns = [[row[i] for row in cells] for i in range(len(cells[0]))]
    least = {
        i: max(len(word) for cell in column for word in cell.split() or [""]) for i, column in enumerate(columns)
    }
    least = {i: min(LONGEST_WORD, width) or 1 for i, width in least.items()}
    left_out: list[int] = []
    for i in optional:
        if sum(least.values()) + GAP * (len(least) - 1) <= room:
            break
        del least[i]
        left_out.append(i)
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
