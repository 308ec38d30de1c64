"""A message is split into the question and the options' texts, whatever the spelling."""

import pytest

from rimbench.suites.choices import split_choices

STEM = "Which vitamin cures scurvy?"
TEXTS = ("vitamin A", "thiamine", "ascorbic acid", "All of the above")


def marked(pattern, separator):
    return separator.join(
        pattern.replace("L", letter).replace("x", text) for letter, text in zip("ABCD", TEXTS, strict=True)
    )


@pytest.mark.parametrize("pattern", ["L: x", "L) x", "L. x", "(L) x", "[L] x", "(L): x", "**L.** x", "**L)** x"])
@pytest.mark.parametrize(("before", "between"), [("\n", "\n"), ("\n\n", "\n\n"), (" ", " ")])
def test_options_are_found_in_every_spelling_on_lines_and_in_running_text(pattern, before, between):
    asked = split_choices(STEM + before + marked(pattern, between))
    assert (asked.question, asked.options) == (STEM, TEXTS)


@pytest.mark.parametrize("pattern", ["L - x", "- L) x", "* L. x", "**L. x**", "  L. x  ", "L.x", "L)x", "- **L**: x"])
def test_options_on_lines_may_be_bulleted_bold_indented_dashed_or_unspaced(pattern):
    asked = split_choices(STEM + "\n" + marked(pattern, "\n"))
    assert (asked.question, asked.options) == (STEM, TEXTS)


@pytest.mark.parametrize("separator", [", ", "; ", " | "])
def test_separators_between_options_are_not_part_of_them(separator):
    asked = split_choices(f"{STEM} {marked('L) x', separator)}")
    assert asked.options == TEXTS


def test_two_options_are_enough_and_ten_are_read():
    assert split_choices("Is it so?\nA. Yes\nB. No").options == ("Yes", "No")
    ten = split_choices("Pick: " + " ".join(f"({letter}) {i}" for i, letter in enumerate("ABCDEFGHIJ")))
    assert ten.options == tuple("0123456789")


def test_an_eleventh_option_is_not_dropped_in_silence():
    assert len(split_choices("Pick\n" + "\n".join(f"{letter}. {letter}x" for letter in "ABCDEFGHIJK")).options) == 11


@pytest.mark.parametrize(
    "text",
    [
        "What is the treatment of scurvy?",
        "A. x\nC. y",
        "B. x\nC. y",
        "A. only one option",
        "Compare vitamin A: its sources and vitamin B: its sources",
        "In 8 A.M. and 9 P.M. samples",
        "",
        "A. no\nB. question",
        "Which?\nA.\nB.",
    ],
)
def test_what_offers_no_choice_is_no_multiple_choice_question(text):
    assert split_choices(text) is None


@pytest.mark.parametrize(
    "question",
    [
        "Signs of vitamti. A deficiency:",
        "A nurse with hepatitis A. She asks about type B. What fits?",
        "Vitamin B. deficiency causes?",
        "Assertion (A): iron is low. Reason (R): it is lost. Which?",
        "Statements: (A) one (B) two (C) three. Which are true?",
        "Consider:\nA: first\nB: second\nC: third\nD: fourth\nE: fifth\nWhich are true?",
        "Consider:\nA. first\nB. second\nC. third\nWhich are true?",
        "Choose one:",
    ],
)
def test_letters_in_the_question_are_not_taken_for_the_options(question):
    for layout in (marked("A. x".replace("A", "L"), "\n"), marked("L) x", "\n")):
        asked = split_choices(f"{question}\n{layout}")
        assert (asked.question, asked.options) == (question, TEXTS)


@pytest.mark.parametrize("question", ["Caused by vitamti. A deficiency:", "A case of hepatitis A. The cause is?"])
def test_letters_in_the_question_are_not_taken_for_options_in_running_text(question):
    asked = split_choices(f"{question} {marked('L. x', ' ')}")
    assert (asked.question, asked.options) == (question, TEXTS)


def test_letters_inside_options_are_not_taken_for_the_next_option():
    asked = split_choices("Lack of? A. Vitamin A. B. Vitamin B. C. Vitamin C. D. Vitamin D.")
    assert asked.options == ("Vitamin A.", "Vitamin B.", "Vitamin C.", "Vitamin D.")


@pytest.mark.parametrize(
    "after",
    [
        "\n\nPlease reason step by step.",
        "\n\nAnswer with (A), (B), (C) or (D).\n\nThink first.",
        "\nAnswer with a single letter.",
        "\n\nAnswer: (A) or (B) or (C) or (D)",
    ],
)
def test_an_instruction_after_the_options_is_left_out(after):
    assert split_choices(f"{STEM}\n{marked('L. x', chr(10))}{after}").options == TEXTS


def test_an_option_may_run_over_several_lines_if_others_do():
    asked = split_choices("Which?\nA. first\nstill first\nB. second\nstill second\n\nThink step by step.")
    assert asked.options == ("first\nstill first", "second\nstill second")


@pytest.mark.parametrize("heading", ["\nOptions:", "\n\n**Options:**", "\nAnswer Choices:", "\nOptions", " Choices:"])
def test_a_heading_above_the_options_is_not_part_of_the_question(heading):
    assert split_choices(f"{STEM}{heading}\n{marked('L. x', chr(10))}").question == STEM
