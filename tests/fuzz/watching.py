"""One target in its own process: every input run under a watch, what is found kept by its place.

The parent sees the process through shared memory: how far it is, and the input that it is at, should it die.
"""

import atexit
import faulthandler
import hashlib
import mmap
import os
import random
import re
import resource
import signal
import struct
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import atheris
from mutations import change

from rimbench.display.plaintext import plain
from rimbench.errors import RimbenchError

if TYPE_CHECKING:
    from targets import Target

PACKAGE = str(Path(sys.modules["rimbench"].__file__ or "").parent)
LONGEST_INPUT = 1 << 16
CPU_LIMIT_S = 2.0
GROWTH_LIMIT_MB = 200
"""By which one input may raise the process's peak memory."""
ADDRESS_SPACE = 6 << 30
"""Beyond what a process has as it starts: what asks for more gets a MemoryError rather than the machine."""
LOOK_S = 0.05
"""Between two looks at a process."""
HUNG_S = 60
"""On one input, after which a process that no signal reaches is killed."""
_HEADER = struct.Struct("qqdd")  # the fields of `Seen`


class TooSlow(BaseException):
    """Raised into an input that takes too long; no `except Exception` takes it."""


class GrewError(Exception):
    """An input took too much memory."""


class ManyLinesError(Exception):
    """A RimbenchError whose message is no single line where it is shown."""


@dataclass(frozen=True)
class Seen:
    """How far a process is. `size` is that of the input at work, -1 between two."""

    inputs: int
    size: int
    slowest_ms: float
    grown_mb: float


class Shared:
    """Memory that a process and its parent share."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _HEADER.size + LONGEST_INPUT)
        self._inputs = self._looks = 0
        self.write(Seen(0, -1, 0.0, 0.0))

    def write(self, seen: Seen) -> None:
        _HEADER.pack_into(self._memory, 0, seen.inputs, seen.size, seen.slowest_ms, seen.grown_mb)

    def read(self) -> Seen:
        return Seen(*_HEADER.unpack_from(self._memory, 0))

    def begin(self, seen: Seen, data: bytes) -> None:
        self._memory[_HEADER.size : _HEADER.size + len(data)] = data
        self.write(seen)

    def ended(self, process: int, ends_at: float) -> int | None:
        """The exit status of the process, None while it runs; one that hangs is killed, its stack in its log."""
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        seen = self.read()
        # Looks are counted, not time: a machine may be paused.
        self._looks = self._looks + 1 if seen.inputs == self._inputs else 0
        self._inputs = seen.inputs
        if seen.size >= 0 and self._looks * LOOK_S > HUNG_S:
            os.kill(process, signal.SIGQUIT)
            time.sleep(1)
            os.kill(process, signal.SIGKILL)
            self._looks = 0
        elif seen.size < 0 and time.monotonic() > ends_at + HUNG_S:  # held up by a library's thread as it leaves
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return 0
        return None

    def keep_death(self, target: "Target", home: Path, status: int) -> str:
        """File the input that a process died of, under how it died."""
        seen = self.read()
        log = home / "logs" / f"{target.name}.log"
        if seen.size < 0:
            sys.exit(f"fuzzing {target.name} ended between two inputs: {log} ends in {log.read_text()[-300:]!r}")
        data = bytes(self._memory[_HEADER.size : _HEADER.size + seen.size])
        (home / "corpus" / target.name / corpus_name(data)).unlink(missing_ok=True)  # each new start would die of it
        if status == -signal.SIGKILL:
            return keep(target, home, "hung", data, f"hung for more than {HUNG_S} s, see {log}")
        return keep(target, home, f"died{status}", data, f"the process ended with {status}, see {log}")


def corpus_name(data: bytes) -> str:
    """What libFuzzer calls an input."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def keep(target: "Target", home: Path, place: str, data: bytes, said: str) -> str:
    """Write a finding down; of one that is there already, the smaller input stays."""
    folder = home / "findings" / target.name / place
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"input{target.suffix}"
    if not path.exists() or path.stat().st_size > len(data):
        path.write_bytes(data)
        (folder / "fault.txt").write_text(said + "\n", encoding="utf-8", errors="backslashreplace")
    return place


