"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from rimbench.files.shares import parse_share


def share_within(least: float, most: float) -> Callable[[str | float], float]:
    """What reads an option's share, which may have its unit, and holds it to its bounds."""

    def read(typed: str | float) -> float:
        try:
            value = parse_share(typed)
        except ValueError as error:
            raise typer.BadParameter(f"{typed!r}: {error}") from error
        if not isinstance(value, float | int) or not least <= value <= most:
            raise typer.BadParameter(
                f"{typed} is not from {least:g} to {most:g}: expected a share such as 0.03, or 3%, or '3 points'"
            )
        return value

    return read


AllowOutside = Annotated[
    bool,
    typer.Option(
        "--allow-outside", help="Let suite and system files, and rimbench.toml, name files outside their own folders."
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        envvar="RIMBENCH_BASE_URL",
        help="The OpenAI-compatible server of --engine server; its key is RIMBENCH_API_KEY.",
    ),
]
Data = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE", help="Rows of the suite from a local file: FILE, or SUITE=FILE with several suites."
    ),
]
Dtype = Annotated[
    Literal["float32", "bfloat16"] | None, typer.Option("--dtype", help="The model's numbers; the engine's own else.")
]
FamilyNames = Annotated[
    str | None,
    typer.Option(metavar="A,B|all", help="Systems whose pairs are judged together; the declared ones, else."),
]
KeepErrors = Annotated[
    bool, typer.Option("--keep-errors", help="What the engine still fails on counts as wrong, and is asked no more.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="Only the first n of the frozen order.")
]
Margin = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        parser=share_within(0.0001, 0.9999),
        help="Largest difference that does not matter: 0.03, 3% or '3 points'.",
    ),
]
MaxErrors = Annotated[
    float,
    typer.Option(
        metavar="SHARE", parser=share_within(0, 1), help="End with exit code 1 where the engine fails on more."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="Weights: a checkpoint folder, or org/name@revision; those that were trained here if not given.",
    ),
]
OwnName = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Call the system this in tables and comparisons; for weights of your own."),
]
OneSuite = Annotated[str, typer.Option(metavar="NAME", help="Suite by name or TOML file.")]
PackedSize = Annotated[int | None, typer.Option(metavar="N", min=1, help="Questions in one packed pass.")]
TensorParallel = Annotated[
    int | None,
    typer.Option("--tensor-parallel", metavar="N", min=1, help="GPUs that one model is divided over, by vLLM."),
]
Results = Annotated[
    Path | None,
    typer.Option(
        "--results", help="Folder of the runs.", envvar="RIMBENCH_RESULTS", file_okay=False, show_default="results"
    ),
]
RimSystem = Annotated[str, typer.Option(metavar="NAME", help="RiM system by name or TOML file.")]
