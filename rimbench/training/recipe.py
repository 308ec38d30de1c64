"""Recipes: a TOML file -> what to train, in which stages. One file `recipes/<name>.toml` is one recipe.

Flows in: TOML. Flows out: a frozen `Recipe`; every fault of a file is listed at once, unknown settings among
them.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rimbench.files.toml import TomlTable, TypedShare, read_toml
from rimbench.plugins import find_files, unknown
from rimbench.rim.blocks import Memory

RECIPES = Path(__file__).parent / "recipes"


class Base(TomlTable):
    """`[base]`: where training starts: a hub repository at a revision, another recipe's checkpoint, a registered
    system's weights, or nothing: a new model, described by `new`, whose folder is given with `--base`.
    """

    repo: str | None = None
    revision: str | None = None
    recipe: str | None = None
    system: str | None = None
    new: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.repo, self.recipe, self.system, self.new)) != 1:
            raise ValueError("expected exactly one of repo, recipe, system, new")
        if (self.repo is None) != (self.revision is None):
            raise ValueError("repo and revision belong together")
        return self


class MemoryTable(TomlTable):
    """`[memory]`: M and the three tokens; how many blocks a row has is the stage's."""

    memory_tokens: int = Field(default=2, ge=1)
    begin: str = Field(default="<rim_b>", min_length=1)
    memory: str = Field(default="<rim_m>", min_length=1)
    end: str = Field(default="<rim_eb>", min_length=1)


@dataclass(frozen=True, slots=True)
class TrainingWording:
    """`[wording]`: what is written around an example: readout prefix, the reasoning's frame, chat-template arguments.

    The defaults are the card's; a system that is to read the checkpoint out must state the same ones.
    """

    prefix: Annotated[str, Field(min_length=1)] = r"The final answer is \boxed{"
    close: str = "}"
    before_reasoning: str = "<think>\n"
    after_reasoning: str = "\n</think>\n\n"
    chat_template: dict[str, bool | str | int] = field(default_factory=lambda: {"enable_thinking": False})


class DataTable(TomlTable):
    """`[data]`: the source, the cap on steps, the longest row kept, and the suite whose held-out slice is not.

    `validation` is the share of examples that no stage trains on, chosen by a hash of the question.
    """

    repo: str | None = None
    revision: str | None = None
    max_steps: int = Field(default=8, ge=1)
    max_row_tokens: int = Field(ge=8)
    held_out_suite: str | None = None
    validation: TypedShare = Field(default=0.0, ge=0, lt=1)


class _Stage(TomlTable):
    """What every stage states. `batch_size` is rows an optimizer step, over all processes and accumulation.

    With validation examples, their loss is taken every `save_steps`: that of the answer after the last block. A
    stage with `patience` stops when that many in a row were no better than the best, and ends with the best one's
    weights; `epochs` is then the most that it takes, and what anneals and schedules are laid out for. `max_steps`, if
    given, is the most optimizer steps, so that a recipe fits few examples and many.
    """

    epochs: float = Field(gt=0)
    max_steps: int | None = Field(default=None, ge=1)
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(ge=1)
    rows_per_device: int = Field(ge=1)
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    warmup: TypedShare = Field(default=0.03, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    adam_beta2: float = Field(default=0.999, gt=0, lt=1)
    max_grad_norm: float = Field(default=1.0, gt=0)
    attention_dropout: TypedShare = Field(default=0.0, ge=0, lt=1)
    gradient_checkpointing: bool = False
    reduction: Literal["mean", "sum"] = "mean"
    save_steps: int = Field(default=500, ge=1)
    log_steps: int = Field(default=10, ge=1)
    patience: int | None = Field(default=None, ge=1)


class Stage1(_Stage):
    """Grounding: a step after every block, annealed. `shift` 1 is the paper's: step t + 1 after block t.

    `without_blocks` is the control: the same readouts with the same weights, all right after the question.
    """

    objective: Literal["rim-stage1"]
    shift: Literal[0, 1] = 1
    answer_weight: float = Field(default=1.0, ge=0)
    without_blocks: bool = Field(default=False, exclude_if=lambda set_: not set_)


class Stage2(_Stage):
    """Anytime answers: the answer after every one of K blocks; multiple-choice examples may weigh more.

    `any_budget` reads the answer out before the first block too, and all K + 1 readouts weigh the same: that is
    the loss of a budget drawn uniformly from 0 to K for every example, on average over the draws.
    """

    objective: Literal["rim-stage2"]
    blocks: int = Field(default=8, ge=1)
    multiple_choice_weight: float = Field(default=1.0, gt=0)
    any_budget: bool = Field(default=False, exclude_if=lambda set_: not set_)


class Sft(_Stage):
    """Supervised fine-tuning: the reasoning and the answer (cot), or the answer alone (direct).

    `flop_of` names a recipe: the stage takes as many steps as cost what all stages of that one cost on the same
    examples, in place of `epochs` and `max_steps`.
    """

    objective: Literal["sft"]
    completion: Literal["reasoning", "answer"]
    multiple_choice_weight: float = Field(default=1.0, gt=0, exclude_if=lambda weight: weight == 1)
    flop_of: str | None = Field(default=None, exclude_if=lambda name: name is None)


Stage = Annotated[Stage1 | Stage2 | Sft, Field(discriminator="objective")]


class Recipe(TomlTable):
    """A whole recipe. `train_vocabulary` trains all rows of embedding and head, else only the memory tokens'."""

    description: str = Field(min_length=1)
    base: Base
    memory: MemoryTable | None = None
    wording: TrainingWording = TrainingWording()
    data: DataTable
    train_vocabulary: bool = False
    stages: list[Stage] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        bare = [isinstance(stage, Stage1) and stage.without_blocks for stage in self.stages]
        pairs = zip(self.stages, bare, strict=True)
        needing = [stage.objective for stage, without in pairs if not (without or isinstance(stage, Sft))]
        if needing and self.memory is None:
            raise ValueError(f"objective {needing[0]} needs a [memory] table")
        if any(bare) and self.memory is not None:
            raise ValueError("without_blocks belongs to a recipe without memory: remove the [memory] table")
        if self.data.validation == 0 and any(stage.patience for stage in self.stages):
            raise ValueError("patience needs validation examples: set data.validation")
        for stage in self.stages:
            if stage.batch_size % stage.rows_per_device:
                raise ValueError(f"batch_size {stage.batch_size} is no multiple of rows_per_device")
        return self

    @property
    def block(self) -> Memory | None:
        """The layout of one block, or None for a recipe without memory."""
        return None if self.memory is None else Memory(blocks=1, **self.memory.model_dump())

    def sha256(self) -> str:
        """A hash of every setting, defaults included; the description is no setting.

        Settings that came later are left out where they have their default, so that a training that began without
        them goes on.
        """
        return hashlib.sha256(self.model_dump_json(exclude={"description"}).encode()).hexdigest()


def read_recipe(path: Path) -> Recipe:
    """Read and validate a recipe file; ConfigError lists every fault."""
    return read_toml(path, Recipe, "recipe")


def load_recipe(name_or_path: str) -> Recipe:
    """A recipe by name, or by path where it ends in .toml; UsageError or ConfigError."""
    return read_recipe(Path(name_or_path)) if name_or_path.endswith(".toml") else find_recipe(name_or_path)


def find_recipe(name: str) -> Recipe:
    """The shipped recipe of that name; UsageError, with the nearest names, if there is none."""
    files = find_files(RECIPES)
    if name not in files:
        raise unknown("recipe", name, files)
    return read_recipe(files[name])
