"""Systems on the same items at one batch size -> what an answer takes: raw samples, and what is read from them.

Two quantities, never mixed. `answer`: what a user gets, generated to its natural end or the system's limit, or the
one pass of a readout. `readout`: one forward pass to the option letters' logits, for systems that have that too.
Tokenisation is outside, and so is loading; an engine is asked as a run asks it, device work awaited.
"""

import itertools
import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from rimbench import engines
from rimbench.engines import Decoding, Engine, Limits, Request
from rimbench.errors import UsageError
from rimbench.grid import PlannedRun
from rimbench.latency.stored import Measured, Quantity
from rimbench.latency.timing import Rules, Timed, time_in_turn


def measure(
    runs: Sequence[PlannedRun], batch: int, rules: Rules, on_round: Callable[[int], None] = lambda _: None
) -> list[Measured]:
    """Time all systems in turn on the same items, `batch` of them a sample; every model is loaded throughout."""
    if not all(run.suite.content_sha256 == runs[0].suite.content_sha256 for run in runs):
        raise UsageError("latency of systems on different items cannot be compared: give one suite")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    with ExitStack() as stack:
        opened: dict[tuple[object, ...], Engine] = {}
        asked = [call for run in runs for call in _calls(run, batch, stack, opened)]
        timed = time_in_turn({f"{a.run.cell.system.name} {a.quantity}": a.answer for a in asked}, rules, on_round)
    return [a.measured(timed[f"{a.run.cell.system.name} {a.quantity}"], load) for a in asked]


class _Asked:
    """One system's calls for one quantity, and what came back."""

    def __init__(self, run: PlannedRun, quantity: Quantity, batch: int, engine: Engine, decoding: Decoding) -> None:
        self.run, self.quantity, self.batch = run, quantity, batch
        self._engine = engine
        self._requests = [
            Request(shown.item.item_id, prompt, (0,), decoding)
            for shown, prompt in zip(run.cell.shown, run.cell.prompts, strict=True)
        ]
        self._generated: list[int] = []
        self._cut = 0

    def answer(self, number: int) -> None:
        """Answer the batch of one sample; batches walk round the items, the same for all systems."""
        start = number * self.batch
        batch = [self._requests[i % len(self._requests)] for i in range(start, start + self.batch)]
        for _, answers in itertools.chain.from_iterable(self._engine.answer(batch, self.run.cell.seed)):
            self._generated.append(answers[0].generated_tokens)
            self._cut += not answers[0].finished

    def measured(self, timed: Timed, load: float | None) -> Measured:
        facts = self.run.facts
        prompts = [len(request.prompt.token_ids) for request in self._requests]
        return Measured(
            self.run.cell.system.name,
            self.quantity,
            facts.name,
            facts.device,
            facts.dtype,
            self.batch,
            tuple(1000 * s for s in timed.samples),
            1000 * timed.first,
            tuple(1000 * s for s in timed.warm_up),
            statistics.fmean(prompts),
            statistics.fmean(self._generated),
            self._cut / len(self._generated),
            load,
        )


def _calls(run: PlannedRun, batch: int, stack: ExitStack, opened: dict[tuple[object, ...], Engine]) -> list[_Asked]:
    answer = run.cell.system.answer
    tokens = max(len(p.token_ids) for p in run.cell.prompts) + answer.max_new_tokens
    key = (run.checkpoint.folder, run.facts)
    if key not in opened:
        opened[key] = stack.enter_context(engines.open_engine(*key, Limits(tokens, run.cell.seed)))
    read = Decoding(readout=True, max_new_tokens=1)
    if answer.mode == "readout":
        return [_Asked(run, "answer", batch, opened[key], read)]
    calls = [_Asked(run, "answer", batch, opened[key], Decoding(False, answer.max_new_tokens))]
    if run.cell.prompts[0].option_token_ids is not None:
        calls.append(_Asked(run, "readout", batch, opened[key], read))
    return calls
