"""Files that appear whole or not at all, on real disks: full ones, read-only ones, with links and kills."""

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
from tiny import Watching

from rimbench import suites, systems
from rimbench.errors import DataError, RimbenchError
from rimbench.files.writing import SCRATCH, open_regular, replacing, write_whole
from rimbench.reporting import formats
from rimbench.running import completion, plans
from rimbench.store import RECORDS, Answers, RunStore


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    yield from mounted(place, "size=1m")


@pytest.fixture
def read_only(tmp_path):
    place = tmp_path / "read-only"
    place.mkdir()
    yield from mounted(place, "ro")


def mounted(place, options):
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(ballast):
    """Leave no room on the disk of this file."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass


def leftovers(folder):
    return [path.name for path in folder.rglob("*") if path.name.startswith(SCRATCH)]


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, "old")
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask()
    path.chmod(0o640)
    write_whole(path, "new \U0001f600")
    assert path.read_text(encoding="utf-8") == "new \U0001f600"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert leftovers(tmp_path) == []


def umask():
    found = os.umask(0)
    os.umask(found)
    return found


def test_a_failing_writer_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "page.html"
    write_whole(path, "old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as scratch:
        scratch.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and leftovers(tmp_path) == []


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "victim").write_text("precious")
    path = tmp_path / "page.html"
    path.symlink_to("victim")
    write_whole(path, "new")
    assert (tmp_path / "victim").read_text() == "precious" and not path.is_symlink()


def test_a_device_is_written_to_and_stays_one():
    write_whole(Path("/dev/null"), "gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="no regular file"), open_regular(path):
            pass


def test_a_full_disk_leaves_the_older_report(small_disk):
    path = small_disk / "report.html"
    formats.write(path, "old")
    with pytest.raises(DataError, match="No space left"):
        formats.write(path, "x" * 2_000_000)
    assert path.read_text() == "old" and leftovers(small_disk) == []


def test_a_page_that_the_disk_has_no_room_for_leaves_the_older_page(planned, rimbench, small_disk, tmp_path):
    runs, settings = planned(tmp_path / "results")
    completion.run_all(runs, settings, Watching())
    path = small_disk / "report.html"
    rimbench("report", "--html", path, check=True)
    whole = path.read_bytes()
    with (small_disk / "ballast").open("wb") as file:
        file.write(b"x" * (1_048_576 - len(whole) - 8192))
    done = rimbench("report", "--html", path)
    assert done.returncode == 1 and "cannot write" in done.stderr and "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == whole and leftovers(small_disk) == []


def test_a_folder_that_cannot_be_written_is_one_line(read_only):
    with pytest.raises(DataError, match="Read-only file system"):
        formats.write(read_only / "report.html", "new")
    with pytest.raises(RimbenchError, match=r"cannot write .*: Read-only file system"), RunStore(read_only / "run"):
        pass


def test_a_kill_at_any_moment_of_a_write_leaves_the_older_file_or_the_new_one(tmp_path):
    """A process that writes a page again and again, killed 30 times: the page is whole each time."""
    path = tmp_path / "page.html"
    code = (
        "import sys\nfrom pathlib import Path\nfrom rimbench.files.writing import write_whole\n"
        "path, i = Path(sys.argv[1]), 0\n"
        "while True:\n    i += 1\n    write_whole(path, str(i % 10) * 3_000_000)\n"
    )
    for kill in range(30):
        process = subprocess.Popen([sys.executable, "-c", code, str(path)])
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.003 * kill)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=300)
        text = path.read_text()
        assert len(text) == 3_000_000 and len(set(text)) == 1


def test_a_kill_at_any_moment_of_starting_over_loses_no_run(tmp_path):
    """A process that starts over again and again, killed 30 times: every run that had an answer still has it."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom rimbench.records import Record\n"
        "from rimbench.store import RunStore\n"
        "for i in range(10**6):\n"
        "    with RunStore(Path(sys.argv[1]), fresh=True) as store:\n"
        "        for sample in range(3):\n"
        "            store.append([Record('1', sample, 'A', 'A', 'ok', sys.argv[2], None, 1, 1, 'p')])\n"
        "    print(flush=True)\n"
    )
    for kill in range(30):
        place = tmp_path / "results" / "run"
        process = subprocess.Popen([sys.executable, "-c", code, str(place), str(kill)], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(0.002 * kill)
        process.send_signal(signal.SIGKILL)
        finished = 1 + len(process.communicate()[0])
        begun = [p for p in place.parent.iterdir() if (p / RECORDS).exists()]
        runs = [p for p in begun if any(r.text == str(kill) for r in Answers(p))]
        assert finished <= len(runs) <= finished + 1
        assert place in runs or place.with_name("run.new") in runs
        assert all((p / RECORDS).read_bytes().endswith(b"\n") for p in runs)
        for path in place.parent.iterdir():
            shutil.rmtree(path)


@pytest.fixture
def planned(tmp_path, checkpoint):
    """Plans a run of the fake engine whose folder lies in the results folder that is given."""
    system = tmp_path / "writes.toml"
    place = tiny.beside(checkpoint, tmp_path)
    system.write_text(
        f'description = "x"\n[weights]\npath = "{place}"\n[answer]\nmode = "generate"\nmax_new_tokens = 8\n'
    )
    suite = suites.load(str(tiny.write_suite(tmp_path, 40)))

    def plan(results, fresh=False):
        settings = plans.RunSettings(results, engine="fake", batch_size=4, fresh=fresh)
        return plans.plan_runs([systems.load(str(system))], [suite], settings), settings

    return plan


def test_on_a_full_disk_a_fresh_start_leaves_the_old_run_in_its_place(planned, small_disk):
    runs, settings = planned(small_disk)
    completion.run_all(runs, settings, Watching())
    kept = (runs[0].folder / RECORDS).read_bytes()
    fill(small_disk / "ballast")
    runs, settings = planned(small_disk, fresh=True)
    with pytest.raises(RimbenchError, match="No space left"):
        completion.run_all(runs, settings, Watching())
    assert sorted(path.name for path in small_disk.iterdir()) == sorted(["ballast", runs[0].folder.name])
    assert (runs[0].folder / RECORDS).read_bytes() == kept
    (small_disk / "ballast").unlink()
    completion.run_all(runs, settings, Watching())
    assert (runs[0].folder.with_name(f"{runs[0].folder.name}.old-1") / RECORDS).read_bytes() == kept


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 4, 5, 6, 8, 12])
def test_on_a_full_disk_a_run_keeps_what_it_has_and_goes_on_when_there_is_room(planned, small_disk, pages):
    """With room for so many pages of 4 KiB: from nothing at all to all that the run writes."""
    fill(small_disk / "ballast")
    os.truncate(small_disk / "ballast", (small_disk / "ballast").stat().st_size - pages * 4096)
    runs, settings = planned(small_disk)
    for _ in range(2):
        try:
            completion.run_all(runs, settings, Watching())
        except RimbenchError as error:
            assert "cannot write" in str(error) and "No space left" in str(error)
    (small_disk / "ballast").unlink()
    completion.run_all(runs, settings, Watching())
    assert {r.item_id for r in Answers(runs[0].folder)} == {str(i) for i in range(40)}
    assert leftovers(small_disk) == []


