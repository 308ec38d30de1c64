"""The engine on an OpenAI-compatible server: prompts as token ids, letters by their tokens, many requests in flight.

The server has the weights; the tokenizer, and so the prompts, are made here. A system that is served alone, without a
tokenizer here, is asked by chat. RIMBENCH_BASE_URL names the server, RIMBENCH_API_KEY holds its key.
"""

import importlib.util
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rimbench import checkpoints
from rimbench.engines import (
    UNKNOWN,
    Engine,
    EngineChoice,
    EngineFacts,
    FinishedTogether,
    Gathering,
    Limits,
    Request,
    Served,
    chance_of,
    check_room,
)
from rimbench.engines._contract import SERVER_URL
from rimbench.engines._decisions import PATHS, PRINTED, answer_of, body_of
from rimbench.engines._endpoint import IN_FLIGHT, Endpoint, Reply, WireError, named_here
from rimbench.engines._letters import read_letter, with_letters
from rimbench.engines._replies import (
    ChatCompletion,
    ModelList,
    TextCompletion,
    Usage,
    WrittenChoice,
    check_answering,
    read_reply,
)
from rimbench.errors import EngineError
from rimbench.records import Answer, Trace

COMPLETIONS, CHAT, MODELS = "/v1/completions", "/v1/chat/completions", "/v1/models"
FILTERED = "content_filter"
"""Why a text ended that the server, or what stands before it, refused."""
STANDS_FOR = "="
"""Between the name that is asked for and that of the model which answers."""
UNANSWERED = (None, 429, 502, 503, 504)
"""The statuses that say nothing of what was asked."""
REFUSED = (400, 422)
"""Those that refuse how it was asked, as does a reply that cannot be read."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server is asked: by vLLM's further fields, and for how many of the best tokens."""

    extended: bool
    best: int

    @property
    def seed_bits(self) -> int:
        """How large a seed may be: 64 bits with a sign in vLLM, 32 in others."""
        return 63 if self.extended else 31


DIALECTS = (Dialect(True, 20), Dialect(False, 20), Dialect(False, 5))
"""In the order in which they are tried: a server may refuse fields that it does not know, or so many tokens."""
AS_IS = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
"""Else a server takes those that the checkpoint's generation_config.json recommends."""


