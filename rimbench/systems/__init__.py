"""Systems as data: a TOML file -> `System`, a model and the way it is asked.

A file dropped into this folder registers a system; any other TOML file works by its path.
"""

import functools
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from rimbench.errors import ConfigError, RimbenchError, UsageError, with_lines
from rimbench.files.toml import TomlTable, TypedShare, below, parse_toml, read_values
from rimbench.plugins import find_files, offered_files, unknown, whose
from rimbench.rim.blocks import Memory
from rimbench.systems.system import (
    AnswerMode,
    AnswerStyle,
    Fallback,
    PromptStyle,
    StatedAnswer,
    System,
    Weights,
    in_cascade,
    override,
)

__all__ = [
    "AnswerMode",
    "AnswerStyle",
    "CascadeFile",
    "Fallback",
    "PromptStyle",
    "StatedAnswer",
    "System",
    "SystemFile",
    "Weights",
    "available",
    "in_cascade",
    "load",
    "override",
    "read_system",
    "registered",
]

WEIGHTS_SUFFIXES = (".safetensors", ".gguf", ".bin", ".pt")


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
    threshold: Annotated[TypedShare, Field(gt=0, le=1)]
    baseline: str | None = None


def read_system(path: Path, *, allow_outside: bool = False) -> System:
    """Read and validate a system's TOML file; its name is the file's stem. Paths in it as `systems.load` has them."""
    return _read(path, registered, allow_outside=allow_outside)


_Names = Callable[[], Mapping[str, Path]]
"""The systems that a cascade may name, and their files."""


def _read(path: Path, names: _Names, *, allow_outside: bool = False, single: bool = False) -> System:
    """The system of a file; a `single` one is no cascade, which might name the file that it is named by."""
    values = parse_toml(path, "system")
    if "kind" in values:
        if single:
            raise ConfigError(f"{path} is a cascade itself; expected a single system")
        return _cascade(path, read_values(values, path, CascadeFile, "system"), names, allow_outside)
    file = read_values(values, path, SystemFile, "system")
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


def _cascade(path: Path, file: CascadeFile, names: _Names, allow_outside: bool) -> System:
    first, second = (_member(path, key, getattr(file, key), names, allow_outside) for key in ("first", "second"))
    if first.answer.mode != "readout":
        raise ConfigError(
            f"system file {path}: first: {file.first} writes its answer and has no margin to be sure by; expected a "
            "system that is read out, such as nano-rim-v2"
        )
    own = whose(path, Path(__file__).parent)
    named = replace(first, name=path.stem, description=file.description, baseline=file.baseline, own=None, file=own)
    return in_cascade(named, Fallback(first, second, file.threshold))


def _member(path: Path, key: str, named: str, names: _Names, allow_outside: bool) -> System:
    """One of the two systems that a cascade's file names."""
    if named.endswith(".toml"):
        named = str(below(path, named, key, allow_outside=allow_outside))
    try:
        return _load(named, names, allow_outside=allow_outside, single=True)
    except RimbenchError as error:
        raise ConfigError(f"system file {path}: {key}: {error}") from error


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
    shipped = available()

    def read(path: Path, theirs: Mapping[str, Path]) -> System:
        return _read(path, lambda: {**shipped, **theirs})

    return shipped | offered_files("rimbench.systems", "system", shipped, read)


def load(name_or_path: str, *, allow_outside: bool = False) -> System:
    """The system of that name, or of that TOML file; UsageError or ConfigError where there is none.

    A file may name weights below its own folder, and elsewhere with `allow_outside`.
    """
    return _load(name_or_path, registered, allow_outside=allow_outside)


def _no_system(named: str, known: Mapping[str, Path]) -> UsageError:
    """The error for what names no system; of weights it says how they are given to one."""
    path = Path(named).expanduser()
    if path.is_file() and path.suffix not in WEIGHTS_SUFFIXES:
        return UsageError(f"'{named}' is no system: expected a name, or a TOML file whose name ends in .toml")
    if not named or not (path.is_dir() or "/" in named or path.suffix in WEIGHTS_SUFFIXES):
        return unknown("system", named, known)
    given = shlex.quote(str(path.parent) if path.suffix in WEIGHTS_SUFFIXES else named)
    lines = [f"weights trained to do so: --system {name} --model {given}" for name in ("cot", "rim-v2")]
    return with_lines(
        UsageError(
            f"'{named}' is no system but weights: a system, by name or TOML file, says how a model is asked, and "
            f"--model gives it the weights: --system base --model {given}"
        ),
        lines,
    )


def _load(name_or_path: str, names: _Names, *, allow_outside: bool, single: bool = False) -> System:
    shipped = available()
    if name_or_path.endswith(".toml"):
        read = _read(Path(name_or_path), names, allow_outside=allow_outside, single=single)
        own = _read(shipped[read.name], names) if read.name in shipped else None
        same = own is None or read == replace(own, file=read.file)
        return read if same else replace(read, own=own)
    if name_or_path not in names():
        raise _no_system(name_or_path, names())
    return _read(names()[name_or_path], names, single=single)
