"""Inputs changed by what they are: a value of a JSON, a line of a JSONL, a cell of a table, an entry of an archive.

`change` takes a whole file and gives another, or None where it cannot take it apart: bytes are then changed instead.
A changed value is an odd one, one of another place, one of another type, a long one or a deep one; what JSON and TOML
cannot say as a value (a number beyond any range, brackets without an end) is put into the text in its place.
"""

import csv
import io
import json
import math
import random
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence
from typing import Any

ODD = [
    None, True, False, 0, 1, -1, 2, 2**31, 2**63, 10**40, 0.5, -0.0, 1e308, 5e-324, math.nan, math.inf, -math.inf,
    "", " ", "A", "B", "J", "K", "AB", "0", "-1", "1.0", "nan", "null", "true", "\0", "a\0b", "\n", "\r\n", "\u2028",
    "\ud800", "x\udfff", "\ufeff", "\x1b[31m", "\u202eabc", "é", "\U0001f600", "Ａ", "ı", "ß", "{question}", "{",
    "../..", "/", ".", "a/b", "con", "x" * 300, "(" * 999, "A. " * 500, "\\boxed{" * 200, "**" * 400, "<think>" * 99,
    [], {}, [None], [[]], {"": None}, {"A": {}}, [{"key": "A", "value": "x"}], ["x"] * 11, ["x", "x"],
]  # fmt: skip
RAW = [
    "1e999", "-1e999", "9" * 5000, "1" + "0" * 400, "0" * 50, "NaN", "-Infinity", "-", "[" * 20000, '{"a":' * 5000,
    "[" * 3000 + "]" * 3000, '{"a":' * 900 + "1" + "}" * 900, '"\\ud800"', '"\\u0000"', '"\\ud83d\\ude00"', '"open',
    '{"a": 1, "a": 2}', "1979-05-27T07:32:00Z", "07:32:00", "0x10", "1_000", "inf", "[1,]", "{}{}", "\ufeff1",
]  # fmt: skip
NAMES = ["", "A", "K", "id", "item_id", "kind", "schema_version", "text", "answer", "\ud800", "a.b", "\n", "x" * 200]
MOST_SLOTS = 5000
MOST_ROWS = 200
LONGEST = 20000
"""Characters, or entries, of a value made longer."""
_RAW_PLACE = re.compile(r'"@raw(\d+)@"')

Slot = tuple[Any, Any]
"""A container and the key or place of one of its values."""


def change(data: bytes, suffix: str, rng: random.Random) -> bytes | None:
    """A changed file of that suffix; None where it is not one, or nothing was found to change."""
    try:
        return _CHANGERS[suffix](data, rng)
    except Exception:  # whatever a reader says of a file that is none
        return None


def _json(data: bytes, rng: random.Random) -> bytes:
    """One document, or one line of several."""
    try:
        text = json.dumps(_tree(json.loads(data), rng))
    except ValueError:
        return _lines(data, rng)
    return _encode(_with_raw(text))


def _lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    if rng.random() < 0.75:
        lines[at] = _encode(_with_raw(json.dumps(_tree(json.loads(lines[at]), rng))))
        return b"\n".join(lines)
    other = lines[rng.randrange(len(lines))]
    lines[at : at + 1] = rng.choice(
        [
            [],
            [lines[at]] * 2,
            [lines[at], other],
            [b""],
            [b"[" + lines[at] + b"]"],
            [lines[at][: len(lines[at]) // 2]],
        ]
    )
    return rng.choice([b"\n", b"\n", b"\r\n", b"\r", "\u2028".encode()]).join(lines)


def _toml(data: bytes, rng: random.Random) -> bytes:
    values = _tree(tomllib.loads(data.decode()), rng)
    return _encode(_with_raw("".join(f"{_toml_key(key)} = {_toml_value(value)}\n" for key, value in values.items())))


def _toml_key(key: object) -> str:
    return json.dumps(str(key), ensure_ascii=False)


def _toml_value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml_key(k)} = {_toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, default=str)


def _table(delimiter: str) -> "Changer":
    def change_cells(data: bytes, rng: random.Random) -> bytes:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=delimiter, quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        for row in _tree(rows, rng):
            writer.writerow(row if isinstance(row, list) else [row])
        return _encode(out.getvalue())

    return change_cells


def _parquet(data: bytes, rng: random.Random) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    if rng.random() < 0.2:  # a text column whose bytes are no text
        name = rng.choice(table.column_names)
        bad = pa.array([rng.randbytes(rng.randrange(9)) for _ in range(table.num_rows)], pa.binary())
        table = table.set_column(table.column_names.index(name), name, bad.view(pa.string()))
    else:
        # A few bytes can hold any number of equal rows: those take their time, and that is no fault.
        table = pa.Table.from_pylist(_tree(table.slice(0, MOST_ROWS).to_pylist(), rng)[:MOST_ROWS])
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _archive(data: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(entries))
    kind = rng.random()
    if kind < 0.8:
        entries[name] = _json(entries[name], rng)
    elif kind < 0.9:
        del entries[name]
    else:
        entries[rng.choice([rng.choice(list(entries)), "samples/9_epoch_1.json", "../x", "header.json"])] = (
            entries.pop(name)
        )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)
    return out.getvalue()


