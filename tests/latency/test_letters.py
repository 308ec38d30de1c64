"""When an answer's letter can be told: on texts whose tokens are words."""

import pytest

from rimbench.latency.letters import letter_at, letter_of
from rimbench.records import Answer, Item, Trace
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights

ITEM = Item("1", "Which?", {"A": "aspirin", "B": "bisoprolol"}, "B")


def system(**style):
    return System("s", "", Weights(), PromptStyle(), AnswerStyle("generate", max_new_tokens=50, **style))


def told_at(words, **style):
    """The number of words after which the letter is told."""
    trace = Trace(tuple(range(len(words))), tuple(float(i + 1) for i in range(len(words))), 0)
    answer = Answer(" ".join(words), len(words), True, trace=trace)
    return letter_at(system(**style), ITEM, answer, lambda ids: " ".join(words[i] for i in ids))


def test_a_letter_is_told_with_the_token_that_completes_it():
    assert told_at(["So", "the", "answer", "is", "\\boxed{B}", "as", "I", "said."]) == 5
    assert told_at(["B", "and", "more"], extraction="first_letter") == 1


def test_a_letter_that_is_taken_back_was_not_told():
    assert told_at(["\\boxed{A}", "no,", "the", "answer", "is", "\\boxed{B}"]) == 6


def test_an_answer_without_a_letter_has_no_time():
    assert told_at(["I", "do", "not", "know."]) is None


def test_a_readout_tells_its_letter_and_no_time():
    answer = Answer("B", 0, True, {"A": -1.0, "B": -0.5})
    assert letter_of(system(), ITEM, answer) == "B"
    assert letter_at(system(), ITEM, answer, lambda ids: "") is None


@pytest.mark.parametrize("text", ["", "C"])
def test_letters_that_the_item_lacks_are_none(text):
    assert letter_of(system(extraction="first_letter"), ITEM, Answer(text, 1, True)) is None
