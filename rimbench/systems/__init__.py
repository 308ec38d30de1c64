"""Systems as data: a TOML file -> `System`, a model and the way it is asked.

A file dropped into this folder registers a system; any other TOML file works by its path.
"""

import datetime
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from rimbench.chat import TODAY
from rimbench.errors import ConfigError, UsageError
from rimbench.files.toml import TomlTable, below, parse_toml, read_toml
from rimbench.plugins import find_files, offered_files, unknown, whose
from rimbench.rim.blocks import Memory

_DATE = TypeAdapter(datetime.date)
AnswerMode = Literal["generate", "readout"]
DecisionProtocol = Literal["systemone", "openai", "sglang"]
ExtractionRule = Literal["text", "first_letter"]


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a system's model comes from: exactly one of a hub repository, an installed package or a recipe.

    A `recipe` has no public checkpoint: the folder that `rimbench train` made is given with `--model`. `served` is
    the name that a server has for the model; alone, nothing of the model is on this machine.
    """

    repo: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
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
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
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


def _one_source(weights: Weights) -> Weights:
    named = [k for k in ("repo", "package", "recipe", "path") if getattr(weights, k) is not None]
    if len(named) != 1 and not weights.elsewhere:
        raise ValueError(
            f"expected exactly one of repo, package, recipe, path, or served alone; got {named or 'none'}"
        )
    if (weights.package is None) != (weights.file is None):
        raise ValueError("package and file belong together")
    if weights.revision is not None and weights.repo is None:
        raise ValueError("revision belongs to repo")
    return weights


def _with_blocks(memory: Memory) -> Memory:
    """No memory is what a user asks for by `--blocks 0`, never what a system has."""
    if memory.blocks < 1:
        fault = {"type": "greater_than_equal", "loc": ("blocks",), "input": memory.blocks, "ctx": {"ge": 1}}
        raise ValidationError.from_exception_data("Memory", [fault])  # type: ignore[list-item]
    return memory


def _possible(values: Any, handler: ValidatorFunctionWrapHandler) -> AnswerStyle:
    answer: AnswerStyle = handler(values)
    if answer.mode == "generate" and "max_new_tokens" not in values:
        raise ValueError("mode 'generate' needs max_new_tokens")
    if any(not a.strip() or a == b or not b.strip() for a, b in answer.reasoning_tags):
        raise ValueError('reasoning_tags: expected pairs of two different tags, such as ["<a>", "</a>"]')
    if answer.reasoning_tags and (answer.mode == "readout" or answer.extraction == "first_letter"):
        raise ValueError("reasoning_tags belong to mode 'generate' with extraction 'text'")
    if answer.decision is not None and answer.mode != "readout":
        raise ValueError("a decision belongs to mode 'readout'")
    return answer


class SystemFile(TomlTable):
    """A whole system file."""

    description: str = Field(min_length=1)
    baseline: str | None = None
    weights: Annotated[Weights, AfterValidator(_one_source)]
    prompt: PromptStyle = PromptStyle()
    memory: Annotated[Memory, AfterValidator(_with_blocks)] | None = None
    answer: Annotated[AnswerStyle, WrapValidator(_possible)]


class CascadeFile(TomlTable):
    """A system of kind `cascade`: two others, by name or by a file beside this one."""

    description: str = Field(min_length=1)
    kind: Literal["cascade"]
    first: str
    second: str
    threshold: Annotated[float, Field(gt=0, le=1)]
    baseline: str | None = None


def read_system(path: Path, *, allow_outside: bool = False) -> System:
    """Read and validate a system's TOML file; its name is the file's stem. Paths in it as `systems.load` has them."""
    if "kind" in parse_toml(path, "system"):
        return _read_cascade(path, allow_outside=allow_outside)
    file = read_toml(path, SystemFile, "system")
    weights = file.weights
    if weights.path is not None:
        weights = replace(weights, path=_placed(path, weights.path, allow_outside=allow_outside))
    return System(
        name=path.stem,
        description=file.description,
        weights=weights,
        prompt=file.prompt,
        answer=file.answer,
        memory=file.memory,
        baseline=file.baseline,
        file=whose(path, Path(__file__).parent),
    )


def _read_cascade(path: Path, *, allow_outside: bool) -> System:
    file = read_toml(path, CascadeFile, "system")
    first, second = (_single(path, key, getattr(file, key), allow_outside) for key in ("first", "second"))
    if first.answer.mode != "readout":
        raise ConfigError(
            f"system file {path}: first: {file.first} writes its answer and has no margin to be sure by; expected a "
            "system that is read out, such as nano-rim-v2"
        )
    own = whose(path, Path(__file__).parent)
    named = replace(first, name=path.stem, description=file.description, baseline=file.baseline, own=None, file=own)
    return in_cascade(named, Fallback(first, second, file.threshold))


def _single(path: Path, key: str, named: str, allow_outside: bool) -> System:
    """One of the two systems that a cascade's file names."""
    if named.endswith(".toml"):
        named = str(below(path, named, key, allow_outside=allow_outside))
    if named.endswith(".toml") and "kind" in parse_toml(Path(named), "system"):  # it may name this file again
        raise ConfigError(f"system file {path}: {key}: {named} is a cascade itself; expected a single system")
    return load(named, allow_outside=allow_outside)


