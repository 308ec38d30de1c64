"""The plain form: what becomes of each prediction, what is refused, and the run that comes of it."""

import json

import pytest

from rimbench.errors import DataError, UsageError
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.metrics.draws import SeveralAnswers
from rimbench.reporting.summary import summarise
from rimbench.store import read_items, read_manifest


def row(item_id, predicted, gold, **more):
    return {
        "item_id": item_id,
        "predicted": predicted,
        "gold": gold,
        "prompt_tokens": 9,
        "generated_tokens": 1,
    } | more


ANSWERS = [
    row("q-1", "B", "B"),
    row("q-2", "A", "C"),
    row("q-3", "b ", "B"),
    row("q-4", None, "D"),
    row("q-5", "E", "A"),
    row("q-6", "none of them", "C"),
]


def test_a_letter_that_the_item_has_is_an_answer_and_anything_else_is_none(do_import, write_lines, quiz):
    done = do_import(write_lines(ANSWERS), quiz())
    found = {item: (r["status"], r["answer"]) for (item, _), r in done.records.items()}
    assert found == {
        "q-1": ("ok", "B"),
        "q-2": ("ok", "A"),
        "q-3": ("ok", "B"),
        "q-4": ("no_answer", None),
        "q-5": ("no_answer", None),
        "q-6": ("no_answer", None),
    }
    assert (done.document["n"], done.document["right"]) == (6, 2)
    assert "predictions that are no letter, and count as no answer: 'none of them' (1)" in done.notes


@pytest.mark.parametrize(
    ("item_id", "predicted", "answer"),
    [
        ("q-1", "Mars", "B"),
        ("q-1", "B. Mars", "B"),
        ("q-1", "(b) mars", "B"),
        ("q-1", "Option B: Mars", "B"),
        ("q-1", "The answer is B) Mars.", "B"),
        ("q-5", "carbon dioxide", "A"),
        ("q-3", "6", "B"),
        ("q-1", "C. Mars", None),
        ("q-1", "B. Mars and C. Jupiter", None),
        ("q-1", "Mars or Jupiter", None),
        ("q-1", "not Mars", None),
        ("q-1", "Mar", None),
        ("q-1", "Marsh", None),
    ],
)
def test_an_options_text_is_a_prediction_with_its_letter_or_without(
    do_import, write_lines, quiz, item_id, predicted, answer
):
    done = do_import(write_lines([row(item_id, predicted, None), row("q-2", "C", "C")]), quiz())
    assert done.records[item_id, 0]["answer"] == answer
    assert done.document["predictions_without_letter"] == ([] if answer else [f"{predicted!r} (1)"])


def test_texts_of_items_beyond_the_sample_count_neither_way(do_import, write_lines, quiz, quiz_rows):
    rows = [row(item_id, options["ABCD".index(gold)], gold) for item_id, _, options, gold in quiz_rows]
    done = do_import(write_lines(rows), quiz(n=2))
    assert (done.document["n"], done.document["right"], done.document["predictions_without_letter"]) == (2, 2, [])


def test_numbers_of_options_are_not_taken_for_options_that_are_numbers(do_import, write_lines, quiz):
    rows = [row(f"q-{i}", str(number), None) for i, number in enumerate([1, 2, 6, 3, 0, 2], 1)]
    with pytest.raises(DataError, match="none of its predictions is a letter, and 5 of 6 no option's text"):
        do_import(write_lines(rows), quiz())


def test_the_run_is_read_by_a_report_like_any_other(do_import, write_lines, quiz, tmp_path):
    done = do_import(write_lines(ANSWERS), quiz())
    [cell] = summarise(tmp_path / "results").cells
    assert (cell.manifest.system, cell.n, cell.metric(Accuracy).greedy.value) == ("them", 6, pytest.approx(2 / 6))
    manifest = read_manifest(done.folder)
    assert manifest.identity.engine.name == "imported"
    assert manifest.identity.imported.format == "plain"
    assert manifest.model_source.source == "answers.jsonl" and manifest.ended_at
    assert list(done.records) == [(item_id, 0) for item_id in read_items(done.folder)]


def test_importing_again_changes_nothing(do_import, write_lines, quiz):
    first = do_import(write_lines(ANSWERS), quiz())
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    again = do_import(write_lines(ANSWERS), quiz())
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == before
    assert again.document["imported_before"] and "imported before" in again.notes


def test_an_import_that_was_cut_off_is_completed(do_import, write_lines, quiz):
    done = do_import(write_lines(ANSWERS), quiz())
    path = done.folder / "records.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert do_import(write_lines(ANSWERS), quiz()).folder == done.folder
    assert path.read_bytes() == whole


