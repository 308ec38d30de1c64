"""Real logs of other harnesses over MedQA questions, beside the checkout: what each comes to, recounted by hand."""

import pytest

from rimbench.store import read_manifest

TOML = (
    'description = "the whole file"\nn = 5000\n[[layout]]\nname = "original release"\nquestion = "question"\n'
    'options = "options"\ngold = { letter = "answer_idx" }\n'
)


@pytest.fixture
def real(do_import, shared_data, tmp_path):
    def run(path, *options):
        (tmp_path / "whole.toml").write_text(TOML)
        folder, _, name = path.rpartition("/")
        [log] = shared_data(folder).glob(name)
        data = shared_data("medqa/phrases_no_exclude_test.jsonl")
        return do_import(log, tmp_path / "whole.toml", "--data", str(data), *options)

    return run


def answers(done):
    """Letters by item and sample, in the suite's letters."""
    return {key: r["answer"] for key, r in done.records.items()}


@pytest.mark.parametrize(
    ("path", "own", "ours", "differing", "samples"),
    [
        ("logs/lm_eval/samples_mq_letters_*", 0.25, 0.25, 0, {0}),
        ("logs/lm_eval/samples_mq_texts_*", 0.25, 0.25, 0, {0}),
        # "The best next step is not A. So the answer is D." is A to the harness's first match, for two of four.
        ("logs/lm_eval/samples_mq_gen1_*", 0.5, 0.0, 2, {0}),
        # Eight draws: the harness scores the first, once reading the A of "not A".
        ("logs/lm_eval/samples_mq_gen_*", 0.25, 0.5, 1, set(range(1, 9))),
    ],
)
def test_a_log_of_lm_eval(real, path, own, ours, differing, samples):
    done = real(path)
    assert (done.document["own"]["accuracy"], done.document["own"]["ours"]) == (own, ours)
    assert (done.document["n"], len(done.document["differing"])) == (4, differing)
    assert {sample for _, sample in done.records} == samples


@pytest.mark.parametrize(
    ("path", "own", "ours", "differing", "n"),
    [
        ("logs/lighteval/details_mq_letters*", 0.25, 0.25, 0, 4),
        ("logs/lighteval/details_mq_texts*", 0.5, 0.5, 0, 4),
        # "A. Anxiety" and the like: the harness asks for the letter alone (em), and two of them are right.
        ("logs/lighteval/details_mq_gen*", 0.0, 0.5, 2, 4),
        ("logs/evalscope/repeats1_reviews*", 0.0, 0.0, 0, 6),
        ("logs/evalscope/repeats3_reviews*", 0.0, 0.0, 0, 3),
        # " a" is right here, and no letter to HELM.
        ("logs/helm/multiple_choice_joint/scenario_state.json", 0.25, 0.5, 1, 4),
        ("logs/helm/multiple_choice_separate_original/scenario_state.json", 0.5, 0.5, 0, 4),
        ("logs/opencompass/results_medqa40.json", 0.0, 0.0, 0, 4),
        ("logs/opencompass/results_medqa40_n3.json", 17 / 24, 17 / 24, 0, 4),
        ("logs/every_eval_ever/medqa40_samples.jsonl", 1 / 6, 1 / 6, 0, 6),
        ("logs/every_eval_ever/mq_letters.json", 0.0, 0.0, 0, 3),
        ("logs/every_eval_ever/mq_texts_samples.jsonl", 0.0, 0.0, 0, 2),
        ("logs/simple_evals/mmlu_stub_allresults.json", 0.0, 0.0, 0, 3),
    ],
)
def test_a_log_of_another_harness(real, path, own, ours, differing, n):
    done = real(path)
    assert done.document["own"]["accuracy"] == pytest.approx(own)
    assert done.document["own"]["ours"] == pytest.approx(ours)
    assert (done.document["n"], len(done.document["differing"])) == (n, differing)


def test_the_answers_of_helm_asked_for_each_option_are_its_predicted_indices(real):
    done = real("logs/helm/multiple_choice_separate_original/scenario_state.json")
    # m00 to m03 are rows 50 to 53 of the data; the harness's predicted_index of them is 3, 2, 1 and 2.
    assert sorted(answers(done).values()) == ["B", "C", "C", "D"]


def test_the_settings_and_the_versions_of_lm_eval(real):
    drawn = read_manifest(real("logs/lm_eval/samples_mq_gen_*").folder).identity.answer
    assert (drawn.temperature, drawn.max_new_tokens) == (0.7, 12)
    manifest = read_manifest(real("logs/lm_eval/samples_mq_letters_*").folder)
    assert manifest.versions == {
        "lm_eval": "0.4.13", "transformers": "5.24.0", "torch": "2.13.0+cpu", "python": "3.11.7",
    }  # fmt: skip
    assert manifest.model_source.source.startswith("smol (main) in samples_mq_letters_")


@pytest.mark.parametrize(
    ("path", "n", "errors", "accuracy", "samples"),
    [
        ("logs/inspect/plain/*", 4, 0, 0.25, {0}),
        ("logs/inspect/errors/*", 3, 2, 1 / 3, {0}),
        ("logs/inspect/epochs4/*", 2, 0, 0.125, {1, 2, 3, 4}),
        ("logs/inspect/hf_logprobs.json", 3, 0, 0.0, {1}),
    ],
)
def test_a_log_of_inspect(real, path, n, errors, accuracy, samples):
    pytest.importorskip("inspect_ai.log", reason="the extra rimbench[inspect] is not installed")
    done = real(path)
    assert (done.document["n"], len(done.document["errors"])) == (n, errors)
    assert done.document["accuracy"] == done.document["own"]["accuracy"] == pytest.approx(accuracy)
    assert {sample for _, sample in done.records} == samples
    assert done.document["versions"] == {"inspect_ai": "0.3.285"}


def test_a_log_of_inspect_with_options_that_the_solver_shuffled(real):
    pytest.importorskip("inspect_ai.log", reason="the extra rimbench[inspect] is not installed")
    done = real("logs/inspect/shuffle_solver/*")
    # m15, m20 and m29 are rewritten in the log's own letters; m30 says "The answer is C", and was shown
    # A) Vesicular rash B) Gastroenteritis C) Painful dermatomal vesicles D) Lymphadenopathy: that is the suite's B.
    assert sorted(answers(done).values()) == ["B", "B", "D", "D"]
    [turned] = done.document["reordered_items"]
    assert done.records[turned, 0]["text"] == "The answer is C" and done.records[turned, 0]["answer"] == "B"
