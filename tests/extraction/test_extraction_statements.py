r"""Boxes and statements; every expectation was set by reading the text."""

import pytest
from readings import COMBINED, read

from rimbench.extraction import Extraction, extract


@pytest.mark.parametrize(
    "text",
    [
        r"\boxed{C}", r"$\boxed{C}$", r"\(\boxed{C}\)", r"$$\boxed{\text{C}}$$", r"\boxed{\text{C}}",
        r"\boxed{C. Clopidogrel}", r"\boxed{(C)}", r"\boxed{\mathbf{C}}", r"\boxed{\textbf{(C)}}",
        r"\boxed{Option C}", r"\boxed{Clopidogrel}", r"so it is \boxed{C", r"\boxed{{C}}",
        r"\boxed{\text{C) Clopidogrel}}", r"\boxed{c}", r"\boxed{\text{The answer is C}}",
        r"\boxed{\mathrm{C}\text{. Clopidogrel}}", r"\boxed {C}", r"\\boxed{C}", r"\boxed{\{C\}}",
        r"\boxed{**C**}", r"The final answer is $\boxed{\text{(C) Clopidogrel}}$. I hope it is correct.",
        r"\boxed{\text{not B, but C}}",
    ],
)  # fmt: skip
def test_a_box_names_its_letter_however_it_is_typeset(text: str) -> None:
    assert read(text) == "C"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"Answer: B. \boxed{C}", "C"),
        (r"\boxed{C} The answer is B", "C"),
        (r"\boxed{A}. Wait, no: \boxed{B}", "B"),
        ("\\boxed{A}\n\nCheck again: the patient bleeds.\n\\boxed{D}", "D"),
        (r"Put the letter in \boxed{letter}: \boxed{B}", "B"),
        (r"\boxed{Aspirin and heparin}", "E"),
        (r"\boxed{A} or \boxed{B}", "ambiguous"),
        (r"\boxed{A, B}", "ambiguous"),
        (r"\boxed{A and C}", "ambiguous"),
        (r"\boxed{AC}", "ambiguous"),
        (r"\boxed{A and C} is tempting, but \boxed{C}", "C"),
        (r"\boxed{J}", "no_answer"),
        (r"\boxed{42}", "no_answer"),
        (r"\boxed{}", "no_answer"),
    ],
)
def test_the_last_readable_box_wins_over_all_else(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "**Answer: C**", "Answer: C", "Final Answer: **C**", "**Final Answer**\n\nC", "**Final Answer**\n\nc",
        "The answer is (C)", "the correct answer is **C**.", "the best choice is option C",
        "Correct option: C) Clopidogrel", "## Answer: C", "### Final answer\n\n**C**", "Answer - C",
        "Answer is: C", "ANSWER: C", "THE CORRECT ANSWER IS OPTION C", "Answer:C", "**Answer:** C",
        "**Answer:**\n\nC", "Answer: (c) clopidogrel", "Answer: c. clopidogrel", "Answer: C. thienopyridine",
        "Ans. (C) Clopidogrel", "Ans: C", "The answer, therefore, is C.", "The answer must be C",
        "The answer might be C.", "The final answer: (C)", "Conclusion: C", "Choice: C",
        "The answer is: Option C - Clopidogrel", "Answer: <b>C</b>", '{"answer": "C"}', "{'answer': 'C'}",
        '```json\n{"step_by_step_thinking": "B?", "answer_choice": "C"}\n```',
        '{"answer": "C", "explanation": "A is wrong"}', "<answer>C</answer>",
        "<answer> C. Clopidogrel </answer>", "The answer is $C$.", r"The answer is $\mathbf{C}$.",
        r"The correct option is \(C\).", "The answer is:\n\\[\nC\n\\]", "Ａｎｓｗｅｒ：Ｃ", "Answer:\u00a0C",
        "答案：（C）氯吡格雷", "正确答案是C。", "因此选择C选项。",
        "【答案】C", "故选C", "I'll go with C", "I would select (C)",
        "We should go with C because of x.", "Rule out A, B and D, leaving C.", "Therefore, C.",
        "C is the correct answer", "(C) Clopidogrel is the correct answer.", "making C the best choice",
        "The best option among those provided is (C) Clopidogrel, as x.",
        "The best next step in management is:\n\n**C**", "The answer is clopidogrel.", "Answer: Clopidogrel",
        "The best answer is **clopidogrel**, as it works.", "The answer is the administration of clopidogrel",
        "I would choose clopidogrel",
    ],
)  # fmt: skip
def test_a_stated_answer_is_read_in_the_forms_that_models_write(text: str) -> None:
    assert read(text) == "C"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer is not A but C", "C"),
        ("It is C, not B.", "C"),
        ("The answer is C rather than B.", "C"),
        ("Not A, not B, so C.", "C"),
        ("It cannot be A or B. The correct answer is D.", "D"),
        ("Neither A nor B is right. The answer is D.", "D"),
        ("Answer: ~~B~~ C", "C"),
        ("The answer is C, because A and B are wrong.", "C"),
        ("The answer is (C) as (A) is too weak and (B) is slow.", "C"),
        ("If the answer were B, he would be febrile. The answer is C.", "C"),
        ("The answer is C. If he had fever, the answer would be B.", "C"),
        ("The answer is C. One might think the answer is B.", "C"),
        ("The answer is C. Could the answer be B?", "C"),
        ("The answer is C. In children the answer might be B.", "C"),
        ("Answer: C\n\nB) would be right in asthma.", "C"),
        ("Answer: B\n\nExplanation: A is correct in children. C is right for adults with asthma.", "B"),
        ("So, the answer is: C\n\nA: wrong\nB: wrong\nD: wrong", "C"),
        ("The correct answer is:\n\nA. Aspirin\n\nThe others are wrong:\n\nB. Slow.\nC. Costly.\nD. Bleeds.", "A"),
        ("Therefore, it is not aspirin.", "no_answer"),
        ("The correct answer is not listed.", "no_answer"),
    ],
)
def test_what_is_denied_asked_or_supposed_is_no_statement(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the answer is B. Wait, no, the answer is C", "C"),
        ("The answer is B. Actually, C.", "C"),
        ("Answer: B\n\nCorrection: C", "C"),
        ("Answer: B\n\nHeparin cannot be given here, so this changes.\n\nAnswer: C", "C"),
        ("The answer is B. The platelets would rise, which they do not. So the answer is D.", "D"),
        ("First guess: B. Final answer: C", "C"),
        ("Final Answer: C. The answer is C.", "C"),
    ],
)
def test_a_later_statement_replaces_an_earlier_one_after_a_reason_or_a_retraction(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Answer: A and C", "both A and C", "Both A and C are correct.", "Answer: B or C",
        "The answer is either B or C.", "Answer: A, C", "Answer: A/C", "Answers: A, B, and C",
        "The correct answers are A and C.", "Answer: (A) Aspirin and (C) Clopidogrel",
        "The answer is B. The answer is C.", "Answer: B\nAnswer: C",
        "Answer: B. Beta blocker therapy\nAnswer: C. Clopidogrel", "Thus, either (A) or (B) could be right.",
    ],
)  # fmt: skip
def test_two_letters_in_one_statement_or_in_two_side_by_side_are_ambiguous(text: str) -> None:
    assert extract(text, COMBINED) == Extraction(None, "ambiguous")


