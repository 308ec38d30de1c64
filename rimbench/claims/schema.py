"""A claims file, validated: figures as they were published, and the sentences that are built on them.

`docs/claims.md` documents the form for whoever writes one. Importing this imports pydantic.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from rimbench.claims.quantity import Dimension, Quantity, parse_quantity
from rimbench.claims.references import reference_faults
from rimbench.files.toml import Table, below, read_toml

MOST = 10**12
"""Of anything counted: what is larger is a slip, and overflows."""


def _quantity(*dimensions: Dimension) -> PlainValidator:
    def check(value: object) -> Quantity:
        quantity = parse_quantity(value)
        if quantity.dimension not in dimensions:
            raise ValueError(f"expected a {' or a '.join(dimensions)}, not a {quantity.dimension}")
        if quantity.dimension == "share" and quantity.value > 1:
            raise ValueError("a share lies between 0 % and 100 %")
        return quantity

    return PlainValidator(check)


def _above_nothing(quantity: Quantity) -> Quantity:
    if quantity.value <= 0:
        raise ValueError("a margin is above 0")
    return quantity


def _size(value: object) -> int | str:
    if value == "unstated":
        return "unstated"
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST:
        return value
    raise ValueError('expected a whole number of items, without quotes, or "unstated"')


def _has_kind(value: object) -> object:
    """Pydantic's own words for a missing discriminator tell nobody what to write."""
    if isinstance(value, dict) and "kind" not in value:
        raise ValueError("kind is required, but missing")
    return value


Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1, le=MOST)]
Size = Annotated[int | Literal["unstated"], PlainValidator(_size)]
Share = Annotated[Quantity, _quantity("share")]
Seconds = Annotated[Quantity, _quantity("time")]
Factor = Annotated[Quantity, _quantity("factor")]
Points = Annotated[Quantity, _quantity("difference")]
Positive = Annotated[Points, AfterValidator(_above_nothing)]
PositiveShare = Annotated[Share, AfterValidator(_above_nothing)]
OptionCount = Annotated[int, Field(ge=2, le=MOST)]
Options = OptionCount | Annotated[list[OptionCount], Field(min_length=2, max_length=2)]


class _Strict(Table):
    """A table whose values have their type already: "1000" is no number."""

    model_config = ConfigDict(strict=True)


class _Entry(_Strict):
    """What every figure and every claim has: a name in this file, and where it stands in public."""

    id: Text
    source: Text
    note: Text | None = None


class AccuracyFigure(_Entry):
    """A share of `n` items answered right. `setting` tells apart what one system scored in several ways."""

    kind: Literal["accuracy"]
    system: Text
    suite: Text
    setting: Text | None = None
    value: Share
    n: Size


class PassFigure(_Entry):
    """pass@k over `n` questions of `options` options each: one number, or [least, most]."""

    kind: Literal["pass_at_k"]
    system: Text
    suite: Text
    k: Count
    value: Share
    n: Size
    options: Options | None = None


class LatencyFigure(_Entry):
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
    Annotated[AccuracyFigure | PassFigure | LatencyFigure, Field(discriminator="kind")], BeforeValidator(_has_kind)
]


class _Claim(_Entry):
    """`text` is the sentence as published; `partial` says what of it the listed figures do not cover."""

    text: Text
    partial: Text | None = None


class RatioClaim(_Claim):
    """One figure is `value` times another; without the two figures nothing can be checked."""

    kind: Literal["ratio"]
    value: Factor
    numerator: Text | None = None
    denominator: Text | None = None

    @model_validator(mode="after")
    def _has_both_or_none(self) -> Self:
        if (self.numerator is None) != (self.denominator is None):
            raise ValueError("give numerator and denominator, or neither where they are unpublished")
        return self


class PassesClaim(_Claim):
    """The time of `figure` is that of `value` forward passes, one of which takes `one_pass`."""

    kind: Literal["passes"]
    figure: Text
    one_pass: Text
    value: Count


class TimesClaim(_Claim):
    """These times were measured: judged against the floor of their hardware."""

    kind: Literal["times"]
    figures: Annotated[list[Text], Field(min_length=1)]


class RestatedClaim(_Claim):
    """A figure is given again elsewhere as `value`."""

    kind: Literal["restated"]
    figure: Text
    value: Share


Relation = Literal["better", "worse", "higher", "lower", "tied", "at least as good", "best or tied"]
Names = Annotated[list[Text], Field(min_length=1)]


