"""An error is no answer, in every format; and what a cell of predictions may look like."""

import json

import pytest

from rimbench.errors import DataError

WRITTEN = "samples_quiz_written_2026-11-22.jsonl"


@pytest.mark.parametrize("error", ["RateLimitError: 429", True, 1, 429, 500, {"type": "timeout"}, ["timeout"]])
def test_a_row_with_an_error_was_not_answered(do_import, quiz, write_lines, error):
    rows = [{"item_id": "q-1", "error": error}, {"item_id": "q-2", "predicted": "C", "error": error}]
    rows += [{"item_id": f"q-{i}", "predicted": "B", "error": None} for i in range(3, 7)]
    done = do_import(write_lines(rows), quiz())
    assert (done.document["n"], sorted(done.document["errors"])) == (4, ["q-1", "q-2"])
    assert {done.records[f"q-{i}", 0]["status"] for i in (1, 2)} == {"engine_error"}
    assert {"q-1", "q-2"} <= set(done.document["unanswered"])
    assert "4 of 6 items answered, 2 ended in an error, 1 right (accuracy 0.2500)" in done.notes
    assert done.document["accuracy_with_errors_wrong"] == pytest.approx(1 / 6)
    assert json.loads((done.folder / "manifest.json").read_text())["ended_at"] is None


@pytest.mark.parametrize("none", [None, False, 0, "", " ", "None", "null", "NaN", "false", "-", "[]", 0.25])
def test_an_error_column_may_say_that_there_was_none(do_import, quiz, write_lines, none):
    rows = [{"item_id": f"q-{i}", "predicted": "B", "error": none} for i in range(1, 7)]
    done = do_import(write_lines(rows), quiz())
    assert (done.document["n"], done.document["errors"]) == (6, [])


def test_an_error_column_of_a_table_and_its_other_names_are_read(do_import, quiz, tmp_path):
    (tmp_path / "a.csv").write_text("id,pred,error_message\nq-1,,timed out\nq-2,C,\n")
    done = do_import(tmp_path / "a.csv", quiz())
    assert (done.document["n"], done.document["errors"], done.document["right"]) == (1, ["q-1"], 1)


def test_where_every_answer_ended_in_an_error_nothing_was_answered(do_import, quiz, write_lines):
    done = do_import(write_lines([{"item_id": f"q-{i}", "error": "down"} for i in range(1, 7)]), quiz())
    assert (done.document["n"], done.document["accuracy"], done.document["right"]) == (0, None, 0)
    assert "0 of 6 items answered, 6 ended in an error, 0 right (accuracy undefined)" in done.notes


@pytest.mark.parametrize("resps", [[[None]], [[]], [[None, None]]])
def test_a_response_that_never_came_is_an_error(do_import, logs, quiz, write_lines, resps):
    lines = [json.loads(line) for line in (logs / WRITTEN).open()]
    for line in lines[:2]:  # both filters' lines, or the first two questions
        line["resps"] = resps
    done = do_import(write_lines(lines), quiz())
    failed = [key for key, r in done.records.items() if r["status"] == "engine_error"]
    assert len({item for item, _ in failed}) == len(done.document["errors"]) > 0
    assert done.document["n"] + len(done.document["errors"]) == 6


@pytest.mark.parametrize(
    "dressed",
    [
        *(
            "Ｂ",
            "ｂ",
            "b",
            "B.",
            "(B)",
            "[B]",
            "B)",
            "**B**",
            "「Ｂ」",
            "Ⓑ",
            "𝐁",
            "（Ｂ）",
            "Ｂ．",
            "\\boxed{B}",
            "$B$",
        ),
        *(" B", "B ", "Option_B", "Option B", "option (b)", "Answer: B", "The answer is B.", "choice\u3000Ｂ", "“B”"),
    ],
)
def test_a_letter_is_read_in_any_dress(do_import, quiz, write_lines, dressed):
    rows = [{"item_id": "q-1", "predicted": dressed}, {"item_id": "q-2", "predicted": "C"}]
    done = do_import(write_lines(rows), quiz())
    assert done.records["q-1", 0]["answer"] == "B"


