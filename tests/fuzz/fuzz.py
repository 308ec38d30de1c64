"""`nox -s fuzz`: every border where text from outside enters, fuzzed with atheris.

An input passes where its target returns, or raises a RimbenchError of one line. Anything else is a finding: another
exception, more than 2 s of processor time, much more memory, a process that dies or hangs. Findings are told apart by
their place in the code; each is kept in a folder with its smallest input, and fuzzing goes on.

Corpus and findings lie in $RIMBENCH_FUZZ, ~/.cache/rimbench-fuzz if not set: the next run goes on from there, and
begins with the inputs of earlier findings. Each target is fuzzed in a process of its own.
"""

import argparse
import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

if TYPE_CHECKING:
    from targets import Target
    from watching import Shared

os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TQDM_DISABLE": "1"}

LONGEST_SLICE_S = 300
SHORTEST_SLICE_S = 3
MOST_DEATHS = 10
"""Of one target, until it is left alone: its corpus kills it."""


@dataclass
class Fuzzed:
    """What a target has come to. `slowest_ms` is processor time of one input, `grown_mb` the memory at its peak."""

    target: "Target"
    inputs: int = 0
    places: set[str] = field(default_factory=set)
    slowest_ms: float = 0.0
    grown_mb: float = 0.0
    deaths: int = 0


@dataclass
class Slice:
    """A process that fuzzes one target for a while."""

    fuzzed: Fuzzed
    process: int
    shared: "Shared"
    folder: Path
    ends_at: float


def main() -> int:
    """Fuzz until the time or the number of inputs is reached; exit code 1 where something was found."""
    options = read_options()
    home = Path(os.environ.get("RIMBENCH_FUZZ", "~/.cache/rimbench-fuzz")).expanduser()
    with contextlib.redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["rimbench"]):
        wanted = readable_targets(options.target)
    for target in wanted:
        write_corpus(target, home)
    runs = [Fuzzed(target) for target in wanted]
    began = time.monotonic()
    ends_at = began + options.minutes * 60 if options.minutes else float("inf")
    while True:
        left_s = min(ends_at - time.monotonic(), LONGEST_SLICE_S * len(runs) / options.processes)
        alive = [run for run in runs if run.deaths < MOST_DEATHS]
        slice_s = left_s * options.processes / max(1, len(alive))
        wanting = options.inputs - sum(run.inputs for run in runs)
        if left_s < 1 or wanting <= 0 or not alive:
            break
        fuzz_round(alive, home, options.processes, max(SHORTEST_SLICE_S, slice_s), wanting)
    print_table(runs, time.monotonic() - began)
    return print_findings(runs, home)