class ComparisonClaim(_Claim):
    """How each of `systems` stands to each of `against`, on each of `suites`.

    `higher` and `lower` speak of the printed figures, the other relations of the systems. `family` joins claims
    whose tests are corrected for one another; without it a claim is a family by itself.
    """

    kind: Literal["comparison"]
    relation: Relation
    systems: Names
    against: Names
    suites: Names
    family: Text | None = None


class NoiseClaim(_Claim):
    """The differences between these systems on a suite are noise of plus or minus `margin`.

    Without `against`: all pairs of `systems`.
    """

    kind: Literal["noise"]
    suite: Text
    systems: Names
    against: list[Text] = Field(default_factory=list)
    margin: Points
    family: Text | None = None


class StabilityClaim(_Claim):
    """A system's accuracy stays the same over `settings`; `figures` are those published for them, if any."""

    kind: Literal["stability"]
    system: Text
    suite: Text
    settings: Annotated[list[Text], Field(min_length=2)]
    figures: list[Text] = Field(default_factory=list)
    family: Text | None = None


class ChanceLevelClaim(_Claim):
    """Guessing uniformly among `options` scores `value`; with `k`, at least once in k guesses."""

    kind: Literal["chance level"]
    options: OptionCount
    value: Share
    k: Count = 1


class AboveChanceClaim(_Claim):
    """A pass@k, or an accuracy over `options`, is more than guessing gives."""

    kind: Literal["above chance"]
    figure: Text
    options: Options | None = None


AnyClaim = (
    RatioClaim
    | PassesClaim
    | TimesClaim
    | RestatedClaim
    | ComparisonClaim
    | NoiseClaim
    | StabilityClaim
    | ChanceLevelClaim
    | AboveChanceClaim
)
Claim = Annotated[Annotated[AnyClaim, Field(discriminator="kind")], BeforeValidator(_has_kind)]


Rate = Annotated[float, Field(ge=1e-6, le=MOST)]


class ModelSpec(_Strict):
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


class DeviceSpec(_Strict):
    """A device that rimbench does not know."""

    name: Text
    source: Text
    gigabytes_per_s: Rate
    dense_bf16_tflop_per_s: Rate


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SystemSpec(_Strict):
    """What a system of the figures is: a system that rimbench has, or a TOML file below this one's folder.

    Without `file` it is the registered one of that name. `weights_sha256`, as a manifest states it, says which
    weights where the file does not, or names a folder.
    """

    name: Text
    file: Text | None = None
    weights_sha256: Sha256 | None = None


class SuiteSpec(_Strict):
    """What a suite of the figures is: a suite that rimbench has, or a TOML file below this one's folder.

    `data_sha256` are files that hold the same rows as the suite's source, `content_sha256` the whole suite's own
    hash.
    """

    name: Text
    file: Text | None = None
    content_sha256: Sha256 | None = None
    data_sha256: list[Sha256] = Field(default_factory=list)


class ClaimsSpec(_Strict):
    """A whole claims file. `margin`: the largest difference that does not matter; `alpha`: every test's level.

    `time_margin` is that of times and their ratios, as a part of the published one.
    """

    title: Text
    source: Text
    note: Text | None = None
    margin: Positive = parse_quantity("3 points")
    time_margin: PositiveShare = parse_quantity("10 %")
    alpha: Annotated[float, Field(ge=1e-9, lt=0.5)] = 0.05
    model: list[ModelSpec] = Field(default_factory=list)
    device: list[DeviceSpec] = Field(default_factory=list)
    system: list[SystemSpec] = Field(default_factory=list)
    suite: list[SuiteSpec] = Field(default_factory=list)
    figure: list[Figure] = Field(default_factory=list)
    claim: list[Claim] = Field(default_factory=list)

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        faults = reference_faults(self)
        if faults:
            raise ValueError("; ".join(faults))
        return self


def read(path: Path, *, allow_outside: bool = False) -> ClaimsSpec:
    """The claims that a TOML file holds; ConfigError with all of its faults.

    Files that it names lie below its own folder, unless it may name any.
    """
    spec = read_toml(path, ClaimsSpec, "claims")
    for kind, entries in (("system", spec.system), ("suite", spec.suite)):
        for entry in entries:
            if entry.file is not None and entry.file.endswith(".toml"):
                below(path, entry.file, f"{kind}.{entry.name}.file", allow_outside=allow_outside)
    return spec
