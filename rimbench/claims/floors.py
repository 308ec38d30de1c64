"""The conditions of a published time: how many forward passes it took, and the least that they can take."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rimbench.latency.floor import (
    GPUS,
    Device,
    ModelShape,
    SaturatedFloor,
    least_generation_s,
    saturated_floor,
)

if TYPE_CHECKING:
    from rimbench.claims.entries import DeviceSpec, Figure, LatencyFigure, ModelSpec

LAUNCH_BOUND = 3.0
"""Times the floor from which a pass at batch 1 is taken to wait for its launches, not for memory or arithmetic.

Kernels that read weights at batch 1 reach 60 to 90% of the bandwidth where nothing holds them up.
"""


@dataclass(frozen=True, slots=True)
class PassCounts:
    """How many forward passes a time covers: between `least` and `most`, by the tokens it generated."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class TimeCheck:
    """What can be said of a time from its conditions; None where they are not stated.

    `floor_s` is the least time (for the largest batch there can be, where the batch is not a stated number),
    `saturated` the floor a sample in a saturated batch. At batch 1, `pass_s` is the time of one pass and
    `pass_floor_s` its floor.
    """

    value_s: float
    passes: PassCounts | None
    floor_s: float | None
    saturated: SaturatedFloor | None
    pass_s: float | None
    pass_floor_s: float | None

    @property
    def times_floor(self) -> float | None:
        """How many times its floor the time is."""
        return None if self.floor_s is None else self.value_s / self.floor_s

    @property
    def launch_bound(self) -> bool:
        """Whether a pass takes several times what the hardware needs; only asked at batch 1."""
        return (
            self.pass_s is not None
            and self.pass_floor_s is not None
            and self.pass_s >= LAUNCH_BOUND * self.pass_floor_s
        )


def check_times(
    every: "Iterable[Figure]", models: "Iterable[ModelSpec]", more_devices: "Iterable[DeviceSpec]"
) -> Mapping[str, TimeCheck]:
    """Every latency figure of a file against its hardware, by id."""
    figures = {figure.id: figure for figure in every if figure.kind == "latency"}
    shapes = {model.name: ModelShape(**model.model_dump(exclude={"name", "source"})) for model in models}
    devices = {**GPUS, **{device.name: _device(device) for device in more_devices}}
    return {
        name: _check(
            figure,
            figures.get(figure.one_pass or ""),
            shapes.get(figure.model or ""),
            devices.get(figure.device or ""),
        )
        for name, figure in figures.items()
    }


def _check(
    figure: "LatencyFigure", one_pass: "LatencyFigure | None", shape: ModelShape | None, device: Device | None
) -> TimeCheck:
    value_s = figure.value.value
    passes = _passes(figure)
    pass_s = _pass_s(figure, one_pass, passes)
    if shape is None or device is None or figure.prompt_tokens is None or passes is None:
        return TimeCheck(value_s, passes, None, None, pass_s, None)
    generated = figure.generated_tokens or 1
    saturated = saturated_floor(shape, device, figure.prompt_tokens, generated)
    if not isinstance(figure.batch, int):
        return TimeCheck(value_s, passes, saturated.overlapped_s, saturated, pass_s, None)
    floor_s = least_generation_s(shape, device, figure.prompt_tokens, generated, figure.batch) / figure.batch
    pass_floor_s = floor_s / generated if figure.batch == 1 else None
    return TimeCheck(value_s, passes, floor_s, saturated, pass_s, pass_floor_s)


def _pass_s(figure: "LatencyFigure", one_pass: "LatencyFigure | None", passes: PassCounts | None) -> float | None:
    """The time of one pass at batch 1: as it was published, or the whole over the number of passes."""
    if figure.batch != 1:
        return None
    if one_pass is not None:
        return one_pass.value.value
    return figure.value.value / passes.least if passes is not None and passes.least == passes.most else None


def _passes(figure: "LatencyFigure") -> PassCounts | None:
    if figure.quantity == "readout":
        return PassCounts(1, 1)
    if figure.generated_tokens is not None:
        return PassCounts(figure.generated_tokens, figure.generated_tokens)
    if figure.most_generated_tokens is not None:
        return PassCounts(1, figure.most_generated_tokens)
    return None


def _device(device: "DeviceSpec") -> Device:
    return Device(
        name=device.name,
        bytes_per_s=1e9 * device.gigabytes_per_s,
        flop_per_s=1e12 * device.dense_bf16_tflop_per_s,
        source=device.source,
    )
