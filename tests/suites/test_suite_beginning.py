"""`rimbench init suite`: the file of a suite, its columns guessed from a file of rows, that loads as it stands."""

import json

import pytest

from rimbench import suites
from rimbench.errors import DataError
from rimbench.suites.beginning import suite_toml

QUESTIONS = ["Is one and one two?", "Which is the largest planet?", "Which of them is a noble gas?", "Who wrote it?"]
TEXTS = [["yes", "no", "maybe"], ["Mars", "Jupiter", "Venus"], ["gold", "iron", "argon"], ["Ann", "Ben", "Cem"]]
GOLD = [0, 1, 2, 1]
EACH = list(zip(QUESTIONS, TEXTS, GOLD, strict=True))


def as_csv(path, header, rows):
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")
    return path


def columns(gold):
    return [[q, *options, gold(g, options)] for q, options, g in EACH]


def letter(g, _):
    return "ABC"[g]


CSV = {
    "letters": (["question", "A", "B", "C", "answer"], columns(letter)),
    "hub's names": (["question", "opa", "opb", "opc", "cop"], columns(lambda g, _: g)),
    "counted from 1": (["question", "opa", "opb", "opc", "cop"], columns(lambda g, _: g + 1)),
    "texts": (["Question", "Choice 1", "Choice 2", "Choice 3", "Correct answer"], columns(lambda g, o: o[g])),
    "endings": (["sent1", "ending0", "ending1", "ending2", "label"], columns(lambda g, _: g)),
    "names that say nothing": (["asked", "one", "two", "three", "right"], columns(letter)),
    "answer columns": (
        ["prompt", "answer_a", "answer_b", "answer_c", "correct_answer"],
        columns(lambda g, _: f"({'abc'[g]})"),
    ),
    "gold first": (
        ["key", "id", "subject", "question", "option_1", "option_2", "option_3"],
        [["ABC"[g], f"q{i}", "xy"[i % 2], q, *o] for i, (q, o, g) in enumerate(EACH)],
    ),
}  # fmt: skip


def read(path):
    path.with_suffix(".toml").write_text(suite_toml(path))
    loaded = suites.load(str(path.with_suffix(".toml")))
    found = {item.question: (list(item.options.values()), "ABC".index(item.gold)) for item in loaded.items}
    return loaded, found


EXPECTED = {q: (options, g) for q, options, g in EACH}


@pytest.mark.parametrize("kind", CSV)
def test_the_columns_of_a_table_are_told_by_their_names_and_values(tmp_path, kind):
    loaded, found = read(as_csv(tmp_path / "mine.csv", *CSV[kind]))
    assert found == EXPECTED and loaded.n_requested == 4


@pytest.mark.parametrize(
    ("options", "gold"),
    [
        (lambda o: o, lambda g, o: o[g]),
        (lambda o: dict(zip("ABC", o, strict=True)), letter),
        (lambda o: {"text": o, "label": list("ABC")}, letter),
        (json.dumps, lambda g, _: g),
    ],
)
def test_options_may_be_all_in_one_column(tmp_path, options, gold):
    path = tmp_path / "mine.jsonl"
    made = EACH
    lines = [{"stem": q, "choices": options(o), "answerKey": gold(g, o), "note": None} for q, o, g in made]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert read(path)[1] == EXPECTED


def test_ids_and_facets_are_kept_and_what_is_not_used_is_said(tmp_path):
    path = as_csv(tmp_path / "mine.csv", *CSV["gold first"])
    written = suite_toml(path)
    assert 'id = "id"' in written and 'facets = ["subject"]' in written and "not used" not in written
    header, rows = CSV["letters"]
    path = as_csv(tmp_path / "mine.csv", [*header, "remark"], [[*row, f"r{i}"] for i, row in enumerate(rows)])
    assert '# not used: "remark"' in suite_toml(path)


@pytest.mark.parametrize("header", ["question,answer", "a,b", "question,A,B,C", "A,B,answer", "x"])
def test_what_cannot_be_told_is_said_with_the_columns_there_are(tmp_path, header):
    path = tmp_path / "mine.csv"
    path.write_text(f"{header}\n" + f"{','.join('17' for _ in header.split(','))}\n" * 3)
    with pytest.raises(
        DataError, match=f"cannot tell the .* among the columns {header.replace(',', ', ')}: expected"
    ):
        suite_toml(path)


def test_a_suite_and_a_system_are_begun_once_and_run_as_they_stand(rimbench, tmp_path, checkpoint):
    as_csv(tmp_path / "mine.csv", *CSV["letters"])
    assert rimbench("init", "suite", "mine.csv", check=True).stdout == "mine.toml\n"
    again = rimbench("init", "suite", "mine.csv")
    assert again.returncode == 2 and "mine.toml is there already" in again.stderr
    folder = tmp_path / "models" / "small"
    folder.mkdir(parents=True)
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    assert rimbench("init", "system", "models/small", check=True).stdout == "small.toml\n"
    assert rimbench("init", "system", "models/small").returncode == 2
    run = rimbench("run", "--system", "small.toml", "--suite", "mine.toml", check=True)
    assert "4 of 4 answers" in run.stderr
    assert "holds no checkpoint" in rimbench("init", "system", "models").stderr
    assert "cannot be read" in rimbench("init", "suite", "none.csv").stderr
