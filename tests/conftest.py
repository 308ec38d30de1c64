import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny  # the tests' own module, beside this file

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    return tiny.make_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def suite_file(tmp_path):
    return tiny.write_suite(tmp_path)


@pytest.fixture
def rimbench(tmp_path):
    """Runs the installed command in a real process, in an empty folder; returns the finished process."""

    def run(*arguments, env=None, check=False, cwd=tmp_path, **options):
        command = [sys.executable, "-m", "rimbench", *map(str, arguments)]
        environment = {**os.environ, "COLUMNS": "120", "HF_HUB_OFFLINE": "1", **(env or {})}
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, **options
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def on_terminal(tmp_path):
    """What a terminal of so many columns shows of a command, stdout and stderr, without its colours."""

    def run(columns, *arguments, cwd=tmp_path):
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"} | {
            "TERM": "xterm",
            "HF_HUB_OFFLINE": "1",
        }
        command = [sys.executable, "-m", "rimbench", *map(str, arguments)]
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal)
        with subprocess.Popen(command, **streams, env=environment, cwd=cwd, start_new_session=True) as process:
            os.close(terminal)
            shown = b""
            try:
                while chunk := os.read(controller, 65536):
                    shown += chunk
            except OSError:  # Linux's way of saying that the other side is closed
                pass
            assert process.wait() == 0, shown.decode()
        os.close(controller)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r\n", "\n").split("\n")
        # A carriage return leads back to the line's beginning: what is written then stands over what was there.
        return [_seen(line.split("\r")) for line in lines[:-1]]

    return run


def _seen(overwritten):
    seen = ""
    for text in overwritten:
        seen = text + seen[len(text) :]
    return seen.rstrip()


@pytest.fixture(scope="session")
def shared():
    """Real questions and answers that lie beside a developer's checkout."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/data with real questions is not beside the checkout")
    return SHARED
