"""Systems measured on real tiny models: the same items, named quantities, raw samples kept."""

import json

import numpy as np
import pytest

from rimbench import grid, suites, systems
from rimbench.errors import UsageError
from rimbench.latency.measuring import measure
from rimbench.latency.stored import Measured, ratio
from rimbench.latency.timing import Rules

FEW = Rules(least=3, most=3, warm_up_most=2)


@pytest.fixture
def planned(tmp_path, checkpoint, suite_file):
    folder = tmp_path / "systems"
    folder.mkdir()

    def plan(batch, suite=suite_file, limit=None):
        weights = f'description = "test"\n[weights]\npath = "{checkpoint}"\n'
        (folder / "writes.toml").write_text(weights + '[answer]\nmode = "generate"\nmax_new_tokens = 5\n')
        (folder / "reads.toml").write_text(weights + '[prompt]\nprefix = "is "\n[answer]\nmode = "readout"\n')
        memory = '[prompt]\nprefix = "is "\n[memory]\nblocks = 2\n[answer]\nmode = "generate"\n'
        (folder / "rim.toml").write_text(weights + memory + 'extraction = "first_letter"\nmax_new_tokens = 4\n')
        loaded = [systems.load(str(folder / f"{name}.toml")) for name in ("writes", "reads", "rim")]
        settings = grid.RunSettings(folder, "transformers", batch)
        return grid.plan_runs(loaded, [suites.load(str(suite), limit=limit)], settings)

    return plan


def test_each_system_has_its_quantities_and_as_many_samples(planned):
    measured = measure(planned(2), 2, FEW)
    assert [(m.system, m.quantity) for m in measured] == [
        ("writes", "answer"),
        ("reads", "answer"),
        ("rim", "answer"),
        ("rim", "readout"),
    ]
    assert all(len(m.samples_ms) == 3 and min(m.samples_ms) > 0 and m.first_ms > 0 for m in measured)
    by_name = {(m.system, m.quantity): m for m in measured}
    assert 0 < by_name["writes", "answer"].generated_tokens <= 5
    assert by_name["reads", "answer"].generated_tokens == by_name["rim", "readout"].generated_tokens == 0
    assert by_name["rim", "answer"].generated_tokens <= 4
    assert by_name["rim", "answer"].prompt_tokens == by_name["writes", "answer"].prompt_tokens + 8 + 3


def test_systems_on_different_items_are_refused(planned):
    with pytest.raises(UsageError, match="different items"):
        measure([planned(1)[0], planned(1, limit=5)[1]], 1, FEW)


def made(name, samples):
    return Measured(name, "answer", "transformers", "cpu", "float32", 4, tuple(samples), 1, (), 10, 1, 0, 0)


def test_a_ratio_is_that_of_the_means_and_pairing_takes_common_noise_out():
    rng = np.random.default_rng(0)
    machine = rng.lognormal(0, 0.5, 40)
    slow, fast = made("slow", 30 * machine * rng.normal(1, 0.01, 40)), made("fast", 10 * machine)
    found = ratio(slow, fast)
    assert found.value == pytest.approx(np.mean(slow.samples_ms) / np.mean(fast.samples_ms))
    assert found.lo < 3 < found.hi and found.hi - found.lo < 0.05


def test_percentiles_and_time_per_question():
    one = made("one", range(1, 101))
    assert one.percentile(50) == 50.5
    assert one.per_question_ms == pytest.approx(50.5 / 4)
    assert made("steady", [5.0] * 10).drift == 0
    assert made("slowing", [1.0] * 5 + [2.0] * 5).drift == 1


def test_the_command_prints_a_table_and_keeps_raw_samples(rimbench, planned, suite_file, tmp_path):
    planned(1)
    name = planned(1)[1].folder.parent / "reads.toml"
    done = rimbench("latency", "--system", name, "--suite", suite_file, "--batch", 1, "--batch", 4,
                    "--samples", 3, "--seconds", 0, check=True)  # fmt: skip
    assert "reads" in done.stdout and "ms a batch" in done.stdout
    (kept,) = (tmp_path / "results").glob("latency-*/latency.json")
    rows = json.loads(kept.read_text())["rows"]
    assert [row["batch"] for row in rows] == [1, 4]
    assert all(len(row["samples_ms"]) >= 3 for row in rows)
