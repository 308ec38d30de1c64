"""One JSON document -> rows: a list of rows, rows by id, columns, or groups of these, of which the suite's is taken.

[{row}, ...]                            rows
{"0000": {row}, ...}                    rows by id, kept as the column `(key)`
{"question": [...], "answer": [...]}    columns, as data frames write them; also {"question": {"0": ...}}
{"columns": [...], "data": [[...]]}     the same by rows
{"data": [{row}, ...], "version": ...}  rows among what is said of them; each may be {"row": {row}, ...}
{"medqa": {"0000": {row}}, ...}         groups of rows, in any of these forms
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rimbench.errors import DataError

KEY = "(key)"
"""The column that holds a row's key, where rows stand by one."""
ROWS = (
    *("data", "rows", "examples", "items", "questions", "instances", "records", "test", "samples", "dataset"),
    *("validation", "train", "problems"),
)
"""What a list of rows is called among other keys."""
_DESCRIBED = "features"
"""What the hub's answers call the list of their columns."""
_PARTS = ({"role", "content"}, {"from", "value"}, {"key", "value"}, {"label", "text"})
"""The keys of what stands in lists of a row."""


def rows_of(document: object, where: str, group: str | None) -> Iterator[Any]:
    """The rows of a document; DataError for several groups of which none is called as `group` is."""
    if isinstance(document, list):
        wrapped = all(isinstance(entry, dict) and isinstance(entry.get("row"), dict) for entry in document)
        yield from (entry["row"] for entry in document) if wrapped else document
    elif not isinstance(document, dict) or _is_row(document):
        yield document
    elif (columns := _columns(document)) is not None:
        yield from columns
    elif all(isinstance(value, dict) and not _holds_rows(value) for value in document.values()):
        for key, row in document.items():
            yield {**row, KEY: key}
    else:
        yield from rows_of(_group(document, where, group), where, group)


def _is_row(document: Mapping[str, object]) -> bool:
    """Whether an object is a row itself: it has a text or a number, and no list of rows under a name for one."""
    plain = any(not isinstance(value, dict | list) or _holds_parts(value) for value in document.values())
    return not document or (plain and not any(name in document and _holds_rows(document[name]) for name in ROWS))


def _holds_rows(value: object) -> bool:
    """Whether all that a list or an object holds are objects, and no parts of a row: its messages, its options."""
    held = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return bool(held) and all(isinstance(entry, dict) and not _is_part(entry) for entry in held)


def _holds_parts(value: object) -> bool:
    """Whether a value is a list of messages or of options."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(entry, dict) and _is_part(entry) for entry in value)
    )


def _is_part(entry: Mapping[str, object]) -> bool:
    return any(part <= entry.keys() for part in _PARTS)


def _columns(document: Mapping[str, Any]) -> list[dict[str, object]] | None:
    """The rows of columns of one length, lists or objects by row number; None where these are no columns."""
    names, data = document.get("columns", ()), document.get("data", ())
    by_rows = isinstance(names, list) and isinstance(data, list) and document.keys() <= {"columns", "index", "data"}
    if by_rows and all(isinstance(row, list) and len(row) == len(names) for row in data):
        return [dict(zip(names, row, strict=True)) for row in data]
    columns = list(document.values())
    if all(isinstance(column, list) for column in columns):
        if len({len(column) for column in columns}) == 1 and not all(map(_holds_rows, columns)):
            return [dict(zip(document, row, strict=True)) for row in zip(*columns, strict=True)]
    elif all(isinstance(column, dict) for column in columns):
        numbers = list(columns[0])
        numbered = all(key.isdigit() for key in numbers) and not any(name.isdigit() for name in document)
        if numbered and all(list(column) == numbers for column in columns) and not all(map(_holds_rows, columns)):
            return [{name: column[key] for name, column in document.items()} for key in numbers]
    return None


def _group(document: Mapping[str, object], where: str, group: str | None) -> object:
    """The rows of the one group, or of that which is called as the suite is."""
    groups = {name: value for name, value in document.items() if _holds_rows(value) and name != _DESCRIBED}
    if not groups:
        raise DataError(
            f"{where}: its JSON object holds no rows under {', '.join(map(str, document))}: expected rows by id, a "
            "list of rows, or one JSON object a line"
        )
    if len(groups) == 1:
        return next(iter(groups.values()))
    wanted = [name for name in groups if group is not None and _folded(name) == _folded(group)]
    if len(wanted) != 1:
        raise DataError(
            f"{where}: holds {len(groups)} groups of rows ({', '.join(groups)}), and none is called "
            f"'{group}' as the suite is: call the suite's TOML as the group, or keep one group in the file"
        )
    return groups[wanted[0]]


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
