"""A CSV or TSV file with a header line -> its rows, for questions and for answers alike.

No cell moves to another column: a row that is longer or shorter than the header is a fault in that row's place.
"""

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rimbench.errors import DataError

SUFFIXES = (".csv", ".tsv")
_LARGEST_CELL = 2**31 - 1
_DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma"}


class RowFault(str):
    """Why a row cannot be read, in the row's place."""

    __slots__ = ()


def read_table(path: Path) -> Iterator[tuple[int, dict[str, str | None] | RowFault]]:
    """The rows of a file, each with the line that it begins on; blank lines are passed over, empty cells are None.

    Columns are divided by commas, or by what the header has in their place, or Excel's first line `sep=;` says.
    Where the header has spaces around its names, the cells are freed of theirs. A column without a name, as data
    frames write their index, is left out. DataError for a file that is no table.
    """
    csv.field_size_limit(_LARGEST_CELL)
    line, last = 1, None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            while (head := file.readline()) and not head.strip():
                line += 1
            told = re.fullmatch(r"sep=(.)\s*", head)
            line += told is not None
            delimiter = told[1] if told else _delimiter(head, path)
            file.seek(0)
            for _ in range(line - 1):
                file.readline()
            skipped = line - 1
            spaced = head.startswith(" ") or f"{delimiter} " in head or f" {delimiter}" in head
            reader = csv.reader(file, strict=True, delimiter=delimiter, skipinitialspace=spaced)
            names = [name.strip() for name in next(reader, [])]
            twice = [name for name, count in Counter(names).items() if name and count > 1]
            if twice:
                raise DataError(f"{path}, line {line}: the column {', '.join(twice)} stands there twice")
            line = reader.line_num + skipped + 1
            for cells in reader:
                if cells:
                    if last:
                        yield last
                    last = line, _row(names, [cell.strip() for cell in cells] if spaced else cells, delimiter)
                line = reader.line_num + skipped + 1
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 (byte {error.start}): save the file as UTF-8") from error
    except csv.Error as error:
        raise DataError(
            f"{path}, line {line}: is not CSV ({error}): expected a table with one header line; mend the quotes"
        ) from error
    if last:
        yield last if _is_whole(path, last[1]) else (last[0], RowFault("is cut off within its last cell"))


def _delimiter(header: str, path: Path) -> str:
    """What divides the columns of a header: a comma, or what some countries' spreadsheets write instead."""
    if path.suffix.lower() == ".tsv" and "\t" in header:
        return "\t"
    first = next(csv.reader([header]), [])
    others = [mark for mark in _DELIMITERS if mark != "," and mark in header]
    return others[0] if len(first) < 2 and others else ","


def _row(names: list[str], cells: list[str], delimiter: str) -> dict[str, str | None] | RowFault:
    if len(cells) != len(names):
        mark = _DELIMITERS.get(delimiter, delimiter)
        return RowFault(
            f"has {len(cells)} cells, the header {len(names)}: a row is cut off, or a {mark} in a text is not quoted"
        )
    return {name: cell or None for name, cell in zip(names, cells, strict=True) if name}


def _is_whole(path: Path, last: dict[str, str | None] | RowFault) -> bool:
    """Whether a file that ends in an empty cell ends its line too: one that was cut off there looks alike else."""
    if isinstance(last, RowFault) or not last or list(last.values())[-1] is not None:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) in b"\r\n"
