"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

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
Model = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="Weights: a checkpoint folder, or org/name@revision; those that were trained here if not given.",
    ),
]
Results = Annotated[
    Path | None,
    typer.Option(
        "--results", help="Folder of the runs.", envvar="RIMBENCH_RESULTS", file_okay=False, show_default="results"
    ),
]
