"""Repeated answers are draws: none is greedy, pass@n exists, and the mean over the draws is the headline."""

import json

import pytest

from rimbench.reporting.document import as_document
from rimbench.reporting.summary import summarise
from rimbench.store import read_manifest


@pytest.fixture
def repeated(quiz_rows, write_lines):
    """A log of lm-evaluation-harness with n repeats of each question, of which the first `right` are right."""

    def write(n, right, name="samples_quiz.jsonl", filters=("none",), **settings):
        lines = []
        for place, (item_id, question, options, gold) in enumerate(quiz_rows):
            other = next(letter for letter in "ABCD" if letter != gold)
            texts = [f"Answer: {gold if i < right else other}" for i in range(n)]
            doc = {"id": item_id, "question": question, "options": options}
            arguments = {"gen_args_0": {"arg_0": question, "arg_1": {"until": ["\n"], **settings}}}
            for filter_ in filters:
                score = float(right > n / 2 if filter_.startswith("maj") else right > 0)
                lines.append({
                    "doc_id": place, "doc": doc, "target": gold, "arguments": arguments, "resps": [texts],
                    "filtered_resps": [texts[0]], "filter": filter_, "metrics": ["exact_match"], "prompt_hash": "p",
                    "exact_match": score,
                })  # fmt: skip
        return write_lines(lines, name)

    return write


def test_eight_repeats_at_a_temperature_are_eight_draws_and_none_is_greedy(do_import, repeated, quiz, tmp_path):
    done = do_import(repeated(8, 1, do_sample=True, temperature=0.6, top_p=0.95), quiz())
    assert {sample for _, sample in done.records} == set(range(1, 9))
    assert (done.document["n"], done.document["answers"], done.document["right"]) == (6, 48, 6)
    assert (done.document["accuracy"], done.document["accuracy_of"]) == (0.125, "mean over draws")
    assert "at temperature 0.6, so that none is greedy: the headline is the mean over the draws" in done.notes
    [cell] = as_document(summarise(tmp_path / "results"))["cells"]
    assert (cell["greedy_accuracy"], cell["mean_over_draws"]["value"]) == (None, 0.125)
    assert cell["pass_at_k"]["8"]["value"] == 1
    manifest = read_manifest(done.folder)
    answer = manifest.identity.answer
    assert (manifest.samples, answer.temperature, answer.top_p) == (8, 0.6, 0.95)


@pytest.mark.parametrize(
    ("settings", "temperature", "samples", "said"),
    [
        ({"do_sample": True, "temperature": 0.7}, 0.7, {1}, "every item has one draw, at temperature 0.7"),
        ({"temperature": "0.7"}, 0.7, {1}, "every item has one draw, at temperature 0.7"),
        ({"do_sample": True}, None, {1}, "the file states no temperature"),
        ({"do_sample": True, "temperature": 0}, 0.0, {0}, ""),
        ({"do_sample": False}, 0.0, {0}, ""),
        ({"do_sample": False, "temperature": 0.7}, 0.0, {0}, ""),  # the harness decodes greedily then
        ({}, None, {0}, "states no temperature: whether its answers are greedy is not known"),
    ],
)
def test_a_single_answer_is_greedy_unless_it_was_drawn(
    do_import, repeated, quiz, settings, temperature, samples, said
):
    done = do_import(repeated(1, 1, **settings), quiz())
    assert {sample for _, sample in done.records} == samples
    assert done.document["temperature"] == temperature and said in done.notes


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"do_sample": False}, "draws 1 to 3, at temperature 0, where they differ by what their machine did alone"),
        ({}, "draws 1 to 3, the file states no temperature, and none of them is known to be greedy"),
    ],
)
def test_repeats_at_temperature_0_or_at_an_unknown_one_are_draws_too(do_import, repeated, quiz, settings, said):
    done = do_import(repeated(3, 2, **settings), quiz())
    assert {sample for _, sample in done.records} == {1, 2, 3} and said in done.notes
    assert done.document["accuracy"] == pytest.approx(2 / 3)


def test_a_vote_of_the_draws_is_no_answer_and_its_score_is_told_apart(do_import, repeated, quiz):
    done = do_import(repeated(8, 1, filters=("take_first", "maj@8"), temperature=0.6, do_sample=True), quiz())
    assert len(done.records) == 48
    assert done.document["own_figures"] == {
        "exact_match (take_first)": {"value": 1.0, "n": 6},
        "exact_match (maj@8)": {"value": 0.0, "n": 6},
    }
    # The first filter's score is that of the first draw.
    assert done.document["own"] == {"score": "exact_match (take_first)", "n": 6, "accuracy": 1.0, "ours": 1.0}
    votes = do_import(repeated(8, 1, "votes.jsonl", ("maj@8",), temperature=0.6, do_sample=True), quiz())
    assert votes.document["own"] is None and len(votes.records) == 48


def test_a_plain_file_states_its_temperature_in_a_column(do_import, quiz, quiz_rows, write_lines):
    rows = [
        {"item_id": i, "predicted": g if s == 0 else "A", "sample": s, "temperature": 0.8}
        for i, _, _, g in quiz_rows
        for s in range(4)
    ]
    done = do_import(write_lines(rows), quiz())
    assert {sample for _, sample in done.records} == {1, 2, 3, 4}
    greedy = [row | {"temperature": 0.8 if row["sample"] else 0} for row in rows]
    done = do_import(write_lines(greedy, "greedy.jsonl"), quiz())
    assert {sample for _, sample in done.records} == {0, 1, 2, 3}
    assert (done.document["accuracy"], done.document["temperature"]) == (1.0, 0.8)


def test_a_run_of_draws_alone_is_another_run_than_one_with_greedy_answers(do_import, quiz, quiz_rows, write_lines):
    rows = [{"item_id": i, "predicted": g, "sample": s} for i, _, _, g in quiz_rows for s in (1, 2)]
    done = do_import(write_lines(rows), quiz())
    assert read_manifest(done.folder).identity.imported.greedy == "none"
    again = do_import(write_lines(rows), quiz())
    assert again.document["imported_before"] and again.folder == done.folder
    json.dumps(done.document, allow_nan=False)


def test_a_report_says_where_the_temperature_is_not_known_and_imports_are_no_other_hardware(
    do_import, quiz, repeated, tmp_path
):
    do_import(repeated(1, 1), quiz())
    do_import(repeated(1, 1, "greedy.jsonl", do_sample=False), quiz(), system="others")
    notes = "\n".join(summarise(tmp_path / "results").notes)
    assert "temperature that is not known, so that the answers may not be greedy: them on quiz" in notes
    assert "others on quiz" not in notes.partition("may not be greedy")[2].split("\n")[0]
    assert "hardware" not in notes