def in_cascade(system: System, fallback: Fallback) -> System:
    """The cascade with these two systems: its weights are its first one's."""
    return replace(system, weights=fallback.first.weights, fallback=fallback)


def _placed(file: Path, named: str, *, allow_outside: bool) -> str:
    """Where the weights lie that a file names: beside it or, if nothing is there, below the current folder.

    What lies at neither place may be the name of a repository.
    """
    beside = below(file, named, "weights.path", allow_outside=allow_outside)
    if os.path.exists(beside):  # noqa: PTH110 (a name that is too long is none of a file, and no error)
        return str(beside)
    if Path(named).is_absolute() or not os.path.exists(named):  # noqa: PTH110
        return named
    return str(below(file, str(Path(named).absolute()), "weights.path", allow_outside=allow_outside))


def available() -> dict[str, Path]:
    """The files of the systems that come with rimbench, by name."""
    return find_files(Path(__file__).parent)


@functools.cache
def registered() -> dict[str, Path]:
    """The same, and the TOML files in the packages that entry points of the group `rimbench.systems` name."""
    return available() | offered_files("rimbench.systems", "system", available(), read_system)


def load(name_or_path: str, *, allow_outside: bool = False) -> System:
    """The system of that name, or of that TOML file; UsageError or ConfigError where there is none.

    A file may name weights below its own folder, and elsewhere with `allow_outside`.
    """
    shipped = available()
    if name_or_path.endswith(".toml"):
        read = read_system(Path(name_or_path), allow_outside=allow_outside)
        own = read_system(shipped[read.name]) if read.name in shipped else None
        same = own is None or read == replace(own, file=read.file)
        return read if same else replace(read, own=own)
    if name_or_path not in registered():
        raise unknown("system", name_or_path, registered())
    return read_system(registered()[name_or_path])
    if not name_or_path.endswith(".toml"):
        if name_or_path not in shipped:
            raise unknown("system", name_or_path, shipped)
        return read_system(shipped[name_or_path])
    read = read_system(Path(name_or_path), allow_outside=allow_outside)
    own = read_system(shipped[read.name]) if read.name in shipped else None
    same = own is None or read == replace(own, file=read.file)
    return read if same else replace(read, own=own)


def override(
    system: System, *, model: str | None = None, blocks: int | None = None, answer: AnswerMode | None = None
) -> System:
    """The same system with other weights, another memory budget K, or another way to have the answer."""
    if system.fallback is not None and (model, blocks, answer) != (None, None, None):
        raise UsageError(
            f"system '{system.name}' is a cascade, whose systems are as their own files have them: leave --model, "
            "--blocks and --answer out, and name other systems in its file"
        )
    system = replace(system, own=system.own or system)
    if answer is not None:
        system = _with_answer(system, answer)
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


def _with_answer(system: System, mode: AnswerMode) -> System:
    if mode == "generate" and system.answer.mode == "readout" and system.answer.max_new_tokens == 1:
        raise UsageError(
            f"--answer generate: system '{system.name}' is made for a readout and states no max_new_tokens; "
            "write a system file with [answer] mode and max_new_tokens, and give its path with --system"
        )
    return replace(system, answer=replace(system.answer, mode=mode))