def test_another_file_system_or_suite_is_another_run(do_import, write_lines, quiz):
    folders = {
        do_import(write_lines(ANSWERS), quiz()).folder,
        do_import(write_lines([*ANSWERS[:5], row("q-6", "A", "C")]), quiz()).folder,
        do_import(write_lines(ANSWERS), quiz(), system="others").folder,
        do_import(write_lines(ANSWERS), quiz(n=5)).folder,
    }
    assert len(folders) == 4


def test_a_systems_name_with_a_slash_is_kept_and_its_folder_is_none_deeper(do_import, write_lines, quiz, tmp_path):
    done = do_import(write_lines(ANSWERS), quiz(), system="openai/gpt-4o mini")
    assert done.folder.parent == tmp_path / "results" and done.folder.name.startswith("openai-gpt-4o-mini-quiz-")
    assert read_manifest(done.folder).system == "openai/gpt-4o mini"


@pytest.mark.parametrize("name", ["", " ", "two\nlines"])
def test_a_systems_name_that_cannot_be_printed_is_refused(do_import, write_lines, quiz, name):
    with pytest.raises(UsageError, match="expected a name that can be printed"):
        do_import(write_lines(ANSWERS), quiz(), system=name)


def test_answers_beyond_the_sample_are_counted_and_left_out(do_import, write_lines, quiz):
    done = do_import(write_lines(ANSWERS), quiz(n=4))
    assert (done.document["n"], len(done.document["beyond_sample"])) == (4, 2)
    assert "answers left out, to items of quiz beyond its frozen sample of 4: 2" in done.notes
    assert done.document["whole_file"] == {"n": 6, "right": 2, "accuracy": pytest.approx(2 / 6)}


def test_what_does_not_match_is_listed_in_both_directions(do_import, write_lines, quiz):
    done = do_import(write_lines([*ANSWERS[:4], row("q-77", "A", "A")]), quiz())
    assert done.document["not_in_suite"] == ["q-77"]
    assert sorted(done.document["unanswered"]) == ["q-5", "q-6"]
    assert "answers to no item of quiz: 1 (q-77)" in done.notes
    assert "items of quiz, of 6, without an answer in the file: 2 (q-" in done.notes
    assert read_manifest(done.folder).ended_at is None


def test_answers_to_rows_that_the_audit_leaves_out_are_told_apart(do_import, write_lines, quiz, quiz_rows):
    rows = [*quiz_rows, *(("c" + str(i), f"Question {i}?", ["x", "y"], "A") for i in range(40))]
    rows.append(("twice", "Which two are equal?", ["x", "x"], "A"))
    done = do_import(write_lines([*ANSWERS, row("twice", "A", "A")]), quiz(rows))
    assert done.document["faulty_rows"] == ["twice"]


def test_gold_letters_that_differ_are_listed_and_nothing_is_kept(do_import, write_lines, quiz, tmp_path):
    changed = [row("q-1", "B", "A"), *ANSWERS[1:5], row("q-6", "C", "D")]
    with pytest.raises(DataError) as error:
        do_import(write_lines(changed), quiz())
    for part in ("gold letters of 2 of 6", "q-1 (file A, suite B)", "q-6 (file D, suite C)", "--data"):
        assert part in str(error.value)
    assert not list(tmp_path.glob("results/*"))


def test_an_item_that_is_answered_twice_is_refused(do_import, write_lines, quiz):
    with pytest.raises(DataError, match="2 items are answered twice: q-1, q-99"):
        rows = [*ANSWERS, row("q-1", "A", "B"), row("q-99", "A", "A"), row("q-99", "A", "A")]
        do_import(write_lines(rows), quiz())


def test_draws_beside_the_greedy_answer_are_kept_by_their_sample(do_import, write_lines, quiz, tmp_path):
    draws = [row(r["item_id"], letter, r["gold"], sample=i) for r in ANSWERS for i, letter in ((1, "A"), (2, "B"))]
    do_import(write_lines([*ANSWERS, *draws]), quiz())
    [cell] = summarise(tmp_path / "results").cells
    assert (cell.n, cell.manifest.samples) == (6, 2)
    k, passed = cell.metric(SeveralAnswers).passed
    assert k == "2" and passed.estimate.value == pytest.approx(3 / 6)  # q-1 and q-3 by B, q-5 by A


def test_every_unreadable_line_is_counted_and_listed_and_nothing_is_imported(do_import, write_lines, quiz, tmp_path):
    lines = [
        ANSWERS[0],
        "{torn",
        {"item_id": "q-3", "gold": "B"},
        row("q-4", "A", "Z"),
        row("q-5", "A", "A", sample=-1),
    ]
    with pytest.raises(DataError) as error:
        do_import(write_lines(lines), quiz())
    for part in (
        "4 unreadable lines of 5",
        "line 2 (not JSON)",
        "line 3 (expected predicted or text)",
        "line 4 (gold: expected a letter A to J or null (got 'Z'))",
        "line 5 (sample",
    ):
        assert part in str(error.value)
    assert "\n" not in str(error.value) and not list(tmp_path.glob("results/*"))


