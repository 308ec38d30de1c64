"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

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
KeepErrors = Annotated[
    bool, typer.Option("--keep-errors", help="What the engine still fails on counts as wrong, and is asked no more.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="Only the first n of the frozen order.")
]
MaxErrors = Annotated[
    float,
    typer.Option(metavar="SHARE", min=0, max=1, help="End with exit code 1 where the engine fails on more."),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="Weights: a checkpoint folder, or org/name@revision; those that were trained here if not given.",
    ),
]
OneSuite = Annotated[str, typer.Option(metavar="NAME", help="Suite by name or TOML file.")]
PackedSize = Annotated[int | None, typer.Option(metavar="N", min=1, help="Questions in one packed pass.")]
Results = Annotated[
    Path | None,
    typer.Option(
        "--results", help="Folder of the runs.", envvar="RIMBENCH_RESULTS", file_okay=False, show_default="results"
    ),
]
RimSystem = Annotated[str, typer.Option(metavar="NAME", help="RiM system by name or TOML file.")]
