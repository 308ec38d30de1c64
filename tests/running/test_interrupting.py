"""Ctrl-C on a real `rimbench run`: once keeps what is being answered, twice stops at once."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import tiny

ROWS = 40


@pytest.fixture
def begin(tmp_path):
    """Begins a run of the scripted engine, and waits until it has said or kept something."""
    suite = tiny.write_suite(tmp_path, ROWS)
    started = []

    def begin(delay_ms):
        (tmp_path / "script.json").write_text(json.dumps({"delay_ms": delay_ms}))
        command = [
            sys.executable, "-m", "rimbench", "run", "--system", "nano-rim-v2", "--suite", str(suite),
            "--engine", "fake", "--batch-size", "4", "--results", str(tmp_path / "results"),
        ]  # fmt: skip
        environment = {**os.environ, "RIMBENCH_FAKE_SCRIPT": str(tmp_path / "script.json"), "HF_HUB_OFFLINE": "1"}
        with (tmp_path / "log").open("ab") as log:
            started.append(
                subprocess.Popen(
                    command,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env=environment,
                    # Started in the background of a shell, this process ignores Ctrl-C, and so would what it starts.
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
                )
            )
        return started[-1]

    yield begin
    for process in started:
        process.kill()


def wait_for(condition):
    deadline = time.monotonic() + 120
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def kept(folder):
    return [line for path in folder.glob("*/records.jsonl") for line in path.read_bytes().splitlines()]


def said(folder, words):
    return words in (folder / "log").read_text()


def test_an_interrupted_run_keeps_the_answer_that_it_was_at_and_says_how_to_go_on(begin, tmp_path):
    running = begin(delay_ms=300)
    wait_for(lambda: kept(tmp_path / "results"))
    before = len(kept(tmp_path / "results"))
    running.send_signal(signal.SIGINT)
    wait_for(lambda: said(tmp_path, "Ctrl-C again stops now"))

    assert running.wait(timeout=300) == 130
    found = kept(tmp_path / "results")
    assert before < len(found) < ROWS
    assert said(tmp_path, "interrupted: what was answered is kept, the same command goes on from there")

    assert begin(delay_ms=0).wait(timeout=300) == 0
    assert set(found) < set(kept(tmp_path / "results"))
    assert len(kept(tmp_path / "results")) == ROWS


def test_a_second_interrupt_stops_at_once(begin, tmp_path):
    running = begin(delay_ms=600_000)
    wait_for(lambda: said(tmp_path, f"{ROWS} answers"))
    running.send_signal(signal.SIGINT)
    wait_for(lambda: said(tmp_path, "Ctrl-C again stops now"))
    running.send_signal(signal.SIGINT)

    assert running.wait(timeout=300) == 130
    assert kept(tmp_path / "results") == []