class ServerEngine(Engine):
    """A model behind an endpoint; `batch_size` caps the requests in flight."""

    on_server = True

    @classmethod
    def obstacle(cls) -> str | None:
        """Why no server can be asked, or None."""
        if importlib.util.find_spec("httpx2") is None:
            return "package httpx2 is not installed: pip install 'rimbench[server]'"
        return None if named_here() else f"no server is named: give --base-url, or set {SERVER_URL}"

    @classmethod
    def describe(cls, choice: EngineChoice) -> EngineFacts:
        """What is known of a server before it is asked: what was chosen. How it launches kernels it does not say."""
        return EngineFacts("server", "remote", choice.dtype or UNKNOWN, batch_size=choice.batch_size)

    @classmethod
    def served(cls, names: Sequence[str], folder: Path | None) -> Served:
        """The model that the server has under one of the names, or its only one, unless that is loaded from another
        folder; EngineError for none. A name as `latest=v1.2` is asked for by what stands before the equals sign.
        """
        asked = names[0].partition(STANDS_FOR)[0]
        with Endpoint() as endpoint:
            found = _find(endpoint, [asked, *names[1:]], folder)
        return found if asked == names[0] else replace(found, name=names[0])

    def __init__(self, folder: Path, facts: EngineFacts, limits: Limits) -> None:
        self._endpoint = Endpoint(facts.batch_size or IN_FLIGHT)
        try:
            found = None if facts.served else _find(self._endpoint, [folder.name], folder)
        except BaseException:
            self.close()
            raise
        self._folder, self._limits = folder, limits
        self._model, _, stands_for = (facts.served or (found.name if found else "")).partition(STANDS_FOR)
        self._answering = stands_for or self._model
        if found is not None and found.context_tokens is not None:
            self._limits = replace(limits, sequence_tokens=min(limits.sequence_tokens, found.context_tokens))

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.__exit__(None, None, None)

    def answer(self, requests: Sequence[Request], seed: int) -> Iterator[FinishedTogether]:
        """Answer requests in the order in which they finish; see `rimbench.engines.Engine`.

        Each sample is a request of its own. What fails after its tries is an answer that says so.
        """
        check_room(requests, self._limits)
        path, make, take = self._way(requests[0])
        gathering = Gathering(requests)
        bodies = [((place, sample), make(requests[place], sample, seed)) for place, sample in gathering.asked]
        for (place, sample), reply in self._endpoint.post_all(path, bodies):
            request = requests[place]
            try:
                if isinstance(reply, WireError):
                    raise reply
                answer = take(request, reply)
            except (WireError, ValueError) as error:
                answer = Answer("", 0, finished=False, failure=str(error))
            done = gathering.take(place, sample, answer)
            if done:
                yield done

    def _way(self, request: Request) -> tuple[str, Callable[..., Reply], Callable[[Request, Reply], Answer]]:
        """Where a request of a batch goes, what makes its body and what reads its reply; all of a batch are alike."""
        decision = request.prompt.decision
        if decision is not None:
            return PATHS[decision.protocol], self._decision, self._take_decision
        if not request.prompt.token_ids:
            return CHAT, self._chat, self._take_chat
        return COMPLETIONS, self._completion, self._take_completion

    @cached_property
    def _tokenizer(self) -> Any:
        return checkpoints.read_tokenizer(self._folder)

    @cached_property
    def _end_ids(self) -> list[int]:
        return checkpoints.end_token_ids(self._folder)

    @cached_property
    def _dialect(self) -> Dialect:
        """The first that the server understands; EngineError where it takes no token ids."""
        token = self._tokenizer.encode("A", add_special_tokens=False)[-1]
        refused = ""
        for dialect in DIALECTS:
            body = {"model": self._model, "prompt": [token], "max_tokens": 1, "temperature": 0}
            try:
                reply = self._endpoint.post(COMPLETIONS, body | _letter_fields(dialect, [token]))
                usage = read_reply(TextCompletion, reply).usage
            except (WireError, ValueError) as error:
                refused, status = str(error), error.status if isinstance(error, WireError) else 400
                if status in UNANSWERED:
                    raise EngineError(f"the server at {self._endpoint.url} does not answer ({refused})") from None
                if status not in REFUSED:
                    break
            else:
                if usage is None or usage.prompt_tokens in (None, 1):
                    return dialect
                refused = f"one token was read as {usage.prompt_tokens}"
                break
        raise EngineError(
            f"the server at {self._endpoint.url} takes no prompt as token ids ({refused}): a system that writes text "
            "can be asked by chat: give it [weights] served = NAME alone"
        )

    def _completion(self, request: Request, sample: int, seed: int) -> Reply:
        decoding, options, dialect = request.decoding, request.prompt.option_token_ids, self._dialect
        body = {
            "model": self._model,
            "prompt": list(request.prompt.token_ids),
            "max_tokens": 1 if decoding.readout else decoding.max_new_tokens,
            **_draw_fields(request, sample, seed, dialect.seed_bits),
        }
        if dialect.extended:
            body |= AS_IS | {"return_token_ids": True, "stop_token_ids": self._end_ids}
        return body if options is None else body | _letter_fields(dialect, list(options.values()))

    def _take_completion(self, request: Request, reply: Reply) -> Answer:
        completion = read_reply(TextCompletion, reply)
        check_answering(self._answering, completion.model)
        choice, usage = completion.choices[0], completion.usage or Usage()
        _check_prompt(request, choice, usage)
        written, trace = choice.token_ids, None
        if request.decoding.traced:
            cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
            trace = Trace(() if request.decoding.readout else tuple(written or ()), (), cached)
        options, letters = request.prompt.option_token_ids, None
        if options is not None:
            letters = read_letter(options, self._first(choice, options.values()), trace, vocabulary=0.0)
            if request.decoding.readout:
                return letters
        text = choice.text if written is None else self._tokenizer.decode(written, skip_special_tokens=True)
        count = usage.completion_tokens if written is None else len(written)
        finished, refused = choice.finish_reason == "stop", choice.finish_reason == FILTERED
        return with_letters(Answer(text, count or 0, finished, trace=trace, refused=refused), letters)

    def _first(self, choice: WrittenChoice, tokens: Any) -> dict[int, float]:
        """The letters' log-probabilities at the first position; ValueError where the server leaves one out.

        Where it names tokens by their text alone, a text stands for the letter's token: its tokenizer is ours.
        """
        logprobs = choice.logprobs
        if logprobs is None:
            raise ValueError("the server gave no log-probabilities")
        found = logprobs.first_by_id()
        if not found and logprobs.top_logprobs:
            by_text = logprobs.top_logprobs[0] or {}
            texts = {token: self._tokenizer.decode([token]) for token in tokens}
            found = {token: by_text[text] for token, text in texts.items() if text in by_text}
        lacking = [self._tokenizer.decode([token]) for token in tokens if token not in found]
        if lacking:
            raise ValueError(
                f"the server gave no log-probability for {', '.join(map(repr, lacking))}: it gives those of its best "
                "tokens alone"
            )
        if not all(math.isfinite(found[token]) and found[token] <= 1e-3 for token in tokens):
            raise ValueError(f"the server's log-probabilities are none: {[found[token] for token in tokens]}")
        held = math.fsum(math.exp(found[token]) for token in set(tokens))
        if held > 1 + PRINTED:
            raise ValueError(f"log-probabilities that are none: the letters hold {held:.4g}, expected 1 at most")
        return {token: found[token] for token in tokens}

    def _decision(self, request: Request, sample: int, seed: int) -> Reply:
        assert request.prompt.decision is not None
        return body_of(request.prompt.decision, self._model)

    def _take_decision(self, request: Request, reply: Reply) -> Answer:
        assert request.prompt.decision is not None
        model, answer = answer_of(request.prompt.decision, reply)
        check_answering(self._answering, model)
        return replace(answer, trace=Trace((), (), None)) if request.decoding.traced else answer

    def _chat(self, request: Request, sample: int, seed: int) -> Reply:
        decoding = request.decoding
        if decoding.readout or request.prompt.option_token_ids is not None:
            raise EngineError("a chat gives no letters' log-probabilities: expected a system that writes text")
        return {
            "model": self._model,
            "messages": [{"role": "user", "content": request.prompt.text}],
            "max_tokens": decoding.max_new_tokens,
            **_draw_fields(request, sample, seed, 31),
        }

    def _take_chat(self, request: Request, reply: Reply) -> Answer:
        completion = read_reply(ChatCompletion, reply)
        check_answering(self._answering, completion.model)
        choice, usage = completion.choices[0], completion.usage or Usage()
        message = choice.message
        refused = bool(message.refused) or choice.finish_reason == FILTERED
        thought = message.reasoning or message.reasoning_content
        text = (f"<think>{thought}</think>" if thought else "") + message.written
        return Answer(
            text,
            usage.completion_tokens or 0,
            choice.finish_reason == "stop",
            trace=Trace((), (), None) if request.decoding.traced else None,
            refused=refused,
            prompt_tokens=usage.prompt_tokens,
        )


