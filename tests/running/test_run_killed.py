"""A real `rimbench run` on a real model, killed at 20 different moments: nothing is lost, doubled or changed."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import tiny

ROWS = 192
SAMPLES = 2
TOTAL = ROWS * (SAMPLES + 1)


@pytest.fixture(scope="module")
def command(tmp_path_factory, checkpoint):
    """A system that writes text, slow enough to be killed while it works, and a suite."""
    folder = tmp_path_factory.mktemp("killed")
    suite = tiny.write_suite(folder, ROWS)
    system = folder / "writer.toml"
    system.write_text(
        f'description = "writes text"\n[weights]\npath = "{tiny.beside(checkpoint, folder)}"\n'
        '[answer]\nmode = "generate"\nmax_new_tokens = 24\ntemperature = 1.0\n'
    )
    return [
        sys.executable, "-m", "rimbench", "run", "--system", str(system), "--suite", str(suite),
        "--batch-size", "8", "--engine", "transformers",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def expected(command, tmp_path_factory):
    """The lines of a run that nothing interrupted."""
    whole = tmp_path_factory.mktemp("whole")
    assert start(command, whole).wait(timeout=300) == 0
    found = lines_of(whole)
    assert len(found) == TOTAL
    return found


def start(command, folder, samples=SAMPLES):
    command = [*command, "--samples", str(samples)]
    log = (folder / "stderr.log").open("ab")
    return subprocess.Popen(
        [*command, "--results", str(folder / "results")], stdout=subprocess.DEVNULL, stderr=log,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def lines_of(folder):
    found = list((folder / "results").glob("*/records.jsonl"))
    return found[0].read_bytes().splitlines(keepends=True) if found else []


def test_a_run_killed_at_20_moments_ends_with_the_records_of_an_uninterrupted_one(command, expected, tmp_path):
    broken = tmp_path
    killed_at = []
    for kill in range(20):
        kept_before = [line for line in lines_of(broken) if line.endswith(b"\n")]
        process = start(command, broken)
        # The first kills fall into start-up, the others after some more records have been kept.
        wanted, deadline = len(kept_before) + (kill % 3) * 4, time.monotonic() + 120
        if kill < 4:
            time.sleep(0.4 + 0.9 * kill)
        else:
            while len(lines_of(broken)) <= wanted and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002 * kill)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=300)
        after = lines_of(broken)
        killed_at.append(len(after))
        assert after[: len(kept_before)] == kept_before, "a kept record was changed"

    assert killed_at[-1] < TOTAL, f"the run was over before the last kill: {killed_at}"
    assert start(command, broken).wait(timeout=300) == 0
    final = lines_of(broken)
    keys = [(r["item_id"], r["sample"]) for r in map(json.loads, final)]
    assert len(keys) == len(set(keys)) == TOTAL
    assert sorted(final) == sorted(expected)


def test_draws_asked_for_one_after_the_other_with_a_kill_between_are_those_of_a_run_that_asked_at_once(
    command, expected, tmp_path
):
    assert start(command, tmp_path, samples=0).wait(timeout=300) == 0
    assert len(lines_of(tmp_path)) == ROWS
    process = start(command, tmp_path, samples=1)
    deadline = time.monotonic() + 120
    while len(lines_of(tmp_path)) < ROWS + 40 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=300)
    assert ROWS < len(lines_of(tmp_path)) < 2 * ROWS
    assert start(command, tmp_path, samples=2).wait(timeout=300) == 0
    # In another order: asked at once, draws share the computation of their prompt. Each is the same, byte by byte.
    assert sorted(lines_of(tmp_path)) == sorted(expected)
