"""Rows of a table, one question each, and a layout that names their columns -> readings for the audit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rimbench.errors import DataError
from rimbench.records import LETTERS
from rimbench.suites.audit import AuditRow, Candidate, Faulty, Skipped
from rimbench.suites.json_rows import KEY
from rimbench.suites.options import (
    Options,
    OptionsError,
    TooManyOptionsError,
    as_label,
    is_missing,
    is_whole,
    read_options,
    without_own_labels,
)
from rimbench.suites.rows import PackedRows, Row

if TYPE_CHECKING:
    from rimbench.suites.schema import TableLayout

UNLABELLED = -1
"""How a numbered gold column marks a row without a label."""


class _RowFaultError(Exception):
    """This row cannot be read; the argument is the kind of fault."""


@dataclass(frozen=True, slots=True)
class RowTable:
    """All rows of one source with the layout that reads them; `where` names the source in errors.

    `rows` are read once, unless the base of a numbered gold column is to be told from all of them.
    """

    rows: Iterable[Row]
    layout: "TableLayout"
    where: str
    declare_in: str


def readings(table: RowTable, keep: Callable[[str], bool]) -> Iterator[AuditRow]:
    """One reading a row, in order; rows whose question `keep` turns down are skipped as another slice's.

    Raises DataError for an option letter beyond J, and for a gold column whose base cannot be told.
    """
    rows, base = table.rows, 0
    if table.layout.gold.index is not None:
        rows, base = _index_base(table)
    for number, row in enumerate(rows):
        try:
            yield _reading(table, row, number, base, keep)
        except _RowFaultError as fault:
            yield Faulty(_row_id(table.layout, row, number), str(fault))


def _reading(table: RowTable, row: Row, number: int, base: int, keep: Callable[[str], bool]) -> AuditRow:
    layout = table.layout
    if layout.filter and not all(_matches(row.get(column), wanted) for column, wanted in layout.filter.items()):
        return Skipped("filtered")
    gold_column = layout.gold.index
    if gold_column is not None and _integer(row.get(gold_column)) == UNLABELLED:
        return Skipped("unlabelled")
    question = _text(row.get(layout.question))
    if not keep(question):
        return Skipped("other_slice")
    item_id = _row_id(layout, row, number)
    options = _options(row, table, item_id)
    texts = tuple(map(_text, options.values))
    bare = without_own_labels(texts)
    gold = _gold(row, layout, (texts, bare or texts), options.labels, base)
    answer = _text(row.get(layout.answer_text)) if layout.answer_text is not None else ""
    if bare is not None and answer in texts:
        answer = bare[texts.index(answer)]
    return Candidate(
        item_id=item_id,
        question=question,
        options=bare or texts,
        gold=gold,
        answer_text=answer or None,
        cluster=(_text(row.get(layout.cluster)) or None) if layout.cluster is not None else None,
        facets=_facets(row, layout),
        own_labels=bare is not None,
    )


def _facets(row: Row, layout: "TableLayout") -> dict[str, str] | None:
    """The columns that the layout keeps, as texts on one line; those that hold nothing, or no text, are left out."""
    if not layout.facets:
        return None
    cells = {column: row.get(column) for column in layout.facets}
    plain = {
        name: cell for name, cell in cells.items() if isinstance(cell, str | int | float) and not is_missing(cell)
    }
    texts = {name: " ".join(str(cell).split()) for name, cell in plain.items()}
    return {name: text for name, text in texts.items() if is_whole(text)}


def _row_id(layout: "TableLayout", row: Row, number: int) -> str:
    """The row's own id, its key where rows stand by one, or its number from 0 where it has neither."""
    try:
        return _text(row.get(layout.id or KEY)) or str(number)
    except _RowFaultError:
        return str(number)


def _text(value: object) -> str:
    """The value as stripped text; numbers as written, what holds nothing as nothing."""
    if isinstance(value, str) and value.isascii():
        return value.strip()
    if is_missing(value):
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _RowFaultError("not_text")
    text = str(value).strip()
    if not is_whole(text):
        raise _RowFaultError("not_text")
    return text


