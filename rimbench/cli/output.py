"""How commands speak: results on stdout, notes on stderr, JSON where asked."""

import io
import re
import sys
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from rimbench.display import notes
from rimbench.display.plaintext import as_json, plain, shown
from rimbench.display.tabular import Table

if TYPE_CHECKING:
    from rich.console import Console

note = notes.note
LONGEST_WORD = 36
"""A longer word than this may be broken."""
SENTENCE = 20
"""A column of sentences, of more than twice as many letters, is no narrower than this."""
SHORTEST_BREAK = 12
"""No column is made narrower than this by breaking its words."""
GAP = 2
STYLING = re.compile(r"(\x1b\[[0-9;?]*[A-Za-z]|\r)")
"""What rich writes besides text: colours, and movements of the cursor."""
BAR_BEGINS = re.compile(r"\r|(?:\x1b\[A)+")
INTERVAL = re.compile(r"\[([^\[\], ]+), ([^\[\], ]+)\]")
"""An interval, which stays in one piece on a terminal."""


def passing(message: str) -> None:
    """Show on a terminal what goes on, in one line that the next one takes the place of; of no text, take it away."""
    width = console(stderr=True).width - 1
    sys.stderr.write("\r" + plain(message)[:width].ljust(width))
    sys.stderr.write("\r")
    sys.stderr.flush()


class _Stream(io.TextIOWrapper):
    """A standard stream through which all text leaves: what a terminal would obey is shown as its escape.

    It holds for whatever is written, a library's warning or a usage error too. A file's name that is no text, and
    what the terminal's encoding lacks, is escaped as well.
    """

    bars = False
    """Whether libraries draw bars here, each beginning with a carriage return."""

    def write(self, text: str) -> int:
        drawn = BAR_BEGINS.match(text) if self.bars else None
        begin = drawn.end() if drawn else 0
        super().write(text[:begin] + shown(text[begin:]))
        return len(text)


class _Styled:
    """The same stream for rich, whose own colours and cursor movements pass; texts in them are made plain before."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        pieces = STYLING.split(text)
        io.TextIOWrapper.write(self._stream, "".join(p if i % 2 else shown(p) for i, p in enumerate(pieces)))
        return len(text)


def guard_streams() -> None:
    """Let nothing that a terminal would obey through stdout and stderr, on a terminal and in a pipe alike."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not isinstance(stream, _Stream):
            encoding, buffering, through = stream.encoding, stream.line_buffering, stream.write_through
            guarded = _Stream(stream.detach(), encoding, "backslashreplace", None, buffering, through)
            guarded.bars = name == "stderr" and guarded.isatty()
            setattr(sys, name, guarded)
            setattr(sys, f"__{name}__", guarded)


def console(*, stderr: bool = False, **settings: Any) -> "Console":
    """A rich console on a standard stream."""
    from rich.console import Console  # 50 ms that --help does without

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=cast("IO[str]", _Styled(stream)) if isinstance(stream, _Stream) else stream, **settings)


def print_json(value: object) -> None:
    """Write one JSON document to stdout; NaN is refused, since undefined is null."""
    sys.stdout.write(as_json(value))


def print_text(text: str) -> None:
    """Write running text to stdout as it is, its lines and tabs with it."""
    sys.stdout.write(f"{text}\n")


def print_table(table: Table) -> None:
    """Write a table to stdout, its remark below; cells are wrapped between words to the terminal's width.

    Numbers stay in one piece with their intervals. A terminal too narrow for that and for every column's words loses
    the optional columns, and says so. A pipe has no width: there each row stays on one line, so that grep and cut see
    it whole.
    """
    from rich import table as rich_table
    from rich.markup import escape
    from rich.text import Text

    terminal = console() if sys.stdout.isatty() else console(width=100_000)
    cells = [table.columns, *table.rows]
    if sys.stdout.isatty():
        cells = [[INTERVAL.sub(r"[\1,\2]", cell) for cell in row] for row in cells]
    optional = [table.columns.index(name) for name in table.optional]
    widths, left_out = _fit(cells, table.numeric, optional, terminal.width)
    sentences, remark = table.lead, table.remark
    if left_out:
        said = f"Left out at this width: {', '.join(table.columns[i] for i in left_out)}."
        if sentences and not remark:
            sentences = (*sentences, said)
        else:
            remark = f"{remark} {said}".strip()
    lead = f": {' '.join(sentences)}" if sentences else ""
    if sys.stdout.isatty():
        lead = INTERVAL.sub(r"[\1,\2]", lead)
    terminal.print(Text.assemble((table.title, "italic"), lead))
    grid = rich_table.Table(box=None, pad_edge=False)
    for column, width in widths.items():
        justify: Literal["right", "left"] = "right" if table.numeric[column] else "left"
        grid.add_column(escape(cells[0][column]), justify=justify, header_style="bold", overflow="fold", width=width)
    for row in cells[1:]:
        grid.add_row(*(escape(row[column]) for column in widths))
    terminal.print(grid)
    if remark:
        terminal.print(escape(remark), style="dim", highlight=False)
    terminal.print()


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
