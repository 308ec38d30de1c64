"""The values that flow through rimbench: item -> prompt -> answer -> record, and a run's manifest.

Plain frozen values, no behaviour beyond their own consistency. Text that enters from a file is validated by
whoever reads it (`rimbench.suites`, `rimbench.store`) before it becomes one of these.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

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
    first generated position; None for free text. `label_mass` is the probability that the whole vocabulary leaves
    to those letters there, None where it is unknown. `finished` is False where the token limit cut the text off.
    """

    text: str
    generated_tokens: int
    finished: bool
    option_logprobs: Mapping[str, float] | None = None
    trace: Trace | None = None
    label_mass: float | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One answer to one item, as kept in `records.jsonl`: the fields and their order are the file format.

    `sample` is 0 for the greedy answer (temperature 0) and 1..n for the draws behind pass@k. `answer` is a
    letter exactly when `status` is `ok`. For `engine_error`, `text` is the engine's message. `option_logprobs` are
    -inf for a letter of probability 0. `label_mass` is that of the `Answer`; lines without it are read as None.
    `final` belongs to `engine_error` alone: it is not asked again, since the prompt leaves no room for an answer, or
    since the user said so.
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
    label_mass: float | None = None
    final: bool = False

    @property
    def answered(self) -> bool:
        """Whether this stands for the item: an engine's failure does not, unless it is final."""
        return self.status != "engine_error" or self.final

    @property
    def correct(self) -> bool:
        """Whether this counts as right: parsed, and equal to the gold letter."""
        return self.status == "ok" and self.answer == self.gold


def asked_sha256(identity: Mapping[str, Any]) -> str:
    """The hash of what was asked of which weights, whatever ran them: a time and an accuracy with the same one are of
    the same system on the same items.
    """
    asked = {name: value for name, value in identity.items() if name not in ("engine", "seed")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


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
    if (record.answer is not None) != (record.status == "ok"):
        wanted = "a letter" if record.status == "ok" else "null"
        return f"answer: expected {wanted} beside the status {record.status} (got {record.answer})"
    if record.final and record.status != "engine_error":
        return f"final: belongs to engine_error alone (got the status {record.status})"
    for key, tokens in (("prompt_tokens", record.prompt_tokens), ("generated_tokens", record.generated_tokens)):
        if not 0 <= tokens <= MOST_TOKENS:
            return f"{key}: expected 0 to {MOST_TOKENS} (got {tokens})"
    if record.label_mass is not None and not -ROUNDING <= record.label_mass <= 1 + ROUNDING:
        return f"label_mass: expected a probability, 0 to 1 (got {record.label_mass})"
    return _find_fault_of(record.option_logprobs) or (None if asked is None else _find_fault_beside(record, asked))


def _find_fault_of(logprobs: Mapping[str, float] | None) -> str | None:
    if logprobs is None:
        return None
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
    if logprobs is not None and (
        len(logprobs) != len(asked.letters) or not all(x in logprobs for x in asked.letters)
    ):
        return f"option_logprobs: {_say_options(record, asked)} (got {', '.join(logprobs)})"
    return None


def _say_options(record: Record, asked: Asked) -> str:
    return f"item {record.item_id!r} has the options {', '.join(asked.letters)}"


SCHEMA_VERSION = 1
"""Of records and manifests; readers refuse any other."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the answers of one run were made with: everything that could change one, and who ran it when.

    `identity` is what the run's name is made from (see `rimbench.runner`): two runs with equal identities may
    share records, others never do. Times are ISO 8601 in UTC; `ended_at` is None while answers are missing.
    `sessions` counts the times that the command was started on this run. `departures` holds every setting that is not
    as in the system's own file, [the file's, this run's], by name; None in manifests of earlier builds. `system_file`
    and `suite_file` are `shipped` for the files that came with rimbench and the name of a user's own, which may be
    called like one of them; None where there was no file, or it is not recorded.
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
    departures: Mapping[str, Sequence[Any]] | None = None
    system_file: str | None = None
    suite_file: str | None = None
