import json
import math
import os
import shutil
import subprocess
import sys
import zlib
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rimbench.errors import DataError, RimbenchError
from rimbench.records import STATUSES, Item, Record
from rimbench.store import (
    ITEMS,
    MANIFEST,
    RECORDS,
    Answers,
    Kept,
    RunStore,
    checksum,
    find_runs,
    find_without_manifest,
    manifest_of,
    read_items,
    read_manifest,
    read_records,
    to_line,
)
from rimbench.store.lines import to_item_line

KEYS = [
    "item_id", "sample", "gold", "answer", "status", "text", "option_logprobs", "prompt_tokens", "generated_tokens",
    "prompt_sha256", "label_mass", "check",
]  # fmt: skip
MADE_OF = {"suite": {"content_sha256": "c"}, "engine": {"name": "fake", "device": "none", "dtype": "none"}}
ITEM = Item("1", "q", {"A": "w", "B": "x", "C": "y", "D": "z"}, "C")


def record(item_id="1", sample=0, text="C", answer="C"):
    return Record(item_id, sample, "C", answer, "ok" if answer else "no_answer", text, None, 10, 1, "ab")


def manifest(**changes):
    values = {
        "schema_version": 1, "run": "r", "system": "s", "suite": "t", "n": 1, "samples": 0, "identity": MADE_OF,
        "suite_source": {}, "model_source": {"source": "m", "revision": None}, "versions": {}, "device": {},
        "commit": None, "dirty": None,
        "started_at": "2026-01-01T00:00:00+00:00", "ended_at": None, "sessions": 1,
    }  # fmt: skip
    return manifest_of(json.dumps(values | changes))


def test_a_record_is_one_line_with_the_keys_of_the_format_in_their_order():
    assert list(json.loads(to_line(record()))) == KEYS


SHARES = st.floats(-1e300, 0) | st.just(-0.0) | st.just(-math.inf) | st.integers(-5, 0)


@given(
    st.builds(
        Record,
        item_id=st.text(), sample=st.integers(0), gold=st.sampled_from("ABC"),
        answer=st.none() | st.sampled_from("ABC"), status=st.sampled_from(STATUSES), text=st.text(),
        option_logprobs=st.none() | st.dictionaries(st.sampled_from("ABC"), SHARES),
        prompt_tokens=st.integers(0), generated_tokens=st.integers(0), prompt_sha256=st.text(),
        label_mass=st.none() | st.floats(0, 1) | st.integers(0, 1), final=st.booleans(),
        confidence=st.none() | st.floats(0, 1),
    )
)  # fmt: skip
def test_a_line_is_what_json_makes_of_the_record(made):
    values = asdict(made)
    if not made.final:
        del values["final"]
    if made.confidence is None:
        del values["confidence"]
    if made.option_logprobs is not None:
        values["option_logprobs"] = {x: None if p == -math.inf else p for x, p in made.option_logprobs.items()}
    assert to_line(made).rpartition(', "check"')[0] + "}" == json.dumps(values, ensure_ascii=False)


@pytest.mark.parametrize("beyond", [math.nan, math.inf])
def test_a_number_that_json_has_not_is_no_line(beyond):
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_line(replace(record(), label_mass=beyond))


def test_lines_of_earlier_builds_which_know_no_label_mass_are_read(tmp_path):
    values = json.loads(to_line(record()))
    assert values.pop("label_mass") is None
    (tmp_path / RECORDS).write_text(json.dumps(values) + "\n")
    assert list(read_records(tmp_path / RECORDS)) == [record()]


def test_what_was_appended_is_read_back_unchanged(tmp_path):
    texts = [
        "plain",
        "two\nlines",
        "line separator \u2028 and \x85",
        "null \x00 byte",
        "\u202e right to left",
        "\ud83d\ude00",
    ]
    texts[-1] = texts[-1].encode("utf-16", "surrogatepass").decode("utf-16")
    records = [record(str(i), text=text) for i, text in enumerate(texts)]
    with RunStore(tmp_path / "run") as store:
        store.append(records)
    assert list(read_records(tmp_path / "run" / RECORDS)) == records


