"""What is asked of the engine on trial, and what it answered: kept, since several checks look at the same answers."""

import gc
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from rimbench.conformance.reference import Reference
from rimbench.engines import Decoding, Engine, EngineChoice, EngineFacts, Limits, Request
from rimbench.records import Answer, Prompt

READ = Decoding(readout=True, max_new_tokens=1)
WRITE = Decoding(readout=False, max_new_tokens=48)
SHORT = Decoding(readout=False, max_new_tokens=3)
TRACED = Decoding(readout=False, max_new_tokens=12, traced=True)
DRAW = Decoding(readout=False, max_new_tokens=12, temperature=1.5)
NARROW = Decoding(readout=False, max_new_tokens=12, temperature=1.5, top_p=1e-6)
SAMPLES = (1, 2, 3)
SEED = 7
ITEMS = 6

BySample = dict[tuple[str, int], Answer]
"""By item and sample."""


class Exchange:
    """An engine's class, its prompts, and what it has answered; `lost` is what kept it from being opened."""

    def __init__(self, name: str, engine_class: type[Engine], reference: Reference, folder: Path) -> None:
        self.name, self.engine_class, self.reference, self.folder = name, engine_class, reference, folder
        self.facts: EngineFacts | None = None
        self.lost: Exception | None = None
        self.prompts = reference.prompts(ITEMS)
        self.engine: Engine
        self.bytes_before = held_bytes()

    def open(self) -> EngineFacts:
        """Open the model in float32, in which numbers can be compared."""
        try:
            self.facts = self.engine_class.describe(EngineChoice(batch_size=8, dtype="float32"))
            self.engine = self.engine_class(self.folder, self.facts, Limits(self.reference.context_tokens, SEED))
        except Exception as error:
            self.lost = error
            raise
        return self.facts

    def requests(
        self, decoding: Decoding, samples: tuple[int, ...] = (0,), prompts: Sequence[Prompt] | None = None
    ) -> list[Request]:
        """One request a prompt, by its place."""
        asked = self.prompts if prompts is None else prompts
        return [Request(f"item-{i}", prompt, samples, decoding) for i, prompt in enumerate(asked)]

    def groups(self, requests: Sequence[Request], seed: int = SEED) -> list[tuple[Request, list[Answer]]]:
        """All that comes back, as it comes."""
        return [pair for group in self.engine.answer(requests, seed) for pair in group]

    def ask(self, requests: Sequence[Request], seed: int = SEED) -> BySample:
        """The answers by item and sample."""
        return by_sample(self.groups(requests, seed))

    @cached_property
    def came_back(self) -> list[tuple[Request, list[Answer]]]:
        """What comes back of all readouts in one batch."""
        return self.groups(self.requests(READ))

    @property
    def read(self) -> BySample:
        """The readouts of all prompts."""
        return by_sample(self.came_back)

    @cached_property
    def written(self) -> BySample:
        """Greedy texts of all prompts in one batch."""
        return self.ask(self.requests(WRITE))

    @cached_property
    def draws_back(self) -> list[tuple[Request, list[Answer]]]:
        """What comes back of all draws in one batch."""
        return self.groups(self.requests(DRAW, SAMPLES))

    @property
    def drawn(self) -> BySample:
        """Draws of all prompts."""
        return by_sample(self.draws_back)


def by_sample(pairs: Iterable[tuple[Request, list[Answer]]]) -> BySample:
    """BySample by item and sample; the first of two."""
    found: BySample = {}
    for request, answers in pairs:
        for sample, answer in zip(request.samples, answers, strict=False):
            found.setdefault((request.item_id, sample), answer)
    return found


def held_bytes() -> int:
    """Bytes of the tensors that are alive in this process, but for those that a compiler traces with."""
    import torch

    gc.collect()
    real = (torch.Tensor, torch.nn.Parameter)
    return sum(held.nbytes for held in gc.get_objects() if type(held) in real and not held.is_meta)
