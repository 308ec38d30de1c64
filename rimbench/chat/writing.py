"""User messages -> chats and their token ids, as a checkpoint's template and tokenizer write them."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from rimbench.chat import TODAY
from rimbench.chat.template import ChatTemplate, Conversation, TemplateFault, chat_template
from rimbench.chat.text import Chat, ChatEncoder, take_apart
from rimbench.errors import ModelError
from rimbench.rim.blocks import TokenTable

_SHOWN_CHARACTERS = 60
_MESSAGE = "What is this?"
"""Any message, to see what a template writes around one."""
_VALUE = re.compile(r"""["']text["']: ?["']$""")


class Tokenizer(TokenTable, Protocol):
    """The part of a transformers tokenizer that chats need."""

    @property
    def special_tokens_map(self) -> Mapping[str, Any]:
        """The texts of the tokens that a template may name, such as `eos_token`."""
        ...

    def get_chat_template(self) -> str:
        """The template that chats are written by; ValueError where there is none."""
        ...

    def encode(self, text: str, add_special_tokens: bool = ...) -> list[int]:
        """The ids of a text."""
        ...


class ChatWriter:
    """Writes chats of one user message each, the generation prompt behind it.

    `arguments` are given to the template beside the message, `date` is its today, `owner` says in errors whose
    template it is. Everything raises ModelError where the template does not write what it is given.
    """

    def __init__(self, tokenizer: Tokenizer, owner: str, arguments: Mapping[str, Any], date: str = TODAY) -> None:
        self._tokenizer, self._owner, self._arguments, self._date = tokenizer, owner, arguments, date

    def write(self, contents: Sequence[str], item_ids: Sequence[str]) -> list[Chat]:
        """The chat of each message: given as a text, or in parts where the template takes it so alone."""
        try:
            return self._holding(contents, item_ids, _as_text)
        except ModelError as fault:
            try:
                return self._holding(contents, item_ids, _in_parts)
            except ModelError:
                raise fault from None

    def encode(self, chats: Sequence[Chat]) -> list[list[int]]:
        """The ids of chats, in which their messages are text whatever they spell."""
        return ChatEncoder(self._tokenizer, chats[0]).encode(chats)

    def gap(self, chat: Chat) -> str:
        """What the template writes between a chat and its answer, where it shows one: a space, or nothing."""
        answered = [*_as_text("".join(chat.quoted[:1])), {"role": "assistant", "content": _MESSAGE}]
        try:
            (whole,) = self._template.render([answered], add_generation_prompt=False)
        except TemplateFault:
            return ""
        gap, _, _ = whole.removeprefix(chat.text).partition(_MESSAGE)
        return gap if whole.startswith(chat.text) and not gap.strip() else ""

    def _holding(
        self, contents: Sequence[str], item_ids: Sequence[str], user: Callable[[str], Conversation]
    ) -> list[Chat]:
        """The chats of messages, each of which holds its message."""
        mend = "mend chat_template.jinja beside the weights"
        try:
            sample, *texts = self._template.render([user(content) for content in (_MESSAGE, *contents)])
        except TemplateFault as fault:
            raise ModelError(
                f"the chat template of {self._owner} {fault}: expected one that writes a user's message alone; {mend}"
            ) from fault
        before, _, behind = sample.partition(_MESSAGE)
        if _VALUE.search(before):
            raise ModelError(f"the chat template of {self._owner} writes a message as data, not as text; {mend}")
        chats = [take_apart(text, content, (before, behind)) for text, content in zip(texts, contents, strict=True)]
        for item_id, content, chat in zip(item_ids, contents, chats, strict=True):
            if content.strip() and not chat.quoted:
                raise ModelError(
                    f"the chat template of {self._owner} drops or changes the text of item '{item_id}' "
                    f"({content[:_SHOWN_CHARACTERS]!r}): expected one that writes a message as it is; {mend}"
                )
        return chats

    @cached_property
    def _template(self) -> ChatTemplate:
        try:
            source = self._tokenizer.get_chat_template()
        except ValueError as error:
            raise ModelError(
                f"the tokenizer of {self._owner} has no usable chat template ({error}); "
                "expected a checkpoint with chat_template.jinja: with {{ messages[0]['content'] }} alone in it, a "
                "question is put as it is"
            ) from error
        variables = {**self._tokenizer.special_tokens_map, **self._arguments}
        return chat_template(source, json.dumps(variables), self._date)


def _as_text(content: str) -> Conversation:
    return [{"role": "user", "content": content}]


def _in_parts(content: str) -> Conversation:
    return [{"role": "user", "content": [{"type": "text", "text": content}]}]
