"""Measured times as they are kept, every raw sample in `results/latency-<hash>/latency.json`, and what is read there.

Nothing here runs a model: a report reads these files as it reads records.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rimbench.errors import DataError, UsageError, first_line
from rimbench.files import strict_json
from rimbench.files.faults import describe_faults
from rimbench.files.writing import open_regular, write_whole
from rimbench.latency.measured import Measurement
from rimbench.store import json_of
from rimbench.store.lines import adapter_of

SCHEMA = 1
LARGEST = 1e15
"""Of times in ms, numbers of tokens and prices: of larger ones no mean and no spread can be worked out."""


def check_writable(results: Path) -> None:
    """Make the results folder; UsageError where nothing can be written into it, before anything is measured."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=results):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write into the results folder {results} ({error.strerror}): give another with --results"
        ) from error


def keep_measurement(measured: object, results: Path, path: Path | None = None, kind: str = "latency") -> Path:
    """Write what was measured into the results folder, over its earlier state in `path` if that is given.

    Nothing else there is overwritten, and what stands in the file is whole at any time. `kind` names folder and file.
    """
    text = json.dumps({"schema": SCHEMA, **json_of(measured)}, indent=1)
    path = path or results / f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:10]}" / f"{kind}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.is_symlink():
        raise UsageError(f"{path.parent} is a symbolic link, through which nothing is written: remove it")
    write_whole(path, text + "\n")
    return path


def _faults(measurement: Measurement) -> Iterator[str]:
    """What of a measurement cannot be, as `key: what is wrong`: a time that is none, a price below 0."""
    above_0: list[tuple[str, float]] = []
    from_0: list[tuple[str, float]] = [("price_per_hour", measurement.price_per_hour or 0.0)]
    for i, row in enumerate(measurement.rows):
        if not row.samples_ms:
            yield f"rows.{i}.samples_ms: expected one time or more"
        if row.rounds and (sum(row.taken) != len(row.samples_ms) or min(row.taken, default=0) < 1):
            yield f"rows.{i}.rounds.by_process: expected one or more of each, {len(row.samples_ms)} in all"
        above_0 += [(f"rows.{i}.samples_ms.{j}", time) for j, time in enumerate(row.samples_ms)]
        above_0 += [(f"rows.{i}.batch", row.batch)]
        above_0 += [] if row.prompt_tokens is None else [(f"rows.{i}.prompt_tokens", row.prompt_tokens)]
        above_0 += [(f"rows.{i}.passes.count", row.passes.count)] if row.passes else []
        from_0 += [(f"rows.{i}.first_ms", row.first_ms), (f"rows.{i}.generated_tokens", row.generated_tokens)]
    # Denied, not turned round: NaN is neither above nor below.
    yield from (f"{key}: expected more than 0 (got {value})" for key, value in above_0 if not value > 0)
    yield from (f"{key}: expected 0 or more (got {value})" for key, value in from_0 if not value >= 0)
    told = (*above_0, *from_0)
    yield from (f"{key}: expected {LARGEST:g} at most (got {value})" for key, value in told if value > LARGEST)


def read_measurements(results: Path, say: Callable[[str], None] | None = None) -> list[Measurement]:
    """Every measurement of a results folder, the oldest first; one that is none is left out, and `say` is told.

    Without `say`, DataError names the first of these.
    """
    from pydantic import ValidationError  # slow to import

    found = []
    for path in sorted(results.glob("latency-*/latency.json")):
        try:
            with open_regular(path) as file:
                document = strict_json.parse(file.read())
            if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
                raise ValueError(f"expected an object of schema {SCHEMA}")
            measurement = adapter_of(Measurement).validate_python(document, extra="forbid")
            fault = next(_faults(measurement), None)
            if fault is not None:
                raise ValueError(fault)
            found.append(measurement)
        except (OSError, ValueError, ValidationError, RecursionError) as error:
            fault = describe_faults(error) if isinstance(error, ValidationError) else first_line(error)
            told = f"{path} is no measurement of this version ({fault}): measure again, and delete it"
            if say is None:
                raise DataError(told) from error
            say(f"left out: {told}")
    return sorted(found, key=lambda measurement: measurement.measured_at)
