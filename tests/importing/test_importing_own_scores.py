"""The harness's own scores beside ours, `acc` and `acc_norm` apart, and where a log's model and versions stand."""

import json
import shutil

import pytest

from rimbench.errors import DataError, UsageError
from rimbench.store import read_manifest

TEXTS = "samples_quiz_texts_2026-11-22.jsonl"
WRITTEN = "samples_quiz_written_2026-11-22.jsonl"
TOTALS = {
    "results": {"quiz_texts": {"sample_len": 6, "acc,none": 0.5, "acc_norm,none": 0.9}},
    "configs": {"quiz_texts": {}},
    "config": {"model": "hf", "model_args": {"pretrained": "org/small"}, "model_sha": "abc"},
    "lm_eval_version": "0.4.13",
    "transformers_version": "4.1",
    "pretty_env_info": "PyTorch version: 2.2.0+cu121\nIs debug build: False\nPython version: 3.10.1 (main)",
}


def lines_of(path):
    return [json.loads(line) for line in path.open()]


def test_the_items_that_the_harness_scores_otherwise_are_all_listed(do_import, logs, quiz, write_lines):
    lines = lines_of(logs / TEXTS)
    for line in lines:
        line["acc"] = 1.0
    done = do_import(write_lines(lines), quiz())
    assert done.document["own"] == {"score": "acc", "n": 6, "accuracy": 1.0, "ours": 0.5}
    wrong = [item for (item, _), r in done.records.items() if r["answer"] != r["gold"]]
    assert len(wrong) == 3 and sorted(done.document["differing"]) == sorted(wrong)
    assert "by the harness's own acc 1.0000, here 0.5000 of the same (3 of 6 items differ)" in done.notes


def test_acc_is_the_usual_score_and_acc_norm_is_another_run(do_import, logs, quiz, write_lines):
    lines = lines_of(logs / TEXTS)
    for line in lines:  # the longest option has the lowest log-likelihood, and the highest for its length
        texts = [f" {text}" for text in ("a", "a longer option than all others", "bb", "ccc")]
        for asked, text in zip(line["arguments"].values(), texts, strict=True):
            asked["arg_1"] = text
        line["doc"] = {"question": line["doc"]["question"], "choices": [text.strip() for text in texts]}
        line["resps"] = [[["-2.0", "False"]], [["-8.0", "False"]], [["-3.0", "False"]], [["-4.0", "False"]]]
        line |= {"target": "1", "acc": 0.0, "acc_norm": 1.0}
    rows = [(f"q-{i}", lines[i - 1]["doc"]["question"], lines[0]["doc"]["choices"], "B") for i in range(1, 7)]
    path = write_lines(lines)
    plain = do_import(path, quiz(rows))
    assert {r["answer"] for r in plain.records.values()} == {"A"}
    assert "highest log-likelihood (acc); the log scores acc_norm too: --score acc_norm" in plain.notes
    normed = do_import(path, quiz(rows), "--score", "acc_norm")
    assert {r["answer"] for r in normed.records.values()} == {"B"} and normed.folder != plain.folder
    assert normed.document["own"] == {"score": "acc_norm", "n": 6, "accuracy": 1.0, "ours": 1.0}
    assert plain.document["own"] == {"score": "acc", "n": 6, "accuracy": 0.0, "ours": 0.0}


def test_a_score_that_the_file_has_not_is_refused(do_import, logs, quiz, write_lines):
    with pytest.raises(UsageError, match=r"--score acc_bytes: .* can be read by acc or acc_norm"):
        do_import(logs / TEXTS, quiz(), "--score", "acc_bytes")
    with pytest.raises(UsageError, match=r"--score acc: .* can be read by exact_match"):
        do_import(logs / WRITTEN, quiz(), "--score", "acc")
    with pytest.raises(UsageError, match=r"--score acc: .* can be read by none"):
        do_import(write_lines([{"item_id": "q-1", "predicted": "A"}]), quiz(), "--score", "acc")


