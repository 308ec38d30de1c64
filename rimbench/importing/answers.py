"""What a file from elsewhere says of one answer, before it is known which item of a suite that is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rimbench.display.plaintext import plain

LONGEST_SHOWN = 80
"""Characters of an id, or of a line with one, that a note shows."""

Given = Literal["letter", "text", "logprobs"]
"""How an answer is given: a letter that somebody else read, a text to read, or a log-probability an option."""


@dataclass(frozen=True, slots=True)
class ForeignAnswer:
    """One answer as a file states it; letters are those of the file's own order of the options.

    `texts` are those among which the question is, and `option_lists` those that may be its options, in order:
    both are empty where the file states ids alone. `logprobs` are not normalised, and of two that are equal the
    first counts. `score` is the harness's own verdict, from 0 to 1, and `taken` the letter that it took, "" for none.
    `prediction` is what stood in a letter's place and is none: it may be an option's text, with or without its label.
    `order_known` is False where the options stood in an order that the file does not tell: no letter is taken. What
    the file does not say is None.
    """

    item_id: str
    sample: int
    given: Given
    letter: str | None = None
    prediction: str = ""
    text: str = ""
    logprobs: Mapping[str, float] | None = None
    texts: tuple[str, ...] = ()
    option_lists: tuple[tuple[str, ...], ...] = ()
    gold: str | None = None
    score: float | None = None
    taken: str | None = None
    order_known: bool = True
    finished: bool = True
    refused: bool = False
    failure: str | None = None
    prompt_tokens: int | None = None
    generated_tokens: int | None = None
    prompt_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the answers were drawn, as far as the file states it; the temperature is that of the draws, if any."""

    temperature: float | None = None
    top_p: float | None = None
    max_new_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A whole file, read. `mode` is how the answers were had, as far as the file shows it.

    `model` is the file's own name of what answered, and `versions` are of what it says made the answers. `score`
    names the metric that the answers' scores are of, and `figures` holds (mean, items) of every metric of the file,
    recomputed from its single scores; `read_by` says what else than the format's usual way the letters were had by,
    which makes another run. `notes` are lines for a person on what was not read or is not known, `lists` whole
    lists beside them.
    """

    answers: tuple[ForeignAnswer, ...]
    mode: Literal["generate", "readout", "likelihood", "letters"]
    model: str | None = None
    sampling: Sampling = Sampling()
    versions: Mapping[str, str] = field(default_factory=dict)
    score: str | None = None
    read_by: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def as_draws(answers: Sequence[ForeignAnswer], drawn: bool) -> tuple[ForeignAnswer, ...]:
    """The answers under the samples of records: n repeats, given as samples 0 to n - 1, are draws 1 to n.

    Sample 0 is the greedy answer: it is left to single answers that were not `drawn` at a temperature above 0.
    """
    if drawn or any(answer.sample for answer in answers):
        return tuple(replace(answer, sample=answer.sample + 1) for answer in answers)
    return tuple(answers)


def mean_by_item(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The mean score of each item, of (item id, score) pairs."""
    by_item: dict[str, list[float]] = {}
    for item_id, score in scores:
        by_item.setdefault(item_id, []).append(score)
    return {item_id: sum(values) / len(values) for item_id, values in by_item.items()}


def figures_of(scores: Iterable[tuple[str, str, float]]) -> dict[str, tuple[float, int]]:
    """(mean, items) of each metric, of (metric, item id, score): over items, of the means over their answers."""
    by_metric: dict[str, list[tuple[str, float]]] = {}
    for metric, item_id, score in scores:
        by_metric.setdefault(metric, []).append((item_id, score))
    means = {metric: mean_by_item(found) for metric, found in by_metric.items()}
    return {metric: (sum(found.values()) / len(found), len(found)) for metric, found in means.items()}


def occurrences(keys: Iterable[str]) -> Iterator[int]:
    """How often each key stood there before it: which repeat of its question an answer is."""
    before: Counter[str] = Counter()
    for key in keys:
        yield before[key]
        before[key] += 1


def unique(ids: Iterable[str]) -> tuple[str, ...]:
    """Each id once, in their order."""
    return tuple(dict.fromkeys(ids))


def listed(ids: Sequence[str], shown: int = 10) -> str:
    """The first ids on one line, and how many more there are; an id may be any text of a file."""
    more = len(ids) - shown
    return ", ".join(map(_shown, ids[:shown])) + (f" and {more} more" if more > 0 else "")


def _shown(text: str) -> str:
    return plain(text[:LONGEST_SHOWN]) + ("..." if len(text) > LONGEST_SHOWN else "")
