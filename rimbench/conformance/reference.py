"""What a checkpoint answers by plain passes: one prompt, no cache, no batch, no padding, in float32 on the CPU."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rimbench import checkpoints
from rimbench.records import LETTERS, Prompt

if TYPE_CHECKING:
    import torch

QUESTION = "The dose is 4 mg. It is doubled{again}. Which dose is right?\nA: 8 mg\nB: 16 mg\nC: 12 mg\nD: 32 mg"


@dataclass(frozen=True, slots=True)
class Written:
    """A greedy text: its tokens with the end token, where there is one, and whether there is."""

    token_ids: tuple[int, ...]
    finished: bool


class Reference:
    """A loaded model and its prompts."""

    def __init__(self, folder: Path) -> None:
        import torch

        self._torch = torch
        self.tokenizer: Any = checkpoints.read_tokenizer(folder)
        self._model: Any = checkpoints.load_model(folder, "float32").eval()
        self.context_tokens = int(self._model.config.max_position_embeddings)
        self._written: dict[tuple[int, ...], list[int]] = {}
        self._ends = set(checkpoints.end_token_ids(folder))

    def prompts(self, count: int) -> list[Prompt]:
        """Chat prompts of as many lengths; their letters are two to four."""
        found = []
        for i in range(count):
            chat = [{"role": "user", "content": QUESTION.format(again=" and halved" * i)}]
            ids = self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
            found.append(self.prompt(ids, 2 + i % 3))
        return found

    def prompt(self, token_ids: Sequence[int], letters: int | None) -> Prompt:
        """A prompt of exactly these tokens, to be answered by so many letters, or by free text for None."""
        options = {x: self.tokenizer.encode(x, add_special_tokens=False)[-1] for x in LETTERS[: letters or 0]}
        text = self.tokenizer.decode(token_ids)
        return Prompt(text, tuple(token_ids), hashlib.sha256(str(token_ids).encode()).hexdigest(), options or None)

    def split(self, prompt: Prompt) -> Prompt:
        """The same text in other tokens, as no tokenizer writes it: its first words letter by letter."""
        ids = list(prompt.token_ids)
        parts: list[int] = []
        for token in ids[:12]:
            text = self.tokenizer.decode([token])
            pieces = [p for x in text for p in self.tokenizer.encode(x, add_special_tokens=False)]
            parts += pieces if self.tokenizer.decode(pieces) == text else [token]
        return self.prompt([*parts, *ids[12:]], len(prompt.option_token_ids or ()))

    def readout(self, prompt: Prompt) -> tuple[dict[str, float], float]:
        """The letters' log-probabilities among themselves, and what they hold of the whole vocabulary."""
        logits = self._last(prompt.token_ids)
        options = prompt.option_token_ids or {}
        own = {letter: float(logits[token]) for letter, token in options.items()}
        top = max(own.values())
        total = top + math.log(sum(math.exp(x - top) for x in own.values()))
        return {x: logit - total for x, logit in own.items()}, math.exp(total - float(logits.logsumexp(-1)))

    def write(self, prompt: Prompt, most: int) -> Written:
        """The greedy text of at most so many tokens."""
        written = self._written.setdefault(prompt.token_ids, [])
        while len(written) < most and not self._ends.intersection(written):
            written.append(int(self._last((*prompt.token_ids, *written)).argmax()))
        return Written(tuple(written[:most]), bool(self._ends.intersection(written[:most])))

    def text(self, written: Written) -> str:
        """As an answer has it."""
        return str(self.tokenizer.decode(written.token_ids, skip_special_tokens=True))

    def _last(self, token_ids: Sequence[int]) -> "torch.Tensor":
        with self._torch.inference_mode():
            found: torch.Tensor = self._model(input_ids=self._torch.tensor([token_ids]), use_cache=False).logits[
                0, -1
            ]
        return found.double()
