"""Starting a real command and killing it at a random moment; what its folder holds, before and after."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path

Entries = list[tuple[Hashable, str]]
"""What is kept, thing by thing: a name and what it holds. A name that occurs twice was kept twice."""

LONGEST_S = 300
WHOLE_COMMAND_SHARE = 0.25
"""Of the kills fall anywhere from the start on; the others after the command has begun to write."""
POLL_S = 0.0005


@dataclass(frozen=True)
class Case:
    """A command that writes into a folder. `prepare` lays down what was there before.

    `read` gives what the folder keeps, and the number of its files that are broken. Where the command `appends`, what
    was kept before a kill must be there after it; where it `replaces` a file, the older or the new one must stand.
    `early` draws moments towards the first write: the higher, the nearer.
    """

    name: str
    kills: int
    arguments: Callable[[Path], list[str]]
    read: Callable[[Path], tuple[Entries, int]]
    prepare: Callable[[Path], object] = lambda _folder: None
    appends: bool = False
    replaces: bool = False
    early: float = 1.0


@dataclass
class Damage:
    """What the kills of a command did. `failed` counts starts after a kill that did not end well."""

    command: str
    kills: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    broken: int = 0
    failed: int = 0
    said: list[str] = field(default_factory=list)

    def ended(self, code: int, said: str) -> None:
        """Count a start that did not end well, with what it said last."""
        if code != 0:
            self.failed += 1
            self.said.append(said)

    def compare(self, kept: Entries, expected: Entries) -> None:
        """Count what is not as expected; what was not expected at all is changed."""
        counts, values = Counter(key for key, _ in kept), dict(kept)
        wanted = dict(expected)
        self.lost += sum(key not in values for key in wanted)
        self.doubled += sum(count - 1 for count in counts.values())
        self.changed += sum(wanted.get(key) != value for key, value in values.items())


@dataclass(frozen=True)
class Timing:
    """Of an uninterrupted run: seconds in all, and from the first write to the end."""

    whole_s: float
    writing_s: float


def spawn(case: Case, folder: Path) -> subprocess.Popen[bytes]:
    """Start the command in a process group of its own."""
    log = (folder.parent / f"{folder.name}.log").open("ab")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
    return subprocess.Popen(
        [sys.executable, "-m", "rimbench", *case.arguments(folder)], stdout=log, stderr=log, cwd=folder,
        env=environment, start_new_session=True,
    )  # fmt: skip


def run_whole(case: Case, folder: Path) -> tuple[int, Timing]:
    """Run the command to its end; its exit code and its timing."""
    began, before = time.monotonic(), snapshot(folder)
    process = spawn(case, folder)
    while process.poll() is None and snapshot(folder) == before:
        time.sleep(POLL_S)
    first = time.monotonic()
    code = process.wait(timeout=LONGEST_S)
    return code, Timing(time.monotonic() - began, time.monotonic() - first)


def run_killed(case: Case, folder: Path, timing: Timing, chance: random.Random) -> int | None:
    """Start the command and kill it; its exit code where it ended before."""
    before = snapshot(folder)
    process = spawn(case, folder)
    if chance.random() < WHOLE_COMMAND_SHARE:
        wait = chance.uniform(0, timing.whole_s)
    else:
        while process.poll() is None and snapshot(folder) == before:
            time.sleep(POLL_S)
        wait = timing.writing_s * chance.random() ** case.early
    until = time.monotonic() + wait
    while process.poll() is None and time.monotonic() < until:
        time.sleep(POLL_S)
    code = process.poll()
    if code is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=LONGEST_S)
    return code


def snapshot(folder: Path) -> set[tuple[str, int, int, int]]:
    """What lies in a folder, to see a change; what goes while it is looked at is left out."""
    seen = set()
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                stat = os.stat(os.path.join(root, name))  # noqa: PTH116, PTH118 - this is polled
            except OSError:
                continue
            seen.add((f"{root}/{name}", stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return seen


def log_of(folder: Path) -> str:
    """The last line that the command printed."""
    lines = (folder.parent / f"{folder.name}.log").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def records(folder: Path) -> tuple[Entries, int]:
    """Every record below a folder; a torn last line is none, and a faulty one is broken, as is a faulty manifest."""
    entries: Entries = []
    broken = 0
    for path in sorted(folder.rglob("records.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                continue
            try:
                record = json.loads(line)
            except ValueError:
                broken += 1
                continue
            # A batch that begins elsewhere rounds otherwise.
            logprobs = {k: round(v, 3) for k, v in (record.pop("option_logprobs") or {}).items()}
            key = (str(path.parent.relative_to(folder)), record["item_id"], record["sample"])
            entries.append((key, json.dumps(record | {"logprobs": logprobs})))
    return entries, broken + sum(map(is_broken, folder.rglob("manifest.json"))) + sum(
        map(is_broken, folder.rglob("items.jsonl"))
    )


def is_broken(path: Path) -> bool:
    """Whether a file of JSON is not whole."""
    try:
        text = path.read_text(encoding="utf-8")
        for document in text.splitlines() if path.suffix == ".jsonl" else [text]:
            json.loads(document)
    except ValueError:
        return True
    return not text.endswith("\n")
