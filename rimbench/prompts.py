"""(System, Item) -> Prompt: the exact token ids that every engine passes on. Pure but for the tokenizer.

    chat template( question in the suite's wording [blank line] instruction ) + K memory blocks + prefix

Each part is encoded on its own: the memory blocks and the prefix never merge with their neighbours' tokens.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol

from rimbench.errors import ModelError
from rimbench.records import Item, Prompt
from rimbench.rim.blocks import TokenTable, memory_token_ids, token_id
from rimbench.systems import System


class Tokenizer(TokenTable, Protocol):
    """The part of a transformers tokenizer that prompts need."""

    def apply_chat_template(self, conversation: list[dict[str, str]], **kwargs: Any) -> Any:
        """The conversation as the text that the model was trained on."""
        ...

    def encode(self, text: str, add_special_tokens: bool = ...) -> list[int]:
        """The ids of a text."""
        ...


def build_prompt(system: System, item: Item, question: str, tokenizer: Tokenizer) -> Prompt:
    """The prompt of one item, `question` being its text in the suite's wording.

    Raises ModelError where the tokenizer has no chat template, lacks the memory tokens, or has no single token
    for an option letter that the system needs one for.
    """
    content = f"{question}\n\n{system.prompt.instruction}" if system.prompt.instruction else question
    chat = _apply_template(system, content, tokenizer)
    token_ids = tokenizer.encode(chat, add_special_tokens=False)
    text = chat
    if system.memory is not None:
        token_ids = [*token_ids, *memory_token_ids(tokenizer, system.memory)]
        block = system.memory.begin + system.memory.memory * system.memory.memory_tokens + system.memory.end
        text += block * system.memory.blocks
    if system.prompt.prefix:
        token_ids = [*token_ids, *tokenizer.encode(system.prompt.prefix, add_special_tokens=False)]
        text += system.prompt.prefix
    letter_first = system.answer.mode == "readout" or system.answer.extraction == "first_letter"
    return Prompt(
        text=text,
        token_ids=tuple(token_ids),
        sha256=hash_token_ids(token_ids),
        option_token_ids=_letter_ids(system, list(item.options), tokenizer) if letter_first else None,
    )


def hash_token_ids(token_ids: Sequence[int]) -> str:
    """sha256 of the ids written as a JSON list, `[1, 2, 3]`: what `prompt_sha256` in a record is."""
    return hashlib.sha256(json.dumps(list(token_ids)).encode()).hexdigest()


def _apply_template(system: System, content: str, tokenizer: Tokenizer) -> str:
    try:
        return str(
            tokenizer.apply_chat_template(
                [{"role": "user", "content": content}],
                tokenize=False,
                add_generation_prompt=True,
                **system.prompt.chat_template,
            )
        )
    except ValueError as error:
        raise ModelError(
            f"the tokenizer of system '{system.name}' has no usable chat template ({error}); "
            "expected a checkpoint with chat_template.jinja"
        ) from error


def _letter_ids(system: System, letters: Sequence[str], tokenizer: Tokenizer) -> dict[str, int]:
    ids = {letter: found for letter in letters if (found := token_id(tokenizer, letter)) is not None}
    missing = [letter for letter in letters if letter not in ids]
    if missing:
        raise ModelError(
            f"the tokenizer of system '{system.name}' has no single token for option letter "
            f"{', '.join(missing)}: its answer cannot be read out; use a system that writes text"
        )
    return ids
