"""A log that inspect_ai 0.3.285 wrote, in `logs`: two epochs of the quiz; read where the extra is installed."""

import sys

import pytest

from rimbench.errors import DataError, RimbenchError
from rimbench.store import read_manifest


def test_without_the_package_one_line_says_what_to_install(do_import, logs, quiz, monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    with pytest.raises(RimbenchError, match=r"not installed: pip install 'rimbench\[inspect\]'"):
        do_import(logs / "quiz.eval", quiz())


@pytest.fixture
def inspect_log():
    return pytest.importorskip("inspect_ai.log", reason="the extra rimbench[inspect] is not installed")


def statuses(done, sample):
    return {item: (r["status"], r["answer"]) for (item, s), r in done.records.items() if s == sample}


def test_what_became_of_each_answer_is_told_apart(do_import, logs, quiz, inspect_log):
    done = do_import(logs / "quiz.eval", quiz())
    assert statuses(done, 0) == {
        "q-1": ("ok", "B"),
        "q-2": ("ok", "C"),
        "q-3": ("ok", "A"),
        "q-4": ("truncated", None),
        "q-5": ("refused", None),
        "q-6": ("no_answer", None),
    }
    assert statuses(done, 1) == statuses(done, 0)
    assert done.records["q-1", 0]["text"] == "Mars is red.\n\nANSWER: B"
    assert done.records["q-1", 0]["prompt_tokens"] > 0
    assert "sample 0 is not greedy: the log's temperature is 0.5" in done.notes
    assert "scores otherwise" not in done.notes
    manifest = read_manifest(done.folder)
    assert manifest.model_source["source"] == "mockllm/model in quiz.eval"
    assert manifest.versions["inspect_ai"] and manifest.identity["system"]["answer"]["temperature"] == 0.5


def test_the_json_form_gives_the_same_records(do_import, logs, quiz, inspect_log, tmp_path):
    log = inspect_log.read_eval_log(str(logs / "quiz.eval"))
    inspect_log.write_eval_log(log, str(tmp_path / "quiz.json"))
    as_json = do_import(tmp_path / "quiz.json", quiz())
    assert as_json.document["format"] == "inspect"
    assert as_json.records == do_import(logs / "quiz.eval", quiz()).records


def test_choices_that_the_log_shuffled_are_carried_over(do_import, logs, quiz, inspect_log, tmp_path):
    log = inspect_log.read_eval_log(str(logs / "quiz.eval"))
    for sample in log.samples:
        sample.choices = sample.choices[::-1]
        sample.target = "DCBA"["ABCD".index(sample.target)]
    inspect_log.write_eval_log(log, str(tmp_path / "shuffled.json"))
    done = do_import(tmp_path / "shuffled.json", quiz())
    assert [statuses(done, 0)[f"q-{i}"][1] for i in (1, 2, 3)] == ["C", "B", "D"]


def test_a_whole_prompt_is_matched_by_the_question_and_options_in_it(do_import, logs, quiz, inspect_log, tmp_path):
    log = inspect_log.read_eval_log(str(logs / "quiz.eval"))
    for sample in log.samples:
        lines = [f"{letter}) {text}" for letter, text in zip("ABCD", sample.choices, strict=True)]
        sample.input = "\n".join(["Answer the question.", sample.input, *lines])
        sample.choices = None
    inspect_log.write_eval_log(log, str(tmp_path / "prompts.json"))
    done = do_import(tmp_path / "prompts.json", quiz())
    assert statuses(done, 0) == statuses(do_import(logs / "quiz.eval", quiz()), 0)


def test_an_answer_that_an_error_ended_is_an_engine_error(do_import, logs, quiz, inspect_log, tmp_path):
    from inspect_ai._util.error import EvalError

    log = inspect_log.read_eval_log(str(logs / "quiz.eval"))
    log.status = "error"
    sample = log.samples[0]
    sample.error = EvalError(message="rate\nlimit", traceback="", traceback_ansi="")
    sample.output.choices = []
    inspect_log.write_eval_log(log, str(tmp_path / "failed.json"))
    done = do_import(tmp_path / "failed.json", quiz())
    assert statuses(done, 0)["q-1"] == ("engine_error", None)
    assert done.records["q-1", 0]["text"] == "rate limit"
    assert "the log's status is 'error'" in done.notes


def test_a_torn_log_is_one_line(do_import, logs, quiz, inspect_log, tmp_path):
    content = (logs / "quiz.eval").read_bytes()
    (tmp_path / "torn.eval").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="inspect_ai cannot read it") as error:
        do_import(tmp_path / "torn.eval", quiz(), "--format", "inspect")
    assert "\n" not in str(error.value)