def test_an_empty_file_a_missing_one_and_a_folder_are_one_line(do_import, write_lines, quiz, tmp_path):
    with pytest.raises(DataError, match="is empty: expected one answer an item"):
        do_import(write_lines([]), quiz())
    with pytest.raises(DataError, match="holds no answer"):
        do_import(write_lines(["", " "]), quiz(), "--format", "plain")
    with pytest.raises(DataError, match=r"cannot read .*No such file"):
        do_import(tmp_path / "none.jsonl", quiz())
    with pytest.raises(DataError, match=r"cannot read .*directory"):
        do_import(tmp_path, quiz())


def test_an_unknown_format_is_refused_with_the_keys_that_were_found(do_import, write_lines, quiz):
    with pytest.raises(
        DataError, match=r"unknown format: it holds the keys answer, id; known: .*inspect, .*lm-eval, .*plain"
    ):
        do_import(write_lines([{"id": 1, "answer": "A"}]), quiz())
    with pytest.raises(DataError, match="unknown format: it holds no JSON object"):
        do_import(write_lines(["item_id,predicted"]), quiz())
    with pytest.raises(UsageError, match="unknown format 'lmeval': did you mean lm-eval"):
        do_import(write_lines(ANSWERS), quiz(), "--format", "lmeval")


def test_the_answers_of_another_suite_are_refused(do_import, write_lines, quiz):
    with pytest.raises(DataError, match=r"none of its 1 answers is to an item of suite quiz .*such as x"):
        do_import(write_lines([row("x", "A", "A")]), quiz())


def test_a_stated_question_decides_and_options_in_another_order_are_carried_over(do_import, write_lines, quiz):
    stated = {
        "question": " which  Planet is known as the red planet ?",
        "options": ["Mars", "Saturn", "Venus", "Jupiter"],
    }
    done = do_import(write_lines([row("17", "A", "A", **stated)]), quiz())
    assert (done.records["q-1", 0]["answer"], done.records["q-1", 0]["gold"]) == ("B", "B")
    other = {"question": "Which planet is known as the red planet?", "options": ["Mars", "Pluto"]}
    with pytest.raises(DataError, match="none of its 1 answers"):
        do_import(write_lines([row("q-1", "A", "A", **other)]), quiz())


def test_an_id_that_happens_to_exist_does_not_outweigh_the_question(do_import, write_lines, quiz):
    stated = {"question": "How many sides does a hexagon have?"}
    done = do_import(write_lines([row("q-1", "B", "B", **stated)]), quiz())
    assert list(done.records) == [("q-3", 0)]


def test_letters_are_read_from_texts_where_there_is_no_prediction(do_import, write_lines, quiz):
    texts = [
        {"item_id": "q-1", "text": "The answer is (B)."},
        {"item_id": "q-2", "text": "Answer: A"},
        {"item_id": "q-3", "text": "I cannot tell."},
    ]
    done = do_import(write_lines(texts), quiz())
    assert [done.records[f"q-{i}", 0]["answer"] for i in (1, 2, 3)] == ["B", "A", None]
    assert read_manifest(done.folder).identity.answer.extraction == "text"
    assert "not every answer states a gold letter" in done.notes and "token counts" in done.notes


def test_keys_that_are_not_kept_are_named(do_import, write_lines, quiz):
    done = do_import(write_lines([a | {"seconds": 1.5, "model": "x"} for a in ANSWERS]), quiz())
    assert "not part of a record, and not kept: model, seconds" in done.notes
    json.dumps(done.document, allow_nan=False)


def test_a_system_file_names_the_tags_that_the_answers_thoughts_stand_between(do_import, write_lines, quiz, tmp_path):
    path = tmp_path / "muses.toml"
    path.write_text(
        'description = "x"\n[weights]\nrepo = "a/b"\n[answer]\nmode = "generate"\nmax_new_tokens = 9\n'
        'reasoning_tags = [["[[musing]]", "[[said]]"]]\n'
    )
    answers = write_lines([{"item_id": "q-1", "text": "[[musing]] Answer: A [[said]] Answer: B"}])
    done = do_import(answers, quiz(), system=str(path))
    assert [r["answer"] for r in done.records.values()] == ["B"]
    assert done.document["system"] == "muses"
    assert read_manifest(done.folder).identity.answer.reasoning_tags == (("[[musing]]", "[[said]]"),)
