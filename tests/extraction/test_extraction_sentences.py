"""Lines, verdicts and concluding sentences; every expectation was set by reading the text."""

import pytest
from readings import COMBINED, LISTED, TEN, read

from rimbench.extraction import Extraction, extract


@pytest.mark.parametrize(
    "text",
    [
        "C", "c", "c.", "C)", "(C)", "[C]", '"C"', "'C'", "$C$", "**C**", "`C`", "# C", "（Ｃ）", "𝐂",
        "Reasons.\n\nc", "Option C", "Reasons.\n\nC) Clopidogrel",
        "C. Clopidogrel\n\nBecause it inhibits P2Y12.", "C\n\nIt inhibits P2Y12.", "C Clopidogrel",
        "**(C) Clopidogrel**", "**C** (Clopidogrel)", "**C**. Clopidogrel", "C – Clopidogrel",
        "**C: Clopidogrel**", f"{LISTED}\n\nC", f"{LISTED}\n\n**C) Clopidogrel**",
        "C. Clopidogrel\n\nExplanation:\nA. Aspirin is weak.\nB. Beta blockers are slow.\nD. Heparin bleeds.",
        "Clopidogrel", "clopidogrel.", "Clopidogrel.\n\nIt inhibits P2Y12.",
    ],
)  # fmt: skip
def test_a_label_a_lone_letter_or_an_options_text_on_a_line_is_the_answer(text: str) -> None:
    assert read(text) == "C"


@pytest.mark.parametrize(
    "text",
    [
        "Option C is correct", "C is correct. A, B and D are incorrect.",
        "A is incorrect. B is incorrect. C is correct.",
        "A) Aspirin – incorrect\nB) Beta blocker – incorrect\nC) Clopidogrel – correct\nD) Heparin – incorrect",
        "A. Aspirin: wrong.\n\nB. Beta blocker: no.\n\nC. Clopidogrel: This is the most apt drug.\n\nD. Heparin: no.",
        "Thus the best management is clopidogrel (C).", "The findings point to option C.", "Hence (C).",
        "Between (A) and (C), I conclude (C).", "In conclusion, clopidogrel is the drug of choice.",
        "Therefore clopidogrel rather than aspirin is best.",
        "Thus, B cells are not involved; clopidogrel is best.",
    ],
)  # fmt: skip
def test_a_verdict_or_a_concluding_sentence_on_one_option_is_the_answer(text: str) -> None:
    assert read(text) == "C"


@pytest.mark.parametrize(
    "text",
    [
        "", "   \n", "I", "The answer is", "Answer:", "Answer: none", "The answer is J.", "<answer>F</answer>",
        "Answer: F", "The answer is a matter of debate.", "A patient with chest pain needs care.",
        "A 5-year-old boy", "The answer is I do not know.",
        "This patient has hepatitis B, vitamin D deficiency and group A streptococcus.",
        "The diagnosis is hepatitis B.", "The most likely cause is influenza A.", "factor V Leiden",
        "The answer is group A streptococcus", "Answer: Type A", "Vitamin D is the best choice.",
        "C-reactive protein", "Answer: C-reactive protein", "C. difficile infection is common.",
        "It is a C-shaped lesion", "Let us compare A and B.", "The options are A, B, C and D.",
        "I am torn between B and C.",
        "Several of these are plausible, and the choice depends on the clinical context.",
        "The patient is old. He bleeds. So let me look at option C. It is", LISTED, LISTED.replace("\n", " "),
        f"Answer choices:\n{LISTED}", f"The correct answer is:\n{LISTED}", "A\nB\nC\nD",
        f"Which is the correct answer?\n{LISTED}",
        "Aspirin is common. Heparin infusion is common too. It depends.",
    ],
)  # fmt: skip
def test_where_no_option_is_stated_there_is_no_answer(text: str) -> None:
    assert extract(text, COMBINED) == Extraction(None, "no_answer")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Considering everything, the next step should be **clopidogrel**.", "C"),
        ("The patient needs clopidogrel.", "C"),
        ("Avoid clopidogrel.", "no_answer"),
        ("Overall (C) is given. Thus option A is not indicated.", "C"),
        ("C. Clopidogrel works.\n\nWhy the others fail:\nA. Slow.", "C"),
        ("He has a stent. Heparin infusion is costly. It is given by vein. Overall, option C.", "C"),
        ("Between (A) and (C), the evidence supports clopidogrel.", "C"),
        ("A is a drug.\nThe question is hard.", "no_answer"),
        ("A patient who is already on clopidogrel", "no_answer"),
        ("The onset is unknown. Option A is aspirin, which is", "no_answer"),
        ("Let us see:\n\n(A) Aspirin: given in angina.\n\n(B) Beta blocker therapy: one of the", "no_answer"),
        (
            "- (C) Clopidogrel: most useful later.\n- (D) Heparin infusion: not the best first step.\n\nGiven",
            "no_answer",
        ),
    ],
)
def test_a_conclusion_is_told_from_an_account_of_an_option(text: str, expected: str) -> None:
    assert read(text) == expected


def test_a_letter_that_is_also_a_word_counts_where_it_can_only_be_a_letter() -> None:
    assert [read(text, TEN) for text in ("I would say I.", "I think A.", "I think so.")] == ["I", "A", "no_answer"]


def test_could_be_one_or_another_without_the_word_answer_states_nothing() -> None:
    assert (read("It could be B or C."), read("The answer could be B or C.")) == ("no_answer", "ambiguous")
