"""The embedded family and the demo of it, as a user types it."""

import hashlib
import json
import os
import subprocess
import sys
from importlib import resources

import pytest

from rimbench import systems
from rimbench.cli.demo import SUITES, SYSTEMS
from rimbench.cli.demo import demo as demo_command
from rimbench.latency import machine, measuring
from rimbench.running import completion, sweeps
from rimbench.systems.weights import resolve

FAMILY = ("base", "cot", "direct", "rim-v1", "rim-v2")
MANIFEST = resources.files("rimbench") / "nano" / "manifest.json"


def test_the_manifest_states_the_weights_that_are_shipped():
    entries = json.loads(MANIFEST.read_text())
    for name in FAMILY:
        weights = resources.files("rimbench") / "nano" / name / "model.safetensors"
        assert hashlib.sha256(weights.read_bytes()).hexdigest() == entries[name]["sha256"]
        assert {"recipe", "seed", "steps", "commit"} <= set(entries[name])
    shipped = sum(file.stat().st_size for file in MANIFEST.parent.rglob("*") if file.is_file())
    assert shipped < 12e6


def test_systems_of_the_family_share_weights_only_where_they_say_so():
    hashes = {name: resolve(systems.load(name)).sha256 for name in SYSTEMS}
    assert hashes["nano-base"] == hashes["nano-base-direct"]
    assert len(set(hashes.values())) == len(FAMILY)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo over few questions, in a process of its own, offline: what it printed, and where."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-m", "rimbench", "demo", "--limit", "12", "--all"],
        cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "COLUMNS": "120"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done


def test_the_demo_prints_every_part_of_the_comparison(demo):
    _, done = demo
    for system in SYSTEMS:
        assert system in done.stdout
    for suite in SUITES:
        assert suite in done.stdout
    for part in ("pass@k", "K = 0", "batch", "verdict"):
        assert part.lower() in done.stdout.lower()
    assert "Traceback" not in done.stderr


def test_the_demos_load_is_that_before_its_own_work(monkeypatch, tmp_path):
    load = [0.25]

    def work(*_):
        load[0] = 9.0

    def measured(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "getloadavg", lambda: (load[0], 0, 0))
    monkeypatch.setattr(completion, "run_all", work)
    monkeypatch.setattr(sweeps, "run_sweep", work)
    monkeypatch.setattr(measuring, "measure", measured)
    machine.first_load.cache_clear()
    with pytest.raises(KeyboardInterrupt):
        demo_command(limit=2, results=tmp_path)
    assert machine.first_load() == 0.25
    machine.first_load.cache_clear()


def test_what_the_demo_kept_is_reported_again(demo, rimbench):
    folder, _ = demo
    document = json.loads(rimbench("report", "--json", "--results", folder / "results/demo", check=True).stdout)
    assert {(cell["system"], cell["suite"]) for cell in document["cells"]} == {
        (system, suite) for system in SYSTEMS for suite in SUITES
    }
    (swept,) = [
        cell for cell in document["cells"] if (cell["system"], cell["suite"]) == ("nano-rim-v2", "demo-in-dist")
    ]
    assert set(swept["k_sweep"]) == {str(k) for k in range(9)}
    assert swept["k_sweep"]["8"] == swept["greedy_accuracy"]


def test_a_demo_that_is_complete_is_not_asked_again_and_answers_on_one_screen(demo, on_terminal):
    folder, _ = demo
    kept = {path: path.read_bytes() for path in folder.rglob("records.jsonl")}
    shown = on_terminal(80, "demo", "--limit", 12, cwd=folder)
    assert {path: path.read_bytes() for path in folder.rglob("records.jsonl")} == kept
    assert max(map(len, shown)) <= 80
    *_, times, time, first, second = shown
    assert [line for line in shown if line.startswith("rimbench: ")] == [times, time]
    assert times == "rimbench: times on demo-in-dist were measured 2 times: the last ones count"
    assert "ms an answer at batch 1 / 64: nano-rim-" in " ".join(shown[:25])
    assert "rimbench report --results results/demo" in first and "rimbench run " in second
    assert "Highest: " in shown[0] and "Where the answers come from" not in shown