def test_a_report_beside_a_run_that_is_writing_never_fails(planned, rimbench, tmp_path):
    """The run appends in small pieces, so that many a report meets half a line."""
    runs, settings = planned(tmp_path / "results")
    completion.run_all(runs, settings, Watching())
    whole = (runs[0].folder / RECORDS).read_bytes()
    code = (
        "import os, sys, time\n"
        "data, path = open(sys.argv[1], 'rb').read(), sys.argv[2]\n"
        "file = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_APPEND)\n"
        "for i in range(0, len(data), 7):\n    os.write(file, data[i : i + 7])\n    time.sleep(0.0005)\n"
    )
    (tmp_path / "whole").write_bytes(whole)
    writer = subprocess.Popen([sys.executable, "-c", code, tmp_path / "whole", runs[0].folder / RECORDS])
    from rimbench.reporting.summary import summarise

    seen = set()
    while writer.poll() is None:
        [cell] = summarise(tmp_path / "results").cells
        seen.add(cell.n)
    assert writer.wait() == 0 and len(seen) > 2
    assert json.loads(rimbench("report", "--json", check=True).stdout)["cells"][0]["n"] == 40


@pytest.mark.parametrize(
    "settings",
    [{}, {"HF_HOME": "/h"}, {"HF_HUB_CACHE": "/c"}, {"HUGGINGFACE_HUB_CACHE": "/o"}, {"XDG_CACHE_HOME": "/x"},
     {"HF_HOME": "/h", "HF_HUB_CACHE": "~/c", "XDG_CACHE_HOME": "/x"}],
)  # fmt: skip
def test_the_hubs_cache_is_where_its_client_keeps_it(settings):
    code = (
        "from huggingface_hub.constants import HF_HUB_CACHE as kept\nfrom rimbench.files.hub import snapshots\n"
        "assert str(snapshots('models', 'a/b')) == f'{kept}/models--a--b/snapshots', kept\n"
    )
    names = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME")
    env = {key: value for key, value in os.environ.items() if key not in names} | settings
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
