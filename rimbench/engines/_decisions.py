"""The three decision protocols: a question in, a probability for each option out.

OpenAI's and SGLang's `/v1/decisions` share a path and nothing else: they are told apart by what they answer.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, Field

from rimbench.engines._replies import read_reply
from rimbench.errors import EngineError
from rimbench.records import Answer, Decision

PATHS = {"systemone": "/v1/systemone", "openai": "/v1/decisions", "sglang": "/v1/decisions"}
ASKED = "answer"
"""The name of the one question of a request."""
PRINTED = 0.01
"""How far from 1 the printed probabilities may add up to: servers round them to 4 digits."""


class Named(BaseModel):
    """A choice of System One or SGLang: probabilities by option; the letters' share of the vocabulary in SGLang."""

    type: Literal["choice"]
    choice: str
    probabilities: dict[str, float]
    confidence: float | None = None
    label_mass: float | None = Field(None, ge=0, le=1)
    x_label_mass: float | None = Field(None, ge=0, le=1)


class Counted(BaseModel):
    """The tokens of a question, as its server counts them."""

    input_tokens: int | None = Field(None, ge=0)


class NamedReply(BaseModel):
    """`POST /v1/systemone`, and SGLang's `POST /v1/decisions`, which says so by its `object`."""

    model: str | None = None
    answers: dict[str, Named]
    usage: Counted | None = None


class Valued(BaseModel):
    """The probability of one option of OpenAI."""

    value: str
    probability: float


class Listed(BaseModel):
    """An answer of OpenAI: a choice, or a refusal without one."""

    type: Literal["choice", "refusal"]
    choice: str | None = None
    confidence: float | None = None
    probabilities: list[Valued] = []


class ListedReply(BaseModel):
    """OpenAI's `POST /v1/decisions`."""

    model: str | None = None
    answers: list[Listed] = Field(min_length=1, max_length=1)
    usage: Counted | None = None


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
        if one.type == "refusal":
            return listed.model, _counted(Answer("", 0, finished=True, refused=True), listed.usage)
        values = [(given.value, given.probability) for given in one.probabilities]
        if len(dict(values)) != len(values):
            raise ValueError("the server gave two probabilities for one option")
        answer = _answer(decision, one.choice, dict(values), one.confidence, None)
        return listed.model, _counted(answer, listed.usage)
    named = read_reply(NamedReply, reply)
    if ASKED not in named.answers:
        raise ValueError(
            f"the server gave no answer to the question: {', '.join(named.answers)[:80] or 'none at all'}"
        )
    found = named.answers[ASKED]
    mass = found.x_label_mass if found.label_mass is None else found.label_mass
    answer = _answer(decision, found.choice, found.probabilities, found.confidence, mass)
    return named.model, _counted(answer, named.usage)


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
    total = math.fsum(probabilities.values())
    if not all(0 <= value <= 1 for value in probabilities.values()) or not abs(total - 1) <= PRINTED:
        raise ValueError(f"the server's probabilities are none: {dict(probabilities)}")
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValueError(f"the server's confidence is none: {confidence}")
    best = max(letters, key=probabilities.__getitem__)
    if choice is None or choice not in probabilities or probabilities[choice] < probabilities[best]:
        raise ValueError(f"the server chose {choice!r}, while {best} is more probable")
    logs = {x: math.log(probabilities[x] / total) if probabilities[x] else -math.inf for x in letters}
    return Answer(choice, 0, True, logs, label_mass=mass, confidence=confidence)
