"""One system's calls for one quantity at one batch size, and what is read of their answers: times, tokens, floors."""

import itertools
import json
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rimbench import checkpoints
from rimbench.engines import AnsweringInTime, Decoding, Request
from rimbench.errors import ConfigError, EngineError, first_line, is_out_of_memory
from rimbench.latency.floor import ModelShape, decode_work, least_generation_s, prefill_work, shape_of
from rimbench.latency.letters import letter_at, letter_of
from rimbench.latency.measured import Measured, Passes, Quantity, Rounds, Setting, Subject, Told
from rimbench.latency.probe import probe
from rimbench.latency.timing import Timed
from rimbench.records import Answer, Item
from rimbench.running.models import Loaded
from rimbench.running.plans import PlannedRun

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


class TooLargeError(Exception):
    """A batch that the memory cannot hold."""


@dataclass(slots=True)
class _Batch:
    """What one call gave back: when it began, and each question's answer."""

    began: float
    answers: list[tuple[str, Answer]] = field(default_factory=list)


class Calls:
    """One system's calls for one quantity, and what came back."""

    def __init__(
        self, run: PlannedRun, quantity: Quantity, batch: int, loaded: Loaded[AnsweringInTime], decoding: Decoding
    ) -> None:
        self.run, self.quantity, self.batch = run, quantity, batch
        self._loaded, self._decoding = loaded, decoding
        self._items: dict[str, Item] = {shown.item.item_id: shown.item for shown in run.cell.shown}
        self._requests = [
            Request(shown.item.item_id, prompt, (0,), decoding)
            for shown, prompt in zip(run.cell.shown, run.cell.prompts, strict=True)
        ]
        self._batches: list[_Batch] = []
        self._warm_up: list[_Batch] = []

    def answer(self, number: int, *, kept: bool = True) -> None:
        """Answer the batch of one sample; batches walk round the items, the same for all systems."""
        start = number * self.batch
        asked = [self._requests[i % len(self._requests)] for i in range(start, start + self.batch)]
        made = _Batch(time.perf_counter())
        try:
            for request, answers in itertools.chain.from_iterable(
                self._loaded.model.answer(asked, self.run.cell.seed)
            ):
                if answers[0].failure is not None:
                    raise EngineError(
                        f"{self.run.cell.system.name} failed on '{request.item_id}': {answers[0].failure}"
                    )
                made.answers.append((request.item_id, answers[0]))
        except (RuntimeError, MemoryError) as error:
            first = first_line(error)
            if is_out_of_memory(error):
                raise TooLargeError(first[:160]) from error
            raise EngineError(f"{self.run.cell.system.name} failed in a batch of {self.batch}: {first}") from error
        if kept:
            self._batches.append(made)

    def capture(self, rounds: range) -> None:
        """Let a readout from graphs meet the batches of these rounds once: each shape is captured when first met."""
        if self._decoding.readout and self.run.facts.graphs == "graphs":
            for number in rounds[: -(-len(self._requests) // self.batch)]:
                self.answer(number, kept=False)

    def end_warm_up(self, rounds: int) -> None:
        """What is read from the answers is read from those of the samples, which are the last so many calls."""
        self._warm_up, self._batches = self._batches[:-rounds], self._batches[-rounds:]

    def setting(self, extra_bytes: int | None) -> Setting:
        """What the times depend on besides the model; EngineError where a prompt came from a cache."""
        engine = self._loaded.model
        conditions = engine.conditions(self._decoding)
        every = [answer for batch in (*self._warm_up, *self._batches) for _, answer in batch.answers]
        if any(math.isnan(value) for answer in every for value in (answer.option_logprobs or {}).values()):
            raise EngineError(
                f"the model of '{self.run.cell.system.name}' gives no numbers (NaN) for its options: its weights are "
                "damaged, or its number type is too small for them"
            )
        traces = [answer.trace for answer in every]
        if any(trace is None or trace.cached_tokens for trace in traces):
            most = max(trace.cached_tokens or 0 if trace else 0 for trace in traces)
            raise EngineError(
                f"{self.run.facts.name} took {most or 'an unknown number of'} tokens of a prompt of "
                f"'{self.run.cell.system.name}' from a cache, expected 0: a measured answer must not rest on an "
                "earlier one; turn its prefix cache off"
            )
        return Setting(
            graphs=conditions.graphs if conditions else self.run.facts.graphs,
            load_s=self._loaded.load_s,
            compile_s=conditions.compile_s if conditions else None,
            peak_bytes=None if extra_bytes is None or self.run.server else _weight_bytes(self.run) + extra_bytes,
            cached_tokens=None if any(trace and trace.cached_tokens is None for trace in traces) else 0,
            path=conditions.path if conditions else None,
        )

    def measured(self, timed: Timed, load: float | None, setting: Setting, seed: int) -> list[Measured]:
        """The rows of this call: its own quantity, and the time to the letter where tokens came one by one."""
        facts, answers = self.run.facts, [a for batch in self._batches for _, a in batch.answers]
        row = Measured(
            self.run.cell.system.name,
            self.quantity,
            facts.name,
            facts.device,
            facts.dtype,
            self.batch,
            tuple(1000 * s for s in timed.samples),
            1000 * timed.first,
            tuple(1000 * s for s in timed.warm_up),
            self._prompt_tokens(answers),
            statistics.fmean(answer.generated_tokens for answer in answers),
            statistics.fmean(not answer.finished for answer in answers),
            load,
            self._told(),
            self._passes(),
            setting,
            Subject(self.run.identity, self.run.model_source),
            self.run.departures,
            self.run.identity.asked_sha256,
            Rounds((len(timed.samples),), tuple(timed.places), seed),
        )
        written = self.quantity == "answer" and self.run.second is None  # a cascade's are of either system
        letters = self._letter_times() if written else []
        if len(letters) < 2:
            return [row]
        rounds, samples = Rounds((len(letters),), (), seed), tuple(letters)
        letter = replace(row, quantity="letter", samples_ms=samples, first_ms=0.0, warm_up_ms=(), rounds=rounds)
        return [row, replace(letter, passes=None)]

    def _prompt_tokens(self, answers: Sequence[Answer]) -> float | None:
        """Of a question on the mean, a cascade's second prompts among them; a server's count where it makes them."""
        if not self._requests[0].prompt.token_ids:
            counts = [answer.prompt_tokens for answer in answers]
            return None if None in counts else statistics.fmean(count or 0 for count in counts)
        first = statistics.fmean(len(request.prompt.token_ids) for request in self._requests)
        return first + statistics.fmean(answer.second_prompt_tokens or 0 for answer in answers)

    def _told(self) -> Told:
        letters: dict[str, str | None] = {}
        ties = 0
        for key, answer in itertools.chain.from_iterable(batch.answers for batch in self._batches):
            letters[key] = letter_of(self.run.cell.system, self._items[key], answer)
            if answer.option_logprobs:
                ties += sorted(answer.option_logprobs.values())[-2:].count(max(answer.option_logprobs.values())) > 1
        right = sum(letter == self._items[key].gold for key, letter in letters.items())
        return Told(letters, right, ties)

    def _letter_times(self) -> list[float]:
        """For each sample, the mean ms until a question's letter could be told; none where no question told one."""
        if not any(a.trace and a.trace.token_at for _, a in self._batches[-1].answers):
            return []
        tokenizer = checkpoints.read_tokenizer(self.run.checkpoint.folder)

        def decode(ids: Sequence[int]) -> str:
            return str(tokenizer.decode(ids, skip_special_tokens=True))

        found = []
        for batch in self._batches:
            told = [letter_at(self.run.cell.system, self._items[key], a, decode) for key, a in batch.answers]
            times = [1000 * (at - batch.began) for at in told if at is not None]
            if times:
                found.append(statistics.fmean(times))
        return found

    def _passes(self) -> Passes:
        """Counted from the tokens: n tokens take n passes, a readout takes one, however a batch is computed."""
        if self.run.second is not None:
            return Passes(statistics.fmean(_passes_of_cascade(batch) for batch in self._batches))
        counts, firsts, steps = [], [], []
        for batch in self._batches:
            longest = max((answer for _, answer in batch.answers), key=lambda answer: answer.generated_tokens)
            counts.append(max(1, longest.generated_tokens))
            at = longest.trace.token_at if longest.trace else ()
            if at:
                firsts.append(1000 * (at[0] - batch.began))
            if len(at) > 1:
                steps.append(1000 * (at[-1] - at[0]) / (len(at) - 1))
        passes = Passes(
            statistics.fmean(counts),
            statistics.median(firsts) if firsts else None,
            statistics.median(steps) if steps else None,
        )
        return self._with_floors(passes)

    def _with_floors(self, passes: Passes) -> Passes:
        shape, facts = _shape(self.run), self.run.facts
        if shape is None or facts.device not in ("cpu", "cuda"):
            return passes
        try:
            device = probe(facts.device, facts.dtype, shape.weight_bytes())
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return passes  # no room beside the model: what was measured counts, its floor is not known
        prompt = round(statistics.fmean(len(request.prompt.token_ids) for request in self._requests))
        if self._decoding.readout:
            letters = max(len(request.prompt.option_token_ids or {}) for request in self._requests)
            return replace(passes, floor_ms=1000 * prefill_work(shape, prompt, self.batch, letters).least_s(device))
        # The mean number of tokens: a batch goes on until its longest answer ends, but nothing has to be computed
        # for those that have ended.
        answers = [answer for batch in self._batches for _, answer in batch.answers]
        generated = max(1, round(statistics.fmean(answer.generated_tokens for answer in answers)))
        return replace(
            passes,
            prefill_floor_ms=1000 * prefill_work(shape, prompt, self.batch).least_s(device),
            decode_floor_ms=1000 * decode_work(shape, prompt + 1, self.batch).least_s(device),
            floor_ms=1000 * least_generation_s(shape, device, prompt, generated, self.batch),
        )


def _config(run: PlannedRun) -> dict[str, Any]:
    """The checkpoint's own config; empty where the folder has none, as a scripted engine's."""
    path = run.checkpoint.folder / "config.json"
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return config


def _shape(run: PlannedRun) -> ModelShape | None:
    """The shape that the checkpoint's config states; None for one that is no plain decoder."""
    try:
        return shape_of(_config(run), BYTES.get(run.facts.dtype, 2))
    except ConfigError:
        return None


def _passes_of_cascade(batch: _Batch) -> int:
    """The first system's one, and as many as the longest answer of the second takes, where it was asked."""
    of_second = (max(1, a.generated_tokens) for _, a in batch.answers if a.second_prompt_tokens is not None)
    return 1 + max(of_second, default=0)


def _weight_bytes(run: PlannedRun) -> int:
    """The weights as loaded: the files' size, scaled by the number type; of a cascade both models'."""
    if run.second is not None and run.second.checkpoint.folder != run.checkpoint.folder:
        return _weight_bytes(replace(run, second=None)) + _weight_bytes(run.second)
    config = _config(run)
    stored = BYTES.get(str(config.get("dtype") or config.get("torch_dtype")), 4)
    return (
        sum(file.stat().st_size for file in checkpoints.weight_files(run.checkpoint.folder))
        * BYTES.get(run.facts.dtype, 4)
        // stored
    )
