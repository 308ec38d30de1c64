"""The TOML form of a system, validated: every fault of a file at once, with its key."""

import datetime
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from rimbench.chat import TODAY
from rimbench.files.toml import Table, below, read_toml
from rimbench.plugins import whose
from rimbench.rim.blocks import Memory
from rimbench.systems import AnswerMode, AnswerStyle, Extraction, PromptStyle, System, Weights


class WeightsTable(Table):
    """`[weights]`: one of `repo` (with `revision`), `package` and `file`, `recipe`, or `path`."""

    repo: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    revision: str | None = None
    package: str | None = None
    file: str | None = None
    install: str | None = None
    recipe: str | None = None
    path: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        named = [k for k in ("repo", "package", "recipe", "path") if getattr(self, k) is not None]
        if len(named) != 1:
            raise ValueError(f"expected exactly one of repo, package, recipe, path; got {named or 'none'}")
        if (self.package is None) != (self.file is None):
            raise ValueError("package and file belong together")
        if self.revision is not None and self.repo is None:
            raise ValueError("revision belongs to repo")
        return self


class PromptTable(Table):
    """`[prompt]`: the instruction after the question, the prefix of the answer, what the chat template is given."""

    instruction: str = ""
    prefix: str = ""
    chat_template: dict[str, bool | str | int] = Field(default_factory=dict)
    date: datetime.date = datetime.date.fromisoformat(TODAY)


class MemoryTable(Table):
    """`[memory]`: K blocks of M memory tokens between two markers."""

    blocks: int = Field(ge=1)
    memory_tokens: int = Field(default=2, ge=1)
    begin: str = Field(default="<rim_b>", min_length=1)
    memory: str = Field(default="<rim_m>", min_length=1)
    end: str = Field(default="<rim_eb>", min_length=1)


ReasoningTag = Annotated[str, Field(min_length=2)]


class AnswerTable(Table):
    """`[answer]`: generated or read out, and the sampling of draws 1..n.

    `reasoning_tags` are pairs of an opening and a closing tag that the model thinks between, beside the known ones.
    """

    mode: AnswerMode
    extraction: Extraction = "text"
    reasoning_tags: tuple[tuple[ReasoningTag, ReasoningTag], ...] = ()
    max_new_tokens: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=0.7, gt=0, le=5)
    top_p: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _length(self) -> Self:
        if self.mode == "generate" and self.max_new_tokens is None:
            raise ValueError("mode 'generate' needs max_new_tokens")
        return self

    @model_validator(mode="after")
    def _tags(self) -> Self:
        if any(
            not opening.strip() or opening == closing or not closing.strip()
            for opening, closing in self.reasoning_tags
        ):
            raise ValueError('reasoning_tags: expected pairs of two different tags, such as ["<a>", "</a>"]')
        if self.reasoning_tags and (self.mode == "readout" or self.extraction == "first_letter"):
            raise ValueError("reasoning_tags belong to mode 'generate' with extraction 'text'")
        return self


class SystemFile(Table):
    """A whole system file."""

    description: str = Field(min_length=1)
    baseline: str | None = None
    weights: WeightsTable
    prompt: PromptTable = PromptTable()
    memory: MemoryTable | None = None
    answer: AnswerTable


def read_system(path: Path, *, allow_outside: bool = False) -> System:
    """Read and validate a system's TOML file; its name is the file's stem. Paths in it as `systems.load` has them."""
    file = read_toml(path, SystemFile, "system")
    weights = Weights(**file.weights.model_dump())
    if weights.path is not None:
        weights = replace(weights, path=_placed(path, weights.path, allow_outside=allow_outside))
    answer = file.answer.model_dump() | {"max_new_tokens": file.answer.max_new_tokens or 1}
    return System(
        name=path.stem,
        description=file.description,
        weights=weights,
        prompt=PromptStyle(**file.prompt.model_dump() | {"date": file.prompt.date.isoformat()}),
        answer=AnswerStyle(**answer),
        memory=Memory(**file.memory.model_dump()) if file.memory else None,
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
