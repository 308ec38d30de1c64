"""Values as lines of JSON: written with a checksum, read in chunks, every faulty line found and named.

A record's line ends with `check`, a short checksum over its other fields: it tells a line that was changed after it
was written, by hand or by a failing disk. It is no signature: who wants to deceive makes a fitting one.
"""

import dataclasses
import json
import math
import operator
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from rimbench.errors import DataError
from rimbench.files.faults import describe_faults
from rimbench.files.writing import open_regular
from rimbench.records import Item, Record

CHUNK_BYTES = 1 << 17
"""Lines are validated in chunks of this size: one call a chunk costs a third less than one a line."""
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_CHECK_BYTES = b', "check": "'

_BUILT: dict[Any, TypeAdapter[Any]] = {}

T = TypeVar("T")


class WrittenAnswer(NamedTuple):
    """An answer to an item, as it is appended: what is counted of it, and its line with the newline.

    `right` is said of greedy answers alone, `mended` of a text of which half a character is kept as \ufffd.
    """

    sample: int
    right: bool
    mended: bool
    line: bytes


def write_answer(record: Record) -> WrittenAnswer:
    """A record as it is appended."""
    torn = False
    try:
        body = _body(record).encode()
    except UnicodeEncodeError:
        torn, body = True, _body(dataclasses.replace(record, text=mended(record.text))).encode()
    line = b'%b%b%08x"}\n' % (body, _CHECK_BYTES, zlib.crc32(body))
    return WrittenAnswer(record.sample, record.sample == 0 and record.correct, torn, line)


def to_line(record: Record) -> str:
    """A record as one line of JSON, its keys in the order of the format; a probability of 0 is null.

    `final` stands only where it is true, `confidence` where there is one. Half of a surrogate pair, which no file can
    hold, becomes \\ufffd.
    """
    return write_answer(record).line.decode().removesuffix("\n")


def to_item_line(item: Item) -> bytes:
    """An item as one line of JSON, with its newline; `facets` stand only where there are some."""
    text = encode_basestring
    options = ", ".join([f"{text(letter)}: {text(option)}" for letter, option in item.options.items()])
    cluster = "null" if item.cluster is None else text(item.cluster)
    head = f'{{"item_id": {text(item.item_id)}, "question": {text(item.question)}, "options": {{{options}}}, '
    facets = ""
    if item.facets:
        kept = ", ".join([f"{text(name)}: {text(value)}" for name, value in item.facets.items()])
        facets = f', "facets": {{{kept}}}'
    return f'{head}"gold": {text(item.gold)}, "cluster": {cluster}{facets}}}\n'.encode()


def mended(text: str) -> str:
    """The text as a file can hold it: half of a surrogate pair becomes \\ufffd."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def checksum(record: Record) -> str:
    """What stands as `check` in the record's line."""
    return f"{zlib.crc32(_body(record).encode()):08x}"


def is_intact(line: bytes, record: Record) -> bool:
    """Whether a line still is as it was written, as far as its checksum tells; one without any is taken as it is."""
    body, found, rest = line.rstrip().rpartition(_CHECK_BYTES)
    if found and rest == b'%08x"}' % zlib.crc32(body):
        return True
    if b'"check"' not in line:
        return True
    # Spelled otherwise, by a tool that wrote the same values again, is not changed.
    check = json.loads(line).get("check")
    return check is None or check == checksum(record)


def read_lines(
    path: Path, schema: type[T], kind: str, find_fault: Callable[[T], str | None] = lambda value: None
) -> Iterator[tuple[int, bytes, T]]:
    """Each line's number, bytes and value; DataError names every line that is none, or in which a fault is found.

    Read is what the file held when it was opened: a line that is being written is left out. Lines end with a newline
    character alone: a text may hold other line separators of Unicode.
    """
    number = 0
    for lines in chunks(path):
        values = values_of(lines, schema)
        if len(values) != len(lines) or any(map(find_fault, values)):
            raise faulty_lines(path, schema, kind, find_fault)
        for line, value in zip(lines, values, strict=True):
            number += 1
            yield number, line, value


def values_of(lines: Sequence[bytes], schema: type[T]) -> list[T]:
    """The values of lines, fewer where some have none."""
    adapter: TypeAdapter[list[T]] = adapter_of(list[schema])  # type: ignore[valid-type]
    try:
        values = adapter.validate_json(b"[" + b",".join(lines) + b"]", strict=True)
    except ValidationError:
        values = []
    if len(values) == len(lines):
        return values
    return [value for value in (_value(line, schema) for line in lines) if not isinstance(value, str)]


