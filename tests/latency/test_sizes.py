"""Several batch sizes of one command: what one of them fails with costs the others nothing."""

import json

import pytest
import tiny

from rimbench import suites


@pytest.fixture
def measure(rimbench, checkpoint, suite_file, tmp_path):
    """Measures batch sizes, of which the question at that place fails; the finished process, and what was kept."""
    weights = f'description = "test"\n[weights]\npath = "{tiny.beside(checkpoint, tmp_path)}"\n'
    (tmp_path / "writes.toml").write_text(weights + '[answer]\nmode = "generate"\nmax_new_tokens = 5\n')
    script = tmp_path / "script.json"

    def measure(place, batches, processes=3):
        fail = suites.load(str(suite_file)).items[place].item_id
        script.write_text(json.dumps({"cached_tokens": 0, "fail": [fail]}))
        sizes = [option for batch in batches for option in ("--batch", batch)]
        done = rimbench("latency", "--system", "writes.toml", "--suite", suite_file, "--engine", "fake", *sizes,
                        "--samples", 3, "--seconds", 0, "--processes", processes,
                        env={"RIMBENCH_FAKE_SCRIPT": str(script)})  # fmt: skip
        kept = (tmp_path / "results").glob("latency-*/latency.json")
        return done, [json.loads(path.read_text())["rows"] for path in kept]

    return measure


@pytest.mark.parametrize(
    ("batches", "place", "failing", "taken"),
    [
        ((1, 60), 59, 60, {1: [1, 1, 1]}),  # in its first process
        ((60, 1), 59, 60, {1: [1, 1, 1]}),
        ((1, 3), 37, 3, {1: [1, 1, 1], 3: [1, 1]}),  # in its last: what the two before it measured counts
        ((3, 1), 52, 1, {3: [1, 1, 1], 1: [1, 1]}),
    ],
)
def test_a_batch_size_that_fails_costs_the_others_nothing(measure, batches, place, failing, taken):
    done, [rows] = measure(place, batches)
    assert done.returncode == 1 and "ms a batch" in done.stdout
    assert {row["batch"]: row["rounds"]["by_process"] for row in rows} == taken
    assert all(row["rounds"]["lost"] == (row["batch"] == failing) for row in rows)
    assert done.stderr.splitlines()[-1] == (
        f"rimbench: error: not measured to the end: batch {failing}, as is said above"
    )
    [told] = [line for line in done.stderr.splitlines() if "scripted failure" in line]
    assert told.startswith(f"rimbench: batch {failing} is left out from here on: writes failed in a batch of ")


def test_where_every_batch_size_fails_the_last_failure_is_the_error(measure):
    done, kept = measure(0, (1, 2), processes=1)
    assert (done.returncode, done.stdout, kept) == (1, "", [])
    assert done.stderr.splitlines()[-1].startswith("rimbench: error: writes failed in a batch of 2: scripted failure")
