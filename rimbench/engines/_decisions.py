"""The three decision protocols: a question in, a probability for each option out.

OpenAI's and SGLang's `/v1/decisions` share a path and nothing else: they are told apart by what they answer.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, Field

from rimbench.engines._replies import ReplyNumber, read_reply
from rimbench.errors import EngineError
from rimbench.records import Answer, Decision

PATHS = {"systemone": "/v1/systemone", "openai": "/v1/decisions", "sglang": "/v1/decisions"}
ASKED = "answer"
"""The name of the one question of a request."""
PRINTED = 0.01
"""How far from 1 the printed probabilities may add up to: servers round them to 4 digits."""
ROUNDED = 1e-4
"""How far a share may be out of its bounds: servers round them to 4 digits, or reckon in 32 bits."""
REFUSED = Answer("", 0, finished=True, refused=True)


class Named(BaseModel):
    """A choice of System One or SGLang: probabilities by option; the letters' share of the vocabulary in SGLang."""

    type: Literal["choice"]
    choice: str | None = None
    probabilities: dict[str, ReplyNumber] | None = None
    confidence: ReplyNumber | None = None
    label_mass: ReplyNumber | None = None
    x_label_mass: ReplyNumber | None = None


class Counted(BaseModel):
    """The tokens of a question, as its server counts them."""

    input_tokens: int | None = Field(None, ge=0, validation_alias=AliasChoices("input_tokens", "prompt_tokens"))


class Decided(BaseModel):
    """What every reply says beside its answers."""

    model: str | None = None
    usage: Counted | None = None


class NamedReply(Decided):
    """`POST /v1/systemone`, and SGLang's `POST /v1/decisions`, which says so by its `object`."""

    answers: dict[str, Named]


class Valued(BaseModel):
    """The probability of one option of OpenAI."""

    value: str
    probability: ReplyNumber


class Listed(BaseModel):
    """An answer of OpenAI: a choice, or a refusal without one."""

    type: Literal["choice", "refusal"]
    name: str | None = None
    choice: str | None = None
    confidence: ReplyNumber | None = None
    probabilities: list[Valued] | None = None


class ListedReply(Decided):
    """OpenAI's `POST /v1/decisions`."""

    answers: list[Listed] = Field(min_length=1, max_length=1)


def body_of(decision: Decision, model: str) -> dict[str, Any]:
    """The request for one question."""
    state, told, options = decision.state, decision.instructions, decision.options
    if decision.protocol == "systemone":
        question: dict[str, Any] = {"type": "choice", "instructions": told, "criteria": dict(options)}
        return {"model": model, "state": state, "questions": {ASKED: question}}
    if decision.protocol == "openai":
        choices = [{"value": letter, "description": text} for letter, text in options.items()]
        question = {"type": "choice", "name": ASKED, "instructions": told, "choices": choices}
        return {"model": model, "input": state, "questions": [question]}
    named = [{"name": letter, "description": text} for letter, text in options.items()]
    question = {"id": ASKED, "type": "choice", "question": told, "options": named}
    return {"model": model, "input": state, "questions": [question]}


def answer_of(decision: Decision, reply: dict[str, Any]) -> tuple[str | None, Answer]:
    """Which model answered, and the answer; ValueError for a reply that cannot be one, EngineError for a server that
    speaks another protocol.
    """
    spoken = _spoken(reply)
    if spoken is not None and spoken != decision.protocol:
        raise EngineError(
            f"the server answers in the protocol '{spoken}', '{decision.protocol}' was asked: set decision = "
            f'"{spoken}" under [answer]'
        )
    if decision.protocol == "openai":
        listed = read_reply(ListedReply, reply)
        (one,) = listed.answers
        if one.name not in (None, ASKED):
            raise ValueError(f"the server answered the question {one.name[:80]!r}, '{ASKED}' was asked")
        if one.type == "refusal":
            return listed.model, _counted(REFUSED, listed.usage)
        values = [(given.value, given.probability) for given in one.probabilities or ()]
        if len(dict(values)) != len(values):
            raise ValueError("the server gave two probabilities for one option")
        answer = _answer(decision, one.choice, dict(values), one.confidence, None)
        return listed.model, _counted(answer, listed.usage)
    if _refuses(reply):
        told = read_reply(Decided, reply)
        return told.model, _counted(REFUSED, told.usage)
    named = read_reply(NamedReply, reply)
    if ASKED not in named.answers:
        raise ValueError(
            f"the server gave no answer to the question: {', '.join(named.answers)[:80] or 'none at all'}"
        )
    found = named.answers[ASKED]
    mass = found.x_label_mass if found.label_mass is None else found.label_mass
    answer = _answer(decision, found.choice, found.probabilities or {}, found.confidence, mass)
    return named.model, _counted(answer, named.usage)


def _refuses(reply: Mapping[str, Any]) -> bool:
    """Whether the answer by name is a refusal, which says nothing else for sure."""
    answers = reply.get("answers")
    answer = answers.get(ASKED) if isinstance(answers, dict) else None
    return isinstance(answer, dict) and answer.get("type") == "refusal"


def _counted(answer: Answer, usage: Counted | None) -> Answer:
    return answer if usage is None else replace(answer, prompt_tokens=usage.input_tokens)


def _spoken(reply: Mapping[str, Any]) -> str | None:
    answers = reply.get("answers")
    if isinstance(answers, list):
        return "openai"
    if isinstance(answers, dict):
        return "sglang" if reply.get("object") == "decisions" else "systemone"
    return None


def _answer(
    decision: Decision,
    choice: str | None,
    probabilities: Mapping[str, float],
    confidence: float | None,
    mass: float | None,
) -> Answer:
    letters = list(decision.options)
    if sorted(probabilities) != letters:
        given = ", ".join(probabilities)[:80] or "none"
        raise ValueError(f"the server gave the probabilities of {given}, the question has {', '.join(letters)}")
    shares = {x: _share("probabilities are", probabilities[x]) for x in letters}
    total = math.fsum(shares.values())
    if not abs(total - 1) <= PRINTED:
        raise ValueError(f"the server's probabilities are none: they add up to {total:.4g}, expected 1")
    best = max(letters, key=shares.__getitem__)
    if choice is None or choice not in shares or shares[choice] < shares[best]:
        raise ValueError(f"the server chose {choice!r}, while {best} is more probable")
    logs = {x: math.log(share / total) if share else -math.inf for x, share in shares.items()}
    mass = None if mass is None else _share("label mass is", mass)
    confidence = None if confidence is None else _share("confidence is", confidence)
    return Answer(choice, 0, True, logs, label_mass=mass, confidence=confidence)


def _share(what: str, value: float) -> float:
    """A share within its bounds, which rounding may have put it out of; ValueError for what is none."""
    if not -ROUNDED <= value <= 1 + ROUNDED:
        raise ValueError(f"the server's {what} none: {value}")
    return min(max(value, 0.0), 1.0)