def _with_raw(text: str) -> str:
    return _RAW_PLACE.sub(lambda match: RAW[int(match[1])], text)


def _encode(text: str) -> bytes:
    """Half a surrogate pair becomes bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogatepass")


def _tree(value: Any, rng: random.Random) -> Any:
    """The value with one to four changes in it."""
    root = [value]
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        slots = list(_slots(root))
        holder, key = rng.choice(slots)
        rng.choice(_STEPS)(holder, key, slots, rng)
    return root[0] if root else None


def _slots(root: Any) -> Iterator[Slot]:
    """Every place of a value, level by level, up to a limit."""
    level, found = [root], 0
    while level and found < MOST_SLOTS:
        deeper = []
        for holder in level:
            for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
                yield holder, key
                found += 1
                if isinstance(holder[key], dict | list):
                    deeper.append(holder[key])
        level = deeper


def _drop(holder: Any, key: Any, _slots: list[Slot], _rng: random.Random) -> None:
    del holder[key]


def _odd(holder: Any, key: Any, _slots: list[Slot], rng: random.Random) -> None:
    value = rng.choice(ODD)
    holder[key] = value.copy() if isinstance(value, dict | list) else value


def _raw(holder: Any, key: Any, _slots: list[Slot], rng: random.Random) -> None:
    holder[key] = f"@raw{rng.randrange(len(RAW))}@"


def _from_elsewhere(holder: Any, key: Any, slots: list[Slot], rng: random.Random) -> None:
    other, place = rng.choice(slots)
    holder[key] = json.loads(json.dumps(other[place], default=str))  # a copy: a tree must not hold itself


def _other_type(holder: Any, key: Any, _slots: list[Slot], rng: random.Random) -> None:
    value = holder[key]
    kinds: list[Callable[[], Any]] = [
        lambda: str(value), lambda: [value], lambda: {"A": value}, lambda: float(value), lambda: int(value),
        lambda: list(value), lambda: dict(enumerate(value)), lambda: json.dumps(value), lambda: bool(value),
    ]  # fmt: skip
    holder[key] = rng.choice(kinds)()


def _longer(holder: Any, key: Any, _slots: list[Slot], rng: random.Random) -> None:
    value, times = holder[key], rng.choice([2, 11, 100, 2000])
    if isinstance(value, str | list) and value:
        holder[key] = value * min(times, 1 + LONGEST // len(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        holder[key] = value * 10**times if times < 300 else value + 1


def _deeper(holder: Any, key: Any, _slots: list[Slot], rng: random.Random) -> None:
    for _ in range(rng.choice([1, 2, 30])):
        holder[key] = [holder[key]] if rng.random() < 0.5 else {rng.choice(NAMES): holder[key]}


def _renamed(holder: Any, key: Any, slots: list[Slot], rng: random.Random) -> None:
    if isinstance(holder, MutableMapping):
        others = [k for _, k in slots if isinstance(k, str)] or NAMES
        holder[rng.choice([*NAMES, *rng.choices(others, k=8)])] = holder.pop(key)
    elif isinstance(holder, MutableSequence):
        holder.insert(rng.randrange(len(holder) + 1), holder[key])


def _edited(holder: Any, key: Any, slots: list[Slot], rng: random.Random) -> None:
    """A text with something put in, cut out, or taken from another text."""
    text = holder[key]
    if not isinstance(text, str):
        return _odd(holder, key, slots, rng)
    texts = [o[k] for o, k in rng.choices(slots, k=9) if isinstance(o[k], str)]
    piece = rng.choice([*(x for x in ODD if isinstance(x, str)), *texts, "\nAnswer: B", "B", "no, ", "\nC) ", "."])
    start, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    holder[key] = text[:start] + piece + text[rng.choice([start, end]) :]
    return None


_STEPS = [_drop, _odd, _odd, _raw, _from_elsewhere, _other_type, _longer, _deeper, _renamed, _edited, _edited]

Changer = Callable[[bytes, random.Random], bytes]
_CHANGERS: dict[str, Changer] = {
    ".json": _json,
    ".jsonl": _lines,
    ".toml": _toml,
    ".csv": _table(","),
    ".tsv": _table("\t"),
    ".parquet": _parquet,
    ".eval": _archive,
}
