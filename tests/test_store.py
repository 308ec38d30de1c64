import json
import subprocess
import sys
from pathlib import Path

import pytest

from rimbench.errors import DataError, RimbenchError
from rimbench.records import Item, Manifest, Record
from rimbench.store import RECORDS, RunStore, find_runs, read_manifest, read_records, set_aside, to_line

KEYS = [
    "item_id", "sample", "gold", "answer", "status", "text", "option_logprobs", "prompt_tokens", "generated_tokens",
    "prompt_sha256", "label_mass",
]  # fmt: skip


def record(item_id="1", sample=0, text="C", answer="C"):
    return Record(item_id, sample, "C", answer, "ok" if answer else "no_answer", text, None, 10, 1, "ab")


def manifest(**changes):
    values = {
        "schema_version": 1, "run": "r", "system": "s", "suite": "t", "n": 1, "samples": 0, "identity": {},
        "suite_source": {}, "model_source": {}, "versions": {}, "device": {}, "commit": None, "dirty": None,
        "started_at": "2026-01-01T00:00:00+00:00", "ended_at": None, "sessions": 1,
    }  # fmt: skip
    return Manifest(**(values | changes))


def test_a_record_is_one_line_with_the_keys_of_the_format_in_their_order():
    assert list(json.loads(to_line(record()))) == KEYS


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
    for expected in ("run.old-1", "run.old-2"):
        with RunStore(folder) as store:
            store.write_manifest(manifest(), [])
            store.append([record()])
        assert set_aside(folder).name == expected
    assert not folder.exists()
    assert find_runs(tmp_path) == []
    assert (tmp_path / "run.old-1" / RECORDS).read_text() == to_line(record()) + "\n"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RimbenchError, match="cannot write"), RunStore(tmp_path / "file" / "run"):
        pass
