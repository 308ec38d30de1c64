"""Workers on two Ray nodes: what one machine would do for another, on this one."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny

import rimbench

ROWS = 160
CLUSTER = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
second = cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": sys.argv[1]})
cluster.wait_for_nodes()
print(cluster.address, flush=True)
sys.stdin.readline()
cluster.remove_node(second, allow_graceful=False)
print("lost", flush=True)
sys.stdin.readline()
cluster.shutdown()
"""
HERE = str(Path(rimbench.__file__).resolve().parents[1])
pytest.importorskip("ray")


@pytest.fixture
def cluster(tmp_path):
    """Starts two nodes of one core, the second with its own `PYTHONPATH`: the process that has them, its address."""
    started = []

    def begin(second=HERE):
        environment = os.environ | {"PYTHONPATH": HERE, "RAY_AUTH_MODE": "disabled", "HF_HUB_OFFLINE": "1"}
        environment["RIMBENCH_FAKE_SCRIPT"] = str(tmp_path / "script.json")
        with (tmp_path / "cluster.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", CLUSTER, str(second)], env=environment, text=True, stderr=log,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        started.append(process)
        return process, next(line for line in iter(process.stdout.readline, "") if ":" in line).strip()

    yield begin
    for process in started:
        process.communicate("\n\n", timeout=120)


@pytest.fixture
def run(tmp_path):
    """`rimbench run` of a suite, by more arguments: begun, and its folder of results."""
    suite = tiny.write_suite(tmp_path, ROWS)
    (tmp_path / "script.json").write_text(json.dumps({"delay_ms": 100}))
    environment = os.environ | {"PYTHONPATH": HERE, "RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    environment["RIMBENCH_FAKE_SCRIPT"] = str(tmp_path / "script.json")

    def run(*more, results="results"):
        command = [
            sys.executable, "-m", "rimbench", "run", "--system", "nano-rim-v2", "--suite", str(suite),
            "--engine", "fake", "--batch-size", "4", "--results", str(tmp_path / results), *more,
        ]  # fmt: skip
        return subprocess.Popen(command, env=environment, cwd=tmp_path, text=True, stderr=subprocess.PIPE)

    return run


def lines(folder):
    return sorted(line for path in folder.glob("*/records.jsonl") for line in path.read_bytes().splitlines())


def test_two_nodes_keep_the_records_of_one_process_and_one_that_is_lost_costs_none(cluster, run, tmp_path):
    alone = run(results="one")
    assert alone.wait(timeout=240) == 0, alone.stderr.read()
    nodes, address = cluster()
    running = run("--workers", "2", "--ray-address", address)
    deadline = time.monotonic() + 120
    while len(lines(tmp_path / "results")) < ROWS / 3 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    nodes.stdin.write("\n")
    nodes.stdin.flush()
    assert nodes.stdout.readline() == "lost\n"
    before = len(lines(tmp_path / "results"))

    _, said = running.communicate(timeout=240)
    assert running.returncode == 0, said
    assert before < ROWS
    assert lines(tmp_path / "results") == lines(tmp_path / "one")
    assert re.search(r"worker [12] of 2 died, another one takes its place", said)


def test_a_machine_with_another_build_is_named_in_one_line(cluster, run, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(Path(HERE) / "rimbench", other / "rimbench", ignore=shutil.ignore_patterns("__pycache__"))
    version = other / "rimbench/__init__.py"
    version.write_text(version.read_text().replace(rimbench.__version__, "9.8.7"))
    _, address = cluster(other)
    running = run("--workers", "2", "--ray-address", address)
    _, said = running.communicate(timeout=240)
    assert running.returncode == 1
    *_, error = said.splitlines()
    assert re.search(
        rf"error: machine \S+ has rimbench 9\.8\.7 \(expected {re.escape(rimbench.__version__)}\)", error
    )
    assert "install what the machine has that the command was typed on" in error
    assert "Traceback" not in said


def test_a_machine_without_rimbench_is_said_in_one_line(cluster, run, tmp_path):
    (tmp_path / "none/rimbench").mkdir(parents=True)
    (tmp_path / "none/rimbench/__init__.py").touch()
    _, address = cluster(tmp_path / "none")
    running = run("--workers", "2", "--ray-address", address)
    _, said = running.communicate(timeout=240)
    assert running.returncode == 1
    *_, error = said.splitlines()
    assert error.startswith("rimbench: error: a worker cannot start: ModuleNotFoundError: ")
    assert f"expected the rimbench that this command runs ({rimbench.__version__})" in error
    assert "Traceback" not in said
