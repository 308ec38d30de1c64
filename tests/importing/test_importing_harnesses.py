"""What the logs of other harnesses say in ways of their own, on logs in their form over a made-up quiz.

Of the quiz, q-1, q-2, q-4 and q-6 are answered right (B, C, D, C), q-3 and q-5 wrong (C and B).
"""

import json
import shutil

import pytest

from rimbench.errors import DataError, UsageError
from rimbench.store import read_manifest

ANSWERS = dict(zip((f"q-{i}" for i in range(1, 7)), "BCCDBC", strict=True))
PARQUET = "details_quiz_letters_2026-11-27.parquet"


def letters(done):
    return {item: r["answer"] for (item, _), r in done.records.items()}


@pytest.fixture
def change(logs, tmp_path):
    """A log whose document, or rows, were changed; beside it whatever lies beside it in `logs`."""

    def write(name, how):
        folder = tmp_path / "changed"
        if not folder.exists():
            shutil.copytree((logs / name).parent, folder, ignore=lambda _, names: [n for n in names if n == "logs"])
        path = folder / name.rpartition("/")[2]
        if path.suffix == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            rows = pq.read_table(path).to_pylist()
            pq.write_table(pa.Table.from_pylist(how(rows) or rows), path)
        elif path.suffix == ".jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            path.write_text("".join(json.dumps(row) + "\n" for row in how(rows) or rows))
        else:
            document = json.loads(path.read_text())
            path.write_text(json.dumps(how(document) or document))
        return path

    return write


@pytest.mark.parametrize(
    ("name", "score"),
    [
        (PARQUET, "acc"),
        ("evalscope/quiz_reviews.jsonl", "accuracy"),
        ("every_eval_ever/quiz_samples.jsonl", "acc"),
        ("opencompass/results_quiz.json", "accuracy"),
        ("simple_evals/quiz_stub_allresults.json", "score"),
    ],
)
def test_the_answers_are_those_of_the_log_and_the_accuracy_is_the_harnesses_own(do_import, logs, quiz, name, score):
    done = do_import(logs / name, quiz())
    assert letters(done) == ANSWERS
    assert done.document["own"] == {"score": score, "n": 6, "accuracy": 4 / 6, "ours": 4 / 6}
    assert done.document["differing"] == [] and " states " not in done.notes.replace("file states", "")


@pytest.mark.parametrize(
    "name", ["evalscope", "every_eval_ever", "helm", "openai_batch", "opencompass", "simple_evals"]
)
def test_a_folder_of_one_log_is_that_log(do_import, logs, quiz, name):
    done = do_import(logs / name, quiz())
    assert done.document["n"] == 6 and done.document["format"] == name.replace("_", "-")


def test_two_logs_in_one_folder_are_named(do_import, logs, quiz):
    with pytest.raises(DataError, match=r"holds \d+ logs: give one of them: ") as error:
        do_import(logs, quiz())
    assert "\n" not in str(error.value)


def test_files_of_no_known_format_in_a_folder_are_told(do_import, logs, quiz):
    assert "other files of the folder, no log by themselves: stats.json" in do_import(logs / "helm", quiz()).notes


MANY = [
    PARQUET,
    "evalscope/quiz_reviews.jsonl",
    "every_eval_ever/quiz_samples.jsonl",
    "helm/scenario_state.json",
    "openai_batch/quiz_output.jsonl",
    "opencompass/results_quiz.json",
    "simple_evals/quiz_stub_allresults.json",
]


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.99])
def test_a_cut_or_empty_log_is_one_line_and_nothing_is_imported(do_import, logs, quiz, tmp_path, name, share):
    content = (logs / name).read_bytes()
    path = tmp_path / name.rpartition("/")[2]
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError) as error:
        do_import(path, quiz())
    assert "\n" not in str(error.value) and not list(tmp_path.glob("results/*"))


@pytest.mark.parametrize("name", MANY)
def test_questions_that_the_suite_lacks_are_listed_and_the_others_imported(do_import, logs, quiz, quiz_rows, name):
    done = do_import(logs / name, quiz(quiz_rows[:4]))
    assert done.document["n"] == 4 and len(done.document["not_in_suite"]) == 2


