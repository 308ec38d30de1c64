"""One question of a user's own -> the letter, with the probability of each option, or with what was written.

Flows in: a question and its options. Flows out: a `QuestionReply`. Nothing is recorded. The model of the last
call stays loaded, and is loaded again where its files have changed.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from rimbench import engines, systems
from rimbench.engines import EngineChoice, Limits
from rimbench.errors import EngineError, UsageError, on_one_line
from rimbench.records import LETTERS, Item, Status
from rimbench.running.batches import plan
from rimbench.running.cell import Cell
from rimbench.running.judging import judge_text
from rimbench.running.models import LoadedModels
from rimbench.running.plans import make_ready
from rimbench.suites import Wording, question_text
from rimbench.suites.controls import Controls, show_item
from rimbench.systems import System

DISCLAIMER = "a research tool: its answers are no medical advice"


@dataclass(frozen=True, slots=True)
class QuestionReply:
    """A letter, or None where none is named; of a readout the probability of each letter among the options, of a
    system that writes its greedy text and how its letter was had, as a run's records have it.
    """

    letter: str | None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    text: str | None = None
    status: Status = "ok"


def reply_to(
    question: str,
    options: Mapping[str, str] | Sequence[str],
    system: str = "rim-v1",
    model: str | None = None,
    *,
    allow_outside: bool = False,
) -> QuestionReply:
    """What a system answers: read out after one forward pass where it can be, else written.

    `options` are 2 to 10 texts, or a mapping of the letters A, B, ... to them; `system` is a name or a TOML file,
    `model` a checkpoint folder or a hub name in place of the system's own; a system's file may name weights outside
    its own folder with `allow_outside`. Raises UsageError for options that are none, ModelError where the weights
    cannot be had.
    """
    item = _item(question, options)
    key = (system, model, allow_outside, _stamp(system), _stamp(model))  # the stamps tell changed files

    def load() -> Asker:
        return Asker(systems.override(systems.load(system, allow_outside=allow_outside), model=model))

    return _MODELS.open(key, load).model.ask(item)


class Asker(AbstractContextManager["Asker"]):
    """A system with its model loaded, ready for questions: each is a run of one item, which is kept nowhere."""

    def __init__(self, system: System) -> None:
        reads_out = system.answer.mode == "readout" or system.answer.extraction == "first_letter"
        self._ready = make_ready(systems.override(system, answer="readout") if reads_out else system)
        facts = engines.facts_for("transformers", EngineChoice())
        limits = Limits(self._ready.context_tokens, 0)
        self._engine = engines.open_engine(self._ready.checkpoint.folder, facts, limits)

    def __exit__(self, *_: object) -> None:
        self._engine.__exit__(None, None, None)

    def ask(self, item: Item) -> QuestionReply:
        """Answer one item; UsageError where it is longer than the model's context."""
        name, most = self._ready.system.name, self._ready.context_tokens
        prompts = self._ready.builder.build([(item, question_text(Wording(), item).strip())])
        shown = [show_item(item, Controls())]
        cell = Cell(self._ready.system, shown, prompts, samples=0, seed=0, context_tokens=most)
        if cell.too_long:
            needed = len(prompts[0].token_ids) + cell.new_tokens
            raise UsageError(
                f"the question with its options needs {needed} tokens, the model of system '{name}' "
                f"takes {most}: shorten the question, or use fewer memory blocks"
            )
        [requests] = plan(cell, 1, done=())
        try:
            (((_, (found,)),),) = self._engine.answer(requests, cell.seed)
        except (RuntimeError, MemoryError) as error:
            fault = on_one_line(error, 300)
            raise EngineError(f"the model of system '{name}' failed on the question: {fault}") from error
        if not requests[0].decoding.readout:
            letter, status = judge_text(self._ready.system, item, found)
            return QuestionReply(letter, text=found.text, status=status)
        if found.option_logprobs is None:
            raise EngineError(f"the engine gave no option probabilities for system '{name}'")
        if any(map(math.isnan, found.option_logprobs.values())):
            raise EngineError(
                f"the model of system '{name}' gives no numbers (NaN) for its options: its weights are "
                "damaged, or its number type is too small for them"
            )
        shares = {letter: math.exp(value) for letter, value in found.option_logprobs.items()}
        return QuestionReply(max(shares, key=shares.__getitem__), shares)  # the first of equals


_MODELS: LoadedModels[Asker] = LoadedModels()
"""Holds the model of the last call."""


def _stamp(path: str | None) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of change of a file, or of the files in a folder; empty for a name."""
    place = Path(path or "").expanduser()
    files = sorted(place.iterdir()) if path and place.is_dir() else [place] if path and place.is_file() else []
    return tuple((file.name, found.st_size, found.st_mtime_ns) for file in files for found in [file.stat()])


def _item(question: str, options: Mapping[str, str] | Sequence[str]) -> Item:
    texts = dict(options) if isinstance(options, Mapping) else dict(zip(LETTERS, options, strict=False))
    if not 2 <= len(options) <= len(LETTERS) or list(texts) != list(LETTERS[: len(texts)]):
        raise UsageError(
            f"{len(options)} options ({', '.join(texts)}): expected 2 to {len(LETTERS)} texts, "
            "lettered from A on in their order"
        )
    empty = [letter for letter, text in texts.items() if not text.strip()]
    if not question.strip() or empty:
        raise UsageError(f"{'option ' + empty[0] if empty else 'the question'} is empty: expected a text")
    return Item("asked", question.strip(), texts, gold="A")