def test_a_torn_last_line_is_dropped_and_its_size_told(tmp_path):
    with RunStore(tmp_path / "run") as store:
        store.append([record("1"), record("2")])
    path = tmp_path / "run" / RECORDS
    whole = path.read_bytes()
    path.write_bytes(whole + to_line(record("3")).encode()[:40])
    with RunStore(tmp_path / "run") as store:
        assert (store.repaired, store.done) == (40, {("1", 0), ("2", 0)})
    assert path.read_bytes() == whole


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_file_cut_anywhere_opens_with_its_whole_lines(tmp_path, cut):
    with RunStore(tmp_path / "run") as store:
        store.append([record("1"), record("2")])
    path = tmp_path / "run" / RECORDS
    path.write_bytes(path.read_bytes()[:-cut])
    with RunStore(tmp_path / "run") as store:
        assert store.done == {("1", 0)}


def test_a_file_that_is_one_torn_line_longer_than_a_read_is_emptied(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / RECORDS).write_bytes(b"x" * 200_000)
    with RunStore(tmp_path / "run") as store:
        assert (store.repaired, store.done) == (200_000, set())


def test_faulty_lines_are_counted_and_listed_with_their_numbers(tmp_path):
    path = tmp_path / RECORDS
    lines = [to_line(record()), "{broken", to_line(record("2")), "", to_line(record("3")).replace('"ok"', '"fine"')]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"3 of its lines are no record \(line 2, 4, 5\); line 2: not JSON;"):
        list(read_records(path))


def test_a_second_writer_is_refused_while_the_first_is_there(tmp_path):
    code = (
        "from pathlib import Path\nfrom rimbench.store import RunStore\n"
        f"RunStore(Path({str(tmp_path / 'run')!r})).__enter__()"
    )
    with RunStore(tmp_path / "run"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "is being written by another process" in done.stderr
    with RunStore(tmp_path / "run"):
        pass  # and let in once the first is gone


def test_a_disk_that_refuses_a_write_loses_nothing_that_was_kept(tmp_path):
    """A limit on file size is the same refusal as a full disk, and needs no disk of its own."""
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from test_store import record\n"
        "from rimbench.store import RunStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with RunStore(Path(sys.argv[1])) as store:\n"
        "    store.append([record('1')])\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "    store.append([record('2', text='x' * 1000)])\n"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run"), here], capture_output=True, text=True, check=False
    )
    assert "RimbenchError: cannot write" in done.stderr
    assert [r.item_id for r in read_records(tmp_path / "run" / RECORDS)] == ["1"]


def test_a_manifest_of_another_schema_version_is_refused(tmp_path):
    with RunStore(tmp_path / "run") as store:
        store.write_manifest(manifest(schema_version=2), [])
    with pytest.raises(DataError, match="schema version 2, expected 1"):
        read_manifest(tmp_path / "run")


def test_a_manifest_is_read_back_unchanged(tmp_path):
    with RunStore(tmp_path / "run") as store:
        store.write_manifest(manifest(), [Item("1", "q", {"A": "x", "B": "y"}, "A")])
    assert read_manifest(tmp_path / "run") == manifest()


def test_starting_over_keeps_the_old_run_beside_the_new_and_out_of_the_listing(tmp_path):
    folder = tmp_path / "run"
    for text, aside in (("first", None), ("second", "run.old-1"), ("third", "run.old-2")):
        with RunStore(folder, fresh=True) as store:
            store.write_manifest(manifest(), [])
            store.append([record(text=text)])
        assert (store.aside and store.aside.name) == aside
    assert find_runs(tmp_path) == [folder]
    assert (folder / RECORDS).read_text() == to_line(record(text="third")) + "\n"
    assert (tmp_path / "run.old-1" / RECORDS).read_text() == to_line(record(text="first")) + "\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run.old-1", "run.old-2"]


