"""Sample logs that lm-evaluation-harness 0.4.13 wrote, in `logs`: what it scored is what is imported."""

import json
import math

import pytest

from rimbench.errors import DataError
from rimbench.store import read_manifest

LETTERS = "samples_quiz_letters_2026-11-22.jsonl"
TEXTS = "samples_quiz_texts_2026-11-22.jsonl"
WRITTEN = "samples_quiz_written_2026-11-22.jsonl"


def lines_of(path):
    return [json.loads(line) for line in path.open()]


def test_the_option_with_the_highest_likelihood_is_the_answer_and_its_probabilities_are_kept(do_import, logs, quiz):
    done = do_import(logs / LETTERS, quiz())
    answers = {item: r["answer"] for (item, _), r in done.records.items()}
    assert answers == {"q-1": "D", "q-2": "A", "q-3": "D", "q-4": "B", "q-5": "D", "q-6": "A"}
    first = done.records["q-1", 0]
    # The log has -0.613, -0.657, -0.477, -0.090: the differences stay, and the probabilities sum to 1.
    assert first["option_logprobs"]["D"] - first["option_logprobs"]["C"] == pytest.approx(-0.08982436 + 0.47653099)
    assert sum(map(math.exp, first["option_logprobs"].values())) == pytest.approx(1)
    assert first["prompt_sha256"] == lines_of(logs / LETTERS)[0]["prompt_hash"]
    assert read_manifest(done.folder).identity.answer.mode == "readout"


@pytest.mark.parametrize("name", [LETTERS, TEXTS])
def test_what_the_harness_scores_as_right_is_right(do_import, logs, quiz, name):
    done = do_import(logs / name, quiz())
    right = {line["doc"]["id"]: line["acc"] == 1 for line in lines_of(logs / name)}
    assert {i: r["answer"] == r["gold"] for (i, _), r in done.records.items()} == right
    assert "scores otherwise" not in done.notes


def test_likelihoods_of_whole_option_texts_are_no_letter_probabilities(do_import, logs, quiz):
    done = do_import(logs / TEXTS, quiz())
    assert done.document["right"] == 3
    assert all(r["option_logprobs"] is None for r in done.records.values())


def test_written_answers_are_read_whole_once_for_all_filters_and_repeats_are_draws(do_import, logs, quiz):
    done = do_import(logs / WRITTEN, quiz())
    found = {key: r["answer"] for key, r in done.records.items()}
    assert found == {
        ("q-1", 1): "A", ("q-1", 2): "D", ("q-2", 1): None, ("q-2", 2): "C", ("q-3", 1): "A", ("q-3", 2): "A",
        ("q-4", 1): None, ("q-4", 2): "B", ("q-5", 1): "B", ("q-5", 2): "A", ("q-6", 1): None, ("q-6", 2): "B",
    }  # fmt: skip
    assert done.records["q-1", 2]["text"] == "**D**"
    assert "filter 'strict', of 2" in done.notes and "answers are draws 1 to 2" in done.notes
    assert "states no temperature, and none of them is known to be greedy" in done.notes


def test_the_document_says_which_item_it_is_whatever_its_columns_and_its_id(do_import, logs, quiz, write_lines):
    lines = lines_of(logs / LETTERS)
    for line in lines:
        doc = line["doc"]
        options = [doc[f"op{letter}"] for letter in "abcd"]
        line["doc"] = {"sent1": doc["question"], **{f"ending{i}": text for i, text in enumerate(options)}, "label": 0}
    done = do_import(write_lines(lines, "renamed.jsonl"), quiz())
    assert len(done.records) == 6
    for line, original in zip(lines, lines_of(logs / LETTERS), strict=True):
        doc = original["doc"]
        choices = {"text": [doc[f"op{letter}"] for letter in "abcd"], "label": list("ABCD")}
        line["doc"] = {"answer": doc["opb"], "question": doc["question"], "choices": choices}
    again = do_import(write_lines(lines, "listed.jsonl"), quiz())
    assert [r["answer"] for r in again.records.values()] == [r["answer"] for r in done.records.values()]


def test_a_suite_in_another_order_of_options_gets_the_same_options(do_import, logs, quiz, quiz_rows):
    turned = [(i, q, o[::-1], "DCBA"["ABCD".index(gold)]) for i, q, o, gold in quiz_rows]
    done = do_import(logs / LETTERS, quiz(turned))
    plain = do_import(logs / LETTERS, quiz(name="plain"))
    for key, record in plain.records.items():
        other = done.records[key]
        assert other["answer"] == "DCBA"["ABCD".index(record["answer"])]
        assert other["option_logprobs"]["A"] == pytest.approx(record["option_logprobs"]["D"])
    assert "answers to options in another order than quiz's: 6" in done.notes


def test_a_document_that_holds_question_and_options_in_one_text_is_found_beside_other_lists(
    do_import, logs, quiz, write_lines
):
    lines = lines_of(logs / WRITTEN)
    for line in lines:
        line["doc"] = {"query": line["arguments"]["gen_args_0"]["arg_0"], "tags": ["general", "easy"]}
    done = do_import(write_lines(lines, "queries.jsonl"), quiz())
    assert done.records == do_import(logs / WRITTEN, quiz()).records


def test_a_prior_that_is_logged_behind_the_likelihoods_is_left_out(do_import, logs, quiz, write_lines):
    lines = lines_of(logs / LETTERS)
    for line in lines:  # as with the metric acc_mutual_info: the same continuations, without the context
        count = len(line["resps"])
        line["arguments"] |= {f"gen_args_{count + i}": {"arg_0": "", "arg_1": f" {x}"} for i, x in enumerate("ABCD")}
        line["resps"] += [[["0.0", "False"]]] * count
    done = do_import(write_lines(lines, "prior.jsonl"), quiz())
    assert [r["answer"] for r in done.records.values()] == [
        r["answer"] for r in do_import(logs / LETTERS, quiz()).records.values()
    ]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"resps": []}, "resps"),
        ({"resps": [[-1.5]]}, "a log-likelihood an option"),
        ({"arguments": {}}, "arguments: expected context and continuation"),
        (
            {"arguments": {f"gen_args_{i}": {"arg_0": f"c{i}", "arg_1": "x"} for i in range(4)}},
            "expected 2 to 10 options",
        ),
        ({"doc": "text"}, "doc: "),
    ],
)
def test_a_line_of_another_kind_is_listed(do_import, logs, quiz, write_lines, change, part):
    lines = lines_of(logs / LETTERS)
    lines[3] |= change
    with pytest.raises(DataError, match=r"1 unreadable line of 6: line 4 ") as error:
        do_import(write_lines(lines), quiz())
    assert part in str(error.value)
