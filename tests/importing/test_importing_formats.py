"""Every format that is found keeps the contract, and takes its own files only."""

import pytest

from rimbench.importing import formats, reading
from rimbench.plugins import load_module

FILES = {
    "details_quiz_letters_2026-11-27.parquet": "lighteval",
    "evalscope/quiz_reviews.jsonl": "evalscope",
    "every_eval_ever/quiz_samples.jsonl": "every-eval-ever",
    "helm/scenario_state.json": "helm",
    "openai_batch/quiz_output.jsonl": "openai-batch",
    "opencompass/results_quiz.json": "opencompass",
    "quiz.eval": "inspect",
    "samples_quiz_letters_2026-11-22.jsonl": "lm-eval",
    "samples_quiz_written_2026-11-22.jsonl": "lm-eval",
    "quiz.csv": "plain",
    "simple_evals/quiz_stub_allresults.json": "simple-evals",
}


def test_every_format_has_a_file_here():
    assert set(FILES.values()) == set(reading.format_names())


def modules():
    return {name: load_module(formats, name.replace("-", "_"), "format") for name in reading.format_names()}


@pytest.mark.parametrize("name", reading.format_names())
def test_a_format_says_what_it_expects_and_does_not_recognise_a_file_that_shows_nothing(name):
    module = modules()[name]
    assert module.EXPECTS and module.__doc__
    assert not module.recognises(reading.Glimpse())
    assert callable(module.read)


@pytest.mark.parametrize(("file", "expected"), FILES.items())
def test_a_file_is_recognised_by_one_format(logs, file, expected):
    glimpse = reading.glimpse(logs / file)
    assert [name for name, module in modules().items() if module.recognises(glimpse)] == [expected]


@pytest.mark.parametrize(("file", "expected"), FILES.items())
def test_a_file_of_each_format_becomes_a_run_of_its_answers(do_import, logs, quiz, file, expected):
    if expected == "inspect":
        pytest.importorskip("inspect_ai.log", reason="the extra rimbench[inspect] is not installed")
    done = do_import(logs / file, quiz())
    assert (done.document["format"], done.document["n"]) == (expected, 6)