def test_a_fresh_start_that_gets_no_answer_leaves_the_old_run_in_its_place(tmp_path):
    folder = tmp_path / "run"
    with RunStore(folder) as store:
        store.append([record()])
    with RunStore(folder, fresh=True) as store:
        store.write_manifest(manifest(), [])
        store.append([Record("1", 0, "C", None, "engine_error", "no", None, 1, 0, "ab")])
    assert store.aside is None
    assert list(read_records(folder / RECORDS)) == [record()]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_fresh_start_is_refused_while_another_process_writes_the_old_run(tmp_path):
    code = (
        "from pathlib import Path\nfrom rimbench.store import RunStore\n"
        f"RunStore(Path({str(tmp_path / 'run')!r}), fresh=True).__enter__()"
    )
    with RunStore(tmp_path / "run"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "is being written by another process" in done.stderr


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / RECORDS).write_bytes(b"\0" * 5000 + b"\n"),
        lambda folder: (folder / RECORDS).write_bytes(b"\n\n"),
        lambda folder: (folder / RECORDS).write_bytes(b'{"item_id": "\xff"}\n'),
        lambda folder: ((folder / RECORDS).unlink(), (folder / RECORDS).mkdir()),
        lambda folder: ((folder / RECORDS).unlink(), os.mkfifo(folder / RECORDS)),
        lambda folder: ((folder / RECORDS).unlink(), (folder / RECORDS).symlink_to("nowhere")),
        lambda folder: (folder / MANIFEST).write_text("[" * 100_000),
        lambda folder: (folder / MANIFEST).mkdir(),
        lambda folder: ((folder / ".lock").unlink(missing_ok=True), (folder / ".lock").mkdir()),
        lambda folder: (shutil.rmtree(folder), folder.write_text("no folder at all")),
        lambda folder: (shutil.rmtree(folder), folder.symlink_to("nowhere")),
    ],
)
def test_starting_over_works_on_every_damaged_folder_and_reads_nothing_of_it(tmp_path, damage):
    folder = tmp_path / "run"
    with RunStore(folder) as store:
        store.append([record()])
    damage(folder)
    with RunStore(folder, fresh=True) as store:
        store.append([record(text="new")])
    assert list(read_records(folder / RECORDS)) == [record(text="new")]
    assert os.path.lexists(tmp_path / "run.old-1")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RimbenchError, match="cannot write"), RunStore(tmp_path / "file" / "run"):
        pass


def lines(folder, *records, name=RECORDS):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(f"{line}\n" for line in records))
    return folder


def edited(line, **changes):
    """A line with other values, as an editor leaves it."""
    return json.dumps(json.loads(line) | changes)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"sample": -1}, "sample: expected 0 to 999999 (got -1)"),
        ({"sample": 10**9}, "sample: expected 0 to 999999 (got 1000000000)"),
        ({"sample": True}, "sample: expected a whole number (got true)"),
        ({"answer": "E"}, "answer: item '1' has the options A, B, C, D (got E)"),
        ({"answer": "c"}, "answer: item '1' has the options A, B, C, D (got c)"),
        ({"answer": None}, "answer: expected a letter beside the status ok (got None)"),
        ({"answer": ""}, "answer: expected a letter beside the status ok (got )"),
        ({"status": "no_answer"}, "answer: expected null beside the status no_answer (got C)"),
        ({"status": "engine_error"}, "answer: expected null beside the status engine_error (got C)"),
        ({"final": True}, "final: belongs to engine_error alone (got the status ok)"),
        ({"prompt_tokens": -1}, "prompt_tokens: expected 0 to 100000000 (got -1)"),
        ({"generated_tokens": -7}, "generated_tokens: expected 0 to 100000000 (got -7)"),
        ({"generated_tokens": 2**31}, "generated_tokens: expected 0 to 100000000 (got 2147483648)"),
        ({"prompt_tokens": 10**30}, "prompt_tokens: "),
        ({"option_logprobs": {"A": 0.5, "B": -1, "C": -1, "D": -1}}, "option_logprobs.A: expected a logarithm"),
        ({"option_logprobs": {"A": -1, "B": -1, "C": -1}}, "option_logprobs: item '1' has the options A, B, C, D"),
        ({"option_logprobs": {"E": -1}}, "option_logprobs: item '1' has the options A, B, C, D (got E)"),
        ({"option_logprobs": {}}, "option_logprobs: item '1' has the options A, B, C, D (got )"),
        ({"option_logprobs": dict.fromkeys("ABCD", float("nan"))}, "option_logprobs.A: expected a logarithm"),
        ({"option_logprobs": dict.fromkeys("ABCD")}, "option_logprobs: expected a letter with a probability"),
        ({"option_logprobs": dict.fromkeys("ABCD", "x")}, "4 faults: option_logprobs.A: "),
        ({"gold": "A"}, "gold: A, while its item '1' has C"),
        ({"item_id": "9"}, "item_id: answers item '9', which is not in its items.jsonl"),
        ({"item_id": 1}, "item_id: expected a text (got 1)"),
    ],
)
def test_a_record_that_cannot_be_is_told_with_file_line_and_key(tmp_path, changes, fault):
    folder = lines(tmp_path / "run", to_line(record()), edited(to_line(record(sample=1)), **changes))
    with pytest.raises(DataError) as told:
        list(Answers(folder, {"1": ITEM}))
    assert str(told.value).startswith(f"{folder / RECORDS}: 1 of its lines are no record (line 2); line 2: {fault}")
    with pytest.raises(DataError), RunStore(folder, {"1": ITEM}):
        pass


