"""One side of a benchmark in a process of its own, which is asked on its input and answers in lines of JSON."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any


class OtherSide:
    """A script of this folder, run by the Python of some environment, on so many threads; ready when it is made.

    `environment` is added to this process's, of which the Python path is left out.
    """

    def __init__(self, python: str, script: str, *asked: object, threads: int, environment: dict[str, str]) -> None:
        own = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self._script = script
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name(script)), *map(str, asked)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=kept | own | environment,
        )  # fmt: skip
        self._said()

    def ask(self, first: int, second: int) -> dict[str, Any]:
        """What it answers to two numbers."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{first} {second}\n")
        self._process.stdin.flush()
        return self._said()

    def _said(self) -> dict[str, Any]:
        """The next line of its own; a library may print others between."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                said: dict[str, Any] = json.loads(line)
                return said
        raise RuntimeError(f"{self._script} ended with exit code {self._process.wait()}")

    def close(self) -> None:
        self._process.communicate()
