"""What a system is: where its model comes from, how it is asked, and how its answer is had; as its TOML says it."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter

from rimbench.chat import TODAY
from rimbench.errors import UsageError
from rimbench.files.toml import TypedShare
from rimbench.rim.blocks import Memory

_DATE = TypeAdapter(datetime.date)
_REPO = re.compile(r"\w([\w.-]*\w)?/\w([\w.-]*\w)?")
AnswerMode = Literal["generate", "readout"]
DecisionProtocol = Literal["systemone", "openai", "sglang"]
ExtractionRule = Literal["text", "first_letter"]


def _hub_name(repo: str) -> str:
    if not _REPO.fullmatch(repo) or "--" in repo or ".." in repo:
        raise ValueError('expected a name on the hub, org/name; a folder is named by path = "FOLDER"')
    return repo


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a system's model comes from: exactly one of a hub repository, an installed package or a recipe.

    A `recipe` has no public checkpoint: the folder that `rimbench train` made is given with `--model`. `served` is
    the name that a server has for the model; alone, nothing of the model is on this machine.
    """

    repo: Annotated[str, AfterValidator(_hub_name)] | None = None
    revision: str | None = None
    package: str | None = None
    file: str | None = None
    install: str | None = None
    recipe: str | None = None
    path: str | None = None
    served: Annotated[str, Field(min_length=1)] | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether nothing of the model is on this machine."""
        return self.served is not None and not (self.repo or self.package or self.recipe or self.path)


@dataclass(frozen=True, slots=True)
class PromptStyle:
    """How a question is put: `instruction` follows it in the user message, `prefix` opens the answer.

    `chat_template` holds arguments of the tokenizer's chat template, such as `enable_thinking`; `date` is the day
    that a template which asks for it takes for today, so that a run's prompts do not change overnight.
    """

    instruction: str = ""
    prefix: str = ""
    chat_template: Mapping[str, bool | str | int] = field(default_factory=dict)
    date: Annotated[str, BeforeValidator(lambda day: _DATE.validate_python(day).isoformat())] = TODAY


ReasoningTag = Annotated[str, Field(min_length=2)]


@dataclass(frozen=True, slots=True)
class StatedAnswer:
    """How an answer was had, as far as it is stated: answers from elsewhere have modes of their own, and gaps."""

    mode: str | None = None
    extraction: str | None = None
    max_new_tokens: int | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: float | None = None
    reasoning_tags: tuple[tuple[str, str], ...] = ()
    decision: DecisionProtocol | None = None


@dataclass(frozen=True, slots=True)
class AnswerStyle(StatedAnswer):
    """How the answer is had: `generate` text and extract the letter, or `readout` the letters' logits.

    `temperature` and `top_p` are those of samples 1..n; sample 0 is always greedy. `reasoning_tags` are pairs of tags
    that the model thinks between, beside those that the extraction knows. `decision` is the protocol of a decision
    model, whose probabilities are read out.
    """

    mode: AnswerMode
    extraction: ExtractionRule = "text"
    max_new_tokens: Annotated[int, Field(ge=1)] = 1
    temperature: Annotated[float, Field(gt=0, le=5)] = 0.7
    top_p: Annotated[TypedShare, Field(gt=0, le=1)] = 1.0
    reasoning_tags: tuple[tuple[ReasoningTag, ReasoningTag], ...] = ()


@dataclass(frozen=True, slots=True)
class Fallback:
    """The two systems of a cascade: the second is asked where the margin of the first's readout, its largest option
    probability less the next, is below the threshold.
    """

    first: "System"
    second: "System"
    threshold: float


@dataclass(frozen=True, slots=True)
class System:
    """A model and the way it is asked; of a cascade those of its first system, and `fallback` has both.

    `baseline` names the system that it is compared with. `file` is `shipped`, or the name of the user's own file
    that says so; `own` is the system as its file has it, where this one may depart (`rimbench.systems.departures`).
    """

    name: str
    description: str
    weights: Weights
    prompt: PromptStyle
    answer: AnswerStyle
    memory: Memory | None = None
    baseline: str | None = None
    file: str | None = None
    own: "System | None" = None
    fallback: Fallback | None = None


def in_cascade(system: System, fallback: Fallback) -> System:
    """The cascade with these two systems: its weights are its first one's."""
    return replace(system, weights=fallback.first.weights, fallback=fallback)


def override(
    system: System,
    *,
    model: str | None = None,
    blocks: int | None = None,
    answer: AnswerMode | None = None,
    max_new_tokens: int | None = None,
) -> System:
    """The same system with other weights, another memory budget K, or another way to have the answer."""
    if system.fallback is not None and (model, blocks, answer, max_new_tokens) != (None, None, None, None):
        raise UsageError(
            f"system '{system.name}' is a cascade, whose systems are as their own files have them: leave --model, "
            "--blocks, --answer and --max-new-tokens out, and name other systems in its file"
        )
    system = replace(system, own=system.own or system)
    if answer is not None or max_new_tokens is not None:
        system = _with_answer(system, answer or system.answer.mode, max_new_tokens)
    if model is not None:
        system = replace(system, weights=Weights(path=model, recipe=system.weights.recipe))
    if blocks is None:
        return system
    if system.memory is None:
        raise UsageError(f"--blocks {blocks}: system '{system.name}' has no memory blocks; leave --blocks out")
    if blocks < 0 or (blocks == 0 and system.answer.mode == "generate"):
        raise UsageError(
            f"--blocks {blocks}: system '{system.name}' generates its answer after 1 or more memory blocks; "
            "K = 0 is a control for readouts: add --answer readout"
            if blocks == 0
            else f"--blocks {blocks}: expected 1 or more (0 only with --answer readout)"
        )
    return replace(system, memory=replace(system.memory, blocks=blocks))


def _with_answer(system: System, mode: AnswerMode, most: int | None) -> System:
    if most is not None and mode != "generate":
        raise UsageError(
            f"--max-new-tokens {most}: system '{system.name}' is read out and writes nothing; add --answer generate"
        )
    if most is None and mode == "generate" and system.answer.mode == "readout" and system.answer.max_new_tokens == 1:
        raise UsageError(
            f"--answer generate: system '{system.name}' is made for a readout and states no max_new_tokens; "
            "add --max-new-tokens N"
        )
    answer = replace(system.answer, mode=mode)
    return replace(system, answer=answer if most is None else replace(answer, max_new_tokens=most))
