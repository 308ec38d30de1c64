"""A claims file, validated: figures as they were published, and the sentences that are built on them.

`docs/claims.md` documents the form for whoever writes one. Importing this imports pydantic.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self, Union

from pydantic import BeforeValidator, Field, model_validator

from rimbench.claims.claim import Claim, wrong_references
from rimbench.claims.entries import (
    DeviceSpec,
    Figure,
    ModelSpec,
    Positive,
    PositiveShare,
    Strict,
    SuiteEntry,
    SystemEntry,
    Text,
    has_kind,
)
from rimbench.claims.kinds import find_kinds
from rimbench.claims.quantity import parse_quantity
from rimbench.files.toml import TypedShare, below, read_toml
from rimbench.latency.floor import GPUS
from rimbench.plugins import unknown

if TYPE_CHECKING:
    AnyClaim = Claim
else:
    AnyClaim = Annotated[
        Annotated[Union[find_kinds()], Field(discriminator="kind")], BeforeValidator(has_kind)  # noqa: UP007
    ]


class ClaimsSpec(Strict):
    """A whole claims file. `margin`: the largest difference that does not matter; `alpha`: every test's level.

    `time_margin` is that of times and their ratios, as a part of the published one.
    """

    title: Text
    source: Text
    note: Text | None = None
    margin: Positive = parse_quantity("3 points")
    time_margin: PositiveShare = parse_quantity("10 %")
    alpha: Annotated[TypedShare, Field(ge=1e-9, lt=0.5)] = 0.05
    model: list[ModelSpec] = Field(default_factory=list)
    device: list[DeviceSpec] = Field(default_factory=list)
    system: list[SystemEntry] = Field(default_factory=list)
    suite: list[SuiteEntry] = Field(default_factory=list)
    figure: list[Figure] = Field(default_factory=list)
    claim: list[AnyClaim] = Field(default_factory=list)

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        faults = [*_doubles(self), *_wrong_figures(self), *_wrong_claims(self)]
        if faults:
            raise ValueError("; ".join(faults))
        return self


def _doubles(spec: ClaimsSpec) -> Iterator[str]:
    ids = [entry.id for entry in (*spec.figure, *spec.claim)]
    yield from (f"id '{name}' is used {count} times" for name, count in Counter(ids).items() if count > 1)
    for kind, entries in (("system", spec.system), ("suite", spec.suite)):
        named = Counter(entry.name for entry in entries)
        yield from (f"{kind} '{name}' is described {count} times" for name, count in named.items() if count > 1)
    cells = [(f.system, f.suite, f.setting) for f in spec.figure if f.kind == "accuracy"]
    for (system, suite, _), count in Counter(cells).items():
        if count > 1:
            yield f"{count} accuracies of '{system}' on '{suite}': tell them apart by setting"


def _wrong_figures(spec: ClaimsSpec) -> Iterator[str]:
    figures = {figure.id: figure for figure in spec.figure}
    for figure in spec.figure:
        if figure.kind == "pass_at_k" and isinstance(figure.options, list) and figure.options[0] > figure.options[1]:
            yield f"{figure.id}.options: expected [least, most]"
        if figure.kind != "latency":
            continue
        if figure.value.lowest <= 0:
            yield f"{figure.id}.value: {figure.value}: a time is above 0"
        devices = {*GPUS, *(device.name for device in spec.device)}
        if figure.device is not None and figure.device not in devices:
            yield f"{figure.id}: {unknown('device', figure.device, devices)}; or add it as [[device]]"
        models = {model.name for model in spec.model}
        if figure.model is not None and figure.model not in models:
            yield f"{figure.id}: {unknown('model', figure.model, models)}; or add it as [[model]]"
        if figure.one_pass is not None:
            yield from wrong_references(figure.id, [figure.one_pass], figures, ("latency",))


def _wrong_claims(spec: ClaimsSpec) -> Iterator[str]:
    figures = {figure.id: figure for figure in spec.figure}
    for claim in spec.claim:
        yield from claim.faults(figures)


def read_claims(path: Path, *, allow_outside: bool = False) -> ClaimsSpec:
    """The claims that a TOML file holds; ConfigError with all of its faults.

    Files that it names lie below its own folder, unless it may name any.
    """
    spec = read_toml(path, ClaimsSpec, "claims")
    for kind, entries in (("system", spec.system), ("suite", spec.suite)):
        for entry in entries:
            if entry.file is not None and entry.file.endswith(".toml"):
                below(path, entry.file, f"{kind}.{entry.name}.file", allow_outside=allow_outside)
    return spec