def _find(endpoint: Endpoint, names: Sequence[str], folder: Path | None) -> Served:
    try:
        listed = read_reply(ModelList, endpoint.get(MODELS)).data
    except (WireError, ValueError) as error:
        if folder is None and not (isinstance(error, WireError) and error.status is None):
            return Served(names[0], endpoint.url)  # a server need not list its models: its replies name them
        raise EngineError(f"the server at {endpoint.url} lists no models: {error}") from None
    for card in listed:
        if card.id in names or (card.root is not None and card.root in names):
            return Served(card.id, endpoint.url, card.max_model_len)
    if len(listed) == 1 and folder is not None and not listed[0].is_another(folder):
        return Served(listed[0].id, endpoint.url, listed[0].max_model_len)
    has = ", ".join(f"'{card.id}'" for card in listed[:8]) or "none"
    raise EngineError(
        f"the server at {endpoint.url} has the models {has}: expected '{names[0]}'; a system's file names its model "
        "there as served, under [weights]"
    )


def _letter_fields(dialect: Dialect, tokens: list[int]) -> Reply:
    fields: Reply = {"logprobs": dialect.best}
    if dialect.extended:
        fields |= {"logprob_token_ids": tokens, "return_tokens_as_token_ids": True}
    return fields


def _draw_fields(request: Request, sample: int, seed: int, bits: int) -> Reply:
    decoding = request.decoding
    if decoding.temperature == 0:
        return {"temperature": 0.0, "top_p": 1.0}
    drawn = chance_of(seed, request.item_id, sample).getrandbits(bits)
    return {"temperature": decoding.temperature, "top_p": decoding.top_p, "seed": drawn}


def _check_prompt(request: Request, choice: WrittenChoice, usage: Usage) -> None:
    """EngineError where the server read other tokens than it was given."""
    ids = request.prompt.token_ids
    same = choice.prompt_token_ids is None or choice.prompt_token_ids == list(ids)
    if not same or usage.prompt_tokens not in (None, 0, len(ids)):
        raise EngineError(f"the server changed the prompt of item '{request.item_id}': its token ids differ")
