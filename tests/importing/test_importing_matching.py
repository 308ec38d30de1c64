"""Which item an answer belongs to: questions inside prompts, shifted ids, and names that are taken."""

import dataclasses
import random

import pytest

from rimbench.errors import DataError, UsageError
from rimbench.importing.questions import QuestionIndex
from rimbench.store import RunStore, named, read_manifest

WORDS = ("a", "b", "ab", "cd", "e")


def slow_reference(texts, text):
    return sorted((t for t in texts if t and f" {t} " in f" {text} "), key=len, reverse=True)


@pytest.mark.parametrize("seed", range(20))
def test_the_index_finds_what_a_plain_search_finds(seed):
    chance = random.Random(seed)
    texts = {" ".join(chance.choices(WORDS, k=chance.randint(0, 6))) for _ in range(60)}
    index = QuestionIndex(texts)
    for _ in range(50):
        text = " ".join(chance.choices((*WORDS, "|"), k=chance.randint(0, 40)))
        found = index.inside(text)
        assert sorted(found) == sorted(slow_reference(texts, text))
        assert [len(each) for each in found] == sorted(map(len, found), reverse=True)


@pytest.mark.parametrize(
    "question",
    ["which of the drugs in case {0} is given first", "{0} is the number of a question with words of its own {0}"],
)
def test_twice_as_many_questions_and_texts_take_about_twice_the_work(question):
    def work(size):
        index = QuestionIndex(question.format(place) for place in range(size))
        for place in range(size):
            text = f"answer with a letter {question.format(place)} a one b two c three"
            assert index.inside(text) == [question.format(place)]
        return index.compared

    assert work(4000) / work(2000) < 2.3  # a search of each question in each text: 4


def test_items_of_one_question_are_told_apart_by_the_options_in_the_prompt(do_import, quiz, write_lines):
    rows = [(f"q{i}", "Which is true?", [f"claim {i}", f"other {i}", "both", "none"], "A") for i in range(60)]
    rows.append(("signs", "Which is true?", ["+", "-", "=", "%"], "A"))
    lines = [
        {"question": f"{question}\nA. {o[0]}\nB. {o[1]}\nC. {o[2]}\nD. {o[3]}", "predicted": "A"}
        for _, question, o, _ in rows[:60]
    ]
    done = do_import(write_lines(lines), quiz(rows))
    assert {item for item, _ in done.records} == {f"q{i}" for i in range(60)} and done.document["right"] == 60


def test_of_many_items_that_a_text_cannot_tell_apart_the_id_decides_or_none(do_import, quiz, write_lines):
    rows = [(f"q{i}", "Which is true?", [f"claim {i}", f"other {i}"], "A") for i in range(30)]
    lines = [{"id": "q7", "question": "Which is true?", "predicted": "A"}, {"id": "x", "question": "Which is true?",
             "predicted": "B"}]  # fmt: skip
    done = do_import(write_lines(lines), quiz(rows))
    assert list(done.records) == [("q7", 0)] and done.document["not_in_suite"] == ["x"]


def numbered(count, start=0, stem="", width=0):
    """Items whose gold letters go B, C, D, A: no two neighbours have the same."""
    return [
        (
            f"{stem}{i + start:0{width}d}",
            f"Question of place {i}?",
            [f"w{i}", f"x{i}", f"y{i}", f"z{i}"],
            "BCDA"[i % 4],
        )
        for i in range(count)
    ]


def answers(rows, **more):
    return [
        {"item_id": item_id, "predicted": gold} | {k: gold for k in more if more[k]} for item_id, _, _, gold in rows
    ]


@pytest.mark.parametrize(
    ("suite", "file", "said"),
    [
        (
            numbered(30),
            numbered(30, 1),
            "29 of its 30 ids are rows of the suite, and 30 once each is one lower (1 is 0)",
        ),
        (
            numbered(30, 1),
            numbered(30),
            "30 once each is one higher (0 is 1): the file counts from 0 and the suite from 1",
        ),
        (numbered(30, 0, "q-", 3), numbered(30, 1, "q-", 3), "one lower (q-001 is q-000)"),
        (numbered(30), [*numbered(31, 1)[:30], ("total", "", [], "A")], "29 of its 31 ids"),
        (numbered(1, 5), numbered(1, 6), "0 of its 1 ids"),
    ],
)
@pytest.mark.parametrize("gold", [False, True])
def test_ids_that_count_from_another_start_are_refused_and_told(
    do_import, quiz, write_lines, suite, file, said, gold, tmp_path
):
    with pytest.raises(DataError) as error:
        do_import(write_lines(answers(file, gold=gold)), quiz(suite))
    assert said in str(error.value) and "'rimbench suites show NAME --json' lists them" in str(error.value)
    assert not list(tmp_path.glob("results/*"))