@pytest.mark.parametrize(
    "other", ["A or B", "not B", "-B", "B12", "vitamin B", "AB", "B/C", "1", "Ω", "β", "К", "Option", "!B", "B?"]
)
def test_what_is_not_surely_a_letter_is_none(do_import, quiz, write_lines, other):
    rows = [{"item_id": "q-1", "predicted": other}, {"item_id": "q-2", "predicted": "C"}]
    done = do_import(write_lines(rows), quiz())
    assert done.records["q-1", 0]["status"] == "no_answer"
    assert done.document["predictions_without_letter"] == [f"{other!r} (1)"]


def test_every_list_of_the_document_is_whole(do_import, quiz, write_lines):
    rows = [
        {"item_id": "q-1", "predicted": "B"},
        *({"item_id": f"x{i}", "predicted": f"none {i}"} for i in range(30)),
    ]
    done = do_import(write_lines(rows), quiz())
    assert done.document["not_in_suite"] == [f"x{i}" for i in range(30)]
    assert done.document["predictions_without_letter"] == [f"'none {i}' (1)" for i in range(30)]
    assert "30 (x0, x1, x2, x3, x4, and 25 more: --json lists all)" in done.notes


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (
            "id,pred\nq-1,B\nq-2,A,C\nq-3\n",
            "2 unreadable lines of 3: line 3 (has 3 cells, the header 2: "
            "a row is cut off, or a comma in a text is not quoted); line 4 (has 1 cells",
        ),
        (
            "id,pred\nq-1,B,\n",
            "1 unreadable line of 1: line 2 (has 3 cells, the header 2: "
            "a row is cut off, or a comma in a text is not quoted)",
        ),
        ('id,pred,text\nq-1,B,"two\nlines"\nq-2,B\n', "line 4 (has 2 cells, the header 3"),
        ("id,pred\nq-1,B\nq-2,", "1 unreadable line of 2: line 3 (is cut off within its last cell)"),
        ("id,pred,pred\nq-1,B,C\n", "line 1: the column pred stands there twice"),
    ],
)
def test_rows_of_another_length_than_the_header_are_refused_with_their_lines(
    do_import, quiz, tmp_path, content, where
):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError) as error:
        do_import(tmp_path / "a.csv", quiz())
    assert where in str(error.value) and not list(tmp_path.glob("results/*"))


@pytest.mark.parametrize("key", ["sample", "temperature", "prompt_tokens", "generated_tokens"])
def test_true_is_no_number(do_import, quiz, write_lines, key):
    with pytest.raises(DataError, match=rf"{key}: expected a number \(got true\)"):
        do_import(write_lines([{"item_id": "q-1", "predicted": "B", key: True}]), quiz())


def test_a_status_may_say_that_a_row_ended_in_an_error_and_a_finish_reason_that_its_text_was_cut_off(
    do_import, quiz, write_lines
):
    rows = [
        {"item_id": "q-1", "text": "Answer: B", "status": "error", "finish_reason": None},
        {"item_id": "q-2", "text": "Answer: C", "status": "ok", "finish_reason": "stop"},
        {"item_id": "q-3", "text": "Let me think", "status": "ok", "finish_reason": "length"},
        {"item_id": "q-4", "text": "Answer: B", "status": "ok", "finish_reason": "length"},
    ]
    records = do_import(write_lines(rows), quiz()).records
    statuses = [records[f"q-{i}", 0]["status"] for i in range(1, 5)]
    assert statuses == ["engine_error", "ok", "truncated", "ok"]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", ", ", " ; "])
def test_a_table_is_read_with_the_delimiter_that_its_header_has(do_import, quiz, tmp_path, mark):
    (tmp_path / "a.csv").write_text("id,pred\nq-1,B\nq-2,C\n".replace(",", mark))
    assert do_import(tmp_path / "a.csv", quiz()).document["right"] == 2


def test_a_table_whose_header_ends_in_an_empty_column_and_a_long_text_are_read(do_import, quiz, tmp_path):
    (tmp_path / "a.csv").write_text(f"id,pred,text,\nq-1,B,{'x' * 200_000},\n\nq-2,C,,\n")
    assert do_import(tmp_path / "a.csv", quiz()).document["right"] == 2


def test_an_unknown_format_names_the_known_ones_in_at_most_300_characters(do_import, quiz, write_lines, tmp_path):
    with pytest.raises(DataError) as error:
        do_import(write_lines([{f"a long key number {i}": i for i in range(50)}], "n" * 200 + ".jsonl"), quiz())
    line = f"rimbench: error: {error.value}"
    assert len(line) <= 300 and "\n" not in line
    for name in ("inspect", "lm-eval", "plain"):
        assert name in line
