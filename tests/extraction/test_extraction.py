r"""What `rimbench.extraction` promises of any text, and its readings of real models' texts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readings import COMBINED, COMPOUND, DRUGS, NUMBERS, TEN, TERMS, read

from rimbench.extraction import Extraction, extract, first_letter
from rimbench.extraction.reasoning import REASONING_TAGS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the published texts are not here: no folder {DATA}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm sorry, but I can't assist with that", "refused"),
        ("I’m sorry, but I can’t help with that.", "refused"),
        ("I cannot provide medical advice.", "refused"),
        ("As an AI language model, I cannot diagnose.", "refused"),
        ("As an AI, I can't give medical advice, but the answer is C.", "C"),
        ("I cannot provide medical advice, but the answer is clopidogrel.", "C"),
        ("I'm sorry, none of these seems right to me.", "no_answer"),
    ],
)
def test_a_refusal_counts_only_where_no_answer_is_stated(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        (TERMS, "Answer: B lymphocytes", "C"),
        (TERMS, "**B lymphocytes**", "C"),
        (TERMS, r"\boxed{B lymphocytes}", "C"),
        (TERMS, "The answer is vitamin D", "A"),
        (TERMS, "The most likely diagnosis is hepatitis C.", "D"),
        (TERMS, "E. coli", "E"),
        (TERMS, "Answer: E. E. coli", "E"),
        (TERMS, "The answer is B", "B"),
        (COMPOUND, "The answer is both A and B", "C"),
        (COMPOUND, "Answer: C) Both A and B", "C"),
        (COMPOUND, "None of the above", "D"),
        (NUMBERS, "The answer is 80.", "D"),
        (NUMBERS, "The answer is -80", "C"),
        (NUMBERS, "There were 10 patients.", "no_answer"),
        (COMBINED, "Therefore, the best therapy is aspirin and heparin.", "E"),
        (TEN, "I'll go with I", "I"),
        (TEN, "Answer: J", "J"),
        (TEN, "I think this is hard.", "no_answer"),
        (TEN, "Answer: I believe it is C", "C"),
        ({"A": "Heparin", "B": "Heparin"}, "Heparin", "no_answer"),
        ({"A": "Heparin", "B": "Heparin"}, "B. Heparin", "B"),
        ({"A": "B", "B": "C", "C": "D", "D": "E"}, "The answer is (C) D.", "C"),
        ({}, "The answer is C", "no_answer"),
    ],
)
def test_the_items_options_decide_what_a_text_can_mean(options: dict[str, str], text: str, expected: str) -> None:
    assert read(text, options) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C}", Extraction("C", "ok")),
        ("Based on", Extraction("B", "ok")),
        ("c}", Extraction(None, "no_answer")),
        ("J} or A", Extraction(None, "no_answer")),
        ("", Extraction(None, "no_answer")),
    ],
)
def test_a_forced_answer_is_the_first_capital_from_a_to_j_as_on_the_card(text: str, expected: Extraction) -> None:
    assert first_letter(text, DRUGS) == expected


def test_texts_in_the_styles_of_many_models_are_read_as_a_reader_reads_them() -> None:
    made = list(rows(Path(__file__).with_name("texts.jsonl")))
    wrong = {
        row["text"]: found
        for row in made
        if (found := read(row["text"], dict(zip("ABCDEFGHIJ", row["options"], strict=False)))) != row["reads"]
    }
    assert len(made) > 550
    assert wrong == {}


HOSTILE = [
    r"\boxed{", r"\boxed{A}", "(", "(A)", "(A) ", " ", "\n", "a", "A and ", "A, ", "**", "answer is ",
    "The answer is A. ", "best is ", "most ", "<think></think>", "</think>", "{", r"\text{", "$A", "'A", "- ",
    "# ", "A) x\n", "~~a", "\u0316\u0300", "答案", "if ", "(A) is ", "C is the best ", "I'm sorry ", "not ",
    "Aspirin and heparin. ", "Between A and ", "Question:\n", "A. B\n2. A 45-year\n", "Wait, ",
    "In children ", "Answer: B. So C is best. ", r"\frac{1}{4}", r"\boxed{D = 20 mg}", "Antwort: C ", "正解はC",
    "Thus B) is ruled out. ", "aspirin or heparin/", "\ufdfa", "<|channel|>analysis", "1,000 / 4",
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"), [(0, 60_000), (60_000, 0), (30_000, 90_000), (90_000, 30_000), (500_000, 500_000)]
)
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (r"So \boxed{C}.", "C"), ("The answer is C.", "C"), ("**Final Answer:** (C)", "C"), ("Ответ: C", "C"),
        ("Answer: Clopidogrel", "C"), ("Die richtige Antwort ist C.", "C"), ("The correct option is C.", "C"),
        ("The answer is B or C.", "ambiguous"),
    ],
)  # fmt: skip
def test_an_answer_is_read_wherever_it_stands_in_a_long_text(
    before: int, after: int, statement: str, expected: str
) -> None:
    words = "the patient was seen again and the findings were as they had been on the day of the operation\n"
    text = f"{(words * 6000)[:before]}\n{statement}\n{(words * 6000)[:after]}"
    assert read(text) == expected


def test_a_box_is_found_among_any_number_of_words_for_an_answer() -> None:
    musing = "Which choice is an answer? The answer needs another look, and the option is one to think of.\n" * 600
    assert read(f"{musing}So \\boxed{{C}}.\n{musing}") == "C"


def test_a_long_text_that_goes_on_to_a_question_of_its_own_is_read_to_there() -> None:
    words = "the patient was seen again and the findings were as they had been on the day of the operation\n" * 500
    assert read(f"Answer: B\n\n{words}\nQuestion 2: what next?\n{words}\nAnswer: D") == "B"


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hundred_kilobytes_of_anything_come_through(unit: str) -> None:
    # A quadratic pattern would take minutes here. A time limit would only measure the machine.
    found = extract((unit * 100_000)[:100_000], COMBINED)
    assert (found.status == "ok") == (found.letter is not None)


PIECES = st.one_of(
    st.sampled_from(
        [*HOSTILE, *DRUGS.values(), "Answer: ", "\\boxed{", "}", "C", "I", "A", ". ", "or ", "but ", "not "]
    ),
    st.text(max_size=8),
)
TEXTS = st.lists(PIECES, max_size=20).map("".join)
OPTIONS = st.integers(0, 10).flatmap(
    lambda n: st.lists(st.text(max_size=12), min_size=n, max_size=n).map(
        lambda texts: dict(zip("ABCDEFGHIJ", texts, strict=False))
    )
)


def is_untagged(text: str) -> bool:
    tags = {tag for pair in REASONING_TAGS for tag in pair} - {""}
    return not set("<&") & set(text) and "analysis" not in text and not any(tag in text.lower() for tag in tags)


@settings(max_examples=100, deadline=None)
@given(TEXTS, OPTIONS)
def test_a_letter_is_one_of_the_items_and_comes_exactly_with_ok(text: str, options: dict[str, str]) -> None:
    for found in (extract(text, options), first_letter(text, options)):
        assert (found.status == "ok") == (found.letter is not None)
        assert found.letter is None or found.letter in options


@settings(max_examples=100, deadline=None)
@given(TEXTS.filter(is_untagged), st.sampled_from("ABCD"))
def test_a_last_box_decides_whatever_was_written_before_it(text: str, letter: str) -> None:
    one_question = text.replace("boxed", "").replace("Question", "").replace("2. A", "")
    assert extract(f"{one_question}\n\nIn the end:\n\\boxed{{{letter}}}", DRUGS) == Extraction(letter, "ok")


@settings(max_examples=100, deadline=None)
@given(TEXTS.filter(is_untagged), OPTIONS, st.sampled_from([pair for pair in REASONING_TAGS if pair[0]]))
def test_a_text_that_decides_states_nothing_where_it_is_only_thought(
    text: str, options: dict[str, str], tags: tuple[str, str]
) -> None:
    assert extract(f"{tags[0]}{text}{tags[1]}", options).letter is None
    assert extract(f"{tags[0]}{text}", options) == Extraction(None, "truncated")


@settings(max_examples=100, deadline=None)
@given(TEXTS.filter(is_untagged), st.sampled_from([pair for pair in REASONING_TAGS if pair[0]]))
def test_reasoning_never_changes_what_is_read(reasoning: str, tags: tuple[str, str]) -> None:
    assert extract(f"{tags[0]}{reasoning}{tags[1]}The answer is (B).", DRUGS) == Extraction("B", "ok")


# Where extraction and the publisher's letter differ, each text was read in full; this is what reading gives.
READ_OTHERWISE = {
    ("medqa-gpt-4o-mini-cot", "709"): "no_answer",  # says it cannot see the graph, asks for it, names no option
    ("medqa-qwq-32b-preview", "676"): "refused",  # "can't assist with that", and nothing else
    ("medqa-qwq-32b-preview", "709"): "refused",  # the same
    ("medqa-qwq-32b-preview", "785"): "refused",  # declines as if the question were political
}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


@needs_data
@pytest.mark.parametrize("name", ["medqa-gpt-4o-mini-cot", "medqa-qwq-32b-preview"])
def test_real_completions_are_read_as_a_reader_reads_them(name: str) -> None:
    texts = list(rows(DATA / "completions" / f"{name}.jsonl"))
    wrong = {
        row["item_id"]: found
        for row in texts
        if (found := read(row["text"], row["options"]))
        != READ_OTHERWISE.get((name, row["item_id"]), row["published_letter"])
    }
    assert len(texts) == 100
    assert wrong == {}


def four_options(question: str) -> dict[str, str]:
    """The options of a question in the stand-in for OpenMed's data: four, marked `(A) `, `A) `, `A. ` or `A: `."""
    for mark in (r"\({}\) ", r"{}\) ", r"{}\. ", "{}: "):
        pattern = "".join(rf"(?:^|(?<=\s)){mark.format(letter)}(.+?)\s*" for letter in "ABCD")
        if match := re.search(rf"{pattern}$", question, re.S):
            return dict(zip("ABCD", match.groups(), strict=True))
    return {}


@needs_data
def test_the_answers_in_openmeds_layout_all_come_out_right() -> None:
    conversations = rows(DATA / "openmed-layout" / "rows.jsonl")
    asked = wrong = 0
    for row, gold in zip(conversations, rows(DATA / "openmed-layout" / "gold.jsonl"), strict=True):
        said = {message["role"]: message["content"] for message in row["messages"]}
        options = four_options(said["user"])
        asked += bool(options)
        wrong += extract(said["assistant"], options).letter != gold["letter"]
    assert (asked, wrong) == (674, 0)
