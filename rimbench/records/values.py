"""The values that flow through rimbench: item -> prompt -> answer -> record.

Plain frozen values, no behaviour beyond their own consistency. Text that enters from a file is validated by
whoever reads it (`rimbench.suites`, `rimbench.store`) before it becomes one of these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

LETTERS = "ABCDEFGHIJ"
"""Option letters, in order: an item has between 2 and 10 options."""

Status = Literal["ok", "no_answer", "ambiguous", "truncated", "refused", "engine_error"]
"""What became of an answer. Only `ok` can be right; the headline counts the others as wrong."""

STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `options` maps the first letters of `LETTERS`, in order, to their texts.

    `cluster` names a group of dependent items (the same vignette, say), where the suite declares one. `facets` are
    columns of its row that the suite keeps, by which answers can be broken down; no answer depends on them.
    """

    item_id: str
    question: str
    options: Mapping[str, str]
    gold: str
    cluster: str | None = None
    facets: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A question to a decision model: what it decides on, and the options by letter."""

    protocol: str
    state: str
    instructions: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is given for one item: its token ids, exactly as every engine must pass them on.

    `option_token_ids` maps each option letter to its token where the answer starts with that letter (a
    readout, or an answer that a prefix forces); it is None where the model writes free text. A model on a server that
    is asked in words has no token ids here, and a decision model a `decision`.
    """

    text: str
    token_ids: tuple[int, ...]
    sha256: str
    option_token_ids: Mapping[str, int] | None = None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """How an answer came: its tokens, the reading of `time.perf_counter` when each was there, and how many of the
    prompt's tokens were taken from an earlier one's cache, None where a server does not say.
    """

    token_ids: tuple[int, ...]
    token_at: tuple[float, ...]
    cached_tokens: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine gave back for one sample; `trace` where it was asked for.

    `option_logprobs` are natural logarithms over the item's letters alone (they sum to probability 1), at the
    first generated position; None for free text. `label_mass` is the probability that the whole vocabulary leaves
    to those letters there, None where it is unknown. `finished` is False where the token limit cut the text off.
    `refused`: the model's server says that it would not answer. `failure` says why there is no answer to this sample
    alone, where that is known. `prompt_tokens` is a server's count, where the prompt was given as text. `confidence`
    is what a decision model says of itself, by its vendor's own formula.
    `second_prompt_tokens` are those of the prompt that a cascade's second system answered, where the first was not
    sure: the rest is the second's then.
    """

    text: str
    generated_tokens: int
    finished: bool
    option_logprobs: Mapping[str, float] | None = None
    trace: Trace | None = None
    label_mass: float | None = None
    refused: bool = False
    failure: str | None = None
    prompt_tokens: int | None = None
    confidence: float | None = None
    second_prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One answer to one item, as kept in `records.jsonl`: the fields and their order are the file format.

    `sample` is 0 for the greedy answer (temperature 0) and 1..n for the draws behind pass@k. `answer` is a
    letter exactly when `status` is `ok`. For `engine_error`, `text` is the engine's message. `option_logprobs` are
    -inf for a letter of probability 0. `label_mass` is that of the `Answer`; lines without it are read as None.
    `final` belongs to `engine_error` alone: it is not asked again, since the prompt leaves no room for an answer, or
    since the user said so. `confidence` is that of the `Answer`, and stands in a line only where there is one.
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
    confidence: float | None = None

    @property
    def answered(self) -> bool:
        """Whether this stands for the item: an engine's failure does not, unless it is final."""
        return self.status != "engine_error" or self.final

    @property
    def correct(self) -> bool:
        """Whether this counts as right: parsed, and equal to the gold letter."""
        return self.status == "ok" and self.answer == self.gold
