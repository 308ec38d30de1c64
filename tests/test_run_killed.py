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
        "--samples", str(SAMPLES), "--batch-size", "8", "--engine", "transformers",
    ]  # fmt: skip


def start(command, folder):
    log = (folder / "stderr.log").open("ab")
    return subprocess.Popen(
        [*command, "--results", str(folder / "results")], stdout=subprocess.DEVNULL, stderr=log,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def lines_of(folder):
    found = list((folder / "results").glob("*/records.jsonl"))
    return found[0].read_bytes().splitlines(keepends=True) if found else []


def test_a_run_killed_at_20_moments_ends_with_the_records_of_an_uninterrupted_one(command, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    assert start(command, whole).wait(timeout=300) == 0
    expected = lines_of(whole)
    assert len(expected) == TOTAL

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
        process.wait(timeout=60)
        after = lines_of(broken)
        killed_at.append(len(after))
        assert after[: len(kept_before)] == kept_before, "a kept record was changed"

    assert killed_at[-1] < TOTAL, f"the run was over before the last kill: {killed_at}"
    assert start(command, broken).wait(timeout=300) == 0
    final = lines_of(broken)
    keys = [(r["item_id"], r["sample"]) for r in map(json.loads, final)]
    assert len(keys) == len(set(keys)) == TOTAL
    assert sorted(final) == sorted(expected)
