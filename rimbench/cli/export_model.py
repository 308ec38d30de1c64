"""`rimbench export-model`: a checkpoint as other software takes it."""

from pathlib import Path
from typing import Annotated

import typer

from rimbench.errors import UsageError


def export_model(
    folder: Annotated[Path, typer.Argument(help="The checkpoint folder.", show_default=False)],
    gguf: Annotated[Path | None, typer.Option(metavar="FILE.gguf", help="Write a GGUF file, for llama.cpp.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a checkpoint as a GGUF file, its weights in the numbers that they are stored in.

    llama.cpp's converter does it, where it is installed.

    Example:

    \b
      rimbench export-model checkpoints/rim-v2 --gguf rim-v2.gguf
    """
    from rimbench.publishing.gguf import write_gguf
    from rimbench.systems.weights import checkpoint_in

    if gguf is None:
        raise UsageError("nothing to do: give --gguf FILE.gguf")
    write_gguf(checkpoint_in(folder) or folder, gguf, force=force)
    typer.echo(gguf)
