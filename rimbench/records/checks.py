"""What of a record cannot be, whoever wrote it: one list of checks for answers as they come and as they are read."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from rimbench.records.values import Record

MOST_SAMPLES = 1_000_000
MOST_TOKENS = 100_000_000
"""Of a prompt or an answer: a hundred times the longest context there is."""
ROUNDING = 1e-6
"""How far above 0 the rounding of a probability of 1 may lift its logarithm."""


class Asked(NamedTuple):
    """What an item's records are checked by."""

    letters: tuple[str, ...]
    gold: str


def find_fault(record: Record, asked: Asked | None = None) -> str | None:
    """What of a record cannot be, as `key: what is wrong`, in itself and beside its item; None where all can."""
    if not 0 <= record.sample < MOST_SAMPLES:
        return f"sample: expected 0 to {MOST_SAMPLES - 1} (got {record.sample})"
    if (record.answer is not None) != (record.status == "ok") or record.answer == "":
        wanted = "a letter" if record.status == "ok" else "null"
        return f"answer: expected {wanted} beside the status {record.status} (got {record.answer})"
    if record.final and record.status != "engine_error":
        return f"final: belongs to engine_error alone (got the status {record.status})"
    for key, tokens in (("prompt_tokens", record.prompt_tokens), ("generated_tokens", record.generated_tokens)):
        if not 0 <= tokens <= MOST_TOKENS:
            return f"{key}: expected 0 to {MOST_TOKENS} (got {tokens})"
    for key, share in (("label_mass", record.label_mass), ("confidence", record.confidence)):
        if share is not None and not -ROUNDING <= share <= 1 + ROUNDING:
            return f"{key}: expected {'a probability, ' * (key == 'label_mass')}0 to 1 (got {share})"
    return _find_fault_of(record.option_logprobs) or (None if asked is None else _find_fault_beside(record, asked))


def _find_fault_of(logprobs: Mapping[str, float] | None) -> str | None:
    if logprobs is None:
        return None
    values = logprobs.values()
    if logprobs and not math.isnan(sum(values)) and -math.inf < max(values) <= ROUNDING:
        return None  # as nearly all are
    for letter, value in logprobs.items():
        if not value <= ROUNDING:  # NaN among them
            return f"option_logprobs.{letter}: expected a logarithm of a probability, 0 or less (got {value})"
    if logprobs and not any(map(math.isfinite, logprobs.values())):
        return "option_logprobs: expected a letter with a probability above 0"
    return None


def _find_fault_beside(record: Record, asked: Asked) -> str | None:
    if record.gold != asked.gold:
        return f"gold: {record.gold}, while its item {record.item_id!r} has {asked.gold}"
    if record.answer is not None and record.answer not in asked.letters:
        return f"answer: {_say_options(record, asked)} (got {record.answer})"
    logprobs = record.option_logprobs
    if logprobs is not None and tuple(logprobs) != asked.letters and logprobs.keys() != set(asked.letters):
        return f"option_logprobs: {_say_options(record, asked)} (got {', '.join(logprobs)})"
    return None


def _say_options(record: Record, asked: Asked) -> str:
    return f"item {record.item_id!r} has the options {', '.join(asked.letters)}"
