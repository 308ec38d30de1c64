"""Multiple-choice questions are found among chat messages, with the letter that the answer states."""

import json

import pytest

from rimbench.suites import load

OPTIONS = "\nA. yes\nB. no\nC. both"


def row(question, answer="The answer is B.", reasoning=None, **more):
    return {
        "messages": [
            {"role": "user", "content": question, "reasoning_content": None},
            {"role": "assistant", "content": answer, "reasoning_content": reasoning, **more},
        ]
    }


SOUND = [row(f"Question {i}?{OPTIONS}") for i in range(40)]


@pytest.fixture
def show(write_rows):
    def load_all(rows, name="rows.jsonl", slice_="all", limit=None):
        return load("in-dist", data=write_rows(rows, name), slice_=slice_, limit=limit)

    return load_all


def test_an_item_has_the_question_without_options_and_the_stated_letter(show):
    (item,) = show([row(f"Is it?{OPTIONS}\n\nThink step by step.", "**Answer: C**")]).items
    assert (item.question, item.options, item.gold) == ("Is it?", {"A": "yes", "B": "no", "C": "both"}, "C")


@pytest.mark.parametrize(
    ("reason", "other"),
    [
        ("not_multiple_choice", row("What is it?")),
        ("no_letter_stated", row(f"Is it?{OPTIONS}", "Several of these are plausible.")),
        ("no_letter_stated", row(f"Is it?{OPTIONS}", "", reasoning="The answer is B.")),
        ("no_letter_stated", row(f"Is it?{OPTIONS}", None, reasoning="The answer is B.")),
        ("more_than_10_options", row("Is it?\n" + "\n".join(f"{c}. {c}x" for c in "ABCDEFGHIJK"))),
        ("several_turns", {"messages": SOUND[0]["messages"] * 2}),
        ("several_turns", {"messages": SOUND[0]["messages"][:1]}),
        ("repeated", row(f"question  0?{OPTIONS}", "The answer is A.")),
    ],
)
def test_rows_that_are_no_item_are_counted_by_reason_and_are_no_fault(show, reason, other):
    suite = show([*SOUND, other])
    assert suite.audit.left_out == {reason: 1}
    assert suite.audit.faulty == 0
    assert len(suite.items) == 40


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        (r"The dose is \\boxed{A = 20 mg}. Answer: B", "B"),
        (r"\\boxed{C = 40 mg/L}", None),
        (r"\\boxed{\\text{yes}}", "A"),
        ("The answer is yes or no.", None),
        ("<unused94>thought Answer: A<unused95>B", "B"),
        ("Thus A) yes is ruled out.", None),
    ],
)
def test_gold_is_what_the_answer_states_and_never_a_formula_a_thought_or_a_denied_option(show, answer, gold):
    suite = show([*SOUND, row(f"Is it?{OPTIONS}", answer)])
    assert [item.gold for item in suite.items if item.question == "Is it?"] == ([gold] if gold else [])


def test_most_rows_of_a_mixture_may_be_open_ended_or_repeated(show):
    suite = show([*SOUND, *SOUND, *[row(f"What is {i}?") for i in range(400)]])
    assert suite.audit.left_out == {"repeated": 40, "not_multiple_choice": 400}


def test_of_several_answers_to_a_question_the_first_counts(show):
    answers = [row(f"Is it?{OPTIONS}", f"The answer is {letter}.") for letter in "CAB"]
    assert [item.gold for item in show(answers).items] == ["C"]


def test_messages_that_are_none_are_a_fault(show):
    suite = show([*SOUND, {"messages": "no json"}, {"messages": [{"role": "user"}]}])
    assert {fault.kind: fault.item_ids for fault in suite.audit.faults} == {"malformed_messages": ("40", "41")}


def test_a_text_that_was_cut_within_a_character_is_a_fault(show):
    cut = [row(f"Is it \ud83d?{OPTIONS}"), row(f"Is it?{OPTIONS}", "The answer is B. \ud83d")]
    suite = show([*SOUND, *cut])
    assert {fault.kind: fault.item_ids for fault in suite.audit.faults} == {"not_text": ("40", "41")}


def test_a_system_message_and_unknown_keys_do_not_matter(show):
    messages = [
        {"role": "system", "content": "You are a medical expert."},
        *row(f"Is it?{OPTIONS}", name="x")["messages"],
    ]
    assert len(show([{"messages": messages, "source": "somewhere"}]).items) == 1


def test_every_file_type_with_the_same_rows_has_the_same_hash(show):
    assert len({show(SOUND, f"rows{suffix}").content_sha256 for suffix in (".jsonl", ".parquet", ".csv")}) == 1


def test_ids_and_the_suite_stay_when_the_rows_come_in_another_order(show):
    assert show(SOUND).content_sha256 == show(SOUND[::-1], "backwards.jsonl").content_sha256


def test_slices_share_no_question_however_it_is_punctuated(show):
    spelled = [row(f"QUESTION {i} : ?\nA. other\nB. options") for i in range(40)]
    held, train = (show([*SOUND, *spelled], slice_=s).items for s in ("heldout", "train"))

    def numbers(items):
        return {"".join(filter(str.isdigit, item.question)) for item in items}

    assert len(held) + len(train) == 80
    assert not numbers(held) & numbers(train)


def test_the_stand_in_mixture_comes_out_with_every_right_letter(shared_data):
    data = shared_data("openmed-layout/rows.jsonl")
    gold = [json.loads(line) for line in shared_data("openmed-layout/gold.jsonl").open()]
    sources = {s["id"]: s for s in map(json.loads, shared_data("medmcqa/dev.json").open())}
    expected = []
    for label in gold:
        source = sources[label["source_id"]]
        if label["letter"] is not None:
            texts = tuple(source[column].strip() for column in ("opa", "opb", "opc", "opd"))
            expected.append((source["question"].strip(), texts, label["letter"]))
    suite = load("in-dist", data=data, slice_="all")
    got = [(item.question, tuple(item.options.values()), item.gold) for item in suite.items]
    assert sorted(got) == sorted(expected)
    assert suite.audit.left_out == {"not_multiple_choice": 526, "no_letter_stated": 80}
    slices = [load("in-dist", data=data, slice_=s).items for s in ("heldout", "train")]
    assert {i.item_id for part in slices for i in part} == {i.item_id for i in suite.items}
    assert sum(map(len, slices)) == len(suite.items) == 594
