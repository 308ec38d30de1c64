"""The text of a chat -> token ids, where what the template writes may be a control token and what it quotes is text.

A tokenizer takes the spelling of a control token for that token wherever it stands, in a question too. Where that
happens the chat is encoded once more by the same tokenizer with its control tokens under other names, which stand
only where the template wrote them.
"""

import itertools
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rimbench.errors import ModelError


@dataclass(frozen=True, slots=True)
class Chat:
    """A rendered chat as what the template wrote and what it quotes by turns: the first and the last are its own."""

    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The chat as a whole."""
        return "".join(self.parts)

    @property
    def own(self) -> tuple[str, ...]:
        """What the template wrote by itself."""
        return self.parts[::2]

    @property
    def quoted(self) -> tuple[str, ...]:
        """What it took from the message; empty where it holds nothing of it."""
        return self.parts[1::2]


class ChatEncoder:
    """Encodes chats of one template, of which `sample` is one."""

    def __init__(self, tokenizer: Any, sample: Chat) -> None:
        self._tokenizer = tokenizer
        # Added tokens that are not special are control tokens where the template uses them, such as <think>.
        self._controls: dict[int, str] = {
            number: token.content
            for number, token in tokenizer.added_tokens_decoder.items()
            if token.content.strip() and (token.special or any(token.content in part for part in sample.own))
        }
        longest_first = sorted(self._controls.values(), key=len, reverse=True)
        self._spelled = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def encode(self, chats: Sequence[Chat]) -> list[list[int]]:
        """The ids of each chat, in which what it quotes is text; ModelError where that cannot be had."""
        texts = [chat.text for chat in chats]
        found = self._tokenizer(
            texts, add_special_tokens=False, return_attention_mask=False, return_token_type_ids=False
        )
        ordinary: list[list[int]] = found["input_ids"]
        return [self._with_text(chat, ids) for chat, ids in zip(chats, ordinary, strict=True)]

    def _with_text(self, chat: Chat, ordinary: list[int]) -> list[int]:
        """The ordinary ids, unless they hold more control tokens than the template wrote, or could."""
        written = sum(len(self._spelled.findall(part)) for part in chat.own)
        spelled = next((part for part in chat.quoted if self._spelled.search(part)), None)
        if spelled is None and self._count(ordinary) <= written:
            return ordinary
        renamed, names, back = self._renamed
        parts = list(chat.parts)
        parts[::2] = [self._spelled.sub(lambda found: names[found[0]], part) for part in chat.own]
        ids = [back.get(number, number) for number in renamed.encode("".join(parts), add_special_tokens=False).ids]
        if self._count(ids) == written:
            return ids
        if spelled is None:
            return ordinary
        raise ModelError(
            f"a question spells a control token of the tokenizer '{self._tokenizer.name_or_path}', which makes that "
            f"token of the plain text too ({spelled[:60]!r}): reword or remove the question"
        )

    def _count(self, ids: Sequence[int]) -> int:
        return sum(map(self._controls.__contains__, ids))

    @cached_property
    def _renamed(self) -> tuple[Any, Mapping[str, str], Mapping[int, int]]:
        """The tokenizer with its control tokens renamed, their names, and its ids of added tokens as ours."""
        if not self._tokenizer.is_fast:
            raise ModelError(
                f"a question spells a control token, and the tokenizer '{self._tokenizer.name_or_path}' has no "
                "tokenizer.json that says how to take it for text: reword or remove the question"
            )
        backend: Any = self._tokenizer.backend_tokenizer
        described = json.loads(backend.to_str())
        mark = f"\U000f0000{uuid.uuid4().hex}"  # no question can know it
        names = {spelled: f"{mark}{number}\U000f0001" for number, spelled in self._controls.items()}
        added = {token["id"]: names.get(token["content"], token["content"]) for token in described["added_tokens"]}
        for token in described["added_tokens"]:
            token["content"] = added[token["id"]]
        described |= {"post_processor": None, "truncation": None, "padding": None}
        renamed = type(backend).from_str(json.dumps(described))
        ids: Any = renamed.token_to_id
        return renamed, names, {ids(name): number for number, name in added.items()}


def take_apart(text: str, content: str, frame: tuple[str, str]) -> Chat:
    """A rendered chat of a message, between what the template writes before and behind another one.

    A template may trim a message, set its spaces anew, or write by its content; nothing else of it may differ.
    """
    before, behind = frame
    if text == before + content + behind:
        return Chat((before, content, behind))
    if content in text and content:
        own = text.split(content)
        return Chat((own[0], *itertools.chain.from_iterable((content, part) for part in own[1:])))
    words = r"\s+".join(map(re.escape, content.split()))
    return Chat(tuple(re.split(f"({words})", text)) if words else (text,))
