"""The entries of a claims file but for its claims: figures as they were published, and what their names stand for.

Importing this imports pydantic.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from rimbench.claims.quantity import Dimension, PrintedFigure, parse_quantity
from rimbench.files.toml import TomlTable

MOST = 10**12
"""Of anything counted: what is larger is a slip, and overflows."""


def _quantity(*dimensions: Dimension) -> PlainValidator:
    def check(value: object) -> PrintedFigure:
        quantity = parse_quantity(value)
        if quantity.dimension not in dimensions:
            raise ValueError(f"expected a {' or a '.join(dimensions)}, not a {quantity.dimension}")
        if quantity.dimension == "share" and quantity.value > 1:
            raise ValueError("a share lies between 0 % and 100 %")
        return quantity

    return PlainValidator(check)


def _above_nothing(quantity: PrintedFigure) -> PrintedFigure:
    if quantity.value <= 0:
        raise ValueError("a margin is above 0")
    return quantity


def _size(value: object) -> int | str:
    if value == "unstated":
        return "unstated"
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST:
        return value
    raise ValueError('expected a whole number of items, without quotes, or "unstated"')


def has_kind(value: object) -> object:
    """Pydantic's own words for a missing discriminator tell nobody what to write."""
    if isinstance(value, dict) and "kind" not in value:
        raise ValueError("kind is required, but missing")
    return value


Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1, le=MOST)]
Size = Annotated[int | Literal["unstated"], PlainValidator(_size)]
Share = Annotated[PrintedFigure, _quantity("share")]
Seconds = Annotated[PrintedFigure, _quantity("time")]
Factor = Annotated[PrintedFigure, _quantity("factor")]
Points = Annotated[PrintedFigure, _quantity("difference")]
Positive = Annotated[Points, AfterValidator(_above_nothing)]
PositiveShare = Annotated[Share, AfterValidator(_above_nothing)]
OptionCount = Annotated[int, Field(ge=2, le=MOST)]
OptionCounts = OptionCount | Annotated[list[OptionCount], Field(min_length=2, max_length=2)]


Names = Annotated[list[Text], Field(min_length=1)]
KINDS_WITH_ACCURACY = ("accuracy", "pass_at_k")


class Strict(TomlTable):
    """A table whose values have their type already: "1000" is no number."""

    model_config = ConfigDict(strict=True)


class Entry(Strict):
    """What every figure and every claim has: a name in this file, and where it stands in public."""

    id: Text
    source: Text
    note: Text | None = None


class AccuracyFigure(Entry):
    """A share of `n` items answered right. `setting` tells apart what one system scored in several ways."""

    kind: Literal["accuracy"]
    system: Text
    suite: Text
    setting: Text | None = None
    value: Share
    n: Size


class PassFigure(Entry):
    """pass@k over `n` questions of `options` options each: one number, or [least, most]."""

    kind: Literal["pass_at_k"]
    system: Text
    suite: Text
    k: Count
    value: Share
    n: Size
    options: OptionCounts | None = None


class LatencyFigure(Entry):
    """Seconds a query at batch 1, or a sample in a batch, and under which conditions.

    `quantity`: readout is one forward pass; answer is everything that the user gets. `one_pass` names the figure
    that says how long one pass takes there. `generated_tokens` is exact or a mean, `most_generated_tokens` a limit.
    """

    kind: Literal["latency"]
    system: Text
    value: Seconds
    quantity: Literal["answer", "readout"]
    model: Text | None = None
    device: Text | None = None
    dtype: Text | None = None
    batch: Count | Literal["large"] | None = None
    prompt_tokens: Count | None = None
    generated_tokens: Count | None = None
    most_generated_tokens: Count | None = None
    one_pass: Text | None = None
    samples: Count | None = None

    @model_validator(mode="after")
    def _counts_tokens_once(self) -> Self:
        given = (self.generated_tokens is not None) + (self.most_generated_tokens is not None)
        if given > 1 or (given and self.quantity == "readout"):
            raise ValueError("give one of generated_tokens and most_generated_tokens, and neither for a readout")
        return self


Figure = Annotated[
    Annotated[AccuracyFigure | PassFigure | LatencyFigure, Field(discriminator="kind")], BeforeValidator(has_kind)
]


Rate = Annotated[float, Field(ge=1e-6, le=MOST)]


class ModelSpec(Strict):
    """A decoder's shape, as in its config.json; needed for floors."""

    name: Text
    source: Text
    layers: Count
    hidden: Count
    intermediate: Count
    query_heads: Count
    key_value_heads: Count
    head_size: Count
    vocabulary: Count


class DeviceSpec(Strict):
    """A device that rimbench does not know."""

    name: Text
    source: Text
    gigabytes_per_s: Rate
    dense_bf16_tflop_per_s: Rate


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SystemEntry(Strict):
    """What a system of the figures is: a system that rimbench has, or a TOML file below this one's folder.

    Without `file` it is the registered one of that name. `weights_sha256`, as a manifest states it, says which
    weights where the file does not, or names a folder.
    """

    name: Text
    file: Text | None = None
    weights_sha256: Sha256 | None = None


class SuiteEntry(Strict):
    """What a suite of the figures is: a suite that rimbench has, or a TOML file below this one's folder.

    `data_sha256` are files that hold the same rows as the suite's source, `content_sha256` the whole suite's own
    hash.
    """

    name: Text
    file: Text | None = None
    content_sha256: Sha256 | None = None
    data_sha256: list[Sha256] = Field(default_factory=list)
