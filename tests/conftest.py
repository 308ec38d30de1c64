import os
import subprocess
import sys
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


@pytest.fixture(scope="session")
def shared():
    """Real questions and answers that lie beside a developer's checkout."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/data with real questions is not beside the checkout")
    return SHARED
