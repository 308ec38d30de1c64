r"""Reasoning, turns and run-on text; every expectation was set by reading the text."""

import pytest
from readings import COMBINED, read

from rimbench.extraction import Extraction, extract
from rimbench.extraction.reasoning import REASONING_TAGS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>The answer is A</think>The answer is B", "B"),
        ("The answer is A</think>\n\nB", "B"),
        ("<think>a<think>b</think>A</think>\nAnswer: B", "B"),
        ("<think>a</think>The answer is B. <think>c</think>Done.", "B"),
        ("<think>\n\n</think>\n\nC", "C"),
        (r"<think>\boxed{A}</think> \boxed{D}", "D"),
        ("<think>A</think>", "no_answer"),
        ("<think>Answer: A</think>I'm sorry, but I can't assist with that.", "refused"),
        ("<think>The answer is A", "truncated"),
        (r"Answer: B <think>\boxed{A}", "truncated"),
        ("<think>x</think>y<think>z", "truncated"),
        ("## Thinking\n\nThe answer is A.\n\n## Final Response\n\nThe correct answer is B.", "B"),
        ("<|channel|>analysis<|message|>Answer: A<|end|><|channel|>final<|message|>Answer: B", "B"),
        ("The answer is C.<|im_end|>\n<|im_start|>user\nAnswer: B", "C"),
    ],
)
def test_reasoning_is_never_read_and_unfinished_reasoning_is_truncated(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(("opening", "closing"), [pair for pair in REASONING_TAGS if pair[0]])
def test_every_known_pair_of_tags_holds_thoughts(opening: str, closing: str) -> None:
    for form in (str, str.upper, str.title):
        begins, ends = form(opening), form(closing)
        assert read(f"{begins}\nThe answer is A.\n{ends}\nB") == "B"
        assert read(f"{begins}The answer is A. Hmm,") == "truncated"
        assert read(f"The answer is A.{ends}\nB") == "B"
        assert read(f"Answer: A {begins}\nNo.{ends}Answer: B") == "B"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<unused94>thought\nOption A fits. So the answer is A. Wait, let me", "truncated"),
        ("<|START_THINKING|>The answer is A.<|END_THINKING|><|START_RESPONSE|>B<|END_RESPONSE|>", "B"),
        ("<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>final<|message|>B<|return|>", "B"),
        ("<|channel|>commentary<|message|>A<|end|><|channel|>final<|message|>B", "B"),
        ('<|channel|>analysis<|message|>A<|end|><|channel|>final <|constrain|>json<|message|>{"answer": "B"}', "B"),
        ("analysisThe user asks. The answer is A.assistantfinalThe answer is B.", "B"),
        ("analysisWe need to choose. The answer is A.", "truncated"),
        ("<think>One. <analysis>Two.</analysis> The answer is A", "truncated"),
        ("<think>One. <analysis>Two.</analysis> Answer: A</think>B", "B"),
        ("<think>The answer is A.</thinking>\nB", "B"),
        ("< think >The answer is A.</ think >\nB", "B"),
        ('<thinking type="deep">The answer is A.</thinking>\nB', "B"),
        ("&lt;think&gt;The answer is A.&lt;/think&gt;B", "B"),
        ("<think>The answer is A.<\\/think>B", "B"),
        ("<|im_start|>think\nThe answer is A.\n<|im_start|>answer\nAnswer: B", "B"),
        *[(f"{opens}The answer is A.{closes}{said}", expected) for opens, closes in (
            ("[THINK]", "[/THINK]"), ("<|START_THINKING|>", "<|END_THINKING|>"), ("<|think|>", "<|/think|>"),
            ("<|begin_of_thought|>", "<|end_of_thought|>"), ("<|reasoning_start|>", "<|reasoning_end|>"),
            ("<|thought_begin|>", "<|thought_end|>"), ("<seed:think>", "</seed:think>"),
            ("<seed:cot_budget_reflect>", "</seed:cot_budget_reflect>"), ("<mm:think>", "</mm:think>"),
            ("<think_never_used_51bce0c7>", "</think_never_used_51bce0c7>"), ("<internal>", "</internal>"),
            ("<internal_monologue>", "</internal_monologue>"), ("<reasoning_content>", "</reasoning_content>"),
            ("<start_working_out>", "<end_working_out>"), ("<think_start>", "<think_end>"),
            ("<start_of_thought>", "<end_of_thought>"), ("<|thinking|>", "</|thinking|>"),
            ("<｜begin▁of▁thinking｜>", "<｜end▁of▁thinking｜>"), ("<|startofthink|>", "<|endofthink|>"),
            ("\\u003cthink\\u003e", "\\u003c/think\\u003e"), ("```thinking\n", "\n```\n"),
            ("<plan>", "</plan>"), ('<details type="reasoning" done="true">', "</details>"),
        ) for said, expected in (("B", "B"), (f"{opens}C{closes}\n\nB", "B"), (opens, "truncated"))],
        ("<details><summary>Why</summary>A does not fit.</details>\nThe answer is B.", "B"),
        ("The answer is B.\n<details>\n<summary>Why not A</summary>\nIt is late.\n</details>", "B"),
        ("[REASONING]The answer is A.[/REASONING]B", "B"),
        ("[Thinking] Its onset is sudden. [Answer] B", "B"),
        ("<|start|>assistant<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>final<|message|>B",
         "B"),
        ("Here are my steps: A.\n[BEGIN FINAL RESPONSE]B[END FINAL RESPONSE]", "B"),
        ("<think>A</think><final>B</final>", "B"),
        ("<think/>B", "B"),
        ("<think />\nThe answer is B.", "B"),
        ("[Analysis] Its onset is sudden. [Answer] B", "B"),
        ("Here is my thought process: A fits. The answer is A.\n\nHere is my response: The answer is B.", "B"),
        ("I think the reason is clear: the answer is B.", "B"),
        ("<response>B</response>", "B"),
        ("İl: <think>The answer is A.</think>Answer: B", "B"),
    ],
)  # fmt: skip
def test_thoughts_are_told_apart_in_the_forms_that_models_write(text: str, expected: str) -> None:
    assert read(text) == expected


