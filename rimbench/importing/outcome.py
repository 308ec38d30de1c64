"""What an import comes to: the figures of its answers, the harness's own beside them, and what to know of both."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rimbench.importing.answers import AnswerFile, ForeignAnswer, listed, mean_by_item, unique
from rimbench.importing.matching import Matching
from rimbench.records import STATUSES, Record, Status
from rimbench.suites import Suite

_SAME = 1e-9
_SOME = 5
"""Ids that a note names."""


@dataclass(frozen=True, slots=True)
class Own:
    """The harness's own scores beside ours, of the same answers to the suite's items.

    `differing` are the items whose answers the two score otherwise, and `why` says of each which letter either took
    in the first of these answers.
    """

    score: str
    n: int
    accuracy: float
    ours: float
    differing: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportFigures:
    """The answers of a run in figures: those that are greedy, or of draws alone (`by_draws`) all.

    `n` counts items that were answered, and `answers` their answers, of which `right` are right; `errors` are items
    whose every answer ended in an error. `accuracy` is the mean over the items answered, of the means over their
    answers, and `with_errors` the same with errors as wrong answers. `whole_file` counts (right, answers) that the
    file gives with a letter and a gold letter of its own, whatever the suite leaves out.
    """

    by_draws: bool
    n: int
    answers: int
    right: int
    errors: tuple[str, ...]
    accuracy: float | None
    with_errors: float | None
    statuses: Mapping[Status, int]
    whole_file: tuple[int, int] | None
    own: Own | None
    figures: Mapping[str, tuple[float, int]]
    notes: tuple[str, ...]
    lists: Mapping[str, tuple[str, ...]]


def sum_up(reading: AnswerFile, suite: Suite, matching: Matching, records: Sequence[Record]) -> ImportFigures:
    """The figures of a run's records, which stand in the order of the matches."""
    greedy = [record for record in records if record.sample == 0]
    headline = greedy or records
    answered = [record for record in headline if record.status != "engine_error"]
    means = mean_by_item((r.item_id, float(r.correct)) for r in answered)
    every = mean_by_item((r.item_id, float(r.correct)) for r in headline)
    counts = Counter(record.status for record in headline)
    errors = tuple(item_id for item_id in every if item_id not in means)
    own = _own(reading, matching, records)
    lists = {
        "errors": errors,
        "reordered_items": unique(m.item.item_id for m in matching.matches if m.reordered and m.answer.order_known),
        "unknown_order": unique(m.item.item_id for m in matching.matches if not m.answer.order_known),
        "differing": own.differing if own else (),
        "differing_why": own.why if own else (),
        **reading.lists,
    }
    if unread := _unread(reading, matching, records):
        counted = [f"{value[:40]!r} ({count})" for value, count in Counter(unread).most_common()]
        lists["predictions_without_letter"] = tuple(counted)
    return ImportFigures(
        by_draws=bool(records) and not greedy,
        n=len(means),
        answers=len(answered),
        right=sum(record.correct for record in answered),
        errors=errors,
        accuracy=sum(means.values()) / len(means) if means else None,
        with_errors=sum(every.values()) / len(every) if every else None,
        statuses={status: counts[status] for status in STATUSES},
        whole_file=_count_whole(reading.answers),
        own=own,
        figures=reading.figures,
        notes=(
            *reading.notes,
            *_of_sampling(reading, records),
            *_of_matching(matching, suite, lists),
            *_unstated(reading, matching, greedy=bool(greedy)),
        ),
        lists=lists,
    )


def _unread(reading: AnswerFile, matching: Matching, records: Sequence[Record]) -> list[str]:
    """What stood in a letter's place and is neither one nor the text of one option of the item, if there is one."""
    unknown = set(matching.unknown)
    answers = [m.answer for m, record in zip(matching.matches, records, strict=True) if record.status != "ok"]
    answers += [a for a in reading.answers if a.item_id in unknown]
    return [answer.prediction for answer in answers if answer.prediction]


def _count_whole(answers: Sequence[ForeignAnswer]) -> tuple[int, int] | None:
    stated = [a for a in answers if a.given == "letter" and a.gold is not None and a.failure is None]
    stated = [a for a in stated if a.sample == 0] or stated
    return (sum(a.letter == a.gold for a in stated), len(stated)) if stated else None


