"""A folder of results -> files of Every Eval Ever 0.3: for each run its totals, and a row an answer behind them.

The totals are the headline of the report, with its interval. A file's name follows from the run's: writing the same
runs again writes the same files.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from rimbench import __version__
from rimbench.display.notes import Say, say_nothing
from rimbench.errors import UsageError
from rimbench.files.writing import write_whole
from rimbench.records import Item, Record
from rimbench.reporting.document import CellResult
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.reading import LEFT_OUT
from rimbench.reporting.summary import summarise
from rimbench.statistics.estimate import Estimate
from rimbench.store import Answers, read_items

SCHEMA_VERSION = "0.3.0"
_RESULT = "accuracy"


def write_evaluations(results: Path, folder: Path, *, force: bool = False, say: Say = say_nothing) -> list[Path]:
    """Write two files a run below `folder`, laid out as the data base is; return those of the totals.

    Raises UsageError where a file is there already (without `force`), and DataError where there is no run. A run that
    cannot be read, or without an answer, which has no accuracy, is told and left out.
    """
    report, written = summarise(results), []
    for note in report.notes:
        if note.startswith(LEFT_OUT):
            say(note)
    for cell in report.cells:
        estimate = cell.metric(Accuracy).headline.estimate
        if estimate is None:
            say(f"{cell.run} has no answer, and is left out")
            continue
        number = uuid.UUID(bytes=hashlib.sha256(cell.run.encode()).digest()[:16], version=4)
        parts = [_plain(part) for part in (cell.suite, "rimbench", cell.label)]
        totals = folder.joinpath("data", *parts, f"{number}.json")
        samples = totals.with_name(f"{number}_samples.jsonl")
        if totals.exists() and not force:
            raise UsageError(f"{totals} is there already: choose another folder, or replace it with --force")
        totals.parent.mkdir(parents=True, exist_ok=True)
        rows = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in _rows(cell, cell.data.folder))
        write_whole(samples, rows)
        document = _totals(cell, estimate) | {
            "detailed_evaluation_results": {
                "format": "jsonl",
                "file_path": samples.relative_to(folder).as_posix(),
                "hash_algorithm": "sha256",
                "checksum": hashlib.sha256(rows.encode()).hexdigest(),
                "total_rows": rows.count("\n"),
            }
        }
        write_whole(totals, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        written.append(totals)
    return written


def _plain(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", name).strip(".-") or "unnamed"


def _evaluation_id(cell: CellResult) -> str:
    return f"{_plain(cell.suite)}/{_plain(cell.label)}/{cell.run}"


def _totals(cell: CellResult, estimate: Estimate) -> dict[str, Any]:
    manifest = cell.manifest
    answer = manifest.identity.answer
    made: dict[str, float | None] = {"max_tokens": answer.max_new_tokens}
    if cell.data.by_draws:
        made |= {"temperature": answer.temperature, "top_p": answer.top_p}
    elif manifest.identity.imported is None or answer.temperature is not None:
        made["temperature"] = 0.0  # that of the draws is not the greedy answers'
    ended = str(datetime.fromisoformat(manifest.ended_at or manifest.started_at).timestamp())
    uncertainty: dict[str, Any] = {"num_samples": estimate.n}
    if estimate.lo is not None and estimate.hi is not None:
        uncertainty["confidence_interval"] = {
            "lower": estimate.lo,
            "upper": estimate.hi,
            "confidence_level": estimate.level,
            "method": estimate.method,
        }
    result = {
        "evaluation_result_id": _RESULT,
        "evaluation_name": cell.suite,
        "source_data": {"dataset_name": cell.suite, "source_type": "other"},
        "metric_config": {
            "evaluation_description": f"accuracy of {cell.metric(Accuracy).headline.of}",
            "metric_id": "accuracy",
            "metric_name": "accuracy",
            "metric_kind": "accuracy",
            "metric_unit": "proportion",
            "lower_is_better": False,
            "score_type": "continuous",
            "min_score": 0.0,
            "max_score": 1.0,
        },
        "score_details": {"score": estimate.value, "uncertainty": uncertainty},
        "generation_config": {"generation_args": {key: value for key, value in made.items() if value is not None}},
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": _evaluation_id(cell),
        "evaluation_timestamp": ended,
        "retrieved_timestamp": ended,
        "source_metadata": {
            "source_name": "rimbench",
            "source_type": "evaluation_run",
            "source_organization_name": "unknown",
            "evaluator_relationship": "other",
        },
        "eval_library": {"name": "rimbench", "version": __version__},
        "model_info": {
            "name": cell.label,
            "id": f"rimbench/{_plain(cell.label)}",
            "additional_details": {"deployment_type": "unknown", "model_availability": "unknown"},
        },
        "evaluation_results": [result],
    }


def _rows(cell: CellResult, run: Path) -> Iterator[dict[str, Any]]:
    """The answers behind the headline: the greedy ones, or of draws alone all."""
    items = read_items(run)
    for record in Answers(run, items):
        if record.answered and (record.sample == 0 or cell.data.by_draws):
            yield _row(cell, items[record.item_id], record)


def _row(cell: CellResult, item: Item, record: Record) -> dict[str, Any]:
    asked = "\n".join((item.question, *(f"{letter}. {text}" for letter, text in item.options.items())))
    failed = record.status == "engine_error"
    taken = {"turn_idx": 0, "source": "output.raw", "extraction_method": "rimbench", "is_terminal": True}
    known = record.prompt_tokens + record.generated_tokens > 0
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": _evaluation_id(cell),
        "model_id": f"rimbench/{_plain(cell.label)}",
        "evaluation_name": cell.suite,
        "evaluation_result_id": _RESULT,
        "sample_id": item.item_id,
        "sample_hash": hashlib.sha256((asked + item.gold).encode()).hexdigest(),
        "interaction_type": "single_turn",
        "input": {"raw": asked, "formatted": None, "reference": [item.gold], "choices": list(item.options.values())},
        "output": {"raw": ["" if failed else record.text], "reasoning_trace": None},
        "messages": None,
        "answer_attribution": [taken | {"extracted_value": record.answer}] if record.answer else [],
        "evaluation": {"score": float(record.correct), "is_correct": record.correct, "num_turns": 1},
        "token_usage": {
            "input_tokens": record.prompt_tokens,
            "output_tokens": record.generated_tokens,
            "total_tokens": record.prompt_tokens + record.generated_tokens,
        }
        if known
        else None,
        "error": (record.text or "an error without a message") if failed else None,
        "metadata": {"status": record.status, "epoch": str(max(1, record.sample))},
    }