def fuzz(target: "Target", shared: Shared, folder: Path, home: Path, limits: tuple[int, float]) -> None:
    """Fuzz for so many inputs or seconds, then leave the process."""
    log = os.open(home / "logs" / f"{target.name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.register(signal.SIGQUIT, log)
    warnings.simplefilter("ignore")
    target.prepare(folder)
    watch = Watch(target, shared, folder, home)
    space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    arguments = [
        f"-runs={min(limits[0], 2**31 - 1)}", f"-max_total_time={max(1, round(limits[1]))}",
        f"-max_len={LONGEST_INPUT}", "-len_control=0", "-rss_limit_mb=0", "-timeout=100000", "-detect_leaks=0",
        "-print_final_stats=0",
        f"-artifact_prefix={folder}/", "-verbosity=1",
    ]  # fmt: skip
    atheris.Setup(
        [sys.argv[0], str(home / "corpus" / target.name), *arguments], watch.run, custom_mutator=watch.mutate
    )
    atexit.register(os._exit, 0)  # libraries' own farewells wait for threads that a fork does not take along
    atheris.Fuzz()


class Watch:
    """Runs inputs, one at a time, and judges what comes of them."""

    def __init__(self, target: "Target", shared: Shared, folder: Path, home: Path) -> None:
        self._target, self._shared, self._folder, self._home = target, shared, folder, home
        self._inputs, self._slowest_ms, self._at_work = 0, 0.0, False
        self._places: set[str] = set()
        self._parent = os.getppid()
        self._before_mb = self._peak_mb = _peak_mb()
        signal.signal(signal.SIGPROF, self._interrupt)

    def _interrupt(self, *_: object) -> None:
        if self._at_work:
            raise TooSlow

    def mutate(self, data: bytes, max_size: int, seed: int) -> bytes:
        """A change to what the file says, or to its bytes."""
        rng = random.Random(seed)
        if rng.random() < 0.7:
            changed = change(data, self._target.suffix, rng)
            if changed is not None and len(changed) <= max_size:
                return changed
        return atheris.Mutate(data, min(max_size, 2 * len(data) + 64))

    def run(self, data: bytes) -> None:
        """Read one input under the watch."""
        if os.getppid() != self._parent:  # which was stopped
            os._exit(1)
        self._shared.begin(self._seen(len(data)), data)
        began, before_mb = time.process_time(), _peak_mb()
        signal.setitimer(
            signal.ITIMER_PROF, CPU_LIMIT_S, 1.0
        )  # again each second: one may be raised where none passes
        fault: BaseException | None = None
        self._at_work = True
        try:
            self._target.read(self._folder, data)
            self._at_work = False
        except RimbenchError as error:
            self._at_work = False
            fault = ManyLinesError(str(error)).with_traceback(error.__traceback__) if _breaks(str(error)) else None
        except BaseException as error:
            self._at_work = False
            fault = error
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._inputs += 1
        taken_ms = 1000 * (time.process_time() - began)
        self._slowest_ms = max(self._slowest_ms, taken_ms)
        self._peak_mb = _peak_mb()
        if fault is None and taken_ms > 1000 * CPU_LIMIT_S:
            fault = TooSlow()
        if fault is None and self._peak_mb - before_mb > GROWTH_LIMIT_MB:
            fault = GrewError(f"peak memory from {before_mb:.0f} to {self._peak_mb:.0f} MB")
        if fault is not None:
            self._keep(fault, data, taken_ms)
        self._shared.write(self._seen(-1))

    def _seen(self, size: int) -> Seen:
        return Seen(self._inputs, size, self._slowest_ms, self._peak_mb - self._before_mb)

    def _keep(self, fault: BaseException, data: bytes, taken_ms: float) -> None:
        place = _place(fault)
        said = f" ({taken_ms:.0f} ms)" if isinstance(fault, TooSlow) else f": {str(fault)[:300]!r}"
        text = "".join(traceback.format_exception(fault))[:20000]
        keep(self._target, self._home, place, data, f"{place}{said}\n\n{text}")
        if place not in self._places:
            self._places.add(place)
            with (self._folder / "places").open("a") as file:
                file.write(place + "\n")


def _breaks(message: str) -> bool:
    return len(plain(message).splitlines()) != 1


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _place(fault: BaseException) -> str:
    """The exception and the innermost line of rimbench; of a slow input, whose line is chance, the function."""
    frames = traceback.extract_tb(fault.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(PACKAGE)]
    if not own:
        return type(fault).__name__
    file = Path(own[-1].filename).relative_to(Path(PACKAGE).parent).with_suffix("")
    where = own[-1].name if isinstance(fault, TooSlow | RecursionError | MemoryError) else own[-1].lineno
    return re.sub(r"[^\w.-]+", "-", f"{type(fault).__name__}-{'.'.join(file.parts)}-{where}")
