"""How commands speak: results on stdout, notes on stderr, JSON where asked."""

import json
import sys
from collections.abc import Sequence


def print_json(value: object) -> None:
    """Write one JSON document to stdout; NaN is refused, since undefined is null."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], remark: str = "") -> None:
    """Write a table to stdout, with a remark below; cells are plain text, wrapped to the terminal's width.

    A pipe has no width: there each row stays on one line, so that grep and cut see it whole.
    """
    from rich.console import Console  # 50 ms that --help does without
    from rich.markup import escape
    from rich.table import Table

    console = Console() if sys.stdout.isatty() else Console(width=100_000)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", min_width=max(map(len, column.split())))
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
    if remark:
        console.print(escape(remark), style="dim", highlight=False)
    console.print()


def note(message: str) -> None:
    """Write one line to stderr, for a person: what was decided, repaired or skipped."""
    sys.stderr.write(f"rimbench: {message}\n")
    sys.stderr.flush()
