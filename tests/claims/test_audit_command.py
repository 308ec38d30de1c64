"""`rimbench audit` as a user types it."""

import json
import os
import pty
import subprocess
import sys

import pytest
import typer
from claims_files import accuracy, comparison, latency
from typer.testing import CliRunner

from rimbench.cli.audit import audit
from rimbench.errors import ConfigError, DataError, UsageError
from rimbench.latency.measured import Measured, Measurement
from rimbench.latency.stored import keep_measurement
from rimbench.records import Item, Record
from rimbench.store import RunStore, manifest_of

SCRIPT = "import typer\nfrom rimbench.cli.audit import audit\napp = typer.Typer()\napp.command()(audit)\napp()\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command in an empty folder; returns what it printed."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(audit)

    def call(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None:
            raise result.exception
        return result.stdout

    return call


IDENTITY = {"suite": {"content_sha256": "x"}, "engine": {"name": "fake", "device": "none", "dtype": "none"}}


def write_run(folder, right, n, **changes):
    values = {
        "schema_version": 1, "run": "r", "system": "a", "suite": "s", "n": n, "samples": 0,
        "identity": IDENTITY, "suite_source": {}, "model_source": {"source": "m", "revision": None}, "versions": {},
        "device": {}, "commit": None, "dirty": None, "started_at": "2026-01-01T00:00:00+00:00", "ended_at": None,
        "sessions": 1,
    }  # fmt: skip
    manifest = manifest_of(json.dumps(values | changes))
    items = [Item(str(i), "q", {"A": "x", "B": "y"}, "A") for i in range(n)]
    records = [Record(str(i), 0, "A", "A" if i < right else "B", "ok", "", None, 1, 1, "p") for i in range(n)]
    with RunStore(folder / manifest.run) as store:
        store.write_manifest(manifest, items)
        store.append(records)


def test_the_card_is_audited_by_name_with_a_sentence_for_every_claim(run):
    printed = run("rim-card")
    assert "220-times-base     holds only as worded" in printed
    assert '"answering ~220x faster than the base"\n  holds only as worded: ~7.8 s over 35 ms is 223' in printed
    assert ["contradicted", "1"] in [line.split() for line in printed.splitlines()]


def test_the_document_has_the_published_keys(run):
    document = json.loads(run("rim-card", "--json"))
    assert list(document) == [
        "schema", "title", "source", "margin", "time_margin", "alpha", "figures", "claims", "verdicts",
    ]  # fmt: skip
    assert list(document["figures"][0]) == [
        "id", "kind", "system", "suite", "printed", "value", "lowest", "highest", "n", "ci95", "method", "source",
        "verdict", "sentence", "floor", "measured",
    ]  # fmt: skip
    assert list(document["claims"][0]) == [
        "id", "kind", "text", "source", "verdict", "sentence", "numbers", "pairs", "measured",
    ]  # fmt: skip
    assert list(document["claims"][0]["pairs"][0]) == [
        "suite", "a", "b", "delta", "ci95", "method", "p_value", "p_adjusted", "family_size", "test",
    ]  # fmt: skip
    assert list(document["figures"][-1]["floor"]) == [
        "floor_ms", "times_floor", "passes", "ms_per_pass", "floor_ms_per_pass", "launch_bound", "saturated_floor_ms",
    ]  # fmt: skip
    assert sum(document["verdicts"].values()) == len(document["claims"]) == 15
    assert all(figure["measured"] is None for figure in document["figures"])
    assert all(figure["source"] for figure in document["figures"])


def test_measured_runs_are_set_beside_the_published_figures_and_claims(run, tmp_path, write):
    path = write(accuracy("a", "50.0 %"), accuracy("b", "45.0 %"), comparison("better"))
    write_run(tmp_path / "results", 24, 40)
    document = json.loads(run(path, "--json"))
    figures = {figure["id"]: figure for figure in document["figures"]}
    found = figures["a-s"]["measured"]
    assert list(found) == [
        "run", "n", "value", "ci95", "difference", "difference_ci95", "method", "outcome", "reason", "margin",
        "relative", "interval", "level", "items_needed", "items_needed_on_both", "differences", "not_compared",
    ]  # fmt: skip
    assert (found["run"], found["n"], found["value"], found["outcome"]) == ("r", 40, 0.6, "undecided")
    assert found["difference"] == pytest.approx(0.1)
    (lo, hi), (lowest, highest) = found["interval"], found["difference_ci95"]
    assert lowest < lo < 0.1 < hi < highest
    assert (found["margin"], found["level"], found["relative"]) == (0.03, 0.9, False)
    assert figures["b-s"]["measured"] is None and document["claims"][0]["measured"] is None
    printed = run(path, "--results", tmp_path / "results")
    assert "undecided" in printed and "a-s: run r; undecided: " in printed
    assert "the whole 90% interval lies within the margin (3.0 points, 10.0 % of a time)" in printed
    write_run(tmp_path / "results", 18, 40, run="q", system="b")
    [claim] = json.loads(run(path, "--json"))["claims"]
    assert list(claim["measured"]) == [
        "outcome", "reason", "margin", "level", "value", "interval", "items_needed", "pairs",
    ]  # fmt: skip
    assert claim["measured"]["pairs"][0]["delta"] == pytest.approx(0.15)
    assert claim["measured"]["outcome"] == "reproduced"  # 6 of 40 items differ, all one way
    printed = run(path, "--results", tmp_path / "results")
    assert "Claims against measured" in printed and "c: a less b on s: +15.0 [" in printed


def test_a_kept_measurement_of_time_is_set_beside_the_published_one_without_any_run(run, tmp_path, write):
    samples = tuple(95.0 + (i % 3) for i in range(40))  # ms a batch of 8
    row = Measured("a", "answer", "vllm", "NVIDIA L4", "bfloat16", 8, samples, 96.0, (96.0,), 300, 0, 0, 0.1)
    keep_measurement(Measurement("s", "2026-01-01T00:00:00+00:00", None, None, {}, {}, (row,)), tmp_path / "results")
    path = write(latency("a", "12 ms", "readout", 'device = "L4"\ndtype = "bf16"\nbatch = 8\n'))
    [figure] = json.loads(run(path, "--json"))["figures"]
    assert (figure["measured"]["n"], figure["measured"]["outcome"]) == (40, "reproduced")
    assert figure["measured"]["value"] == pytest.approx(sum(samples) / 40 / 8000)
    printed = run(path, "--results", tmp_path / "results")
    assert "a: measured on s, 2026-01-01, on NVIDIA L4, bfloat16" in printed and "12 ms" in printed


def test_runs_under_a_control_are_no_measurement_and_named(rimbench, tmp_path, write):
    blind = IDENTITY | {"controls": {"permute_options": None, "blind": True}}
    write_run(tmp_path / "results", 24, 40, identity=blind)
    done = rimbench("audit", write(accuracy("a", "50.0 %")), "--json", check=True)
    [figure] = json.loads(done.stdout)["figures"]
    assert figure["measured"] is None
    assert "r is left out: asked without the questions" in done.stderr


def test_a_folder_of_runs_that_was_asked_for_must_be_there(run, tmp_path, write):
    path = write(accuracy("a", "50.0 %"))
    with pytest.raises(DataError, match="no results folder"):
        run(path, "--results", tmp_path / "nowhere")
    assert "Published accuracies" in run(path)


def test_runs_that_nobody_asked_for_and_cannot_be_read_are_left_out(run, tmp_path, write):
    write_run(tmp_path / "results", 24, 40)
    (tmp_path / "results" / "r" / "manifest.json").write_text("{}")
    [figure] = json.loads(run(write(accuracy("a", "50.0 %")), "--json"))["figures"]
    assert figure["measured"] is None


def test_an_unknown_name_and_a_faulty_file_are_said(run, write):
    with pytest.raises(UsageError, match="did you mean rim-card"):
        run("rim-crad")
    with pytest.raises(ConfigError, match=r"figure\.0\.accuracy\.colour: unknown key"):
        run(write(accuracy("a", "50.0 %", extra="colour = 1")))


def test_neither_torch_nor_a_hub_is_imported():
    code = SCRIPT.replace("app()", "app(['rim-card', '--json'], standalone_mode=False)")
    code += (
        "import sys\nheavy = {'torch', 'transformers', 'vllm', 'datasets', 'pandas', 'scipy', 'huggingface_hub'}\n"
    )
    code += "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_every_line_fits_and_no_verdict_is_broken(columns):
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "dumb", "NO_COLOR": "1"}
    reader, writer = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, "rim-card"], stdout=writer, env=environment)
    os.close(writer)
    printed = b""
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:  # Linux ends a terminal that nobody writes to like this
            break
        if not chunk:
            break
        printed += chunk
    os.close(reader)
    assert process.wait() == 0
    lines = printed.decode().replace("\r\n", "\n").split("\n")
    assert max(map(len, lines)) <= columns
    assert any(line.split() == ["stable-over-k", "cannot", "be", "checked", "from", "this"] for line in lines)
    assert any(line.split()[:2] == ["rim-readout-time", "12"] and line.rstrip().endswith("6.25") for line in lines)