def _options(row: Row, table: RowTable, item_id: object) -> Options:
    layout = table.layout
    cells = row.get(layout.options) if isinstance(layout.options, str) else [row.get(name) for name in layout.options]
    try:
        return read_options(cells)
    except OptionsError as fault:
        raise _RowFaultError(str(fault)) from None
    except TooManyOptionsError as error:
        raise DataError(
            f"{table.where}, row {item_id}: {error}: an item has 2 to {len(LETTERS)} options, letters A to "
            f"{LETTERS[-1]}; remove such rows"
        ) from None


def _gold(
    row: Row, layout: "TableLayout", spellings: Sequence[Sequence[str]], labels: Sequence[str], base: int
) -> int | None:
    """Which option is right, from 0; None where the column does not say. Options are had with and without labels."""
    value = row.get(layout.gold.column)
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if layout.gold.index is not None:
        number = _integer(value)
        return None if number is None else number - base
    by_text = layout.gold.text is not None
    wanted = _text(value) if by_text else as_label(value)
    for options in spellings if by_text else (labels, LETTERS[: len(labels)]):
        if wanted and wanted in options:
            return options.index(wanted)
    if by_text or not isinstance(value, str):
        return None
    written_out = (as_label(value.removesuffix(option)) if value.endswith(option) else "" for option in spellings[-1])
    return next((i for i, label in enumerate(written_out) if label and label == labels[i]), None)  # "C. Warfarin"


def _integer(value: object) -> int | None:
    """The whole number that a cell holds, also as text ("2") or as a float (2.0)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() else None


def _matches(value: object, wanted: object) -> bool:
    """Whether a cell holds what a filter wants, compared as text: a CSV holds nothing else."""
    if isinstance(wanted, list):
        return any(_matches(value, choice) for choice in wanted)
    if isinstance(wanted, bool):
        return str(value).lower() == str(wanted).lower()
    return value is not None and str(value) == str(wanted)


def _index_base(table: RowTable) -> tuple[Iterable[Row], Literal[0, 1]]:
    """The rows, and whether the gold column counts from 0 or 1: as declared, or as all the values of the file show.

    A 0 or a -1 (unlabelled) is only found where the first option is 0; the number of the row's options, or of
    the layout's, only where the first is 1.
    """
    gold = table.layout.gold
    if gold.base in (0, 1):
        return table.rows, gold.base
    rows = PackedRows(table.rows)
    numbers = [_integer(row.get(gold.column)) for row in rows]
    low = next((i for i, number in enumerate(numbers) if number in (0, UNLABELLED)), None)
    high = next((i for i, number in enumerate(numbers) if _is_last(table, rows, i, number)), None)
    if (low is None) == (high is None):
        raise DataError(_undecided(table, numbers, low, high))
    return rows, 0 if high is None else 1


def _is_last(table: RowTable, rows: PackedRows, position: int, number: int | None) -> bool:
    if number is None or number < 2:
        return False
    try:
        options = _options(rows[position], table, position)
    except _RowFaultError:
        return False
    return number == len(options.values)


def _undecided(table: RowTable, numbers: Sequence[int | None], low: int | None, high: int | None) -> str:
    column = table.layout.gold.column
    if low is None or high is None:
        held = ", ".join(str(number) for number in sorted({n for n in numbers if n is not None})) or "no numbers"
        why = f"its values ({held}) fit options counted from 0 and from 1"
    else:
        why = f"row {low} holds {numbers[low]}, which counts from 0, and row {high} {numbers[high]}, from 1"
    return (
        f"{table.where}: column {column}: {why}: declare it: in a copy of {table.declare_in}, write "
        f'gold = {{ index = "{column}", base = 0 }}, or base = 1, in the layout "{table.layout.name}", '
        "and give the copy as the suite"
    )