def _own(reading: AnswerFile, matching: Matching, records: Sequence[Record]) -> Own | None:
    both = [(m.answer.score, r) for m, r in zip(matching.matches, records, strict=True) if m.answer.score is not None]
    if not both or reading.score is None:
        return None
    theirs = mean_by_item((r.item_id, score) for score, r in both if score is not None)
    ours = mean_by_item((r.item_id, float(r.correct)) for _, r in both)
    n = len(theirs)
    why = {item_id: "" for item_id, value in theirs.items() if abs(value - ours[item_id]) > _SAME}
    for found, record in zip(matching.matches, records, strict=True):
        answer = found.answer
        if why.get(record.item_id) == "" and answer.score not in (None, float(record.correct)):
            taken = found.letters.get(answer.taken or "", answer.taken)
            there = "" if taken is None else f"{taken or 'none'} there, "
            why[record.item_id] = f"{there}{record.answer or 'none'} here"
    told = tuple(f"{item_id}: {how}" if how else item_id for item_id, how in why.items())
    return Own(reading.score, n, sum(theirs.values()) / n, sum(ours.values()) / n, tuple(why), told)


def _of_sampling(reading: AnswerFile, records: Sequence[Record]) -> list[str]:
    """Whether the answers are greedy, as far as the file shows it."""
    temperature, most = reading.sampling.temperature, max((record.sample for record in records), default=0)
    if reading.mode not in ("generate", "letters") or not records:
        return []
    if any(record.sample == 0 for record in records):
        return []
    if temperature is None:
        drawn = "the file states no temperature, and none of them is known to be greedy"
    elif temperature == 0:
        drawn = "at temperature 0, where they differ by what their machine did alone"
    else:
        drawn = f"at temperature {temperature:g}, so that none is greedy"
    if most == 1:
        return [f"every item has one draw, {drawn}: the headline is the accuracy of these draws"]
    return [f"answers are draws 1 to {most}, {drawn}: the headline is the mean over the draws"]


def _of_matching(matching: Matching, suite: Suite, lists: Mapping[str, Sequence[str]]) -> list[str]:
    """What was left out, what is missing, and what the file says else."""
    name, sample = suite.name, len(suite.items)
    failed, reordered, untold = lists["errors"], lists["reordered_items"], lists["unknown_order"]
    answers = [m.answer for m in matching.matches]
    ended = set(failed)
    missing = [item_id for item_id in matching.unanswered if item_id not in ended]
    odd = lists.get("predictions_without_letter", ())
    lines = {
        f"predictions that are no letter, and count as no answer: {listed(odd)}": odd,
        f"answers left out, to items of {name} beyond its frozen sample of {sample}: {len(matching.beyond_sample)}":
            matching.beyond_sample,
        f"answers left out, to faulty rows of {name}: {_some(matching.faulty)}": matching.faulty,
        f"answers to no item of {name}: {_some(matching.unknown)}": matching.unknown,
        f"items of {name}, of {sample}, without an answer in the file: {_some(missing)}": missing,
        f"items that ended in an error, and have no answer: {_some(failed)}": failed,
        f"answers to options in another order than {name}'s: {sum(m.reordered for m in matching.matches)}; their "
        "letters were carried over, and 'rimbench rescore' leaves this run alone": reordered,
        "items whose options stood in an order that the file does not tell, so that no letter is taken: "
        f"{_some(untold)}": untold,
        "not every answer states a gold letter: that the questions are the suite's is not checked there":
            [a for a in answers if a.gold is None],
        f"answers that the file itself scores otherwise: {_some(lists['differing_why'])}": lists["differing"],
    }  # fmt: skip
    return [line for line, told in lines.items() if told] + ([matching.doubt] if matching.doubt else [])


def _unstated(reading: AnswerFile, matching: Matching, *, greedy: bool) -> list[str]:
    """What the records hold although the file does not say it, in one line."""
    answers = [m.answer for m in matching.matches]
    told = []
    if greedy and reading.mode in ("generate", "letters") and reading.sampling.temperature is None:
        told.append("states no temperature: whether its answers are greedy is not known")
    if any(a.prompt_tokens is None or a.generated_tokens is None for a in answers):
        told.append("does not state the token counts of every answer: they are 0 in the records")
    return [f"the file {'; it '.join(told)}"] if told else []


def _some(ids: Sequence[str]) -> str:
    """How many, and the first of them."""
    first, more = ids[:_SOME], len(ids) - _SOME
    return f"{len(ids)} ({listed(first)}{f', and {more} more: --json lists all' if more > 0 else ''})"