def test_a_system_may_have_tags_of_its_own() -> None:
    text = "[[musing]] The answer is A. [[said]] B"
    own = [("[[Musing]]", "[[Said]]")]
    assert extract(text, COMBINED, own) == Extraction("B", "ok")
    assert extract("[[musing]] The answer is A.", COMBINED, own) == Extraction(None, "truncated")
    assert extract("<think>The answer is A.</think>B", COMBINED, own) == Extraction("B", "ok")


@pytest.mark.parametrize(
    "text",
    [
        " B\n\nQuestion: A man has fever. Which?\nA) x\nB) y\nC) z\nD) w\nAnswer: D",
        "B. Beta blocker therapy\n\nQ: A 20-year-old woman...\nA: C",
        "The answer is B.\n### Question: what else\n### Answer: C",
        "B\n\n### Instruction:\nAnswer.\n\n### Response:\nD",
        "Answer: B\n\n**Question 2:** A 45-year-old...\nAnswer: C",
        "B) Beta blocker therapy\n\n2. A 45-year-old man presents with a cough.\nA) a\nB) b\nAnswer: A",
        "B. Beta blocker therapy\n\nExercise 2:\nA patient...\nSolution: D",
        "B\nUser: another one\nAssistant: The answer is D",
        "B\n<|im_start|>assistant\nThe answer is D",
        "B\n\n[INST] Next question [/INST] The answer is C",
        "Question: what next?\n\nAnswer: B\n\nQuestion: who?\n\nAnswer: D",
    ],
)
def test_an_answer_before_a_further_question_of_the_texts_own_making_counts(text: str) -> None:
    assert read(text) == "B"


@pytest.mark.parametrize(
    "text",
    [
        "Question: A man bleeds. Which?\nA) Aspirin\nB) Beta blocker therapy\n\nThe answer is B.",
        "### Question\nThe question asks for therapy.\n\n### Answer\nB",
        "Q1: When did it start? Today.\nQ2: Is it late? No.\n\nSo the answer is B.",
        "1. A 60-year-old man has a stroke.\n2. A 5-hour delay.\nTherefore the answer is B.",
        "Human: what?\nAssistant: B",
        "<|im_start|>assistant\nThe answer is B.",
    ],
)
def test_a_question_that_the_text_repeats_before_it_answers_cuts_nothing_off(text: str) -> None:
    assert read(text) == "B"