def values_again(
    path: Path, lines: Iterable[bytes], keys: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[Any, ...]]:
    """What lines that were found good before hold under these keys, as JSON has it: in a third of the time.

    Behind them what they hold under the `optional` ones, None where a line lacks it.
    """
    wanted = operator.itemgetter(*keys)
    try:
        for line in lines:
            held = from_json(line, cache_strings="none")
            yield (*wanted(held), *map(held.get, optional))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path} was changed while it was read: start the same command again") from error


def _body(record: Record) -> str:
    """The line without its checksum and its closing brace: as `json` writes it, and sooner."""
    text, logprobs, answer = encode_basestring, record.option_logprobs, record.answer
    shares = "null"
    if logprobs is not None:
        shares = ", ".join([f"{text(x)}: {_number(None if p == -math.inf else p)}" for x, p in logprobs.items()])
        shares = f"{{{shares}}}"
    final = ', "final": true' if record.final else ""
    confidence = "" if record.confidence is None else f', "confidence": {_number(record.confidence)}'
    return (
        f'{{"item_id": {text(record.item_id)}, "sample": {record.sample:d}, "gold": {text(record.gold)}, '
        f'"answer": {"null" if answer is None else text(answer)}, "status": {text(record.status)}, '
        f'"text": {text(record.text)}, "option_logprobs": {shares}, "prompt_tokens": {record.prompt_tokens:d}, '
        f'"generated_tokens": {record.generated_tokens:d}, "prompt_sha256": {text(record.prompt_sha256)}, '
        f'"label_mass": {_number(record.label_mass)}{final}{confidence}'
    )


def _number(value: float | None) -> str:
    """As JSON has it; ValueError for what it has not, NaN and infinities."""
    return repr(value) if type(value) is float and math.isfinite(value) else _ENCODE(value)


def chunks(path: Path) -> Iterator[list[bytes]]:
    """The whole lines of a file, without their newlines, `CHUNK_BYTES` or a line at a time."""
    torn: list[bytes] = []
    with open_kept(path) as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0 and (read := file.read(min(CHUNK_BYTES, left))):
            left -= len(read)
            lines = read.split(b"\n")
            torn.append(lines[0])
            if len(lines) > 1:
                lines[0], torn = b"".join(torn), [lines.pop()]
                yield lines


@contextmanager
def open_kept(path: Path) -> Iterator[BufferedReader]:
    """Open a file of a run for reading; DataError where it cannot be read."""
    try:
        with open_regular(path) as file:
            yield file
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror}; start the run's command again, with --fresh if that fails"
        ) from error


def _value(line: bytes, schema: type[T]) -> T | str:
    """The value of one line, or what is wrong with it."""
    adapter: TypeAdapter[T] = adapter_of(schema)
    try:
        return adapter.validate_json(line, strict=True)
    except ValidationError as error:
        fault = describe_faults(error)
    try:
        values = json.loads(line)
        logprobs = values["option_logprobs"]
        values["option_logprobs"] = {x: -math.inf if value is None else value for x, value in logprobs.items()}
        return adapter.validate_json(json.dumps(values), strict=True)  # JSON as Python writes it, with infinities
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # no record, or faulty besides
        return fault


def adapter_of(schema: type[T]) -> TypeAdapter[T]:
    """What validates values of a type; kept: making one takes milliseconds, and a report reads three files a run."""
    if schema not in _BUILT:
        _BUILT[schema] = TypeAdapter(schema)
    return _BUILT[schema]


def faulty_lines(path: Path, schema: type[T], kind: str, find_fault: Callable[[T], str | None]) -> DataError:
    """The error that counts and lists every faulty line of a file, and says what is wrong with the first."""
    faults, number = dict[int, str](), 0
    for lines in chunks(path):
        for line in lines:
            number += 1
            value = _value(line, schema)
            fault = value if isinstance(value, str) else find_fault(value)
            if fault is not None:
                faults[number] = fault
    if not faults:
        return DataError(f"{path} was changed while it was read: start the same command again")
    first = next(iter(faults))
    listed = ", ".join(map(str, list(faults)[:20])) + (", ..." if len(faults) > 20 else "")
    return DataError(
        f"{path}: {len(faults)} of its lines are no {kind} (line {listed}); line {first}: {faults[first]}; "
        f"expected one JSON object a line, of this run's items: mend or delete them, or start over with --fresh"
    )
