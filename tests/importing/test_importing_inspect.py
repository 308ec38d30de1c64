"""A log that inspect_ai 0.3.285 wrote, in `logs`: two epochs of the quiz; read where the extra is installed."""

import sys
import zipfile

import pytest

from rimbench import importing
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
    assert statuses(done, 1) == {
        "q-1": ("ok", "B"),
        "q-2": ("ok", "C"),
        "q-3": ("ok", "A"),
        "q-4": ("truncated", None),
        "q-5": ("refused", None),
        "q-6": ("no_answer", None),
    }
    assert statuses(done, 2) == statuses(done, 1) and not statuses(done, 0)
    assert done.records["q-1", 1]["text"] == "Mars is red.\n\nANSWER: B"
    assert done.records["q-1", 1]["prompt_tokens"] > 0
    assert "answers are draws 1 to 2, at temperature 0.5, so that none is greedy" in done.notes
    assert "scores otherwise" not in done.notes
    manifest = read_manifest(done.folder)
    assert manifest.model_source.source == "mockllm/model in quiz.eval"
    assert manifest.versions == {"inspect_ai": "0.3.285"} and manifest.identity.answer.temperature == 0.5


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
    assert [statuses(done, 1)[f"q-{i}"][1] for i in (1, 2, 3)] == ["C", "B", "D"]


def test_a_whole_prompt_is_matched_by_the_question_and_options_in_it(do_import, logs, quiz, inspect_log, tmp_path):
    log = inspect_log.read_eval_log(str(logs / "quiz.eval"))
    for sample in log.samples:
        lines = [f"{letter}) {text}" for letter, text in zip("ABCD", sample.choices, strict=True)]
        sample.input = "\n".join(["Answer the question.", sample.input, *lines])
        sample.choices = None
    inspect_log.write_eval_log(log, str(tmp_path / "prompts.json"))
    done = do_import(tmp_path / "prompts.json", quiz())
    assert statuses(done, 1) == statuses(do_import(logs / "quiz.eval", quiz()), 1)


def test_an_answer_that_an_error_ended_is_an_engine_error(do_import, logs, quiz, inspect_log, tmp_path):
    from inspect_ai._util.error import EvalError

    log = inspect_log.read_eval_log(str(logs / "quiz.eval"))
    log.status = "error"
    sample = log.samples[0]
    sample.error = EvalError(message="rate\nlimit", traceback="", traceback_ansi="")
    sample.output.choices = []
    inspect_log.write_eval_log(log, str(tmp_path / "failed.json"))
    done = do_import(tmp_path / "failed.json", quiz())
    assert statuses(done, 1)["q-1"] == ("engine_error", None)
    assert done.records["q-1", 1]["text"] == "rate limit"
    assert "the log's status is 'error'" in done.notes


def test_a_torn_log_is_one_line(do_import, logs, quiz, inspect_log, tmp_path):
    content = (logs / "quiz.eval").read_bytes()
    (tmp_path / "torn.eval").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="inspect_ai cannot read it") as error:
        do_import(tmp_path / "torn.eval", quiz(), "--format", "inspect")
    assert "\n" not in str(error.value)


ORDER = (
    "Choices were shuffled before generating a response, the following was sent to the model:\n\n"
    "A) {0}\nB) {1}\nC) {2}\nD) {3}\nShuffled answer:\nANSWER: {4}"
)


def test_a_log_nested_as_deep_as_no_log_is_goes_not_to_the_package(do_import, logs, quiz, inspect_log, tmp_path):
    deep = '{"more": ' + "[" * 600 + "]" * 600 + "}"
    with zipfile.ZipFile(logs / "quiz.eval") as log, zipfile.ZipFile(tmp_path / "deep.eval", "w") as made:
        for name in log.namelist():
            made.writestr(name, log.read(name))
        made.writestr("samples/q-7_epoch_1.json", deep)
    fault = "its entry samples/q-7_epoch_1.json is nested more than 200 levels deep"
    with pytest.raises(DataError, match=fault):
        do_import(tmp_path / "deep.eval", quiz())
    (tmp_path / "deep.json").write_text('{"version": 2, "status": "success", "eval": ' + deep + "}")
    with pytest.raises(DataError, match="it is nested more than 200 levels deep"):
        importing.read(tmp_path / "deep.json", "inspect")


