"""An engine's answers -> records, in the item's own letters, each checked, and their lines.

That is done where the answers are: several workers judge side by side what one process keeps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rimbench.engines import Request, chance_of
from rimbench.errors import on_one_line
from rimbench.extraction import extract, first_letter
from rimbench.records import Answer, Asked, Item, Record, Status, find_fault
from rimbench.store import WrittenAnswer, write_answer
from rimbench.suites.controls import Shown
from rimbench.systems import System


class FaultyAnswerError(Exception):
    """An answer that cannot be one: the message says why."""


class JudgedAnswers(NamedTuple):
    """A request's answers as they are kept, or why they can be none."""

    answers: tuple[WrittenAnswer, ...]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """What a cell's answers are judged by; it can be sent to where they are."""

    system: System
    samples: int
    seed: int

    def judge(self, shown: Shown, request: Request, answers: list[Answer]) -> JudgedAnswers:
        """The answers to a request, in the item's own letters: `text` alone keeps the letters that were shown."""
        try:
            return JudgedAnswers(tuple(map(write_answer, _to_records(self, shown, request, answers))))
        except FaultyAnswerError as error:
            return JudgedAnswers((), str(error))


def _to_records(judge: Judge, shown: Shown, request: Request, answers: list[Answer]) -> list[Record]:
    """The records of a request; FaultyAnswerError for an answer that cannot be one."""
    if len(answers) != len(request.samples):
        raise FaultyAnswerError(f"the engine gave {len(answers)} answers for {len(request.samples)} samples")
    for answer in answers:
        if answer.failure is not None:
            raise FaultyAnswerError(answer.failure)
    if not request.decoding.readout:
        judged = zip(request.samples, answers, strict=True)
        return [_checked(shown, request, s, a, judge_text(judge.system, shown.item, a)) for s, a in judged]
    [answer] = answers
    if answer.refused:
        return [_checked(shown, request, i, answer, (None, "refused")) for i in range(judge.samples + 1)]
    if answer.option_logprobs is None and answer.second_prompt_tokens is None:
        raise FaultyAnswerError("the engine gave no log-probabilities for a readout")
    if answer.second_prompt_tokens is not None:
        return [_checked(shown, request, 0, answer, judge_second(judge.system, shown.item, answer))]
    best = _checked(shown, request, 0, answer, (answer.text, "ok"))
    drawn = (_draw(judge, shown.item, answer, sample) for sample in range(1, judge.samples + 1))
    return [best, *(_record(shown, request, i, a, (a.text, "ok")) for i, a in enumerate(drawn, 1))]


def _checked(
    shown: Shown, request: Request, sample: int, answer: Answer, judged: tuple[str | None, Status]
) -> Record:
    """The record of an answer as it came; what is asked of any record that is read is asked of it: no NaN, say."""
    try:
        record = _record(shown, request, sample, answer, judged)
    except KeyError as unknown:
        said, has = unknown.args[0], ", ".join(shown.own_letters)
        raise FaultyAnswerError(f"the engine answered {said!r}, item {shown.item.item_id!r} has {has}") from None
    fault = find_fault(record, Asked(tuple(shown.own_letters), shown.own_letters[shown.item.gold]))
    if fault is not None:
        raise FaultyAnswerError(f"the engine's answer is none: {fault}")
    return record


def failed_records(shown: Shown, request: Request, samples: Sequence[int], error: Exception) -> list[Record]:
    """The records of samples that the engine failed on: the text is its message."""
    message = on_one_line(error, 1000)
    failed = Answer(message, 0, finished=False)
    return [_record(shown, request, sample, failed, (None, "engine_error")) for sample in samples]


def judge_second(cascade: System, item: Item, answer: Answer) -> tuple[str | None, Status]:
    """The letter of a cascade's second system, and its status."""
    assert cascade.fallback is not None
    second = cascade.fallback.second
    return (answer.text, "ok") if second.answer.mode == "readout" else judge_text(second, item, answer)


def judge_text(system: System, item: Item, answer: Answer) -> tuple[str | None, Status]:
    """The letter that a written answer states, and its status; cut off with no letter is `truncated`."""
    if answer.refused:
        return None, "refused"
    if system.answer.extraction == "first_letter":
        found = first_letter(answer.text, item.options)
        return found.letter, found.status
    found = extract(answer.text, item.options, system.answer.reasoning_tags)
    if found.status == "no_answer" and not answer.finished:
        return None, "truncated"
    return found.letter, found.status


def _draw(judge: Judge, item: Item, answer: Answer, sample: int) -> Answer:
    """The letter of sample i, drawn from the letters' probabilities at the temperature; sample 0 is the best one.

    The draw depends on the seed, the item and i alone, so it is the same on every machine and in every order.
    """
    assert answer.option_logprobs is not None
    letters = list(answer.option_logprobs)
    top = max(answer.option_logprobs.values())
    scaled = [(answer.option_logprobs[x] - top) / judge.system.answer.temperature for x in letters]
    chance = chance_of(judge.seed, item.item_id, sample)
    letter = chance.choices(letters, weights=[math.exp(s) for s in scaled])[0]
    return replace(answer, text=letter)


def _asked_tokens(request: Request, answer: Answer) -> int:
    """What was read to answer: a cascade's second prompt, too, and a text's by its server's count."""
    own = len(request.prompt.token_ids) if answer.prompt_tokens is None else answer.prompt_tokens
    return own + (answer.second_prompt_tokens or 0)


def _record(shown: Shown, request: Request, sample: int, answer: Answer, judged: tuple[str | None, Status]) -> Record:
    """KeyError for a letter that the item has not."""
    (letter, status), own = judged, shown.own_letters
    logprobs = answer.option_logprobs
    if logprobs is not None:
        logprobs = dict(sorted([(own[shown_letter], value) for shown_letter, value in logprobs.items()]))
    return Record(
        item_id=shown.item.item_id,
        sample=sample,
        gold=own[shown.item.gold],
        answer=None if letter is None else own[letter],
        status=status,
        text=answer.text,
        option_logprobs=logprobs,
        prompt_tokens=_asked_tokens(request, answer),
        generated_tokens=answer.generated_tokens,
        prompt_sha256=request.prompt.sha256,
        label_mass=answer.label_mass,
        confidence=answer.confidence,
    )
