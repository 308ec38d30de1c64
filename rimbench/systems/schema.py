"""The TOML form of a system, validated: every fault of a file at once, with its key."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from rimbench.files.toml import Table, below, read_toml
from rimbench.plugins import whose
from rimbench.rim.blocks import Memory
from rimbench.systems import AnswerStyle, PromptStyle, System, Weights


def _one_source(weights: Weights) -> Weights:
    named = [k for k in ("repo", "package", "recipe", "path") if getattr(weights, k) is not None]
    if len(named) != 1:
        raise ValueError(f"expected exactly one of repo, package, recipe, path; got {named or 'none'}")
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
    return answer


class SystemFile(Table):
    """A whole system file."""

    description: str = Field(min_length=1)
    baseline: str | None = None
    weights: Annotated[Weights, AfterValidator(_one_source)]
    prompt: PromptStyle = PromptStyle()
    memory: Annotated[Memory, AfterValidator(_with_blocks)] | None = None
    answer: Annotated[AnswerStyle, WrapValidator(_possible)]


def read_system(path: Path, *, allow_outside: bool = False) -> System:
    """Read and validate a system's TOML file; its name is the file's stem. Paths in it as `systems.load` has them."""
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
