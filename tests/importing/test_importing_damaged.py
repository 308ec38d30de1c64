"""No traceback from any file: whatever is damaged in one is a line, and what is not damaged is imported."""

import json
import random
import time
import zipfile

import pytest

from rimbench import importing
from rimbench.errors import RimbenchError
from rimbench.importing import stated
from rimbench.importing.answers import Sampling

SECONDS = 1.0
"""Of each seed's mutations; the first 20 are made however long they take."""
SEEDS = (
    "samples_quiz_letters_2026-11-22.jsonl",
    "samples_quiz_texts_2026-11-22.jsonl",
    "samples_quiz_written_2026-11-22.jsonl",
    "quiz.csv",
    "quiz.jsonl",
    "quiz.json",
    "quiz.eval",
    "quiz_log.json",
    "results_2026-11-22.json",
)
WRONG = (
    None, True, False, 0, -1, 1, 3.5, 1e400, float("nan"), 10**40, "", " ", "x", "A", "0", "NaN", "\ud800", "\0",
    "a" * 5000, "two\nlines",
    [], {}, [None], [[]], {"": None}, [1, 2], ["A", "B"], {"a": {"b": "c"}}, [[["x"]]], {"id": 5},
)  # fmt: skip


def nested(depth, kind="[]"):
    return kind[0] * depth + kind[1] * depth if kind == "[]" else '{"a":' * depth + "1" + "}" * depth


@pytest.fixture
def seeds(logs, tmp_path, quiz_rows):
    """A valid file of each kind, by name."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    for name in SEEDS:
        if (logs / name).exists():
            (folder / name).write_bytes((logs / name).read_bytes())
    rows = [
        {
            "item_id": i,
            "question": q,
            "options": o,
            "predicted": g,
            "gold": g,
            "sample": 0,
            "prompt_tokens": 3,
            "error": None,
        }
        for i, q, o, g in quiz_rows
    ]
    (folder / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "quiz.json").write_text(json.dumps(rows, indent=1))
    totals = {"results": {"quiz_texts": {"acc,none": 0.5, "sample_len": 6}}, "configs": {}, "config": {"model": "hf"}}
    (folder / "results_2026-11-22.json").write_text(json.dumps(totals))
    return folder


def places(value, path=()):
    """Every place in a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if new is ... and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


def mutate_document(value, chance):
    path = chance.choice([path for path in places(value) if path] or [()])
    return replaced(value, path, chance.choice((..., *WRONG)) if path else None)


def mutate_bytes(content, chance):
    """Bytes cut off, turned over, doubled, taken out, or put in."""
    at = chance.randrange(len(content) + 1)
    kind = chance.randrange(6)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
    if kind == 2:
        return content[:at] + content[at // 2 : at] + content[at:]
    if kind == 3:
        return content[:at] + content[at + chance.randrange(1, 200) :]
    if kind == 4:
        return content[:at] + chance.choice(
            (b"\0", b"\xff\xfe", b"\xed\xa0\x80", b'"', b",", b"\n", b"[", b"{", b"\r")
        )
    put = chance.choice((nested(100_000), nested(3000, "{}"), nested(900), nested(400, "{}"), "9" * 5000, "\\ud800"))
    return content[:at] + put.encode() + content[at:]


def mutate(name, content, chance):
    if name.endswith(("jsonl", "json")) and chance.random() < 0.7:
        text = content.decode()
        if name.endswith("json"):
            return json.dumps(mutate_document(json.loads(text), chance)).encode()
        lines = text.splitlines()
        at = chance.randrange(len(lines))
        lines[at] = json.dumps(mutate_document(json.loads(lines[at]), chance))
        return "\n".join(lines).encode()
    return mutate_bytes(content, chance)


def import_all(path, target, results):
    """The whole way of a file, by every format: a RimbenchError of one line is well, anything else is a fault."""
    for name in ("auto", *importing.reading.format_names()):
        try:
            file = importing.read(path, name)
            matching = importing.match(file.reading.answers, target, str(file.path))
            importing.keep(file, "them", target, matching, results)
        except RimbenchError as error:
            assert "\n" not in str(error) and len(str(error)) < 6000


@pytest.mark.parametrize("name", SEEDS)
def test_a_file_that_is_damaged_anywhere_is_one_line_or_is_read(seeds, quiz, tmp_path, name, logs):
    if name.endswith("eval") or name == "quiz_log.json":
        log = pytest.importorskip("inspect_ai.log", reason="the extra rimbench[inspect] is not installed")
        log.write_eval_log(log.read_eval_log(str(logs / "quiz.eval")), str(seeds / "quiz_log.json"))
    target = importing.load_target(str(quiz()), None)
    content = (seeds / name).read_bytes()
    path = seeds / f"damaged-{name}" if not name.startswith("results") else seeds / name
    chance, end, count = random.Random(name), time.monotonic() + SECONDS, 0
    while count < 20 or time.monotonic() < end:
        damaged = content
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            damaged = mutate(name, damaged, chance) if damaged == content else mutate_bytes(damaged, chance)
        path.write_bytes(damaged)
        other = seeds / "samples_quiz_texts_2026-11-22.jsonl"
        import_all(other if name.startswith("results") else path, target, tmp_path / "results")
        if name.startswith("results"):
            import_all(path, target, tmp_path / "results")
        count += 1


@pytest.mark.parametrize("depth", [100, 900, 1100, 100_000])
@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv"])
def test_a_document_nested_thousands_deep_is_one_line_or_is_read(quiz, tmp_path, depth, suffix):
    target = importing.load_target(str(quiz()), None)
    for content in (
        nested(depth),
        nested(depth, "{}"),
        f'{{"item_id": "q-1", "predicted": "A", "more": {nested(depth)}}}',
        f'[{{"item_id": "q-1", "predicted": "A", "error": {nested(depth)}, "options": {nested(depth, "{}")}}}]',
        f'item_id,predicted,options\nq-1,A,"{nested(depth)}"\n',
        f'{{"doc_id": 1, "doc": {nested(depth, "{}")}, "target": {nested(depth)}, "resps": [["A"]], "arguments": '
        f'{{"a": {{"b": "c", "d": {nested(depth, "{}")}}}}}}}',
    ):
        path = tmp_path / f"deep.{suffix}"
        path.write_text(content)
        import_all(path, target, tmp_path / "results")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b" \r\n\t", b"\xef\xbb\xbf", b"\0", b"\xff\xfe[\0]\0", b"PK", b"PK\x03\x04", b"[", b"{}", b"[]",
     b"null", b'"x"', b"[[]]", b"[null]", b"PAR1" + b"\xff" * 50 + b"PAR1", b"%PDF-1.7", b"item_id,predicted\n",
     b","],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "tsv", "eval", "parquet", "txt"])
