"""Two options named by their texts, and options denied after they are named; set by reading the texts."""

import pytest
from readings import read

DRUGS = {"A": "Aspirin", "B": "Heparin", "C": "Warfarin", "D": "Alteplase"}
BOTH = {"A": "Aspirin", "B": "Heparin", "C": "Warfarin", "D": "Aspirin and heparin"}
DOSES = {"A": "10 mg", "B": "20 mg", "C": "40 mg", "D": "80 mg"}
NUMBERS = {"A": "10", "B": "20", "C": "40", "D": "-80"}
HEART = {"A": "Aspirin", "B": "Bisoprolol", "C": "Colchicine", "D": "Digoxin"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        *[(DRUGS, text) for text in (
            "The answer is heparin or warfarin.", "The answer is aspirin and heparin.", "Answer: Aspirin, Heparin",
            "The correct answer is both heparin and warfarin.", "The answer is either heparin or warfarin.",
            "Answer: aspirin/heparin", "Answer: Aspirin / Heparin", "The answer is aspirin as well as heparin.",
            "Answer: Aspirin + Heparin", "The answer is aspirin, heparin, or warfarin.", "Answer: Aspirin; Heparin",
            "The answer is **heparin** or **warfarin**.", "Answer: heparin and/or warfarin", "Heparin or warfarin.",
            "I would choose heparin or warfarin.", "The answer is heparin along with the warfarin.",
            "The answer is B) heparin or C) warfarin.", "The answer is (B) heparin or warfarin.",
            r"\boxed{Heparin or Warfarin}", "Answer:\n- Heparin\n- Warfarin", '{"answer": "Heparin, Warfarin"}',
            "Answer: Aspirin & Heparin",
            "Therefore, heparin or warfarin is best.", "Aspirin, Heparin",
            "The answer is either B (heparin) or C (warfarin).", "Answer: B (an anticoagulant) or C (another)",
            "The answer is heparin or alternatively warfarin.", "Final answer: heparin and also warfarin",
            "Answer:\n* Heparin\n* Warfarin", "Answer: BC",
            '{"answer": "BD"}', "答案：BC", "故选BC。", "Answer: (B)(C)",
            "Answer: B; C", "The answer is B as well as C.",
        )],
        (DOSES, "The answer is either 20 mg or 40 mg."), (DOSES, "The answer is 20 or 40 mg."),
        (NUMBERS, "Answer: 20 or 40"), (NUMBERS, "The answer is both 20 and 40."), (NUMBERS, "Answer: 40 or -80"),
    ],
)  # fmt: skip
def test_two_options_named_by_their_texts_are_ambiguous(options: dict[str, str], text: str) -> None:
    assert read(text, options) == "ambiguous"


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        (BOTH, "The answer is aspirin and heparin.", "D"),
        (BOTH, "The answer is both aspirin and heparin.", "D"),
        (BOTH, "The answer is heparin and aspirin.", "D"),
        (BOTH, r"\boxed{Aspirin and heparin}", "D"),
        (BOTH, "The answer is aspirin.", "A"),
        (BOTH, "The answer is aspirin or heparin.", "ambiguous"),
        (DRUGS, "The answer is heparin, not warfarin.", "B"),
        (DRUGS, "The answer is heparin rather than warfarin.", "B"),
        (DRUGS, "The answer is heparin, as warfarin is slow.", "B"),
        (DRUGS, "The answer is heparin, and warfarin is contraindicated.", "B"),
        (DRUGS, "The answer is heparin, warfarin being slow.", "B"),
        (DRUGS, "The answer is heparin; warfarin would be given later.", "B"),
        (DRUGS, "The answer is neither heparin nor warfarin.", "no_answer"),
        (DRUGS, "The answer is not heparin but warfarin.", "C"),
        (DRUGS, "Saccharin and heparin are two of them.\nThe answer is heparin.", "B"),
        (DRUGS, "Aspirin and heparin are two drugs of the ward. Heparin acts at once.\n\nThus heparin is best.", "B"),
        (DRUGS, "The answer is B (heparin) and C (warfarin) is contraindicated.", "B"),
        (DRUGS, "Answer: CAD", "no_answer"),
        (DRUGS, "Answer: AC joint injury", "no_answer"),
        ({"A": "Fever, cough", "B": "Fever", "C": "Cough"}, "The answer is fever, cough.", "A"),
    ],
)
def test_one_option_that_lists_two_things_and_one_set_against_another_are_one(
    options: dict[str, str], text: str, expected: str
) -> None:
    assert read(text, options) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"Thus B) bisoprolol {denial}."
        for denial in (
            "is ruled out", "is incorrect", "is not indicated", "can be excluded", "is unlikely", "would be harmful",
            "is wrong because he has asthma", "is contraindicated in asthma", "is the least likely choice",
            "can be ruled out", "is out of the question", "is clearly the wrong choice", "isn't appropriate",
            "should be avoided", "was eliminated above", "is less likely than the others", "does not fit",
            "would not help", "cannot explain it", "is not the best choice", "seems inappropriate here",
            "must be rejected", "has been excluded", "is a distractor", "is not the answer", "- incorrect",
            "(ruled out)", "is unsafe",
        )
    ] + [
        "Therefore, option B, bisoprolol, is ruled out.", "Therefore, bisoprolol is contraindicated.",
        "So (B) is excluded.", "Hence B is wrong.", "Thus bisoprolol can be excluded.", "I'd go with B is wrong.",
        "Conclusion\n\nB) bisoprolol is ruled out.", "B) Bisoprolol is ruled out.", "Option B is eliminated.",
    ],
)  # fmt: skip
def test_an_option_that_is_denied_after_it_is_named_is_no_choice(text: str) -> None:
    assert read(text, HEART) == "no_answer"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Therefore, C) colchicine is contraindicated; A) aspirin is best.", "A"),
        ("Therefore, colchicine is contraindicated; aspirin is best.", "A"),
        ("Thus B) bisoprolol is ruled out. The answer is A.", "A"),
        ("Thus B is excluded, so A.", "A"),
        ("Answer: B. Bisoprolol is not absorbed in the stomach.", "B"),
        ("Answer: B\n\nBisoprolol is contraindicated in asthma, which he has not.", "B"),
        ("Thus B) bisoprolol is not only safe but the best choice.", "B"),
        ("Therefore, B) bisoprolol, because colchicine is contraindicated.", "B"),
        ("So B) bisoprolol is best as aspirin is contraindicated.", "B"),
        ("I'd go with B because A is ruled out.", "B"),
        ("So B. Bisoprolol does not cross the placenta.", "B"),
        ("So, B. Bisoprolol is ruled out.", "no_answer"),
    ],
)
def test_a_denial_of_one_option_leaves_the_choice_of_another(text: str, expected: str) -> None:
    assert read(text, HEART) == expected