@pytest.fixture
def beside(logs, tmp_path):
    """The texts' log in a folder of its own, with the totals of the same run beside it."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(logs / TEXTS, folder)
    (folder / "results_2026-11-22.json").write_text(json.dumps(TOTALS))
    return folder


def test_model_and_versions_are_those_of_the_totals_beside_the_samples(do_import, beside, quiz):
    done = do_import(beside / TEXTS, quiz())
    manifest = read_manifest(done.folder)
    assert manifest.model_source.source == f"org/small (abc) in {TEXTS}"
    assert manifest.versions == {
        "lm_eval": "0.4.13",
        "transformers": "4.1",
        "torch": "2.2.0+cu121",
        "python": "3.10.1",
    }
    assert "results_2026-11-22.json states acc_norm 0.9000 of 6, and the samples come to 0.5000 of 6" in done.notes
    assert "states acc 0.5" not in done.notes


def test_without_totals_nothing_of_this_machine_stands_in_the_run(do_import, logs, quiz):
    manifest = read_manifest(do_import(logs / TEXTS, quiz()).folder)
    assert (manifest.versions, manifest.commit, manifest.dirty) == ({}, None, None)
    assert manifest.device == {"kind": "unknown"}


def test_a_file_of_totals_stands_for_the_samples_beside_it(do_import, beside, quiz):
    named = do_import(beside / "results_2026-11-22.json", quiz())
    assert named.folder == do_import(beside / TEXTS, quiz()).folder and named.document["format"] == "lm-eval"
    shutil.copy(beside / TEXTS, beside / TEXTS.replace("texts", "more"))
    with pytest.raises(
        DataError, match=r"totals of 2 tasks: give the samples of one of them: samples_quiz_more_.*, sa"
    ):
        do_import(beside / "results_2026-11-22.json", quiz())


@pytest.mark.parametrize("name", ["results_2026-11-23.json", "renamed.json"])
def test_totals_without_samples_say_what_to_give(do_import, beside, quiz, name):
    (beside / name).write_text(json.dumps(TOTALS, indent=2))
    with pytest.raises(DataError, match=r"holds totals and no single answer: give the samples_\*\.jsonl"):
        do_import(beside / name, quiz())


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"results": 3}', '{"results": {"quiz_texts": [1]}, "config": 0}']
)
def test_totals_that_cannot_be_read_leave_the_samples_readable(do_import, beside, quiz, content):
    (beside / "results_2026-11-22.json").write_text(content)
    assert len(do_import(beside / TEXTS, quiz()).records) == 6


def test_what_differs_is_told_by_the_first_answer_that_differs_in_as_many_looks_as_there_are_answers(quiz):
    from rimbench.importing import load_target, match
    from rimbench.importing.answers import AnswerFile, ForeignAnswer
    from rimbench.importing.outcome import sum_up
    from rimbench.records import Record

    looked = []

    class Counted(tuple):
        def __iter__(self):
            looked.append(len(self))
            return super().__iter__()

    target = load_target(str(quiz()), None)
    said = [
        ("q-1", 1, "B", 1.0, "B"),
        ("q-1", 2, "A", 1.0, ""),
        ("q-1", 3, "C", 1.0, "B"),
        ("q-2", 1, "C", 0.0, None),
    ]
    answers = [ForeignAnswer(i, n, "letter", letter, score=score, taken=taken) for i, n, letter, score, taken in said]
    matching = match(answers, target, "here")
    matching = type(matching)(Counted(matching.matches), (), (), (), ())
    records = [
        Record(m.item.item_id, m.answer.sample, m.item.gold, m.answer.letter, "ok", "", None, 0, 0, "")
        for m in tuple(matching.matches)
    ]
    looked.clear()
    found = sum_up(AnswerFile(tuple(answers), "letters", score="acc"), target.suite, matching, records)
    assert tuple(sorted(found.lists["differing_why"])) == ("q-1: none there, A here", "q-2: C here")
    assert len(looked) < 12