@pytest.fixture
def shuffled(logs, inspect_log, tmp_path):
    """The quiz as a solver that turned the options round answered it: once for each (text, the score's answer)."""

    def write(texts, *, explained=True, scored=True, order=(3, 2, 1, 0), name="shuffled.json"):
        log = inspect_log.read_eval_log(str(logs / "quiz.eval"))
        log.samples = [sample for sample in log.samples if sample.epoch == 1][: len(texts)]
        log.plan.steps[0].params["shuffle"] = "Random"
        for sample, (text, answer) in zip(log.samples, texts, strict=True):
            sample.output.completion = text
            sample.output.choices[0].stop_reason = "stop"
            score = next(iter(sample.scores.values()))
            shown = [sample.choices[place] for place in order]
            score.answer = answer
            score.explanation = ORDER.format(*shown, answer) if explained else text
            sample.scores = {"choice": score} if explained else {"match": score} if scored else {}
        inspect_log.write_eval_log(log, str(tmp_path / name))
        return tmp_path / name

    return write


TEXTS = [("ANSWER: B", "B"), ("The answer is C", ""), ("I think it is (D).", ""), ("no idea", "")]


def test_of_shuffled_choices_a_text_that_was_not_parsed_is_read_in_the_order_that_was_shown(
    do_import, shuffled, quiz
):
    done = do_import(shuffled(TEXTS), quiz())
    # Parsed: in the log's own letters. Not parsed: shown as D C B A, so that C is B and D is A.
    assert [statuses(done, 1)[f"q-{i}"] for i in range(1, 5)] == [
        ("ok", "B"), ("ok", "B"), ("ok", "A"), ("no_answer", None),
    ]  # fmt: skip
    assert sorted(done.document["reordered_items"]) == ["q-2", "q-3", "q-4"]
    assert read_manifest(done.folder).identity.answer.extraction is None


def test_a_solver_of_somebody_elses_that_shuffles_and_rewrites_nothing_is_read_in_the_shown_order(
    do_import, shuffled, quiz
):
    done = do_import(shuffled([("ANSWER: A", "D"), ("ANSWER: C", "B")]), quiz())
    assert [statuses(done, 1)[f"q-{i}"] for i in (1, 2)] == [("ok", "D"), ("ok", "B")]


@pytest.mark.parametrize("scored", [True, False])
def test_without_the_order_no_letter_is_taken_from_a_text_that_was_not_parsed(do_import, shuffled, quiz, scored):
    done = do_import(shuffled(TEXTS, explained=False, scored=scored), quiz())
    assert [statuses(done, 1)[f"q-{i}"] for i in range(1, 5)] == [
        ("ok", "B"), ("no_answer", None), ("no_answer", None), ("no_answer", None),
    ]  # fmt: skip
    assert sorted(done.document["unknown_order"]) == ["q-2", "q-3", "q-4"]
    assert "an order that the file does not tell, so that no letter is taken: 3 (" in done.notes
    assert done.records["q-2", 1]["text"] == "The answer is C"
    assert read_manifest(done.folder).identity.answer.extraction is None


def test_options_of_several_lines_that_begin_alike_are_told_apart_in_the_shown_order():
    from rimbench.importing.formats.inspect import _ordered

    choices = ("a", "a\nB) b", "b")
    assert _ordered("A) a\nB) b\nB) b\nC) a", choices) == ("a\nB) b", "b", "a")
    assert _ordered("A) a\nB) a\nB) b\nC) b", choices) == choices
    assert _ordered("A) a\nB) other\nC) b", choices) is None


def test_what_inspect_ai_did_not_score_is_not_in_its_accuracy(do_import, logs, quiz, inspect_log, tmp_path):
    from inspect_ai._util.error import EvalError

    log = inspect_log.read_eval_log(str(logs / "quiz.eval"))
    log.samples = [sample for sample in log.samples if sample.epoch == 1]
    for sample in log.samples[:3]:
        sample.error = EvalError(message="down", traceback="", traceback_ansi="")
        sample.scores = {}
    inspect_log.write_eval_log(log, str(tmp_path / "failed.json"))
    done = do_import(tmp_path / "failed.json", quiz())
    assert (done.document["n"], len(done.document["errors"]), done.document["own"]["n"]) == (3, 3, 3)
    assert done.document["own"]["accuracy"] == done.document["own"]["ours"] == done.document["accuracy"]
