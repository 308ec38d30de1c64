"""Two real systems' answers, as published: the plain accuracies are those that anyone can recount."""

import json

import pytest

from rimbench.reporting.summary import summarise_pair

MEDQA, MEDMCQA = "medqa/phrases_no_exclude_test.jsonl", "medmcqa/dev.json"
TOML = 'description = "the whole file"\nn = 5000\n[[layout]]\nname = "original release"\nquestion = "question"\n'
MEDQA_TOML = TOML + 'options = "options"\ngold = { letter = "answer_idx" }\n'
MEDMCQA_TOML = TOML + (
    'id = "id"\noptions = ["opa", "opb", "opc", "opd"]\ngold = { index = "cop", base = "auto" }\n'
    'filter = { choice_type = "single" }\n'
)


def answers_of(path):
    return {row["item_id"]: row for row in map(json.loads, path.open())}


@pytest.mark.parametrize(("system", "accuracy"), [("gpt-4o-mini", 0.7337), ("QwQ-32B-Preview", 0.7133)])
def test_the_whole_of_medqa(do_import, shared_data, tmp_path, system, accuracy):
    (tmp_path / "whole.toml").write_text(MEDQA_TOML)
    answers = shared_data(f"predictions/medqa/{system}.jsonl")
    done = do_import(answers, tmp_path / "whole.toml", "--data", str(shared_data(MEDQA)), system=system)
    assert (done.document["n"], round(done.document["accuracy"], 4)) == (1273, accuracy)
    assert done.document["not_in_suite"] == done.document["unanswered"] == []


@pytest.mark.parametrize(("system", "accuracy"), [("gpt-4o-mini", 0.6598), ("QwQ-32B-Preview", 0.6765)])
def test_the_single_questions_of_medmcqa_less_those_with_two_equal_options(
    do_import, shared_data, tmp_path, system, accuracy
):
    (tmp_path / "whole.toml").write_text(MEDMCQA_TOML)
    path = shared_data(f"predictions/medmcqa/{system}.jsonl")
    done = do_import(path, tmp_path / "whole.toml", "--data", str(shared_data(MEDMCQA)), system=system)
    answers = answers_of(path)
    whole = done.document["whole_file"]
    assert (whole["n"], round(whole["accuracy"], 4)) == (2816, accuracy)
    # 14 of the 21 questions with equal options are `single`: recounted by hand, over all rows and without them.
    right = [item_id for item_id, row in answers.items() if row["predicted"] == row["gold"]]
    faulty = set(done.document["faulty_rows"])
    assert (len(faulty), round(len(right) / len(answers), 4)) == (14, accuracy)
    assert (done.document["n"], done.document["right"]) == (2802, len(set(right) - faulty))


@pytest.mark.parametrize("system", ["gpt-4o-mini", "QwQ-32B-Preview"])
def test_the_frozen_samples_take_their_items_and_say_how_many_are_left_out(do_import, shared_data, system):
    medqa = do_import(
        shared_data(f"predictions/medqa/{system}.jsonl"), "medqa", "--data", str(shared_data(MEDQA)), system=system
    )
    assert (medqa.document["n"], len(medqa.document["beyond_sample"])) == (1000, 273)
    medmcqa = do_import(
        shared_data(f"predictions/medmcqa/{system}.jsonl"),
        "medmcqa",
        "--data",
        str(shared_data(MEDMCQA)),
        system=system,
    )
    found = {
        key: len(medmcqa.document[key]) for key in ("beyond_sample", "faulty_rows", "not_in_suite", "unanswered")
    }
    # 2,816 answers: 701 in the sample, 2,101 beyond it, 14 faulty; the other 299 of the sample are `multi`.
    assert found == {"beyond_sample": 2101, "faulty_rows": 14, "not_in_suite": 0, "unanswered": 299}


def test_the_two_systems_are_compared_item_by_item(do_import, shared_data, tmp_path):
    (tmp_path / "whole.toml").write_text(MEDQA_TOML)
    paths = {name: shared_data(f"predictions/medqa/{name}.jsonl") for name in ("gpt-4o-mini", "QwQ-32B-Preview")}
    for system, path in paths.items():
        do_import(path, tmp_path / "whole.toml", "--data", str(shared_data(MEDQA)), system=system)
    [pair], _ = summarise_pair(tmp_path / "results", *paths)
    a, b = (answers_of(path) for path in paths.values())
    delta = sum((a[i]["predicted"] == a[i]["gold"]) - (b[i]["predicted"] == b[i]["gold"]) for i in a) / len(a)
    assert pair.n == 1273
    assert pair.difference.value == pytest.approx(delta)
