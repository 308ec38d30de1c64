from rimbench.records import Item
from rimbench.training.data import Example
from rimbench.training.overlap import find_overlap

WORDS = [f"word{i}" for i in range(40)]


def item(item_id, question):
    return Item(item_id, question, {"A": "x", "B": "y"}, "A")


def example(question, reasoning=""):
    return Example(question, reasoning, (), "x", False)


def shared(question, *examples):
    (found,) = find_overlap({"s": [item("1", question)]}, examples)
    return found.shared == ("1",)


def test_thirteen_words_in_a_row_are_shared_and_twelve_are_not():
    question = " ".join(WORDS[:20])
    assert shared(question, example("Before " + " ".join(WORDS[4:17]) + " after"))
    assert not shared(question, example("Before " + " ".join(WORDS[4:16]) + " after"))


def test_case_and_punctuation_do_not_hide_what_is_shared():
    assert shared(" ".join(WORDS[:13]), example(", ".join(WORDS[:13]).upper() + "!"))


def test_a_question_repeated_in_the_reasoning_is_shared():
    assert shared(" ".join(WORDS[:15]), example("Else?", "We are asked: " + " ".join(WORDS[:15])))


def test_words_of_two_examples_make_no_run():
    assert not shared(" ".join(WORDS[:13]), example(" ".join(WORDS[:7])), example(" ".join(WORDS[7:13])))


def test_a_short_question_is_shared_where_all_of_it_is_asked_and_one_below_8_words_tells_nothing():
    short = " ".join(WORDS[:8])
    assert shared(short, example(f"Please: {short} now"))
    assert not shared(short, example(" ".join(WORDS[:7])))
    assert not shared(short, example("Else?", f"It says {short} there"))
    (found,) = find_overlap({"s": [item("1", " ".join(WORDS[:7]))]}, [example(" ".join(WORDS))])
    assert (found.shared, found.too_short) == ((), 1)


def test_each_suite_is_counted_by_itself():
    suites = {
        "one": [item("1", " ".join(WORDS[:13])), item("2", " ".join(WORDS[20:33]))],
        "other": [item("1", " ".join(WORDS[5:18]))],
    }
    one, other = find_overlap(suites, [example(" ".join(WORDS[:18]))])
    assert (one.shared, other.shared) == (("1",), ("1",))
    assert str(one) == "one: 1 of 2 questions share 13 words in a row (50.0%)"
