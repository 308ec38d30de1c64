"""System x Suite -> records: plans what is still to be answered, asks the engine, keeps what comes back.

The runner computes no aggregate. Batches are planned over the whole cell, longest prompts first, and only then
are those left out whose records are all there: a resumed run asks in the same batches, with the same seeds, as
an uninterrupted one.
"""

import hashlib
import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rimbench.controls import Controls, Shown
from rimbench.engines import Decoding, Engine, EngineFacts, Request
from rimbench.errors import EngineError, RimbenchError
from rimbench.extraction import extract, first_letter
from rimbench.prompts import hash_prompts
from rimbench.records import Answer, Item, Prompt, Record, Status
from rimbench.store import RunStore
from rimbench.systems import System


@dataclass(frozen=True, slots=True)
class Cell:
    """One system on one suite, resolved: items as they are shown, their prompts, and the settings of the draws.

    `samples` is the number of draws an item beside the greedy answer; `context_tokens` is the longest sequence
    that the model takes.
    """

    system: System
    shown: tuple[Shown, ...]
    prompts: tuple[Prompt, ...]
    samples: int
    seed: int
    context_tokens: int
    controls: Controls = field(default_factory=Controls)

    @property
    def too_long(self) -> int:
        """How many prompts leave no room for an answer in the model's context."""
        new = max(decoding.max_new_tokens for decoding, _ in _decodings(self))
        return sum(len(prompt.token_ids) + new > self.context_tokens for prompt in self.prompts)


def identify(cell: Cell, weights_sha256: str, suite: dict[str, Any], facts: EngineFacts) -> dict[str, Any]:
    """Everything that could change an answer: what a run's name is made from.

    The number of samples is not part of it: draws are independent of each other, and asking for more of them adds to
    the same run.
    """
    system = asdict(cell.system)
    asked = {key: system[key] for key in ("prompt", "memory", "answer")}
    if not cell.system.answer.reasoning_tags:  # a key of later builds: without it, runs keep their names
        del asked["answer"]["reasoning_tags"]
    return {
        "weights_sha256": weights_sha256,
        "suite": suite,
        "system": asked,
        "prompts_sha256": hash_prompts(cell.prompts),
        "controls": asdict(cell.controls),
        "seed": cell.seed,
        "engine": asdict(facts),
    }


def name_run(cell: Cell, suite_name: str, identity: dict[str, Any]) -> str:
    """The run's name: system, suite, and a hash of its identity."""
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return f"{cell.system.name[:80]}-{suite_name[:80]}-{digest[:10]}"


def run_cell(
    cell: Cell,
    facts: EngineFacts,
    engine: Engine,
    store: RunStore,
    on_records: Callable[[Sequence[Record]], None],
) -> None:
    """Answer everything in the cell that the store lacks; every batch is kept before the next is asked."""
    shown = {each.item.item_id: each for each in cell.shown}
    worked = bool(store.done)
    for records in _too_long(cell, store):
        store.append(records)
        on_records(records)
    for batch in plan(cell, facts.batch_size, store.done):
        for group in _ask(engine, batch, _seed(cell.seed, batch), worked=worked):
            worked = True
            made = [
                r for request, outcome in group for r in _to_records(cell, shown[request.item_id], request, outcome)
            ]
            records = [r for r in made if (r.item_id, r.sample) not in store.done]
            store.append(records)
            on_records(records)