def read_options() -> argparse.Namespace:
    """Without a limit: an hour."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, help="time for all targets together")
    parser.add_argument("--inputs", type=int, help="stop after so many inputs to all targets together")
    parser.add_argument("--target", action="append", metavar="NAME", help="only targets of this name or beginning")
    parser.add_argument("--processes", type=int, choices=(1, 2), default=1)
    options = parser.parse_args()
    if options.minutes is None and options.inputs is None:
        options.minutes = 60.0
    options.inputs = options.inputs or sys.maxsize
    return options


def readable_targets(names: list[str] | None) -> list["Target"]:
    """The targets of those names, their seeds read once so that all of rimbench is imported, and instrumented."""
    import targets

    from rimbench import provenance

    provenance.commit = lru_cache(provenance.commit)  # an import of answers asks git, in a process, each time
    provenance.library_versions = lru_cache(provenance.library_versions)
    found = []
    for target in targets.every_target():
        if names and not target.name.startswith(tuple(names)):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                refused = targets.refusals(target, Path(folder))
            except Exception as error:  # a finding, which fuzzing will file under its place
                refused = []
                say(f"{target.name}: a seed ends in {type(error).__name__}")
        missing = [error for error in refused if isinstance(error.__cause__, ImportError)]
        if len(missing) == len(target.seeds):
            say(f"{target.name} is left out: {missing[0]}")
            continue
        found.append(target)
    if not found:
        sys.exit(f"no target {names}: known are {', '.join(target.name for target in targets.every_target())}")
    return found


def write_corpus(target: "Target", home: Path) -> None:
    """Add the seeds, and the inputs of earlier findings: what is mended is found no more."""
    from watching import corpus_name

    corpus, findings = home / "corpus" / target.name, home / "findings" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    kept = [path.read_bytes() for path in findings.glob("*/input*")]
    for data in [*target.seeds, *kept]:
        (corpus / corpus_name(data)).write_bytes(data)
    shutil.rmtree(findings, ignore_errors=True)
    findings.mkdir(parents=True)


def fuzz_round(runs: list[Fuzzed], home: Path, processes: int, slice_s: float, wanting: int) -> None:
    """Give each target its slice, so many at once; a target whose process dies starts again for what is left."""
    from watching import LOOK_S

    share = -(-wanting // len(runs))
    waiting = [(run, share, slice_s) for run in runs]
    at_work: list[Slice] = []
    while waiting or at_work:
        while waiting and len(at_work) < processes:
            at_work.append(start(*waiting.pop(0), home))
        time.sleep(LOOK_S)
        for one in list(at_work):
            status = one.shared.ended(one.process, one.ends_at)
            if status is None:
                continue
            at_work.remove(one)
            done = finish(one, status, home)
            left_s = one.ends_at - time.monotonic()
            if status != 0 and one.fuzzed.deaths < MOST_DEATHS and left_s > 1:
                waiting.insert(0, (one.fuzzed, max(1, share - done), left_s))


def start(run: Fuzzed, inputs: int, seconds: float, home: Path) -> Slice:
    """Fork: the child never comes back from libFuzzer."""
    from watching import Shared, fuzz

    shared = Shared()
    folder = Path(tempfile.mkdtemp(prefix="rimbench-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    (home / "logs").mkdir(exist_ok=True)
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        try:
            fuzz(run.target, shared, folder, home, (inputs, seconds))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return Slice(run, process, shared, folder, time.monotonic() + seconds)


def finish(one: Slice, status: int, home: Path) -> int:
    """Add a slice to its target's sums; how many inputs it was."""
    run, seen = one.fuzzed, one.shared.read()
    run.inputs += seen.inputs
    run.slowest_ms = max(run.slowest_ms, seen.slowest_ms)
    run.grown_mb = max(run.grown_mb, seen.grown_mb)
    places = one.folder / "places"
    if places.exists():
        run.places |= set(places.read_text().splitlines())
    if status != 0:
        run.deaths += 1
        run.places.add(one.shared.keep_death(run.target, home, status))
    shutil.rmtree(one.folder, ignore_errors=True)
    say(f"{run.target.name}: {run.inputs} inputs, {len(run.places)} findings")
    return seen.inputs


def print_table(runs: list[Fuzzed], seconds: float) -> None:
    """One line a target, and the sums."""
    rows = [
        (run.target.name, run.inputs, len(run.places), round(run.slowest_ms), round(run.grown_mb)) for run in runs
    ]
    rows.append(
        ("all", sum(r[1] for r in rows), sum(r[2] for r in rows), max(r[3] for r in rows), max(r[4] for r in rows))
    )
    names = ("target", "inputs", "findings", "slowest ms", "peak memory growth MB")
    print(f"{names[0]:<28}" + "".join(f"{name:>{len(name) + 3}}" for name in names[1:]))
    for row in rows:
        numbers = zip(names[1:], row[1:], strict=True)
        print(f"{row[0]:<28}" + "".join(f"{value:>{len(name) + 3}}" for name, value in numbers))
    print(f"{seconds:.0f} s, atheris {atheris_version()}, rimbench instrumented")


def atheris_version() -> str:
    """As installed."""
    import importlib.metadata

    return importlib.metadata.version("atheris")


def print_findings(runs: list[Fuzzed], home: Path) -> int:
    """Where each finding of this run lies, and what it is; the exit code."""
    for run in runs:
        for place in sorted(run.places):
            folder = home / "findings" / run.target.name / place
            (kept,) = folder.glob("input*")
            print(f"{run.target.name}: {(folder / 'fault.txt').read_text().splitlines()[0]}")
            print(f"    {kept.stat().st_size} bytes in {kept}")
    return 1 if any(run.places for run in runs) else 0


def say(line: str) -> None:
    """A line on progress."""
    print(line, file=sys.__stderr__, flush=True)


if __name__ == "__main__":
    sys.exit(main())
