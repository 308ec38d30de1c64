"""A table of plain text: what reports and audits make, and what every format and the terminal print."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rimbench.display.plaintext import plain

NUMBERS = re.compile(r"[-+\d.,%\[\] ()/]*\d[-+\d.,%\[\] ()/e]*|-")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of plain text, with a sentence on how to read them; names in it may come from anywhere.

    `lead` are the sentences that a reader has before the rows. `optional` names the columns that a narrow terminal
    does without, the first of them first.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    remark: str = ""
    optional: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.optional if name not in self.columns]
        if unknown or any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table '{self.title}': no columns {unknown}, or rows of another length")
        object.__setattr__(self, "title", plain(self.title))
        object.__setattr__(self, "columns", tuple(map(plain, self.columns)))
        object.__setattr__(self, "rows", tuple(tuple(map(plain, row)) for row in self.rows))
        object.__setattr__(self, "lead", tuple(map(plain, self.lead)))
        object.__setattr__(self, "remark", "\n".join(map(plain, self.remark.split("\n"))))

    @property
    def numeric(self) -> tuple[bool, ...]:
        """For each column, whether it holds numbers alone, intervals among them: such ones stand to the right."""
        return tuple(all(NUMBERS.fullmatch(row[i]) for row in self.rows) for i in range(len(self.columns)))
