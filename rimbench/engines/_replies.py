"""What an OpenAI-compatible server replies, as it enters: models, completions and chats; further keys are its own."""

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from rimbench.errors import EngineError
from rimbench.files.faults import describe_faults

DATED = re.compile(r"-\d{4}-?\d{2}-?\d{2}")
"""What a server may put behind the name of a model: the day of its snapshot."""


ReplyNumber = Annotated[float, Field(strict=True)]
"""True, false and a number in quotes are none."""


class ModelCard(BaseModel):
    """A model that is served; `root` is the folder or repository that it was loaded from, where that is said."""

    id: str
    root: str | None = None
    max_model_len: int | None = None

    def is_another(self, folder: Path) -> bool:
        """Whether a server on this machine has loaded another folder."""
        root = Path(self.root or "")
        return bool(self.root) and root.is_dir() and folder.is_dir() and not root.samefile(folder)


class ModelList(BaseModel):
    """`GET /v1/models`."""

    data: list[ModelCard]


class CachedTokens(BaseModel):
    """How much of a prompt came from a cache."""

    cached_tokens: int | None = None


class Usage(BaseModel):
    """The counts of tokens."""

    prompt_tokens: int | None = Field(None, ge=0)
    completion_tokens: int | None = Field(None, ge=0)
    prompt_tokens_details: CachedTokens | None = None


class RankedToken(BaseModel):
    """A token with its log-probability, as llama.cpp has it."""

    id: int | None = None
    logprob: ReplyNumber


class TokenLogprobs(BaseModel):
    """The best tokens at one position."""

    top_logprobs: list[RankedToken] = []


class Logprobs(BaseModel):
    """By position: OpenAI's maps from a token's text, or from `token_id:N`; or llama.cpp's lists."""

    top_logprobs: list[dict[str, ReplyNumber] | None] | None = None
    content: list[TokenLogprobs] | None = None

    def first_by_id(self) -> dict[int, float]:
        """The log-probabilities at the first position, by token; only those whose token is known for sure."""
        if self.content:
            return {ranked.id: ranked.logprob for ranked in self.content[0].top_logprobs if ranked.id is not None}
        first = (self.top_logprobs or [None])[0] or {}
        marked = (key.removeprefix("token_id:") for key in first if key.startswith("token_id:"))
        return {int(token): first[f"token_id:{token}"] for token in marked if token.isdecimal()}


class WrittenChoice(BaseModel):
    """One written text."""

    text: str
    finish_reason: str | None = None
    logprobs: Logprobs | None = None
    token_ids: list[Annotated[int, Field(ge=0, lt=2**31)]] | None = None
    prompt_token_ids: list[int] | None = None


class TextCompletion(BaseModel):
    """`POST /v1/completions`."""

    model: str | None = None
    choices: list[WrittenChoice] = Field(min_length=1)
    usage: Usage | None = None


class Part(BaseModel):
    """A piece of a message: a text, a refusal, or what is neither, of which nothing is read."""

    text: str = ""
    refusal: str = ""


class Message(BaseModel):
    """What a chat answers, whole or in pieces; `reasoning` is kept apart by servers that know the model's tags."""

    content: str | list[Part] | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None

    @property
    def refused(self) -> str:
        """What it refuses with, where it does."""
        pieces = self.content if isinstance(self.content, list) else []
        return self.refusal or "".join(part.refusal for part in pieces)

    @property
    def written(self) -> str:
        """Its text."""
        whole = "".join(part.text for part in self.content) if isinstance(self.content, list) else self.content
        return whole or self.refused


class ChatChoice(BaseModel):
    """One message."""

    message: Message
    finish_reason: str | None = None


class ChatCompletion(BaseModel):
    """`POST /v1/chat/completions`."""

    model: str | None = None
    choices: list[ChatChoice] = Field(min_length=1)
    usage: Usage | None = None


R = TypeVar("R", bound=BaseModel)


def read_reply(form: type[R], reply: dict[str, Any]) -> R:
    """A reply in its form; ValueError, in one line, says which of its fields are not as expected, and what came."""
    try:
        return form.model_validate(reply)
    except ValidationError as error:
        raise ValueError(f"the reply is not as expected: {describe_faults(error)}") from error


def check_answering(asked: str, answered: str | None) -> None:
    """EngineError where another model answered than was asked."""
    if not answered or answered == asked:
        return
    if answered.startswith(asked) and DATED.fullmatch(answered[len(asked) :]):
        return
    name = answered[:100]
    raise EngineError(
        f"the server answered for model '{name}', '{asked}' was asked: nothing of it is kept; where that name stands "
        f'for this model, a system\'s file says so, under [weights]: served = "{asked}={name}"'
    )