def test_gold_letters_that_agree_say_that_ids_are_meant_as_they_stand(do_import, quiz, write_lines):
    rows = numbered(30)
    done = do_import(write_lines([*answers(rows[1:], gold=True), {"item_id": "30", "predicted": "A"}]), quiz(rows))
    assert (done.document["n"], done.document["right"], done.document["not_in_suite"]) == (29, 29, ["30"])


def test_ids_that_all_match_and_are_moved_are_told_by_the_gold_letters(do_import, quiz, write_lines):
    moved = [(str(int(i) + 1), q, o, g) for i, q, o, g in numbered(20)]
    with pytest.raises(
        DataError, match=r"20 of 20 agree once each is one lower, as of rows counted from 1: mend the ids"
    ):
        do_import(write_lines(answers(moved, gold=True)), quiz(numbered(30)))


@pytest.mark.parametrize("start", [0, 1])
def test_ids_that_are_places_in_the_frozen_order_are_told_by_the_gold_letters(
    do_import, quiz, write_lines, start, tmp_path
):
    from rimbench.suites import load

    rows = numbered(40)
    items = load(str(quiz(rows, n=20))).items
    lines = [{"item_id": str(i + start), "predicted": "A", "gold": item.gold} for i, item in enumerate(items)]
    with pytest.raises(DataError, match=rf"agree once they are places in the suite's frozen order, from {start}"):
        do_import(write_lines(lines), quiz(rows, n=20))


def test_without_gold_letters_ids_that_run_from_1_leave_a_doubt(do_import, quiz, write_lines):
    done = do_import(write_lines(answers(numbered(20, 1))), quiz(numbered(30)))
    assert "ids run from 1 to 20, and the suite counts its rows from 0: if the file counts from 1" in done.notes
    assert "counts its rows" not in do_import(write_lines(answers(numbered(20)), "b.jsonl"), quiz(numbered(30))).notes


def test_an_answer_to_no_item_beside_ids_that_match_is_no_shift(do_import, quiz, write_lines):
    done = do_import(write_lines([*answers(numbered(30)), {"item_id": "30", "predicted": "A"}]), quiz(numbered(30)))
    assert (done.document["right"], done.document["not_in_suite"]) == (30, ["30"])


@pytest.mark.parametrize("name", ["all", "ALL", " all ", "nano-rim-v2", "Nano-RIM-v2", "base"])
def test_a_name_that_means_something_else_is_refused(do_import, quiz, quiz_rows, write_lines, name):
    with pytest.raises(UsageError, match=r"a name of their own, such as --system '.* \(imported\)'"):
        do_import(write_lines(answers(quiz_rows)), quiz(), system=name)


def test_an_import_never_takes_the_name_of_an_own_run_and_may_share_that_of_another_import(
    do_import, quiz, quiz_rows, write_lines, tmp_path
):
    first = do_import(write_lines(answers(quiz_rows)), quiz(), system="mine")
    manifest = read_manifest(first.folder)
    identity = named(dataclasses.replace(manifest.identity, imported=None))
    own = dataclasses.replace(manifest, run="own-run", system="own", identity=identity)
    with RunStore(tmp_path / "results" / "own-run") as store:
        store.write_manifest(own, [])
    (tmp_path / "results" / "damaged").mkdir()
    (tmp_path / "results" / "damaged" / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match=r"--system own: own-run in .* is a run of a system so named"):
        do_import(write_lines(answers(quiz_rows)), quiz(), system="own")
    again = do_import(write_lines(answers(quiz_rows[:5]), "b.jsonl"), quiz(), system="mine")
    assert again.folder != first.folder