def test_an_answer_to_another_prompt_is_none_of_this_run(tmp_path):
    folder = lines(tmp_path / "run", to_line(record()), edited(to_line(record(sample=1)), prompt_sha256="cd"))
    with RunStore(folder, {"1": ITEM}) as store:
        assert len(store.done) == 2
    with (
        pytest.raises(
            DataError, match=r"\(line 2\); line 2: prompt_sha256: answers cd, and item '1' asks ab.*--fresh"
        ),
        RunStore(folder, {"1": ITEM}, prompts={"1": "ab"}),
    ):
        pass


def test_a_probability_of_0_is_kept_as_null_and_read_back(tmp_path):
    kept = Record("1", 0, "C", "C", "ok", "C", {"A": float("-inf"), "B": -0.5, "C": -0.9, "D": -9.0}, 1, 0, "ab")
    assert json.loads(to_line(kept))["option_logprobs"] == {"A": None, "B": -0.5, "C": -0.9, "D": -9.0}
    with RunStore(tmp_path / "run", {"1": ITEM}) as store:
        store.append([kept, record(sample=1)])
    assert list(Answers(tmp_path / "run", {"1": ITEM})) == [kept, record(sample=1)]


def test_a_record_that_no_reader_would_take_is_not_written(tmp_path):
    with (
        RunStore(tmp_path / "run", {"1": ITEM}) as store,
        pytest.raises(DataError, match="the answer to item '1' cannot be kept: answer: item '1' has the options"),
    ):
        store.append([record(answer="E")])
    assert (tmp_path / "run" / RECORDS).read_bytes() == b""


def test_half_a_character_is_kept_as_a_replacement_character_and_counted(tmp_path):
    with RunStore(tmp_path / "run") as store:
        store.append([record(text="a\ud83d \U0001f600"), record(sample=1)])
        assert store.mended == 1
    assert [r.text for r in Answers(tmp_path / "run")] == ["a\ufffd \U0001f600", "C"]


def test_doubled_lines_that_are_equal_count_once(tmp_path):
    folder = lines(tmp_path / "run", *[to_line(record())] * 3, to_line(record(sample=1)))
    assert list(Answers(folder)) == [record(), record(sample=1)]
    with RunStore(folder) as store:
        assert (len(store.done), store.greedy) == (2, 1)


def test_doubled_lines_that_differ_are_told_with_both_numbers(tmp_path):
    folder = lines(tmp_path / "run", to_line(record()), to_line(record(sample=1)), to_line(record(text="other")))
    with pytest.raises(DataError, match="lines 1 and 3 answer sample 0 of item '1' differently"):
        list(Answers(folder))
    with pytest.raises(DataError, match="lines 1 and 3"), RunStore(folder):
        pass