def test_a_file_of_nothing_known_is_one_line(quiz, tmp_path, content, suffix):
    target = importing.load_target(str(quiz()), None)
    (tmp_path / f"odd.{suffix}").write_bytes(content)
    with pytest.raises(RimbenchError) as error:
        importing.match(importing.read(tmp_path / f"odd.{suffix}").reading.answers, target, "odd")
    assert "\n" not in str(error.value)


def test_an_archive_cut_anywhere_is_one_line(logs, tmp_path):
    content = (logs / "quiz.eval").read_bytes()
    for cut in range(0, len(content), len(content) // 40):
        for damaged in (content[:cut], content[cut:], content[:cut] + b"\0" * 40 + content[cut + 40 :]):
            (tmp_path / "cut.eval").write_bytes(damaged)
            try:
                importing.read(tmp_path / "cut.eval")
            except RimbenchError as error:
                assert "\n" not in str(error)


def test_an_archive_of_something_else_is_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.eval", "w") as archive:
        archive.writestr("header.json", "{}")
    with pytest.raises(RimbenchError, match="unknown format: it holds an archive"):
        importing.read(tmp_path / "a.eval")
    with zipfile.ZipFile(tmp_path / "b.eval", "w") as archive:
        archive.writestr("_journal/start.json", "[" * 1000)
        archive.writestr("header.json", "{")
    with pytest.raises(RimbenchError):
        importing.read(tmp_path / "b.eval")


@pytest.mark.parametrize("name", ["a\0b.jsonl", "none.jsonl", ".", "a" * 300])
def test_a_path_that_leads_to_no_file_is_one_line(tmp_path, name):
    with pytest.raises(RimbenchError, match="cannot read"):
        importing.read(tmp_path / name)


def test_half_a_surrogate_pair_is_kept_as_it_can_be_written(do_import, quiz, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"item_id": "q-1", "text": "The answer is (B). \\ud83d"}\n')
    done = do_import(tmp_path / "a.jsonl", quiz())
    assert done.records["q-1", 0]["answer"] == "B"
    assert done.records["q-1", 0]["text"] == "The answer is (B). \N{REPLACEMENT CHARACTER}"
    (tmp_path / "b.jsonl").write_text('{"item_id": "q-1", "text": "The answer is (B). \\ud83d\\ude00"}\n')
    assert do_import(tmp_path / "b.jsonl", quiz()).records["q-1", 0]["text"].endswith("\U0001f600")


def test_the_seeds_are_valid(seeds, quiz, tmp_path):
    target = importing.load_target(str(quiz()), None)
    for name in SEEDS:
        if (seeds / name).exists() and not name.startswith("results") and not name.endswith("eval"):
            file = importing.read(seeds / name)
            assert importing.match(file.reading.answers, target, name).matches


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan"), "1", None])
def test_a_number_that_no_float_holds_is_not_stated(value):
    assert stated.finite_number(value) is None
    assert stated.stated_sampling(value, value, value) == Sampling()
    assert stated.unlike("log.json", "accuracy", value, (0.5, 4)) == []


def test_an_accuracy_that_no_float_holds_stops_no_import_and_is_compared_with_nothing(tmp_path):
    entry = {"origin_prompt": "Q?\nA. one\nB. two", "prediction": "A", "gold": "A"}
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"0": entry, "accuracy": 10**400}))
    found = importing.read(file, "opencompass").reading
    assert ([answer.text for answer in found.answers], found.notes) == (["A"], ())
