"""Which item an answer belongs to: questions inside prompts, shifted ids, and names that are taken."""

import random

import pytest

from rimbench.importing.questions import QuestionIndex

WORDS = ("a", "b", "ab", "cd", "e")


def slow_reference(texts, text):
    return sorted((t for t in texts if t and f" {t} " in f" {text} "), key=len, reverse=True)


@pytest.mark.parametrize("seed", range(20))
def test_the_index_finds_what_a_plain_search_finds(seed):
    chance = random.Random(seed)
    texts = {" ".join(chance.choices(WORDS, k=chance.randint(0, 6))) for _ in range(60)}
    index = QuestionIndex(texts)
    for _ in range(50):
        text = " ".join(chance.choices((*WORDS, "|"), k=chance.randint(0, 40)))
        found = index.inside(text)
        assert sorted(found) == sorted(slow_reference(texts, text))
        assert [len(each) for each in found] == sorted(map(len, found), reverse=True)


@pytest.mark.parametrize(
    "question",
    ["which of the drugs in case {0} is given first", "{0} is the number of a question with words of its own {0}"],
)
def test_twice_as_many_questions_and_texts_take_about_twice_the_work(question):
    def work(size):
        index = QuestionIndex(question.format(place) for place in range(size))
        for place in range(size):
            text = f"answer with a letter {question.format(place)} a one b two c three"
            assert index.inside(text) == [question.format(place)]
        return index.compared

    assert work(4000) / work(2000) < 2.3  # a search of each question in each text: 4


def test_items_of_one_question_are_told_apart_by_the_options_in_the_prompt(do_import, quiz, write_lines):
    rows = [(f"q{i}", "Which is true?", [f"claim {i}", f"other {i}", "both", "none"], "A") for i in range(60)]
    rows.append(("signs", "Which is true?", ["+", "-", "=", "%"], "A"))
    lines = [
        {"question": f"{question}\nA. {o[0]}\nB. {o[1]}\nC. {o[2]}\nD. {o[3]}", "predicted": "A"}
        for _, question, o, _ in rows[:60]
    ]
    done = do_import(write_lines(lines), quiz(rows))
    assert {item for item, _ in done.records} == {f"q{i}" for i in range(60)} and done.document["right"] == 60


def test_of_many_items_that_a_text_cannot_tell_apart_the_id_decides_or_none(do_import, quiz, write_lines):
    rows = [(f"q{i}", "Which is true?", [f"claim {i}", f"other {i}"], "A") for i in range(30)]
    lines = [{"id": "q7", "question": "Which is true?", "predicted": "A"}, {"id": "x", "question": "Which is true?",
             "predicted": "B"}]  # fmt: skip
    done = do_import(write_lines(lines), quiz(rows))
    assert list(done.records) == [("q7", 0)] and done.document["not_in_suite"] == ["x"]
