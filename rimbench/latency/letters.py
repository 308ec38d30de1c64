"""An answer -> its letter, and the moment from which that letter could be told."""

from collections.abc import Callable, Sequence

from rimbench.records import Answer, Item
from rimbench.running.judging import judge_second, judge_text
from rimbench.systems import System


def letter_of(system: System, item: Item, answer: Answer) -> str | None:
    """The letter that an answer tells, as a run reads it; None where it tells none."""
    if answer.generated_tokens == 0 and answer.option_logprobs is not None:
        return answer.text
    of_second = answer.second_prompt_tokens is not None
    letter, status = judge_second(system, item, answer) if of_second else judge_text(system, item, answer)
    return letter if status == "ok" else None


def letter_at(system: System, item: Item, answer: Answer, decode: Callable[[Sequence[int]], str]) -> float | None:
    """The clock's reading from which on every further token leaves the letter as it is; None without a letter.

    A text that names one letter on the way to another has told its answer only when the last one is there.
    """
    final, trace = letter_of(system, item, answer), answer.trace
    if final is None or trace is None or not trace.token_at:
        return None
    count = len(trace.token_ids)
    while count > 1:
        text = decode(trace.token_ids[: count - 1])
        if letter_of(system, item, Answer(text, count - 1, finished=False)) != final:
            break
        count -= 1
    return trace.token_at[count - 1]