def error(text="boom", final=False):
    return Record("1", 0, "C", None, "engine_error", text, None, 10, 0, "ab", final=final)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ([error("a"), record()], record()),
        ([record(), error("a")], record()),
        ([error("a"), error("b")], error("b")),
        ([error("a"), error("a", final=True)], error("a", final=True)),
        ([error("a", final=True), error("b")], error("a", final=True)),
        ([error("a", final=True), record()], record()),
    ],
)
def test_an_engines_failure_gives_way_to_an_answer_and_to_a_final_failure(tmp_path, written, read):
    assert list(Answers(lines(tmp_path / "run", *map(to_line, written)))) == [read]


def test_a_line_that_was_changed_after_it_was_written_is_told_and_one_without_a_checksum_is_taken_as_it_is(tmp_path):
    intact, reordered = to_line(record()), json.loads(to_line(record(sample=2, text="caf\u00e9")))
    spelled = json.dumps(dict(reversed(reordered.items())), ensure_ascii=True, separators=(",", ":"))
    older = {key: value for key, value in json.loads(to_line(record(sample=3))).items() if key != "check"}
    changed = edited(to_line(record(sample=1)), answer="B")
    folder = lines(tmp_path / "run", intact, changed, spelled, json.dumps(older))
    answers = Answers(folder, {"1": ITEM})
    assert [answer.sample for answer in answers] == [0, 1, 2, 3]
    assert answers.edited == [2]
    with RunStore(folder, {"1": ITEM}) as store:
        assert store.edited == [2]


@pytest.mark.parametrize("text", ["", '", "check": "00000000"}', '"check"', 'x", "check": "', "\u2028\0"])
def test_no_text_is_taken_for_a_checksum(tmp_path, text):
    answers = Answers(lines(tmp_path / "run", to_line(record(text=text))))
    assert [answer.text for answer in answers] == [text]
    assert answers.edited == []


def test_the_checksum_is_the_crc_of_the_line_up_to_it():
    line = to_line(record())
    before = line[: line.index(', "check"')].encode()
    assert (
        line.endswith(f', "check": "{zlib.crc32(before):08x}"}}')
        and checksum(record()) == f"{zlib.crc32(before):08x}"
    )


def test_pairs_are_counted_once_and_what_is_missing_of_them_is_known():
    kept = Kept([("a", 0), ("a", 3), ("b", 0), ("a", 0)])
    assert kept == {("a", 0), ("a", 3), ("b", 0)} and len(kept) == 3 and kept.most_samples == 3
    assert ("a", 3) in kept and ("a", 1) not in kept and ("c", 0) not in kept
    assert kept.missing(["a", "b", "c"], 3) == 2 + 3 + 4
    assert kept.missing(["a", "b", "c"], 0) == 1
    assert kept.missing(["a", "b"], 3, first=1) == 2 + 3


def test_a_reader_meets_what_was_there_when_it_began(tmp_path):
    """A line that is being written is no fault, whether it is finished while the file is read or not."""
    whole = [to_line(record(str(i), text="x" * 5000)) + "\n" for i in range(2000)]
    folder = tmp_path / "run"
    folder.mkdir()
    with (folder / RECORDS).open("w") as file:
        file.write("".join(whole) + whole[0][:2000])
        file.flush()
        read = iter(read_records(folder / RECORDS))
        first = next(read)
        file.write(whole[0][2000:] + "no record\n")
        file.flush()
        assert [first.item_id, *(r.item_id for r in read)] == [str(i) for i in range(2000)]


def test_zeros_that_a_loss_of_power_left_at_the_end_are_dropped(tmp_path):
    folder = lines(tmp_path / "run", to_line(record()))
    whole = (folder / RECORDS).read_bytes()
    (folder / RECORDS).write_bytes(whole + b"\0" * 9000)
    with RunStore(folder) as store:
        assert (store.repaired, len(store.done)) == (9000, 1)
    assert (folder / RECORDS).read_bytes() == whole


