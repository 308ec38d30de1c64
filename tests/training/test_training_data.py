import json

import pytest

from rimbench.errors import DataError
from rimbench.suites import rows
from rimbench.suites.choices import split_choices
from rimbench.training.data import (
    RowRules,
    last_box,
    open_answer,
    read_corpus,
    split_steps,
)

ASKED = "Which one?\nA: x\nB: y"


def options_of(question):
    asked = split_choices(question)
    return dict(zip("ABCDEFGHIJ", asked.options, strict=False)) if asked else {}


def boxed(content, options):
    return last_box(content) if last_box(content) in options else None


def rules(letter_of=boxed, held_out=lambda question: False):
    return RowRules(8, options_of, letter_of, held_out)


def row(question=ASKED, content=r"So \boxed{B}", reasoning="One.\n\nTwo."):
    reply = {"role": "assistant", "content": content, "reasoning_content": reasoning}
    return {"messages": [{"role": "user", "content": question}, reply]}


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", ()),
        (" \n ", ()),
        ("one thought without an end", ("one thought without an end",)),
        ("1. Take 5 mg.\n2) Double it.\nStep 3: Cap it.", ("1. Take 5 mg.", "2) Double it.", "Step 3: Cap it.")),
        ("Plan:\n1. First\nstill first\n\n2. Second", ("Plan:", "1. First\nstill first", "2. Second")),
        ("One. Still one.\n\nTwo.\n \nThree.", ("One. Still one.", "Two.", "Three.")),
        ("One.\nTwo. Still two.", ("One.", "Two. Still two.")),
        ("It rose. Was it high? Yes! 5 mg then.", ("It rose.", "Was it high?", "Yes!", "5 mg then.")),
        ("See Dr. Smith, e.g. Monday. Vitamin B. Deficiency is likely. Done.", None),
        ("only 1. Not a list", ("only 1. Not a list",)),
    ],
)
def test_a_trace_is_split_by_the_first_rule_that_finds_two_steps(text, steps):
    expected = steps
    if steps is None:
        expected = ("See Dr. Smith, e.g. Monday.", "Vitamin B. Deficiency is likely.", "Done.")
    assert split_steps(text, 8) == expected


def test_windows_line_ends_split_as_others():
    assert split_steps("One.\r\n\r\nTwo.", 8) == ("One.", "Two.")


def test_steps_beyond_the_cap_are_merged_shortest_neighbours_first():
    assert split_steps("aaaa\nb\nc\ndddd\nee", 4) == ("aaaa", "b\nc", "dddd", "ee")
    assert split_steps("aaaa\nb\nc\ndddd\nee", 3) == ("aaaa", "b\nc", "dddd\nee")
    assert split_steps("aaaa\nb\nc\ndddd\nee", 1) == ("aaaa\nb\nc\ndddd\nee",)


@pytest.mark.parametrize("most", range(1, 12))
def test_merging_keeps_every_word_in_order(most):
    text = " ".join(f"Sentence number {'x' * (i * 7 % 5)} of {i} here." for i in range(10))
    steps = split_steps(text, most)
    assert len(steps) == min(most, 10)
    assert " ".join(steps).split() == text.split()


@pytest.mark.parametrize(
    ("content", "inside"),
    [
        (r"\boxed{C}", "C"),
        (r"first \boxed{A}, no: \boxed{ B } it is", "B"),
        (r"\boxed{\text{5 mg} {x}}", r"\text{5 mg} {x}"),
        (r"\boxed{A} and then \boxed{B", "A"),
        (r"\boxed{A \boxed{B}", "B"),
        (r"} \boxed{{A} \boxed{B} C}", "B"),
        (r"\boxed{}", None),
        ("boxed C", None),
    ],
)
def test_the_last_complete_box_holds_the_answer(content, inside):
    assert last_box(content) == inside


def test_an_open_answer_is_the_first_line_unless_that_is_prose():
    assert open_answer("**Metabolic alkalosis.**\n\nBecause blood ...") == "Metabolic alkalosis"
    assert open_answer(r"Long story. \boxed{5 mg}") == "5 mg"
    assert open_answer("word " * 60) is None
    assert open_answer("  ") is None


def test_every_row_is_counted_under_what_became_of_it():
    rows = [
        row(),
        row("What is it?", "5 mg.\nAs it doubled.", None),
        row(content="It is B."),
        row("held out " + ASKED),
        {"messages": []},
        {"text": "no messages"},
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [{"role": "assistant", "content": "unasked"}]},
        "no row",
    ]
    corpus = read_corpus(rows, rules(held_out=lambda question: question.startswith("held out")))
    assert [(e.answer, e.steps, e.multiple_choice) for e in corpus.examples] == [
        ("B", ("One.", "Two."), True),
        ("5 mg", (), False),
    ]
    assert str(corpus.tally) == "9 read, 2 kept, 5 faulty, 1 held out, 1 no answer, 1 no steps"


def test_the_letter_reader_is_the_callers():
    corpus = read_corpus([row(content="It is B.")], rules(letter_of=lambda content, options: "B"))
    assert corpus.examples[0].answer == "B"


def test_system_messages_and_columns_that_a_hub_adds_change_nothing():
    plain = row()
    decorated = {"messages": [{"role": "system", "content": "Be kind."}, *plain["messages"]], "source": "x"}
    decorated["messages"][1]["tool_calls"] = None
    assert read_corpus([plain], rules()) == read_corpus([decorated], rules())


def test_the_hash_changes_with_the_data_and_with_nothing_else():
    one = read_corpus([row(), row("Other?\nA: x\nB: y")], rules())
    assert one.sha256 == read_corpus([row(), "faulty", row("Other?\nA: x\nB: y")], rules()).sha256
    assert one.sha256 != read_corpus([row("Other?\nA: x\nB: y"), row()], rules()).sha256


def test_an_example_knows_its_row_in_the_data_counted_from_one():
    corpus = read_corpus(["faulty", row(), "faulty", row("Other?\nA: x\nB: y")], rules())
    assert [example.row for example in corpus.examples] == [2, 4]


def test_data_without_one_example_is_an_error_that_says_what_became_of_the_rows():
    with pytest.raises(DataError, match="1 read, 0 kept, 1 faulty"):
        read_corpus(["no row"], rules())
    with pytest.raises(DataError, match="0 read"):
        read_corpus([], rules())


def test_a_file_that_is_no_json_names_its_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row()) + "\n\n{torn\n")
    with pytest.raises(DataError, match=r"rows.jsonl, line 3"):
        list(rows.read(path))
    with pytest.raises(DataError, match="cannot be read"):
        list(rows.read(tmp_path / "absent.jsonl"))


def test_the_openmed_layout_reads_with_no_faulty_row(shared):
    corpus = read_corpus(rows.read(shared / "openmed-layout" / "rows.jsonl"), rules())
    assert corpus.tally.read == 1200
    assert corpus.tally.faulty == 0
    assert all(1 <= len(example.steps) <= 8 for example in corpus.examples)
