"""Real worker processes: each a fresh one; one that dies takes its own samples and nothing else."""

import fcntl
import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rimbench.errors import EngineError, UsageError
from rimbench.latency.measured import Measured, Passes, Rounds, Setting, Told
from rimbench.latency.processes import Processes, together


def who(number, say):
    return number, os.getpid()


def dies_in(dying, number, say):
    if number in dying:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def fails(number, say):
    raise UsageError("one line") if number else OSError("too early")


def run_all(work, count, say):
    processes = Processes(work, count, say)
    for _ in range(count):
        processes.run_next()
    return processes.found


def test_each_number_is_worked_on_by_a_process_of_its_own():
    found = run_all(who, 3, print)
    assert [number for number, _ in found] == [0, 1, 2]
    assert len({pid for _, pid in found} | {os.getpid()}) == 4


@pytest.mark.parametrize("dying", [{0}, {1}, {2}, {0, 2}])
def test_a_worker_that_dies_is_said_and_left_out(dying):
    said = []
    found = run_all(functools.partial(dies_in, dying), 3, said.append)
    assert found == sorted({0, 1, 2} - dying)
    assert said == [
        f"worker process {number + 1} of 3 ended in the middle: its rounds are left out" for number in sorted(dying)
    ]


def test_a_single_worker_is_this_process():
    assert run_all(who, 1, print) == [(0, os.getpid())]


def test_workers_that_all_die_are_an_error():
    with pytest.raises(EngineError, match="each of the 2 worker processes ended in the middle"):
        run_all(functools.partial(dies_in, {0, 1}), 2, lambda _: None)


def test_what_a_worker_raises_is_raised():
    with pytest.raises(OSError, match="too early"):
        run_all(fails, 2, print)


def tells(number, say):
    say(f"from {number}")
    return number


@pytest.mark.parametrize("count", [1, 2])
def test_what_a_worker_says_while_it_works_is_said_where_it_is_waited_for(count):
    said = []
    assert run_all(tells, count, said.append) == list(range(count))
    assert said == [f"from {number}" for number in range(count)]


class NeedsTwoError(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def fails_with_what_no_pipe_takes(number, say):
    raise NeedsTwoError("one", "two")


def test_what_a_worker_raises_and_cannot_send_is_raised_in_its_words(capfd):
    with pytest.raises(RuntimeError, match="NeedsTwoError: one and two"):
        run_all(fails_with_what_no_pipe_takes, 2, print)
    assert capfd.readouterr() == ("", "")


CTRL_C = """
import os, signal, sys
if "--multiprocessing-fork" in sys.orig_argv:
    os.kill(0, signal.SIGINT)  # as a terminal does, to every process of the command
"""


def test_ctrl_c_while_a_worker_starts_is_met_by_the_command_alone(rimbench, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(CTRL_C)
    path = os.pathsep.join((str(tmp_path / "site"), *sys.path))
    done = rimbench("latency", "--system", "nano-base-direct", env={"PYTHONPATH": path}, start_new_session=True,
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.splitlines()[1:] == ["rimbench: batch 1, process 1 of 3"]


def waits(path, number, say):
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until this process ends
        file.write("locked")
        file.flush()
        time.sleep(60)


WAITING = """
import functools, pathlib, sys
from test_processes import Processes, waits
if __name__ == "__main__":
    Processes(functools.partial(waits, pathlib.Path(sys.argv[1])), 2, print).run_next()
"""


def test_a_worker_ends_with_the_command_that_waits_for_it_however_that_is_ended(tmp_path):
    (tmp_path / "waiting.py").write_text(WAITING)
    told, said = tmp_path / "told", tmp_path / "said"
    with said.open("w") as log:
        path = os.pathsep.join((str(Path(__file__).parent), *sys.path))
        command = [sys.executable, tmp_path / "waiting.py", told]
        waiting = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=log, stderr=log)
    while not (told.exists() and told.read_text()):
        assert waiting.poll() is None, said.read_text()
        time.sleep(0.01)
    waiting.kill()
    waiting.wait()
    with told.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
    assert said.read_text() == ""


def row(samples, **changed):
    told = {"first_ms": 9.0, "warm_up_ms": (8.0,), "prompt_tokens": 10, "generated_tokens": 4, "truncated": 0}
    rounds = Rounds((len(samples),), tuple(i % 2 for i in range(len(samples))), 0)
    given = told | changed
    return Measured("rim", "answer", "e", "cpu", "float32", 1, samples, load=0.5, rounds=rounds, **given)


def test_rows_of_several_processes_are_one_with_all_samples_in_order():
    first = row((1.0, 2.0, 3.0), told=Told({"a": "A", "b": "B"}, 1, 1), passes=Passes(4, 2.0, floor_ms=0.5),
                setting=Setting("eager", load_s=3.0, peak_bytes=5, stolen=0.1))  # fmt: skip
    second = row((4.0,), generated_tokens=8, first_ms=7.0, told=Told({"b": None, "c": "C"}, 1, 0),
                 passes=Passes(8, 4.0, floor_ms=0.4),
                 setting=Setting("eager", load_s=1.0, peak_bytes=9, stolen=0.3, settled=False))  # fmt: skip
    one = together([first, second], {"a": "A", "b": "B", "c": "C"}, lost=1)
    assert one.samples_ms == (1.0, 2.0, 3.0, 4.0) and one.warm_up_ms == (8.0, 8.0)
    assert one.rounds == Rounds((3, 1), (0, 1, 0, 0), 0, lost=1)
    assert (one.generated_tokens, one.first_ms) == (5.0, 9.0)  # (3 x 4 + 8) / 4
    assert one.told == Told({"a": "A", "b": None, "c": "C"}, 2, 1)
    assert one.passes == Passes(6, 3.0, floor_ms=0.4)
    assert (one.setting.load_s, one.setting.peak_bytes, one.setting.settled) == (3.0, 9, False)
    assert one.setting.stolen == pytest.approx(0.2)


def test_prompts_that_a_server_counted_for_one_process_alone_are_uncounted():
    one = together([row((1.0, 2.0)), row((3.0,), prompt_tokens=None)], {}, lost=0)
    assert one.prompt_tokens is None
