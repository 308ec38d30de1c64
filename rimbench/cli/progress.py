"""What a person sees while runs go on: one live display in a terminal, a line every so often elsewhere."""

import sys
import time
from contextlib import AbstractContextManager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rimbench.cli.output import console, note, passing
from rimbench.display.plaintext import plain
from rimbench.running.plans import PlannedRun
from rimbench.store import RunStore

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BETWEEN_SIGNS = 0.2
LOADING, COMPLETE = "loading ", "nothing left to answer"
"""What is said of every model and of every cell, and is of no use once it is over."""


class RunProgress(AbstractContextManager["RunProgress"]):
    """Items done, rate, time left and running accuracy, on stderr; a `brief` one leaves none of it on a terminal."""

    def __init__(self, *, brief: bool = False) -> None:
        self._brief = brief and sys.stderr.isatty()
        self._live: Progress | None = None
        self._task: TaskID | None = None
        self._run: PlannedRun | None = None
        self._store: RunStore | None = None
        self._started = self._last_line = 0.0
        self._before = self._done = 0
        if sys.stderr.isatty() and not brief:
            self._live = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(compact=True),
                TextColumn("left"),
                TextColumn("{task.fields[accuracy]}"),
                console=console(stderr=True),
                expand=True,
            )

    def __enter__(self) -> "RunProgress":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        if self._brief:
            passing("")
        if kind is KeyboardInterrupt:
            note("interrupted: what was answered is kept, the same command goes on from there")

    def note(self, message: str) -> None:
        """Say one line, above the live display."""
        if self._brief and (message.startswith(LOADING) or message.endswith(COMPLETE)):
            self.say(message)
        elif self._live is not None:
            self._live.console.print(f"rimbench: {plain(message)}", markup=False, highlight=False, soft_wrap=True)
        else:
            if self._brief:
                passing("")
            note(message)

    def start(self, run: PlannedRun, store: RunStore) -> None:
        """Show a cell, from where it stands."""
        self._run, self._store = run, store
        self._before = self._done = run.cell.total - run.lacks(store.done)
        self._started = self._last_line = time.monotonic()
        total = run.cell.total
        begun = f"going on at {self._before} of {total}" if self._before else f"{total} answers"
        self.say(f"{run.told} through {run.facts.name}: {begun}")
        if self._live is not None:
            self._live.start()
            self._task = self._live.add_task(
                plain(run.told), total=total, completed=self._before, rate="", accuracy=self._accuracy()
            )

    def advance(self, answers: int) -> None:
        """Count what was answered."""
        self._done += answers
        if self._live is not None and self._task is not None:
            self._live.update(self._task, advance=answers, rate=f"{self._rate():.1f}/s", accuracy=self._accuracy())
        elif time.monotonic() - self._last_line >= (SECONDS_BETWEEN_SIGNS if self._brief else SECONDS_BETWEEN_LINES):
            self._last_line = time.monotonic()
            self.say(self._line())

    def finish(self, run: PlannedRun, store: RunStore) -> None:
        """Take the cell off the display."""
        if self._live is not None and self._task is not None:
            self._live.remove_task(self._task)
            self._task = None
        self.say(self._line())

    def say(self, message: str) -> None:
        """Say what goes on, which is of no use once it is over."""
        if self._brief:
            passing(f"rimbench: {message}")
        else:
            self.note(message)

    def _line(self) -> str:
        assert self._run is not None and self._store is not None
        done, total = self._done, self._run.cell.total
        left = (total - done) / self._rate() if self._rate() else 0.0
        waiting = f", {left:.0f} s left" if done < total else ""
        return f"{self._run.told}: {done} of {total} answers, {self._rate():.1f}/s{waiting}, {self._accuracy()}"

    def _rate(self) -> float:
        seconds = time.monotonic() - self._started
        return (self._done - self._before) / seconds if seconds > 0 else 0.0

    def _accuracy(self) -> str:
        """Greedy accuracy so far, of a random part of the items."""
        assert self._store is not None
        return f"{self._store.correct}/{self._store.greedy} right" if self._store.greedy else ""


class Heartbeat:
    """Counts what is done of so many questions, and says so every so often."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._last_line = total, 0, time.monotonic()

    def advance(self, done: int) -> None:
        """So many more are done."""
        self._done += done
        if time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            note(f"{self._done} of {self._total} questions")