@pytest.mark.parametrize("name", [name for name in MANY if "batch" not in name])
def test_a_log_whose_gold_disagrees_is_refused(do_import, logs, quiz, quiz_rows, name):
    other = [(i, q, o, "A" if i == "q-2" else g) for i, q, o, g in quiz_rows]
    with pytest.raises(DataError, match=r"gold letters of 1 of 6 matched items differ .*q-2 \(file C, suite A\)"):
        do_import(logs / name, quiz(other))


@pytest.mark.parametrize("name", [name for name in MANY if "batch" not in name])
def test_a_suite_in_another_order_of_options_gets_the_same_options(do_import, logs, quiz, quiz_rows, name):
    turned = [(i, q, o[::-1], "DCBA"["ABCD".index(g)]) for i, q, o, g in quiz_rows]
    found = letters(do_import(logs / name, quiz(turned)))
    assert found == {i: "DCBA"["ABCD".index(letter)] for i, letter in ANSWERS.items()} | (
        {"q-4": "A"} if "helm" in name else {}
    )


@pytest.mark.parametrize("name", MANY)
def test_the_keys_of_another_version_are_one_line_and_nothing_is_imported(do_import, change, quiz, tmp_path, name):
    def other(value):
        if isinstance(value, list):
            return [other(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        renamed = {"messages": "turns", "convos": "chats", "result": "outcome", "response": "reply", "output": "out"}
        renamed |= {"model_response": "response", "references": "golds"}
        return {renamed.get(key, key): other(inner) for key, inner in value.items()}

    with pytest.raises(DataError) as error:
        do_import(change(name, other), quiz())
    assert "\n" not in str(error.value) and not list(tmp_path.glob("results/*"))


@pytest.mark.parametrize("odd", [float("inf"), float("nan"), {"b": 1}, [None], "x"])
def test_settings_and_totals_of_another_kind_are_not_stated(do_import, change, quiz, odd):
    def stated(path):
        done = do_import(path, quiz())
        answer = read_manifest(done.folder).identity.answer
        assert done.document["n"] == 6 and "json states" not in done.notes
        shutil.rmtree(path.parent)
        return answer.temperature, answer.top_p, answer.max_new_tokens

    helm = "helm/scenario_state.json"
    assert stated(change(helm, lambda d: d["adapter_spec"].update(max_tokens=7))) == (0, None, 7)
    assert stated(change(helm, lambda d: d["adapter_spec"].update(max_tokens=odd))) == (0, None, None)
    batch = "openai_batch/quiz_requests.jsonl"
    assert stated(change(batch, lambda rows: [row["body"].update(top_p=0.5) for row in rows] and None)) == (
        0,
        0.5,
        64,
    )
    assert stated(change(batch, lambda rows: rows[0]["body"].update(max_tokens=odd, top_p=odd))) == (0, None, None)
    totals = "every_eval_ever/quiz.json"
    made = {"temperature": odd, "top_p": odd, "max_tokens": odd}
    other = {
        "evaluation_result_id": odd,
        "score_details": {"score": odd},
        "generation_config": {"generation_args": made},
    }
    assert stated(change(totals, lambda d: d["evaluation_results"][0].update(other))) == (None, None, None)


# lighteval


def test_a_likelihood_of_lighteval_has_probabilities_and_its_tokens_are_counted_without_padding(
    do_import, logs, quiz
):
    done = do_import(logs / PARQUET, quiz())
    first = done.records["q-1", 0]
    assert first["prompt_tokens"] == 4 and first["generated_tokens"] == 0
    assert first["option_logprobs"]["B"] - first["option_logprobs"]["A"] == pytest.approx(1)
    assert read_manifest(done.folder).identity.answer.mode == "readout"


def test_texts_of_lighteval_as_options_and_a_normalised_score(do_import, change, quiz, quiz_rows):
    def texts(rows):
        for row in rows:
            _, question, options, _ = quiz_rows[int(row["doc"]["id"])]
            row["doc"] |= {"query": f"Question: {question}\nAnswer:", "choices": [f" {text}" for text in options]}
            norm = "acc:logprob_normalization=LogProbCharNorm(name='norm', ignore_first_space=False)"
            row["metric"][norm] = 0
            row["model_response"]["logprobs"] = [-10.0 - len(text) for text in options]

    path = change(PARQUET, texts)
    plain, normed = do_import(path, quiz()), do_import(path, quiz(), "--score", "acc_norm")
    # q-4: Liver, Lung, Kidney, Heart: Lung is the shortest; (10 + n) / (1 + n) is least for the longest, Kidney.
    assert plain.records["q-4", 0]["answer"] == "B" and normed.records["q-4", 0]["answer"] == "C"
    assert plain.folder != normed.folder and normed.document["own"]["score"] == "acc_norm"
    with pytest.raises(UsageError, match="can be read by acc or acc_norm"):
        do_import(path, quiz(), "--score", "em")


def test_written_answers_of_lighteval_are_read_whole_and_what_it_scores_otherwise_is_listed(do_import, change, quiz):
    def written(rows):
        for row in rows:
            row["metric"] = {"em": 0}
            row["doc"]["generation_size"] = 5
            row["model_response"] |= {"logprobs": [], "text": ["B. as I said"], "output_tokens": [[5, 6, 7, -1, -1]]}

    done = do_import(change(PARQUET, written), quiz())
    assert set(letters(done).values()) == {"B"} and done.records["q-1", 0]["generated_tokens"] == 3
    assert sorted(done.document["differing"]) == ["q-1", "q-3"] and "q-1: B here" in done.notes


# evalscope


def test_evalscope_tokens_stand_in_the_predictions_whatever_the_order_of_lines(do_import, logs, quiz):
    done = do_import(logs / "evalscope/quiz_predictions.jsonl", quiz())
    assert [done.records[f"q-{i}", 0]["prompt_tokens"] for i in range(1, 7)] == [40, 41, 42, 43, 44, 45]
    assert done.document["own"]["accuracy"] == 4 / 6


def test_evalscope_repeats_are_draws_of_the_group(do_import, change, quiz):
    def repeated(rows):
        twice = []
        for row in rows:
            score = row["sample_score"]
            for draw in (1, 0):
                index = score["group_id"] * 2 + draw
                twice.append(
                    row | {"index": index, "sample_score": score | {"sample_id": index, "generation_index": draw}}
                )
        return twice

    done = do_import(change("evalscope/quiz_reviews.jsonl", repeated), quiz())
    assert sorted(done.records) == [(f"q-{i}", draw) for i in range(1, 7) for draw in (1, 2)]
    assert done.document["own"]["accuracy"] == 4 / 6


def test_evalscope_predictions_without_reviews_are_read_alone(do_import, logs, quiz, tmp_path):
    shutil.copy(logs / "evalscope/quiz_predictions.jsonl", tmp_path / "renamed.jsonl")
    done = do_import(tmp_path / "renamed.jsonl", quiz())
    assert letters(done) == ANSWERS and done.document["own"] is None


def test_evalscope_is_found_in_the_folders_that_it_makes(do_import, logs, quiz, tmp_path):
    for kind in ("reviews", "predictions"):
        (tmp_path / "out" / kind / "stub").mkdir(parents=True)
        shutil.copy(logs / f"evalscope/quiz_{kind}.jsonl", tmp_path / "out" / kind / "stub" / "general_mcq.jsonl")
    done = do_import(tmp_path / "out", quiz())
    assert done.document["n"] == 6 and done.records["q-1", 0]["prompt_tokens"] == 40


# HELM


def test_a_lower_case_letter_is_none_for_helm_and_that_is_said(do_import, logs, quiz):
    done = do_import(logs / "helm/scenario_state.json", quiz())
    assert letters(done) == ANSWERS
    assert done.document["own"] == {"score": "exact_match", "n": 6, "accuracy": 0.5, "ours": 4 / 6}
    assert done.document["differing_why"] == ["q-4: none there, D here"]
    assert "a lower-case letter is no answer to HELM, and is one here: 1 (q-4)" in done.notes
    assert "stats.json states" not in done.notes


def test_the_totals_of_helm_are_held_to_the_instances_of_their_split(do_import, change, quiz):
    """Of q-1 to q-3, valid, HELM has two right, of q-4 to q-6, test, one: " d" is none to it."""

    def splits(document):
        for place, state in enumerate(document["request_states"]):
            state["instance"]["split"] = "valid" if place < 3 else "test"

    def stated(test):
        names = ({"split": "test"}, {"split": "valid"}, {"split": "train"}, {}, {"split": "test", "sub_split": "x"})
        means = (test, 2 / 3, 0.1, 0.5, 0.9)
        return lambda _: [
            {"name": {"name": "exact_match"} | name, "mean": m} for name, m in zip(names, means, strict=True)
        ]

    path = change("helm/scenario_state.json", splits)
    change("helm/stats.json", stated(1 / 3))
    assert "stats.json states" not in do_import(path, quiz()).notes
    change("helm/stats.json", stated(0.5))
    notes = do_import(path, quiz()).notes
    assert notes.count("stats.json states") == 1
    assert "stats.json states exact_match of split test 0.5000, and the samples come to 0.3333 of 3" in notes


def test_the_letters_of_helm_are_those_of_its_mapping(do_import, change, quiz):
    def turned(document):
        for state in document["request_states"]:
            texts = list(state["output_mapping"].values())
            state["output_mapping"] = dict(zip("ABCD", reversed(texts), strict=True))

    done = do_import(change("helm/scenario_state.json", turned), quiz())
    assert letters(done)["q-1"] == "C"  # "B" of the turned order, Jupiter


@pytest.mark.parametrize(("modes", "answer"), [(("original",), "B"), (("original", "calibration"), "A")])
def test_helm_asked_for_each_option_takes_the_best_of_its_own_tokens(do_import, change, quiz, modes, answer):
    """Carbon dioxide: -1 and -1; Oxygen: -0.5; the others -3. Alone, Carbon dioxide has -4 a token, others -0.6."""

    def apart(document):
        states = []
        for state in document["request_states"]:
            for place, reference in enumerate(state["instance"]["references"]):
                words = reference["output"]["text"].split()
                for mode in modes:
                    values = {"original": (-1.0, -0.5, -3.0, -3.0), "calibration": (-4.0, -0.6, -0.6, -0.6)}[mode]
                    tokens = [{"text": word, "logprob": values[place]} for word in words]
                    asked = [{"text": "Which", "logprob": -90.0}, *tokens]
                    completion = {"text": "x", "logprob": -1.0, "tokens": asked}
                    states.append(
                        {key: state[key] for key in ("instance", "train_trial_index")}
                        | {"reference_index": place, "request_mode": mode}
                        | {"result": {"success": True, "completions": [completion]}}
                    )
        return document | {"request_states": states}

    done = do_import(change("helm/scenario_state.json", apart), quiz())
    assert done.records["q-5", 0]["answer"] == answer and done.document["n"] == 6


# OpenCompass


def test_repeats_of_opencompass_stand_block_by_block_and_are_found_by_the_prompt(do_import, change, quiz):
    def thrice(document):
        details = document["details"]
        answers = [details[str(i)] for i in range(6)]
        blocks = [
            *answers,
            *(answer | {"origin_prediction": "A", "predictions": "A"} for answer in answers),
            *answers,
        ]
        document["details"] = {"type": "GEN", **{str(i): answer for i, answer in enumerate(blocks)}}
        document["accuracy"] = 50.0  # (4 + 1 + 4) of 18: q-5 alone is A

    done = do_import(change("opencompass/results_quiz.json", thrice), quiz())
    assert [done.records["q-1", draw]["answer"] for draw in (1, 2, 3)] == ["B", "A", "B"]
    assert done.document["own"]["accuracy"] == done.document["own"]["ours"] == 0.5


def test_predictions_of_opencompass_are_read_where_there_are_no_results(do_import, logs, quiz, tmp_path):
    shutil.copy(logs / "opencompass/predictions_quiz.json", tmp_path)
    done = do_import(tmp_path / "predictions_quiz.json", quiz())
    assert letters(done) == ANSWERS and done.document["own"] is None


def test_another_type_of_opencompass_is_one_line(do_import, change, quiz):
    path = change("opencompass/results_quiz.json", lambda d: d["details"].update(type="PPL"))
    with pytest.raises(DataError, match="of type 'PPL': expected 'GEN'"):
        do_import(path, quiz())


# Every Eval Ever


@pytest.mark.parametrize("kind", ["letter", "text", "index"])
def test_a_reference_is_a_letter_an_index_or_a_text(do_import, change, quiz, quiz_rows, kind):
    """q-3 offers 5, 6, 7, 8 and q-6 numbers too: an index, or a letter, is not one of them."""

    def stated(rows):
        for row in rows:
            _, _, options, gold = quiz_rows[int(row["sample_id"])]
            place = "ABCD".index(gold)
            row["input"]["reference"] = [{"letter": gold, "text": options[place], "index": str(place)}[kind]]

    done = do_import(change("every_eval_ever/quiz_samples.jsonl", stated), quiz())
    assert letters(done) == ANSWERS and done.document["own"]["accuracy"] == 4 / 6


def test_options_that_are_letters_stand_in_the_question(do_import, change, quiz, quiz_rows):
    def by_letter(rows):
        for row in rows:
            i, question, options, gold = quiz_rows[int(row["sample_id"])]
            listed = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCD", options, strict=True))
            row["input"] = {"raw": f"{question}\n{listed}\nAnswer:", "reference": [gold], "choices": list("ABCD")}
            row["output"]["raw"] = [ANSWERS[i]]

    assert letters(do_import(change("every_eval_ever/quiz_samples.jsonl", by_letter), quiz())) == ANSWERS


def test_epochs_are_draws_and_an_error_is_no_answer(do_import, change, quiz):
    def epochs(rows):
        one = [row | {"metadata": {"epoch": str(epoch)}} for epoch in (2, 1) for row in rows]
        one[0]["error"] = one[1]["error"] = "timeout"
        return one

    done = do_import(change("every_eval_ever/quiz_samples.jsonl", epochs), quiz())
    assert sorted(done.records)[:2] == [("q-1", 1), ("q-1", 2)]
    assert done.records["q-1", 2]["status"] == "engine_error" and done.records["q-1", 1]["answer"] == "B"


def test_the_verdicts_are_those_of_the_metric_that_is_asked_for(do_import, change, quiz):
    def otherwise(rows):
        for row in rows:
            if row["evaluation_result_id"] == "acc_mutual_info":
                row["evaluation"] = {"score": 1.0, "is_correct": True}

    path = change("every_eval_ever/quiz_samples.jsonl", otherwise)
    first, asked = do_import(path, quiz()), do_import(path, quiz(), "--score", "acc_mutual_info")
    assert first.document["own"] == {"score": "acc", "n": 6, "accuracy": 4 / 6, "ours": 4 / 6}
    assert asked.document["own"] == {"score": "acc_mutual_info", "n": 6, "accuracy": 1.0, "ours": 4 / 6}
    assert sorted(asked.document["differing"]) == ["q-3", "q-5"] and letters(asked) == ANSWERS
    with pytest.raises(UsageError, match="can be read by acc or acc_mutual_info"):
        do_import(path, quiz(), "--score", "f1")


def test_totals_that_the_samples_do_not_come_to_are_told_and_name_the_samples(do_import, change, quiz, tmp_path):
    path = change("every_eval_ever/quiz_samples.jsonl", lambda rows: rows[:6])
    done = do_import(path.with_name("quiz.json"), quiz())
    assert "quiz.json states 12 rows of samples, and there are 6" in done.notes and done.document["n"] == 3
    path.unlink()
    with pytest.raises(DataError, match="holds totals and no single answer"):
        do_import(path.with_name("quiz.json"), quiz())


# simple-evals


def test_simple_evals_repeats_with_options_in_another_order_are_draws_of_one_item(do_import, change, quiz):
    def again(document):
        for convo, page in zip(list(document["convos"]), list(document["htmls"]), strict=True):
            head, _, listed = convo[0]["content"].rpartition("\n\n")
            texts = [line[3:] for line in listed.split("\n")][::-1]
            prompt = f"{head}\n\n" + "\n".join(f"{x}) {text}" for x, text in zip("ABCD", texts, strict=True))
            turn = str.maketrans("ABCD", "DCBA")
            document["convos"].append(
                [{"role": "user", "content": prompt}, {"role": "assistant", "content": "Answer: A"}]
            )
            gold = page.partition("Correct Answer: ")[2][0].translate(turn)
            stated = f"<p>Correct Answer: {gold}</p>\n<p>Extracted Answer: A</p>\n<p>Score: {float(gold == 'A')}</p>"
            document["htmls"].append(stated)

    done = do_import(change("simple_evals/quiz_stub_allresults.json", again), quiz())
    assert {done.records[f"q-{i}", 2]["answer"] for i in range(1, 7)} == {"D"}  # A of the turned order
    assert done.records["q-4", 1]["answer"] == "D" and done.document["differing"] == []


def test_conversations_without_their_pages_are_one_line(do_import, change, quiz):
    path = change("simple_evals/quiz_stub_allresults.json", lambda d: d["htmls"].pop() and d)
    with pytest.raises(DataError, match="as many htmls as convos"):
        do_import(path, quiz())


# OpenAI's batches


def test_a_batch_with_its_requests_is_found_by_its_questions_and_states_its_temperature(do_import, change, quiz):
    def renamed(rows):
        for row in rows:
            row["custom_id"] = f"request-{row['custom_id']}"

    change("openai_batch/quiz_requests.jsonl", renamed)
    done = do_import(change("openai_batch/quiz_output.jsonl", renamed), quiz())
    assert letters(done) == ANSWERS and done.document["temperature"] == 0
    assert done.records["q-1", 0]["prompt_tokens"] == 50 and done.records["q-1", 0]["generated_tokens"] == 5


def test_a_batch_alone_is_found_by_its_custom_ids_in_any_order(do_import, logs, quiz, tmp_path):
    shutil.copy(logs / "openai_batch/quiz_output.jsonl", tmp_path)
    done = do_import(tmp_path / "quiz_output.jsonl", quiz())
    assert letters(done) == ANSWERS and "items are found by custom_id alone" in done.notes


def test_what_failed_expired_was_refused_or_cut_off_is_told_apart(do_import, change, quiz):
    def mixed(rows):
        by_id = {row["custom_id"]: row for row in rows}
        by_id["q-1"]["response"] = {"status_code": 400, "body": {"error": {"message": "too long"}}}
        choice = by_id["q-2"]["response"]["body"]["choices"][0]
        choice["message"] = {"role": "assistant", "content": None, "refusal": "I cannot help."}
        cut = by_id["q-3"]["response"]["body"]["choices"][0]
        cut["message"]["content"], cut["finish_reason"] = "First,", "length"
        return [row for row in rows if row["custom_id"] != "q-4"]

    path = change("openai_batch/quiz_output.jsonl", mixed)
    expired = {"custom_id": "q-4", "response": None, "error": {"code": "batch_expired", "message": "It expired."}}
    path.with_name("quiz_error.jsonl").write_text(json.dumps({"id": "r"} | expired) + "\n")
    for given in (path, path.with_name("quiz_error.jsonl"), path.with_name("quiz_requests.jsonl"), path.parent):
        done = do_import(given, quiz())
        assert {i: done.records[f"q-{i}", 0]["status"] for i in range(1, 6)} == {
            1: "engine_error", 2: "refused", 3: "truncated", 4: "engine_error", 5: "ok",
        }  # fmt: skip


def test_requests_without_answers_are_one_line(do_import, logs, quiz, tmp_path):
    shutil.copy(logs / "openai_batch/quiz_requests.jsonl", tmp_path)
    with pytest.raises(DataError, match="holds a batch's requests, and 0 files beside it answers"):
        do_import(tmp_path / "quiz_requests.jsonl", quiz())


def test_several_choices_and_the_responses_endpoint(do_import, change, quiz):
    def other(rows):
        body = rows[0]["response"]["body"]
        body["choices"] = [
            {"index": i, "message": {"content": x}, "finish_reason": "stop"} for i, x in ((1, "A"), (0, "D"))
        ]
        part = {"type": "output_text", "text": "The answer is C."}
        rows[1]["response"]["body"] = {
            "object": "response", "status": "completed", "usage": {"input_tokens": 7, "output_tokens": 8},
            "output": [{"type": "reasoning", "summary": []}, {"type": "message", "content": [part]}],
        }  # fmt: skip

    done = do_import(change("openai_batch/quiz_output.jsonl", other), quiz())
    assert [done.records["q-4", draw]["answer"] for draw in (1, 2)] == ["D", "A"]
    assert done.records["q-1", 1]["answer"] == "C" and done.records["q-1", 1]["generated_tokens"] == 8
