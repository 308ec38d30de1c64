"""Several workers, each a process with an engine of its own, through a real Ray on this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny

from rimbench.api.run import run
from rimbench.errors import EngineError, ModelError, UsageError
from rimbench.running.worker import check_same
from rimbench.systems.weights import Checkpoint

ROWS = 160
pytest.importorskip("ray")


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return tiny.write_suite(tmp_path_factory.mktemp("suite"), ROWS)


@pytest.fixture
def begin(suite, tmp_path):
    """Begins `rimbench run` in a process of its own, by engine and more arguments."""
    started = []

    def begin(engine, *more, script=None, folder=tmp_path / "results"):
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        if script is not None:
            environment["RIMBENCH_FAKE_SCRIPT"] = str(tmp_path / "script.json")
            (tmp_path / "script.json").write_text(json.dumps(script))
        command = [
            sys.executable, "-m", "rimbench", "run", "--system", "nano-rim-v2", "--suite", str(suite),
            "--engine", engine, "--batch-size", "4", "--results", str(folder), *more,
        ]  # fmt: skip
        with (tmp_path / "log").open("ab") as log:
            started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=environment))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


def lines(folder):
    return sorted(line for path in folder.glob("*/records.jsonl") for line in path.read_bytes().splitlines())


def workers_of(process):
    """The workers of one command, whose Ray it has started: all that descends from it and is called a worker."""
    parents, names = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
            names[int(path.parent.name)] = (path.parent / "cmdline").read_text()
        except OSError:
            continue  # it has ended meanwhile

    def descends(pid):
        while pid in parents:
            if pid == process.pid:
                return True
            pid = parents[pid]
        return False

    return [pid for pid, name in names.items() if name.startswith("ray::Worker") and descends(pid)]


def test_two_workers_keep_the_records_of_one_process_whatever_cluster_the_environment_names(
    begin, tmp_path, monkeypatch
):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert begin("transformers", folder=tmp_path / "one").wait(timeout=600) == 0
    assert begin("transformers", "--workers", "2").wait(timeout=600) == 0

    assert len(lines(tmp_path / "one")) == ROWS
    assert lines(tmp_path / "results") == lines(tmp_path / "one")


def test_a_worker_killed_at_20_moments_costs_no_record_and_doubles_none(begin, tmp_path):
    slow = {"delay_ms": 120}
    assert begin("fake", script={}, folder=tmp_path / "one").wait(timeout=300) == 0
    running = begin("fake", "--workers", "2", script=slow)
    killed, kept, deadline = 0, 0, time.monotonic() + 480
    while killed < 20 and running.poll() is None and time.monotonic() < deadline:
        now = len(lines(tmp_path / "results"))
        if now > kept and (found := workers_of(running)):
            os.kill(found[killed % len(found)], signal.SIGKILL)
            killed, kept = killed + 1, now
        time.sleep(0.01 * (killed % 7))

    assert running.wait(timeout=240) == 0, (tmp_path / "log").read_text()
    assert killed == 20
    assert lines(tmp_path / "results") == lines(tmp_path / "one")
    assert (tmp_path / "log").read_text().count("died, another one takes its place") >= 15  # some died idle


def until(condition, patience_s=120):
    """What a condition comes to, once it holds."""
    deadline = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def test_workers_that_die_while_they_load_now_and_again_are_replaced(begin, tmp_path):
    running = begin("fake", "--workers", "2", script={"delay_ms": 200})
    for _ in range(3):
        kept = lines(tmp_path / "results")
        until(lambda kept=kept: len(lines(tmp_path / "results")) > len(kept))
        before = workers_of(running)
        os.kill(before[0], signal.SIGKILL)
        loading = until(lambda before=before: set(workers_of(running)) - set(before))
        os.kill(loading.pop(), signal.SIGKILL)

    assert running.wait(timeout=240) == 0, (tmp_path / "log").read_text()
    assert (tmp_path / "log").read_text().count("died, another one takes its place") == 6
    assert len(lines(tmp_path / "results")) == ROWS


def test_an_item_that_kills_its_worker_is_an_engine_error_and_the_rest_is_answered(begin, tmp_path):
    ending = begin("fake", "--workers", "2", script={"die": ["7"]})

    assert ending.wait(timeout=240) == 0
    records = [json.loads(line) for line in lines(tmp_path / "results")]
    failed = {record["item_id"] for record in records if record["status"] == "engine_error"}
    assert len({record["item_id"] for record in records if record["status"] != "engine_error"}) == ROWS - 1
    assert failed == {"7"}
    assert "workers died on it" in (tmp_path / "log").read_text()


def test_a_command_killed_with_its_workers_goes_on_where_it_was(begin, tmp_path):
    slow = {"delay_ms": 30}
    killed = begin("fake", "--workers", "2", script=slow)
    deadline = time.monotonic() + 120
    while len(lines(tmp_path / "results")) < 40 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = workers_of(killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    kept = lines(tmp_path / "results")
    assert 40 <= len(kept) < ROWS
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers), "a worker outlived the command"

    assert begin("fake", "--workers", "2", script={}).wait(timeout=600) == 0
    assert set(kept) < set(lines(tmp_path / "results"))
    assert len(lines(tmp_path / "results")) == ROWS


def test_weights_that_a_machine_lacks_or_has_otherwise_are_refused(tmp_path):
    folder = tmp_path / "weights"
    with pytest.raises(ModelError, match=r"has no .*weights: expected the weights at the same path"):
        check_same(Checkpoint(folder, "here", None, "0" * 64))
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="has other weights"):
        check_same(Checkpoint(folder, "here", None, "0" * 64))


def test_what_several_workers_are_not_for_is_said(suite, tmp_path, monkeypatch):
    cascade = tmp_path / "both.toml"
    cascade.write_text(
        'description = "made for tests"\nkind = "cascade"\nfirst = "nano-rim-v2"\nsecond = "nano-cot"\n'
        "threshold = 0.5\n"
    )
    asked = {"results": tmp_path / "results", "engine": "fake"}
    with pytest.raises(UsageError, match="system 'both' is a cascade, which one process answers"):
        run(str(cascade), str(suite), workers=2, **asked)
    with pytest.raises(UsageError, match="engine 'server' asks a server, which sees to its workers"):
        run("nano-cot", str(suite), workers=2, **asked | {"engine": "server", "base_url": "http://127.0.0.1:1"})
    with pytest.raises(UsageError, match="workers 0: expected 1 or more"):
        run("nano-rim-v2", str(suite), workers=0, **asked)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"needs Ray, which is not installed: pip install 'rimbench\[ray\]'"):
        run("nano-rim-v2", str(suite), workers=2, **asked)


def test_ray_imports_no_arrow_into_the_process_that_keeps_the_answers(suite, tmp_path):
    script = (
        "import sys\n"
        "from rimbench.api.run import run\n"
        "run('nano-rim-v2', sys.argv[1], workers=2, engine='fake', results=sys.argv[2])\n"
        "sys.exit('pyarrow' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(suite), str(tmp_path / "results")], check=True, timeout=300)


def test_an_address_where_nothing_listens_is_said_at_once(suite, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(EngineError, match=f"no Ray cluster at '{address}': Connection refused: expected the address"):
        run("nano-rim-v2", str(suite), ray_address=address, engine="fake", results=tmp_path / "results")
