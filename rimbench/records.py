"""The values that flow through rimbench: item -> prompt -> answer -> record, and a run's manifest.

Plain frozen values, no behaviour beyond their own consistency. Text that enters from a file is validated by
whoever reads it (`rimbench.suites`, `rimbench.store`) before it becomes one of these.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

LETTERS = "ABCDEFGHIJ"
"""Option letters, in order: an item has between 2 and 10 options."""

Status = Literal["ok", "no_answer", "ambiguous", "truncated", "refused", "engine_error"]
"""What became of an answer. Only `ok` can be right; the headline counts the others as wrong."""

STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `options` maps the first letters of `LETTERS`, in order, to their texts.

    `cluster` names a group of dependent items (the same vignette, say), where the suite declares one.
    """

    item_id: str
    question: str
    options: Mapping[str, str]
    gold: str
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is given for one item: its token ids, exactly as every engine must pass them on.

    `option_token_ids` maps each option letter to its token where the answer starts with that letter (a
    readout, or an answer that a prefix forces); it is None where the model writes free text.
    """

    text: str
    token_ids: tuple[int, ...]
    sha256: str
    option_token_ids: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """How an answer came: its tokens, the reading of `time.perf_counter` when each was there, and how many of the
    prompt's tokens were taken from an earlier one's cache.
    """

    token_ids: tuple[int, ...]
    token_at: tuple[float, ...]
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine gave back for one sample; `trace` where it was asked for.

    `option_logprobs` are natural logarithms over the item's letters alone (they sum to probability 1), at the
    first generated position; None for free text. `finished` is False where the token limit cut the text off.
    """

    text: str
    generated_tokens: int
    finished: bool
    option_logprobs: Mapping[str, float] | None = None
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One answer to one item, as kept in `records.jsonl`: the fields and their order are the file format.

    `sample` is 0 for the greedy answer (temperature 0) and 1..n for the draws behind pass@k. `answer` is a
    letter exactly when `status` is `ok`. For `engine_error`, `text` is the engine's message. `option_logprobs` are
    -inf for a letter of probability 0. `final` belongs to `engine_error` alone: it is not asked again, since the
    prompt leaves no room for an answer, or since the user said so.
    """

    item_id: str
    sample: int
    gold: str
    answer: str | None
    status: Status
    text: str
    option_logprobs: Mapping[str, float] | None
    prompt_tokens: int
    generated_tokens: int
    prompt_sha256: str
    final: bool = False

    @property
    def answered(self) -> bool:
        """Whether this stands for the item: an engine's failure does not, unless it is final."""
        return self.status != "engine_error" or self.final

    @property
    def correct(self) -> bool:
        """Whether this counts as right: parsed, and equal to the gold letter."""
        return self.status == "ok" and self.answer == self.gold


MOST_SAMPLES = 1_000_000
MOST_TOKENS = 100_000_000
"""Of a prompt or an answer: a hundred times the longest context there is."""
ROUNDING = 1e-6
"""How far above 0 the rounding of a probability of 1 may lift its logarithm."""


def find_fault(record: Record, item: Item | None = None) -> str | None:
    """What of a record cannot be, as `key: what is wrong`, in itself and beside its item; None where all can."""
    if not 0 <= record.sample < MOST_SAMPLES:
        return f"sample: expected 0 to {MOST_SAMPLES - 1} (got {record.sample})"
    if (record.answer is not None) != (record.status == "ok"):
        wanted = "a letter" if record.status == "ok" else "null"
        return f"answer: expected {wanted} beside the status {record.status} (got {record.answer})"
    if record.final and record.status != "engine_error":
        return f"final: belongs to engine_error alone (got the status {record.status})"
    for key, tokens in (("prompt_tokens", record.prompt_tokens), ("generated_tokens", record.generated_tokens)):
        if not 0 <= tokens <= MOST_TOKENS:
            return f"{key}: expected 0 to {MOST_TOKENS} (got {tokens})"
    return _find_fault_beside(record, item) or _find_fault_of(record.option_logprobs, item)


def _find_fault_beside(record: Record, item: Item | None) -> str | None:
    if item is None:
        return None
    if record.gold != item.gold:
        return f"gold: {record.gold}, while its item {item.item_id!r} has {item.gold}"
    if record.answer is not None and record.answer not in item.options:
        return f"answer: item {item.item_id!r} has the options {', '.join(item.options)} (got {record.answer})"
    return None


def _find_fault_of(logprobs: Mapping[str, float] | None, item: Item | None) -> str | None:
    if logprobs is None:
        return None
    if item is not None and logprobs.keys() != item.options.keys():
        return (
            f"option_logprobs: item {item.item_id!r} has the options {', '.join(item.options)} "
            f"(got {', '.join(logprobs)})"
        )
    for letter, value in logprobs.items():
        if not value <= ROUNDING:  # NaN among them
            return f"option_logprobs.{letter}: expected a logarithm of a probability, 0 or less (got {value})"
    if not any(map(math.isfinite, logprobs.values())):
        return "option_logprobs: expected a letter with a probability above 0"
    return None


SCHEMA_VERSION = 1
"""Of records and manifests; readers refuse any other."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the answers of one run were made with: everything that could change one, and who ran it when.

    `identity` is what the run's name is made from (see `rimbench.runner`): two runs with equal identities may
    share records, others never do. Times are ISO 8601 in UTC; `ended_at` is None while answers are missing.
    `sessions` counts the times that the command was started on this run.
    """

    schema_version: int
    run: str
    system: str
    suite: str
    n: int
    samples: int
    identity: Mapping[str, Any]
    suite_source: Mapping[str, Any]
    model_source: Mapping[str, Any]
    versions: Mapping[str, str]
    device: Mapping[str, Any]
    commit: str | None
    dirty: bool | None
    started_at: str
    ended_at: str | None
    sessions: int
