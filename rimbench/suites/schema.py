"""A suite's TOML -> its specification, validated: every fault of a file at once, with file and key.

Importing this imports pydantic, so it is imported where a TOML is read.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, field_validator, model_validator
from pydantic_core import PydanticCustomError

from rimbench.files.toml import TomlTable, TypedShare, read_toml
from rimbench.records import LETTERS

Name = Annotated[str, Field(min_length=1)]
Scalar = str | int | bool


class _Strict(TomlTable):
    """A table whose values have their type already: "1000" is no number."""

    model_config = ConfigDict(strict=True)


class GeneratorSpec(_Strict):
    """The settings of generated items: see `rimbench.suites.titration.TitrationSettings`."""

    model_config = ConfigDict(strict=False)

    steps: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=20)]] = (3, 5)
    options: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(le=len(LETTERS))]] = (4, 4)
    wording: Literal["plain", "unseen"] = "plain"

    @field_validator("steps", "options")
    @classmethod
    def _in_order(cls, span: tuple[int, int]) -> tuple[int, int]:
        if span[0] > span[1]:
            raise PydanticCustomError("span", "expected [least, most]")
        return span


class SourceSpec(_Strict):
    """Where a suite's rows are: in a hub data set (`repo`), in a file beside the TOML (`path`), or generated.

    Of a hub data set, `file` is downloaded and read; without it, `split` is streamed.
    """

    generator: Literal["titration"] | None = None
    settings: GeneratorSpec = GeneratorSpec()

    repo: Name | None = None
    revision: Name | None = None
    file: Name | None = None
    split: Name | None = None
    path: Name | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.repo, self.path, self.generator)) != 1:
            message = "give exactly one of repo (with revision and file or split), path and generator"
            raise PydanticCustomError("source", "{message}", {"message": message})
        if self.repo is not None and self.revision is None:
            raise PydanticCustomError("source", "a repo needs a revision: a commit, or a branch such as main")
        if self.repo is not None and self.file is None and self.split is None:
            raise PydanticCustomError("source", "a repo needs a file to download or a split to stream")
        if self.generator is None and "settings" in self.model_fields_set:
            raise PydanticCustomError("source", "settings belong to a generator")
        if self.repo is None and (self.revision or self.file or self.split) is not None:
            raise PydanticCustomError("source", "revision, file and split belong to a repo")
        return self


class WordingSpec(_Strict):
    """How an item is worded; the placeholders are filled in, other braces stay as they are."""

    question: str = "{question}\n{options}"
    option: str = "{letter}: {text}"

    @field_validator("question")
    @classmethod
    def _question_holds(cls, template: str) -> str:
        return _holding(template, ("{question}", "{options}"))

    @field_validator("option")
    @classmethod
    def _option_holds(cls, template: str) -> str:
        return _holding(template, ("{letter}", "{text}"))


def _holding(template: str, placeholders: tuple[str, ...]) -> str:
    missing = " and ".join(placeholder for placeholder in placeholders if placeholder not in template)
    if missing:
        raise PydanticCustomError("wording", "must contain {missing}", {"missing": missing})
    return template


class GoldSpec(_Strict):
    """The column that says which option is right: as a letter, as a number, or as the option's own text.

    `base` is the number of the first option; "auto" decides from all of the file's values. With a number, -1
    marks a row without a label.
    """

    letter: Name | None = None
    index: Name | None = None
    text: Name | None = None
    base: Literal[0, 1, "auto"] | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.letter, self.index, self.text)) != 1:
            raise PydanticCustomError("gold", "give exactly one of letter, index and text")
        if self.base is not None and self.index is None:
            raise PydanticCustomError("gold", "base belongs to index")
        return self

    @property
    def column(self) -> str:
        """The name of the column, whichever kind it is."""
        return self.letter or self.index or self.text or ""


class TableLayout(_Strict):
    """Columns of a table with one question a row.

    `options` is one column (a list, or a mapping from letters, or the JSON of either) or one column for each
    option. `filter` keeps the rows whose column holds the value, or one of the values. `facets` are columns that are
    kept with the items, to break answers down by; a file, or a row, may lack them.
    """

    name: Name
    question: Name
    options: Name | list[Name]
    gold: GoldSpec
    id: Name | None = None
    answer_text: Name | None = None
    cluster: Name | None = None
    facets: list[Name] = Field(default_factory=list)
    filter: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _has_2_to_10_options(cls, options: str | list[str]) -> str | list[str]:
        if not isinstance(options, str) and not 2 <= len(options) <= len(LETTERS):
            message = f"{len(options)} columns: an item has 2 to {len(LETTERS)} options, letters A to {LETTERS[-1]}"
            raise PydanticCustomError("options", "{message}", {"message": message})
        return options

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a file of this layout has; the answer's text is checked where there is one."""
        options = [self.options] if isinstance(self.options, str) else self.options
        extra = [column for column in (self.id, self.cluster) if column is not None]
        return (self.question, *options, self.gold.column, *extra, *self.filter)


class ConversationLayout(_Strict):
    """A column of chat messages, among which the multiple-choice questions have to be found."""

    name: Name
    messages: Name

    @property
    def columns(self) -> tuple[str, ...]:
        """The one column that the layout reads."""
        return (self.messages,)


def _kind_of_layout(value: object) -> str:
    has_messages = "messages" in value if isinstance(value, dict) else isinstance(value, ConversationLayout)
    return "conversation" if has_messages else "table"


Layout = Annotated[
    Annotated[TableLayout, Tag("table")] | Annotated[ConversationLayout, Tag("conversation")],
    Discriminator(_kind_of_layout),
]


class HeldoutSpec(_Strict):
    """The share of questions that is kept for evaluation, by a hash of the normalised question."""

    fraction: Annotated[TypedShare, Field(gt=0, lt=1)]


class SuiteSpec(_Strict):
    """A suite as its TOML states it. Without `source`, the rows are always given on the command line.

    `title` is the name of its data set where others know it by one; `in_distribution` says that its questions are
    drawn as the training data were.
    """

    description: Name
    title: Name | None = None
    in_distribution: bool = False
    n: Annotated[int, Field(ge=1)]
    seed: int = 0
    source: SourceSpec | None = None
    wording: WordingSpec = WordingSpec()
    heldout: HeldoutSpec | None = None
    layout: Annotated[list[Layout], Field(min_length=1)]


def read_suite(path: Path) -> SuiteSpec:
    """The suite that a TOML file describes; ConfigError with all of its faults."""
    return read_toml(path, SuiteSpec, "suite")
