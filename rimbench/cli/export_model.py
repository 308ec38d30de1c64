"""`rimbench export-model`: a checkpoint as other software takes it."""

from pathlib import Path
from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside, Results
from rimbench.errors import UsageError


def export_model(
    folder: Annotated[Path, typer.Argument(help="The checkpoint folder.", show_default=False)],
    gguf: Annotated[Path | None, typer.Option(metavar="FILE.gguf", help="Write a GGUF file, for llama.cpp.")] = None,
    push: Annotated[
        str | None,
        typer.Option(metavar="ORG/NAME", help="Upload it to the hub, with a card and the results of these weights."),
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Make the repository of --push a private one.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what --push would upload, and the card.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file, or commit to a repository that holds files.")
    ] = False,
    allow_outside: AllowOutside = False,
    results: Results = None,
) -> None:
    """Write a checkpoint as a GGUF file, or upload it to the hub with what was measured.

    Weights stay in the numbers that they are stored in. llama.cpp's converter writes the file, where it is installed.
    The token is that of 'hf auth login', or HF_TOKEN. Results are those of runs that these very weights answered.

    Examples:

    \b
      rimbench export-model checkpoints/rim-v2 --gguf rim-v2.gguf
      rimbench export-model checkpoints/rim-v2 --push my-org/rim-v2 --dry-run
    """
    from rimbench.systems.weights import checkpoint_in

    if (gguf is None) == (push is None):
        raise UsageError("give one of --gguf FILE.gguf and --push ORG/NAME")
    found = checkpoint_in(folder) or folder
    if push is None:
        if private or dry_run:
            raise UsageError(f"--{'private' if private else 'dry-run'}: add --push ORG/NAME, which it is for")
        from rimbench.publishing.gguf import write_gguf

        assert gguf is not None
        write_gguf(found, gguf, force=force)
        typer.echo(gguf)
        return
    from rimbench.api.project import read_project
    from rimbench.cli.output import note, print_table, print_text
    from rimbench.display.tabular import Table
    from rimbench.publishing import hub

    runs = read_project(allow_outside=allow_outside).runs_in(results)
    upload = hub.prepare(found, push, runs, note, needed=results is not None)
    if dry_run:
        sizes = [(path, f"{hub.size_of(content):,}") for path, content in upload.items()]
        print_table(Table(f"Would be uploaded to {push}", ("file", "bytes"), sizes))
        for path, content in upload.items():
            if isinstance(content, bytes):
                print_text(f"\n{path}:\n\n{content.decode()}")
        return
    print_text(hub.push(upload, push, private=private, force=force))