@pytest.mark.parametrize(
    "text",
    [
        "Answer: B\n\nExplanation: A is wrong because of x. Option C would be the best choice for children.",
        "Answer: B\n\nExplanation: Option C is the best choice in patients with stents.",
        "**Final answer:** B\n\nNote: D is the correct answer in venous thrombosis.",
        "The correct answer is B. If he had fibrillation, I would choose heparin infusion.",
        "Answer: B\n\nWhy not?\nA. Aspirin is the answer only early.\nC. Clopidogrel is the best option later.",
        "Answer: B. So why not C? Option C is the best choice later.",
        "Answer: B\n\nA is not the right choice; instead, C is the best choice only after a stent.",
        "B. Beta blocker therapy\n\nOption A is the best choice early on, but it is late.",
        "Answer: B\n\nIn pregnant women the answer would be C.",
        "Answer: B\n\nIn children under eight, the best choice is C.",
        "The answer is B. Note that in children, the answer is C.",
        "The best choice is B. Option A is the best choice for patients with chest pain.",
        "I'd choose B. For children, option C is the better choice.",
    ],
)
def test_an_answer_outranks_later_remarks_on_other_options_and_other_patients(text: str) -> None:
    assert read(text) == "B"


@pytest.mark.parametrize(
    "text",
    [
        "Answer: B\n\nWait, the onset was earlier. So option A is the correct answer.",
        "The answer is B. Hmm, actually it is early, so A is the correct answer.",
        "Answer: B\n\nLet me reconsider. It is early. Option A is the best choice.",
        "First thought: the answer is B.\n\nLooking again, it is early. Therefore A is the right choice.",
        "Answer: B\n\nOn reflection, I change my answer to A.",
        "The answer might be B. Let me check: it is early. So the correct option is A.",
        "For patients with this presentation, the answer is A.",
        "In adults, the most appropriate treatment would be (A) Aspirin.",
    ],
)
def test_a_remark_that_says_it_changes_the_answer_or_is_all_there_is_decides(text: str) -> None:
    assert read(text) == "A"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Final Answer**\n\nClopidogrel\n\nA is the best choice early on.", "C"),
        ("The answer could be A. The best choice is C.", "C"),
        ("Answer: C\n\nIn stroke the best option is A.", "C"),
        ("The answer certainly isn't what one expects: A.", "no_answer"),
        ("The best choice would never be A.", "no_answer"),
        ("Had he bled, the answer would be A.", "no_answer"),
        ("The answer: A is wrong, B is wrong, C is correct.", "C"),
        ("B is correct. Wait, no. C is correct.", "C"),
        ("Answer:\r\nC", "C"),
    ],
)
def test_a_cue_is_read_with_the_words_around_it(text: str, expected: str) -> None:
    assert read(text) == expected