def test_a_torn_tail_alone_is_no_record_and_no_fault(tmp_path):
    folder = lines(tmp_path / "run")
    (folder / RECORDS).write_text(to_line(record())[:50])
    assert list(Answers(folder)) == []


@pytest.mark.parametrize("name", [RECORDS, ITEMS, MANIFEST])
def test_a_pipe_in_a_runs_folder_is_refused_and_not_waited_for(tmp_path, name):
    folder = tmp_path / "run"
    with RunStore(folder) as store:
        store.write_manifest(manifest(), [ITEM])
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(DataError, match="no regular file"):
        _ = read_manifest(folder), read_items(folder), list(Answers(folder))
    with pytest.raises(RimbenchError, match="no regular file"), RunStore(folder):
        pass


@pytest.mark.parametrize("name", [RECORDS, ITEMS, MANIFEST])
def test_a_symbolic_link_in_a_runs_folder_is_not_written_through(tmp_path, name):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(victim)
    with pytest.raises(RimbenchError, match="is a symbolic link"), RunStore(tmp_path / "run"):
        pass
    assert victim.read_text() == "precious"


def test_a_link_in_place_of_a_runs_folder_is_not_written_through(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to("elsewhere")
    with pytest.raises(RimbenchError, match="is a symbolic link"), RunStore(tmp_path / "run"):
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_of_records_without_a_manifest_is_found(tmp_path):
    with RunStore(tmp_path / "run") as store:
        store.append([record()])
    assert find_runs(tmp_path) == [] and find_without_manifest(tmp_path) == [tmp_path / "run"]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"options": {}}, "options: expected 2 to 10"),
        ({"options": {"A": "x", "C": "y"}}, "options: expected 2 to 10, lettered from A on (got A, C)"),
        ({"gold": "E"}, "gold: expected one of A, B, C, D (got E)"),
        ({"gold": None}, "gold: expected a text (got null)"),
    ],
)
def test_an_item_that_cannot_be_asked_is_told(tmp_path, values, fault):
    item = {"item_id": "1", "question": "q", "options": dict(ITEM.options), "gold": "C", "cluster": None}
    folder = lines(tmp_path / "run", json.dumps(item | values), name=ITEMS)
    with pytest.raises(DataError) as told:
        read_items(folder)
    assert f"line 1: {fault}" in str(told.value)


@pytest.mark.parametrize(
    "content", ["", "{", '{"schema_version": 1}', "[1]", "null", "[" * 100_000, "\0", '{"a": NaN}']
)
def test_a_manifest_that_is_none_is_one_line(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(DataError) as told:
        read_manifest(tmp_path)
    assert str(told.value).startswith(f"{tmp_path / MANIFEST}") and "\n" not in str(told.value)


def test_items_are_written_once_and_left_alone_where_they_stand(tmp_path):
    with RunStore(tmp_path / "run") as store:
        store.write_manifest(manifest(), [ITEM])
    path = tmp_path / "run" / ITEMS
    before = path.stat().st_ino
    with RunStore(tmp_path / "run") as store:
        store.write_manifest(manifest(), [ITEM])
    assert path.stat().st_ino == before
    for damaged in (path.read_bytes() * 2, b"", path.read_bytes()[:-1], b"\xff\n"):
        path.write_bytes(damaged)
        with RunStore(tmp_path / "run") as store:
            store.write_manifest(manifest(), [ITEM])
        assert list(read_items(tmp_path / "run").values()) == [ITEM]


@given(
    st.builds(
        lambda texts, cluster, facets: Item(
            texts[0], texts[1], dict(zip("ABCDEFGHIJ", texts[1:], strict=False)), "A", cluster, facets
        ),
        st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=11),
        st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        st.none() | st.just({"subject": "anatomy"}),
    )
)
def test_an_item_is_kept_as_one_line_of_plain_json(item):
    values = asdict(item)
    if item.facets is None:
        del values["facets"]  # as lines have it that know of none
    assert to_item_line(item) == f"{json.dumps(values, ensure_ascii=False)}\n".encode()
