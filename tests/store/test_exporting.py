"""All records as one Parquet file: its rows, its columns, and what is refused."""

import random
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

import rimbench
from rimbench.errors import DataError, RimbenchError, UsageError
from rimbench.records import Item, Record
from rimbench.store import Manifest, ModelSource, RunStore, SuiteSource, identity_of
from rimbench.store.exporting import ROWS_AT_ONCE, export

MADE_OF = {"suite": {"content_sha256": "c"}, "engine": {"name": "fake", "device": "none", "dtype": "none"}}
LOGPROBS = {"A": -0.5, "B": -1.5, "C": -2.5}


@pytest.fixture
def write_run(tmp_path):
    def write(name, records, options="ABC", items=3):
        questions = [
            Item(str(i), f"q{i}", {letter: f"text {letter}" for letter in options}, "A") for i in range(items)
        ]
        start = "2026-01-01T00:00:00+00:00"
        made_of, source, model = identity_of(MADE_OF), SuiteSource(), ModelSource("m")
        made = Manifest(
            1, name, f"{name}-system", "suite", items, 0, made_of, source, model, {}, {}, None, None, start, None, 1
        )
        with RunStore(tmp_path / "results" / name) as store:
            store.write_manifest(made, questions)
            store.append(records)
        return tmp_path / "results"

    return write


def test_a_row_holds_the_record_with_its_run_and_what_its_item_adds(write_run, tmp_path):
    write_run("one", [Record("0", 0, "A", "A", "ok", "text\n\u2028", LOGPROBS, 5, 1, "p")])
    results = write_run("two", [Record("1", 3, "A", None, "truncated", "", None, 6, 2, "q")], options="ABCDEFGHIJ")
    assert export(results, tmp_path / "all.parquet") == 2
    first, second = pq.read_table(tmp_path / "all.parquet").to_pylist()
    assert first == {
        "run": "one", "system": "one-system", "suite": "suite", "item_id": "0", "sample": 0, "gold": "A",
        "answer": "A", "status": "ok", "text": "text\n\u2028", "option_logprobs": list(LOGPROBS.items()),
        "prompt_tokens": 5, "generated_tokens": 1, "prompt_sha256": "p", "label_mass": None, "confidence": None,
        "correct": True, "options": 3, "departures": None,
    }  # fmt: skip
    assert (second["answer"], second["option_logprobs"], second["correct"], second["options"]) == (
        None,
        None,
        False,
        10,
    )


def test_a_data_frame_holds_the_rows_of_the_file(write_run, tmp_path):
    write_run("one", [Record("0", 0, "A", "A", "ok", "text", LOGPROBS, 5, 1, "p")])
    results = write_run("two", [Record("1", i, "A", None, "truncated", "", None, 6, 2, "q") for i in range(3)])
    frame = rimbench.load(str(results))
    export(results, tmp_path / "all.parquet")
    assert list(frame.columns) == pq.read_schema(tmp_path / "all.parquet").names
    assert frame.groupby("run")["correct"].mean().to_dict() == {"one": 1.0, "two": 0.0}
    assert frame["option_logprobs"][0] == LOGPROBS and frame["option_logprobs"][1] is None
    assert frame["answer"].isna().tolist() == [False, True, True, True]
    assert frame["sample"].tolist() == [0, 0, 1, 2]


def test_a_data_frame_of_runs_without_records_has_columns_and_no_row(write_run):
    frame = rimbench.load(write_run("none", []))
    assert len(frame) == 0 and "correct" in frame


def test_a_data_frame_of_no_results_says_what_to_run(tmp_path):
    with pytest.raises(DataError, match="no run in"):
        rimbench.load(tmp_path)


def test_more_rows_than_pass_at_once_are_all_written_in_order(write_run, tmp_path):
    count = 2 * ROWS_AT_ONCE + 1
    results = write_run("many", [Record("0", i, "A", "B", "ok", "", None, 1, 1, "p") for i in range(count)])
    assert export(results, tmp_path / "all.parquet") == count
    assert pq.read_table(tmp_path / "all.parquet")["sample"].to_pylist() == list(range(count))


def test_a_run_without_records_adds_no_row(write_run, tmp_path):
    assert export(write_run("none", []), tmp_path / "all.parquet") == 0
    assert pq.read_table(tmp_path / "all.parquet").num_rows == 0


def test_a_file_that_is_there_is_replaced_only_by_force(write_run, tmp_path):
    results, file = write_run("one", []), tmp_path / "all.parquet"
    file.write_text("mine")
    with pytest.raises(UsageError, match=r"is there already: .*--force"):
        export(results, file)
    assert file.read_text() == "mine"
    export(results, file, force=True)
    assert pq.read_table(file).num_rows == 0


def test_an_export_that_fails_leaves_nothing_behind_and_the_old_file_as_it_was(write_run, tmp_path):
    results, file = write_run("one", [Record("0", 0, "A", "A", "ok", "", None, 5, 1, "p")]), tmp_path / "all.parquet"
    file.write_text("mine")
    with (results / "one" / "records.jsonl").open("a") as records:
        records.write("{}\n")
    with pytest.raises(DataError, match=r"1 of its lines are no record \(line 2\)"):
        export(results, file, force=True)
    assert file.read_text() == "mine" and [path.name for path in tmp_path.glob("*.tmp")] == []


def test_wrong_names_and_folders_are_refused(write_run, tmp_path):
    results = write_run("one", [])
    with pytest.raises(UsageError, match=r"expected a name that ends in \.parquet"):
        export(results, tmp_path / "all.csv")
    with pytest.raises(RimbenchError, match=r"cannot write .*No such file or directory"):
        export(results, tmp_path / "nowhere" / "all.parquet")
    with pytest.raises(DataError, match="no run in"):
        export(tmp_path / "nothing", tmp_path / "all.parquet")


def test_the_command_prints_the_file_and_how_many_records_it_holds(write_run, tmp_path):
    from rimbench.cli.export import export as run

    app = typer.Typer()
    app.command()(run)
    results = write_run("one", [Record("0", 0, "A", "A", "ok", "", None, 5, 1, "p")])
    done = CliRunner().invoke(app, [str(tmp_path / "all.parquet"), "--results", str(results)])
    assert done.stdout.strip() == str(tmp_path / "all.parquet")
    assert "wrote 1 records" in done.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a process's peak memory is read from /proc")
def test_memory_does_not_grow_with_the_number_of_records(write_run, tmp_path):
    def peak_kib(count):
        texts = (f"{i} {random.Random(i).randbytes(1000).hex()}" for i in range(count))
        results = write_run(
            "r", [Record("0", i, "A", "B", "ok", text, None, 1, 1, "p") for i, text in enumerate(texts)]
        )
        code = (
            "import re, sys\nfrom pathlib import Path\nfrom rimbench.store.exporting import export\n"
            "export(Path(sys.argv[1]), Path(sys.argv[2]), force=True)\n"
            "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        )
        command = [sys.executable, "-c", code, str(results), str(tmp_path / "all.parquet")]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    small = peak_kib(2 * ROWS_AT_ONCE)
    assert peak_kib(12 * ROWS_AT_ONCE) < small + 25 * 1024  # the texts that are added are about 50 MB
