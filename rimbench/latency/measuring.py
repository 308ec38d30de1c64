"""Systems on the same items at one batch size -> what an answer takes: raw samples, and what is read from them.

Three quantities, never mixed. `answer`: what a user gets, generated to its natural end or the system's limit, or the
one pass of a readout. `letter`: the time until the answer's letter can first be told from what is written, and is not
taken back; the mean over the batch's questions that tell one. `readout`: one forward pass to the option letters'
logits, for systems that have that too.

Tokenisation is outside, and so is loading; an engine is asked as a run asks it, and its answers are on the CPU when
the clock is read, so that device work is awaited.
"""

import gc
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

from rimbench import engines
from rimbench.engines import AnsweringInTime, Decoding, Limits
from rimbench.errors import EngineError, UsageError
from rimbench.latency import machine
from rimbench.latency.calls import Calls, TooLargeError
from rimbench.latency.measured import Measured, Quantity
from rimbench.latency.processes import Processes, together
from rimbench.latency.timing import WINDOW, StoppingRules, time_in_turn
from rimbench.running.cascading import Cascading
from rimbench.running.models import LoadedModels
from rimbench.running.plans import PlannedRun

ROUNDS_BETWEEN_LOOKS = 8
"""A GPU's clocks are asked for between rounds, which takes tens of milliseconds."""
LONG_S = 120.0
"""It is said of a batch size that takes longer, as soon as that is known."""
ORDER_SEED = 0
"""Of the order of the calls in each round; a process adds its number."""


def measure(  # noqa: PLR0913 - what is measured, how long, who hears of it, and what is wanted of it
    runs: Sequence[PlannedRun],
    batch: int,
    rules: StoppingRules,
    say: Callable[[str], None] = lambda _: None,
    quantities: Sequence[Quantity] = (),
    processes: int = 1,
) -> list[Measured]:
    """Time all systems at one batch size, as `measure_in_turn` does at several."""
    *_, rows = measure_in_turn([(runs, batch)], rules, say, quantities, processes)
    return rows


def measure_in_turn(
    sizes: Sequence[tuple[Sequence[PlannedRun], int]],
    rules: StoppingRules,
    say: Callable[[str], None] = lambda _: None,
    quantities: Sequence[Quantity] = (),
    processes: int = 1,
) -> Iterator[list[Measured]]:
    """Time all systems in turn on the same items at each batch size, `batch` of them a sample; after each process,
    all rows that there are.

    `quantities` are those that every system must have, and no others are timed; without them, each system gives what
    it has. A system that is read out has one time, which is its readout, its answer and the time to its letter. Of
    several `processes` each takes its share of a size's samples, on further items; a single one is this one. The
    first of every size comes before the second of any: what slows the machine for minutes then lies between the
    processes of one size, and so in its intervals. A batch that the memory cannot hold is halved for all systems,
    and said. Raises UsageError for systems on different items or without a quantity, EngineError where one question
    is too large, no answer of a system tells its letter, or a prompt came from a cache: a size that fails is said and
    left out, and is an error when the others are measured.
    """
    first = sizes[0][0][0]
    for run in itertools.chain.from_iterable(runs for runs, _ in sizes):
        if run.suite.content_sha256 != first.suite.content_sha256:
            raise UsageError("latency of systems on different items cannot be compared: give one suite")
        _check_quantities(run, quantities)
        _check_room(run)
    wanted = quantities or get_args(Quantity)
    own, load = rules.shared(processes), machine.first_load()
    shares = (_Share(runs, batch, wanted, own, processes, load) for runs, batch in sizes)
    measured = [_Size(share, processes, say) for share in shares]
    for number, size in itertools.product(range(processes), list(measured)):
        if size not in measured or size.failed:
            continue
        if processes > 1 or len(sizes) > 1:
            say(f"batch {size.batch}{f', process {number + 1} of {processes}' * (processes > 1)}")
        try:
            size.run_until(number)
            size.rows(quantities)
        except EngineError as error:
            size.failed = True
            if all(each.failed for each in measured):
                raise
            say(f"batch {size.batch} is left out from here on: {error}")
        same = next((other for other in measured if other is not size and other.batch == size.batch), None)
        if same is not None and not size.failed:
            say(f"batch {size.batch} has been measured already: the first measurement of it counts")
            measured.remove(same if same.begun < size.begun else size)
        rows = [row for each in measured for row in each.rows(quantities)]
        if rows:
            yield rows
    failed = [str(size.batch) for size in measured if size.failed]
    if failed:
        raise EngineError(f"not measured to the end: batch {' and '.join(failed)}, as is said above")


