"""Asks an engine what a cell lacks, counts what comes back item by item, and keeps it. Computes no aggregate."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rimbench.engines import Answering, Engine, EngineFacts, Request
from rimbench.errors import EngineError, RimbenchError, is_out_of_memory
from rimbench.records import Answer, Record
from rimbench.running.batches import plan, plan_again, samples_of
from rimbench.running.cell import Cell
from rimbench.running.judging import FaultyAnswerError, Judge, failed_records
from rimbench.running.repeating import ASKED_TWICE, EVERY, find_changed
from rimbench.running.workers import GivenTogether, Pool
from rimbench.store import RunStore, WrittenAnswer

BROKEN_IN_A_ROW = 16
"""So many failures with no answer between them are no fault of the items."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a cell ended: how many answers are missing since the engine failed on them, its last failure, and how many
    prompts left no room for an answer. `changed` says of a server what it answered otherwise when asked twice.
    """

    failed: int
    last_failure: str | None
    too_long: int
    changed: str | None = None


def run_cell(
    cell: Cell,
    facts: EngineFacts,
    engine: Answering | Pool,
    store: RunStore,
    on_kept: Callable[[int], None],
) -> Outcome:
    """Answer everything in the cell that the store lacks; every batch is kept before the next is asked.

    `on_kept` is told how many, and 0 where failures are kept. What the engine failed on, in this start or an earlier
    one, is asked once more in the end. Raises EngineError where too much fails, nothing works, or the memory does not
    suffice.
    """
    asking = _Asking(cell, engine, store, on_kept)
    together = isinstance(engine, Engine | Pool) and engine.shares_prompts
    batches = plan(cell, facts.batch_size, store.done, frozenset(store.failed), together=together)
    asking.ask_all(map(asking.without_too_long, batches))
    asking.check_worked()
    asking.ask_all(plan_again(cell, facts.batch_size, store.done))
    return replace(asking.finish(), changed=asking.find_changed())


class _Asking:
    """Asks an engine batch by batch, counts what comes back item by item, and keeps it."""

    def __init__(self, cell: Cell, engine: Answering | Pool, store: RunStore, on_kept: Callable[[int], None]) -> None:
        self._cell, self._engine, self._store, self._on_kept = cell, engine, store, on_kept
        self._judge, self._shown_of = Judge(cell.system, cell.samples, cell.seed), cell.shown_by_id()
        self._worked = bool(store.done)
        self._failures: dict[tuple[str, int], Exception] = {}  # of this start, by item and sample
        self._starved: dict[str, Request] = {}  # by item, those that the memory did not suffice for
        self._held: list[Record] = []
        self._in_a_row = self._greedy = 0
        self._too_long: set[str] = set()
        self._twice = list[tuple[Request, Answer]]()  # what a server is asked a second time

    def keep(self, records: Sequence[Record]) -> None:
        """Keep failures, and tell of them."""
        if records:
            self._store.append(records)
            self._on_kept(sum(record.answered for record in records))

    def without_too_long(self, batch: Sequence[Request]) -> list[Request]:
        """Keep a failure for each prompt that leaves no room for an answer: no engine could ever answer it."""
        fitting = [request for request in batch if self._cell.has_room(request.prompt)]
        for request in batch if len(fitting) < len(batch) else ():
            if self._cell.has_room(request.prompt):
                continue
            self._too_long.add(request.item_id)
            fault = ValueError(
                f"the prompt of {len(request.prompt.token_ids)} tokens and {request.decoding.max_new_tokens} new "
                f"ones exceed the model's context of {self._cell.context_tokens}"
            )
            samples = samples_of(self._cell, request.decoding, request.samples[0])
            missing = [s for s in samples if (request.item_id, s) not in self._store.done]
            records = failed_records(self._shown_of(request.item_id), request, missing, fault)
            self.keep([replace(record, final=True) for record in records])
        return fitting

    def ask_all(self, batches: Iterable[list[Request]]) -> None:
        """Ask batch after batch, or of several workers as many as they can take."""
        some = filter(None, batches)
        if isinstance(self._engine, Pool):
            for batch, groups in self._engine.in_turn(some, self._judge, self._shown_of):
                self.ask(batch, groups)
        else:
            for batch in some:
                self.ask(batch)

    def ask(self, batch: list[Request], groups: Iterator[GivenTogether] | None = None) -> None:
        """The per-item border: a batch that fails is asked again in halves, until the failing item stands alone.

        That also halves a batch that is too large for the memory. `groups` are its answers, where it has been asked.
        """
        waiting = {(request.item_id, request.samples): request for request in batch}
        groups = groups or self._groups(batch)
        failure: Exception | None = None
        while failure is None:
            try:
                group = next(groups)
            except StopIteration:
                break
            except RimbenchError:
                raise
            except Exception as error:  # any failure of an engine on an item is a record, not a crash
                failure = error
                continue
            for request, _ in group:
                if waiting.pop((request.item_id, request.samples), None) is None:
                    raise EngineError(f"the engine answered item '{request.item_id}' twice, or unasked")
            self._take(group)
        rest = list(waiting.values())
        if failure is not None and len(batch) > 1:
            middle = max(1, len(rest) // 2)
            for half in filter(None, (rest[:middle], rest[middle:])):
                self.ask(half)
            return
        for request in rest:
            self._fail(request, failure or EngineError("the engine gave no answer to this item"))

    def _groups(self, batch: list[Request]) -> Iterator[GivenTogether]:
        """What the engine answers; only here is it called, so that whatever it raises is met in one place."""
        if isinstance(self._engine, Pool):
            for _, groups in self._engine.in_turn([batch], self._judge, self._shown_of):
                yield from groups
        else:
            yield from self._engine.answer(batch, self._cell.seed)

    def _take(self, group: GivenTogether) -> None:
        made: list[tuple[str, WrittenAnswer]] = []
        failed: list[tuple[Request, Exception]] = []
        for request, given in group:
            judged = given
            if isinstance(judged, list):  # by a worker it has been judged
                self._notice(request, judged)
                judged = self._judge.judge(self._shown_of(request.item_id), request, judged)
            if judged.fault is not None:
                failed.append((request, FaultyAnswerError(judged.fault)))
            else:
                item_id, done = request.item_id, self._store.done
                made += ((item_id, each) for each in judged.answers if (item_id, each.sample) not in done)
                self._starved.pop(item_id, None)
        if len(failed) < len(group):
            self._worked, self._in_a_row = True, 0
            self.keep(self._held)
            self._held = []
        if made:
            self._store.append_written(made)
            self._on_kept(len(made))
        for item_id, answer in made:
            self._failures.pop((item_id, answer.sample), None)
        for request, fault in failed:
            self._fail(request, fault)

    def _notice(self, request: Request, answers: Sequence[Answer]) -> None:
        """Remember a few greedy questions, for a server to be asked again."""
        if request.samples != (0,) or len(self._twice) == ASKED_TWICE or not answers or answers[0].failure:
            return
        self._greedy += 1
        if self._greedy % EVERY == 0:
            self._twice.append((request, answers[0]))

    def _fail(self, request: Request, error: Exception) -> None:
        samples = samples_of(self._cell, request.decoding, request.samples[0])
        keys = [(request.item_id, s) for s in samples if (request.item_id, s) not in self._store.done]
        if not keys:
            return  # asked again for the sake of its company alone
        self._failures |= dict.fromkeys(keys, error)
        self._in_a_row += 1
        if is_out_of_memory(error):
            self._starved[request.item_id] = request
            if self._in_a_row > 1:
                raise _out_of_memory(request, error)
        else:
            self._keep_failed(failed_records(self._shown_of(request.item_id), request, [s for _, s in keys], error))
        if self._in_a_row >= BROKEN_IN_A_ROW:
            self.check_worked()
            self._check_share()

    def _keep_failed(self, failed: Sequence[Record]) -> None:
        """Hold failures back until something has worked: an engine that never does says nothing of the items."""
        if self._worked:
            self.keep(failed)
        else:
            self._held += failed

    def check_worked(self) -> None:
        """EngineError where the engine has failed and given no answer at all."""
        if self._failures and not self._worked:
            (item_id, _), failure = next(iter(self._failures.items()))
            raise EngineError(f"the engine failed on the first item, '{item_id}': {_say(failure)}") from failure

    def _check_share(self) -> None:
        count, total = len(self._failures), self._cell.total
        if count > self._cell.errors.most * total:
            last = next(reversed(self._failures.values()))
            raise EngineError(
                f"the engine failed on {count} of {total} answers, more than {self._cell.errors.most:.3g} of them "
                f"(last: {_say(last)}): what was answered is kept; find the cause and start the same command again, "
                "which asks for the rest, or allow more with --max-errors"
            ) from last

    def find_changed(self) -> str | None:
        """What a server answers otherwise when it is asked a second time."""
        if not self._twice or not isinstance(self._engine, Engine) or not self._engine.on_server:
            return None
        return find_changed(self._engine, self._twice, self._cell.seed)

    def finish(self) -> Outcome:
        """What is left when everything was asked twice; EngineError where that is too much."""
        for request in self._starved.values():
            raise _out_of_memory(request, self._failures[request.item_id, request.samples[0]])
        self._check_share()
        if self._cell.errors.final:
            left = [self._store.failed[key] for key in self._failures]
            self.keep([replace(record, final=True) for record in left])
            self._failures.clear()
        last = next(reversed(self._failures.values()), None)
        return Outcome(len(self._failures), None if last is None else _say(last), len(self._too_long))


def _out_of_memory(request: Request, error: Exception) -> EngineError:
    raised = EngineError(
        f"out of memory on item '{request.item_id}' alone, a prompt of {len(request.prompt.token_ids)} tokens "
        f"({_say(error)}): what was answered is kept, and this item counts as not answered; free the device's memory "
        "and start the same command again, or take a smaller --batch-size or fewer new tokens, which is another run"
    )
    raised.__cause__ = error
    return raised


def _say(error: Exception) -> str:
    message = " ".join(str(error).split())[:300]
    if isinstance(error, RimbenchError | FaultyAnswerError):
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
