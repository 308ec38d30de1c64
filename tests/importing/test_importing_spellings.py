"""The plain form as others write it: arrays and tables, other names of the keys, texts in place of letters."""

import csv
import json

import pytest

from rimbench.errors import DataError

# Letters of the quiz's gold options are B, C, B, D, A, C.
PREDICTED = ["B", "A", "B", "D", None, "C"]


@pytest.fixture
def write_table(tmp_path):
    def write(name, header, rows):
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t" if name.endswith(".tsv") else ",")
            writer.writerows([header, *rows])
        return tmp_path / name

    return write


def answers(done):
    return [done.records[f"q-{i}", 0]["answer"] for i in range(1, 7)]


def test_an_array_of_a_published_layout_gives_the_records_of_our_own(do_import, quiz, quiz_rows, tmp_path):
    rows = [
        {
            "question": question,
            "realidx": item_id,
            "options": dict(zip("ABCD", options, strict=True)),
            "answer_idx": gold,
            "answer": options["ABCD".index(gold)],
            "predicted_answer": predicted,
            "token_usage": {"prompt_tokens": 9, "completion_tokens": 2},
            "time_elapsed": 1.5,
        }
        for (item_id, question, options, gold), predicted in zip(quiz_rows, PREDICTED, strict=True)
    ]
    path = tmp_path / "test-zero_shot.json"
    path.write_text(json.dumps(rows, indent=4))
    done = do_import(path, quiz())
    assert answers(done) == PREDICTED
    assert (done.document["format"], done.document["right"]) == ("plain", 4)
    assert done.document["whole_file"] == {"n": 6, "right": 4, "accuracy": pytest.approx(4 / 6)}
    assert {(r["prompt_tokens"], r["generated_tokens"]) for r in done.records.values()} == {(9, 2)}
    assert "not kept: answer, time_elapsed" in done.notes


def test_a_table_with_questions_needs_no_ids_and_its_options_may_be_written_as_python_does(
    do_import, quiz, quiz_rows, write_table
):
    rows = [
        (question, dict(zip("ABCD", options, strict=True)), gold, f"({predicted})" if predicted else "")
        for (_, question, options, gold), predicted in zip(quiz_rows, PREDICTED, strict=True)
    ]
    done = do_import(write_table("answers.csv", ("question", "options", "label", "prediction"), rows), quiz())
    assert answers(done) == PREDICTED
    assert done.document["right"] == 4


def test_a_column_of_texts_is_read_by_texts_although_one_of_them_looks_like_a_letter(
    do_import, quiz, write_table, quiz_rows
):
    blood = ("q-1", "Which blood group does everybody tolerate?", ["A", "0", "AB", "B"], "B")
    rows = [blood, ("q-2", "Which one has anti-A?", ["0 rh", "B", "AB", "AB rh"], "B"), *quiz_rows[2:]]
    table = [
        (question, *options, options["ABCD".index(gold)], options["ABCD".index(gold)])
        for _, question, options, gold in rows
    ]
    header = ("question", "opa", "opb", "opc", "opd", "answer", "pred")
    done = do_import(write_table("answers.tsv", header, table), quiz(rows))
    assert answers(done) == ["B", "B", "B", "D", "A", "C"]
    assert done.document["right"] == 6


def test_letters_stay_letters_although_an_option_reads_like_one(do_import, quiz, quiz_rows, write_table):
    rows = [("q-1", "Which blood group?", ["C", "0", "AB", "B"], "B"), *quiz_rows[1:]]
    table = [(i, *options, gold, "B") for i, _, options, gold in rows]
    done = do_import(write_table("answers.csv", ("id", "A", "B", "C", "D", "gold", "pred"), table), quiz(rows))
    assert done.records["q-1", 0]["answer"] == "B" and done.document["right"] == 2


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("torn.json", '[{"id": "q-1", "pred": "A"},', "unknown format: it holds no JSON object"),
        ("a.json", '[{"id": "q-1", "pred": "A"}, 3]', "1 unreadable line of 2: entry 2 (expected an object (got 3))"),
        (
            "a.csv",
            "id,pred\nq-1,nothing known\n",
            "none of its predictions is a letter, and 1 of 1 no option's text, such",
        ),
        ("b.csv", 'id,pred\nq-1,"A\n', "expected a table with one header line; mend the quotes"),
        ("c.csv", b"id,pred\nq-1,\xff\n", "is not UTF-8 (byte 12): save the file as UTF-8"),
        ("d.csv", "id,pred\n", "unknown format"),
        ("e.csv", "pred\nA\n", "unknown format: it holds the keys pred"),
        ("f.csv", "id,pred\nq-1,B\n,C\n", "1 unreadable line of 2: line 3 (expected item_id or question)"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line_and_nothing_is_imported(
    do_import, quiz, tmp_path, name, content, fault
):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as error:
        do_import(tmp_path / name, quiz())
    assert fault in str(error.value) and "\n" not in str(error.value)
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.parametrize("more", [{}, {"id": "batch_req_1"}, {"error": None}, {"error": ""}, {"model": "mine"}])
@pytest.mark.parametrize("said", ["predicted", "response", "text", "output"])
def test_answers_under_the_ids_of_a_batch_are_read(do_import, quiz, tmp_path, more, said):
    rows = [{"custom_id": f"q-{i}", said: letter or "none"} | more for i, letter in enumerate(PREDICTED, start=1)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = do_import(tmp_path / "mine.jsonl", quiz())
    assert done.document["format"] == "plain" and answers(done) == PREDICTED


def test_an_error_under_the_id_of_a_batch_is_read_as_what_it_is(do_import, quiz, tmp_path):
    mine = [
        {"custom_id": "q-1", "response": None, "error": "timeout"},
        {"custom_id": "q-2", "response": "C", "error": None},
    ]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in mine))
    done = do_import(tmp_path / "mine.jsonl", quiz())
    assert (done.document["format"], done.document["errors"], done.document["right"]) == ("plain", ["q-1"], 1)
    batch = {"id": "b", "custom_id": "q-1", "response": None, "error": {"code": "batch_expired"}}
    (tmp_path / "batch.jsonl").write_text(json.dumps(batch) + "\n")
    assert do_import(tmp_path / "batch.jsonl", quiz()).document["format"] == "openai-batch"