class _Size:
    """One batch size, and what its processes have measured."""

    def __init__(self, share: "_Share", processes: int, say: Callable[[str], None]) -> None:
        if processes > 1:  # prompts that are made on demand are made once, here
            made = [replace(run, cell=replace(run.cell, prompts=tuple(run.cell.prompts))) for run in share.runs]
            share = replace(share, runs=made)
        self._share, self._count, self._say = share, processes, say
        self._processes = Processes(share.measure, processes, say)
        self.failed = False

    @property
    def batch(self) -> int:
        """How many questions are answered at once, by now."""
        return self._share.batch

    @property
    def begun(self) -> int:
        """How many processes have measured it."""
        return self._processes.begun

    def run_until(self, number: int) -> None:
        """Measure in the process of that number, and again in those before it where the batch had to be halved."""
        while self.begun <= number:
            gc.collect()  # what failed calls held goes before a model is loaded again
            self._run_next()

    def _run_next(self) -> None:
        try:
            self._processes.run_next()
        except TooLargeError as error:
            if self.batch == 1:
                raise EngineError(
                    f"one question exceeds the memory: {error}; take a smaller model or dtype"
                ) from error
            self._say(f"a batch of {self.batch} exceeds the memory ({error}): measuring {self.batch // 2} instead")
            self._share = replace(self._share, batch=self.batch // 2)
            self._processes = Processes(self._share.measure, self._count, self._say)

    def rows(self, quantities: Sequence[Quantity]) -> list[Measured]:
        """The rows of all processes, those of one system and quantity as one, of the quantities alone if any.

        EngineError where all processes have been begun and a system has none of a quantity.
        """
        runs = self._share.runs
        gold = {item.item_id: item.gold for item in (shown.item for shown in runs[0].cell.shown)}
        parts: dict[tuple[object, ...], list[Measured]] = {}
        for row in itertools.chain.from_iterable(self._processes.found):
            parts.setdefault((row.label, row.engine, row.dtype, row.quantity), []).append(row)
        rows = [together(part, gold, self._processes.lost + self.failed) for part in parts.values()]
        whole = self.begun == self._count and not self.failed
        return _chosen(runs, rows, quantities, whole=whole) if quantities else rows


def _chosen(
    runs: Sequence[PlannedRun], rows: Sequence[Measured], quantities: Sequence[Quantity], *, whole: bool
) -> list[Measured]:
    """The rows of these quantities, each system with all of them where the measurement is whole."""
    found = []
    for run in runs:
        name, one_pass = run.cell.system.name, run.cell.system.answer.mode == "readout"
        for quantity in quantities:
            wanted: Quantity = "answer" if one_pass else quantity
            own = [row for row in rows if (row.system, row.engine, row.quantity) == (name, run.facts.name, wanted)]
            if not own and whole:
                raise EngineError(
                    f"system '{name}' gave a letter in fewer than two samples of {rows[0].batch} questions: there is "
                    "no time to the letter; ask for its answer, or take more samples"
                )
            found += [replace(row, quantity=quantity) for row in own]
    return found


@dataclass(frozen=True, slots=True)
class _Share:
    """What one process measures, and the load before anything was."""

    runs: Sequence[PlannedRun]
    batch: int
    quantities: Sequence[Quantity]
    rules: StoppingRules
    processes: int
    load: float | None

    def measure(self, process: int, say: Callable[[str], None]) -> list[Measured]:
        """Every system's rows; the rounds follow those of the processes before, so that their items do."""
        runs, rules, start = self.runs, self.rules, process * self.rules.most
        before, lowered = machine.read_machine(), 0
        models: LoadedModels[AnsweringInTime]
        keys = {run.model_key for run in runs}
        with LoadedModels(len(keys)) as models:
            asked = [call for run in runs for call in self._calls(run, models, _limits(runs, run, 1 / len(keys)))]
            for call in asked:
                call.capture(range(start, start + rules.most))

            def each_round(number: int) -> None:
                nonlocal lowered
                if number % ROUNDS_BETWEEN_LOOKS == 0 and any(a.run.facts.device == "cuda" for a in asked):
                    lowered += bool(machine.gpu_is_throttled())

            calls = {str(i): a.answer for i, a in enumerate(asked)}
            order = f"{ORDER_SEED}:{process}"
            tell = partial(self._tell_length, process, say)
            timed = list(time_in_turn(calls, rules, each_round, start, order, tell).values())
            after = machine.read_machine()
            measured = []
            for call, own in zip(asked, timed, strict=True):
                call.end_warm_up(len(own.samples))
                device = call.run.facts.device
                throttled = after.throttled_since(before)
                extra = machine.extra_bytes(device, lambda call=call: call.answer(0, kept=False))  # type: ignore[misc]
                setting = replace(
                    call.setting(extra),
                    joules=machine.joules(device, lambda i, call=call: call.answer(i, kept=False)),  # type: ignore[misc]
                    settled=own.settled,
                    load_after=after.load,
                    stolen=after.stolen_since(before),
                    throttled=(throttled or 0) + lowered if device == "cuda" else throttled,
                )
                measured += call.measured(own, self.load, setting, ORDER_SEED)
        return measured

    def _tell_length(self, process: int, say: Callable[[str], None], round_s: float) -> None:
        seconds = self.processes * self.rules.least_s(round_s)
        if process == 0 and seconds > LONG_S:
            say(
                f"batch {self.batch} takes about {seconds / 60:.0f} minutes or more: a call of each system takes "
                f"{round_s:.2g} s, and each process ({self.processes}) makes {2 * WINDOW} to warm up and "
                f"{self.rules.least} to measure, or more; fewer systems, --samples and --processes take less"
            )

    def _calls(self, run: PlannedRun, models: "LoadedModels[AnsweringInTime]", limits: Limits) -> list[Calls]:
        """Those that the quantities take: of a system that is read out one, its readout."""
        answer = run.cell.system.answer
        loaded = models.open(run.model_key, lambda: _open(run, limits))
        read = Decoding(readout=True, max_new_tokens=1, traced=True)
        if answer.mode == "readout":
            return [Calls(run, "answer", self.batch, loaded, read)]
        calls = []
        if set(self.quantities) != {"readout"}:
            written = Decoding(readout=False, max_new_tokens=answer.max_new_tokens, traced=True)
            calls.append(Calls(run, "answer", self.batch, loaded, written))
        if "readout" in self.quantities and run.cell.prompts[0].option_token_ids is not None:
            calls.append(Calls(run, "readout", self.batch, loaded, read))
        return calls


def _check_quantities(run: PlannedRun, quantities: Sequence[Quantity]) -> None:
    name, engine = run.cell.system.name, run.facts.name
    if "readout" in quantities and run.cell.prompts[0].option_token_ids is None:
        raise UsageError(
            f"system '{name}' writes free text and has no readout: expected one that answers by its first letter or "
            "is read out, such as rim-v1 or base-direct; for this one ask for answer or letter"
        )
    writes = run.cell.system.answer.mode != "readout"
    if "letter" in quantities and writes and engine not in engines.that_time_tokens():
        raise UsageError(
            f"engine '{engine}' does not tell when its tokens come, so that the time to the letter is not known: "
            f"expected one of {', '.join(engines.that_time_tokens())}"
        )


def _check_room(run: PlannedRun) -> None:
    """UsageError where a prompt leaves no room in the model's context: its time would be that of no answer."""
    if run.cell.too_long:
        longest = max(len(prompt.token_ids) for prompt in run.cell.prompts)
        raise UsageError(
            f"system '{run.cell.system.name}': its longest prompt, of {longest} tokens, leaves no room for an answer "
            f"in the model's context of {run.cell.context_tokens}: take shorter questions or fewer memory blocks"
        )


def _limits(runs: Sequence[PlannedRun], run: PlannedRun, share: float) -> Limits:
    """Of the model that a run is timed with: its longest sequence is that of any run that shares it."""
    sharing = [other.cell for other in runs if other.model_key == run.model_key]
    sharing += [run.second.cell] if run.second else []
    tokens = max(len(p.token_ids) + cell.system.answer.max_new_tokens for cell in sharing for p in cell.prompts)
    return Limits(tokens, run.cell.seed, share)


def _open(run: PlannedRun, limits: Limits) -> AnsweringInTime:
    return Cascading(run, limits) if run.second else engines.open_engine(run.checkpoint.folder, run.facts, limits)