def plan(cell: Cell, batch_size: int | None, done: set[tuple[str, int]]) -> Iterator[list[Request]]:
    """The batches in which the cell is asked, longest prompts first, less those that are all done.

    A batch has at most `batch_size` sequences. An engine that schedules by itself (None) gets all that is
    missing at once: there the batches of an earlier start cannot be had again.
    """
    for decoding, samples in _decodings(cell):
        drawn = _draws(cell) if cell.system.answer.mode == "readout" else samples
        requests = [
            Request(shown.item.item_id, prompt, samples, decoding)
            for shown, prompt in zip(cell.shown, cell.prompts, strict=True)
            if len(prompt.token_ids) + decoding.max_new_tokens <= cell.context_tokens
        ]
        requests.sort(key=lambda request: -len(request.prompt.token_ids))
        missing = [r for r in requests if any((r.item_id, sample) not in done for sample in drawn)]
        if batch_size is None:
            if missing:
                yield missing
            continue
        size = max(1, batch_size // len(samples))
        lacking = {request.item_id for request in missing}
        for start in range(0, len(requests), size):
            batch = requests[start : start + size]
            if any(request.item_id in lacking for request in batch):
                yield batch


def _decodings(cell: Cell) -> Iterator[tuple[Decoding, tuple[int, ...]]]:
    """The greedy pass, and the pass of draws; a readout needs one pass for both."""
    answer = cell.system.answer
    if answer.mode == "readout":
        yield Decoding(readout=True, max_new_tokens=1), (0,)
        return
    yield Decoding(readout=False, max_new_tokens=answer.max_new_tokens), (0,)
    if cell.samples:
        decoding = Decoding(False, answer.max_new_tokens, answer.temperature, answer.top_p)
        yield decoding, tuple(range(1, cell.samples + 1))


def _draws(cell: Cell) -> tuple[int, ...]:
    return tuple(range(cell.samples + 1))


def _ask(
    engine: Engine, batch: list[Request], seed: int, *, worked: bool
) -> Iterator[Sequence[tuple[Request, list[Answer] | Exception]]]:
    """The per-item border: a batch that fails is asked again in halves, until the failing item stands alone.

    That also halves a batch that is too large for the memory. A failure before anything `worked` is no fault
    of one item, and ends the run.
    """
    answered: set[str] = set()
    try:
        for group in engine.answer(batch, seed):
            answered.update(request.item_id for request, _ in group)
            yield group
        return
    except RimbenchError:
        raise
    except Exception as error:  # any failure of an engine on an item is a record, not a crash
        failure = error
    if len(batch) > 1:
        rest = [request for request in batch if request.item_id not in answered]
        middle = max(1, len(rest) // 2)
        for half in filter(None, (rest[:middle], rest[middle:])):
            for outcomes in _ask(engine, half, seed, worked=worked or bool(answered)):
                worked = True
                yield outcomes
    elif worked:
        yield [(batch[0], failure)]
    else:
        message = " ".join(str(failure).split())[:300]
        raise EngineError(
            f"the engine failed on the first item, '{batch[0].item_id}': {type(failure).__name__}: {message}"
        ) from failure


def _to_records(cell: Cell, shown: Shown, request: Request, outcome: list[Answer] | Exception) -> list[Record]:
    """The records of a request, in the item's own letters: `text` alone keeps the letters that were shown."""
    if isinstance(outcome, Exception):
        message = f"{type(outcome).__name__}: {' '.join(str(outcome).split())[:1000]}"
        failed = Answer(message, 0, finished=False)
        samples = _draws(cell) if request.decoding.readout else request.samples
        return [_record(shown, request, sample, failed, (None, "engine_error")) for sample in samples]
    if request.decoding.readout:
        drawn = (_draw(cell, shown.item, outcome[0], sample) for sample in _draws(cell))
        return [_record(shown, request, i, answer, (answer.text, "ok")) for i, answer in enumerate(drawn)]
    judged = zip(request.samples, outcome, strict=True)
    return [_record(shown, request, s, answer, judge(cell.system, shown.item, answer)) for s, answer in judged]


def judge(system: System, item: Item, answer: Answer) -> tuple[str | None, Status]:
    """The letter that a written answer states, and its status; cut off with no letter is `truncated`."""
    if system.answer.extraction == "first_letter":
        found = first_letter(answer.text, item.options)
        return found.letter, found.status
    found = extract(answer.text, item.options, system.answer.reasoning_tags)
    if found.status == "no_answer" and not answer.finished:
        return None, "truncated"
    return found.letter, found.status


def _draw(cell: Cell, item: Item, answer: Answer, sample: int) -> Answer:
    """Sample 0 is the best letter; sample i is drawn from the letters' probabilities at the temperature.

    The draw depends on the seed, the item and i alone, so it is the same on every machine and in every order.
    """
    assert answer.option_logprobs is not None
    if sample == 0:
        return answer
    letters = list(answer.option_logprobs)
    top = max(answer.option_logprobs.values())
    scaled = [(answer.option_logprobs[x] - top) / cell.system.answer.temperature for x in letters]
    chance = random.Random(f"{cell.seed}:{item.item_id}:{sample}")
    letter = chance.choices(letters, weights=[math.exp(s) for s in scaled])[0]
    return replace(answer, text=letter)


def _record(shown: Shown, request: Request, sample: int, answer: Answer, judged: tuple[str | None, Status]) -> Record:
    letter, status = judged
    logprobs = answer.option_logprobs
    if logprobs is not None:
        by_own = {shown.own_letters[shown_letter]: value for shown_letter, value in logprobs.items()}
        logprobs = {own: by_own[own] for own in sorted(by_own)}
    return Record(
        item_id=shown.item.item_id,
        sample=sample,
        gold=shown.own_letters[shown.item.gold],
        answer=None if letter is None else shown.own_letters[letter],
        status=status,
        text=answer.text,
        option_logprobs=logprobs,
        prompt_tokens=len(request.prompt.token_ids),
        generated_tokens=answer.generated_tokens,
        prompt_sha256=request.prompt.sha256,
        label_mass=answer.label_mass,
    )


def _too_long(cell: Cell, store: RunStore) -> Iterator[list[Record]]:
    """Records for prompts that leave no room for an answer: no engine is asked."""
    for decoding, samples in _decodings(cell):
        for shown, prompt in zip(cell.shown, cell.prompts, strict=True):
            needed = len(prompt.token_ids) + decoding.max_new_tokens
            if needed <= cell.context_tokens:
                continue
            request = Request(shown.item.item_id, prompt, samples, decoding)
            fault = ValueError(
                f"the prompt of {len(prompt.token_ids)} tokens and {decoding.max_new_tokens} new ones exceed "
                f"the model's context of {cell.context_tokens}"
            )
            records = _to_records(cell, shown, request, fault)
            yield [r for r in records if (r.item_id, r.sample) not in store.done]


def _seed(seed: int, batch: Sequence[Request]) -> int:
    """A seed of its own for each batch, so that a resumed batch draws what it would have drawn."""
    named = json.dumps([seed, [[r.item_id, *r.samples] for r in batch]])
    return int.from_bytes(hashlib.sha256(named.encode()).digest()[:4], "big")
