"""`rimbench run`: answers the questions of suites with systems, and keeps every answer."""

from typing import Annotated, Literal

import typer

from rimbench.cli import options
from rimbench.errors import DataError, with_lines

AnswerBy = Literal["generate", "readout"]


def run(
    system: Annotated[list[str], typer.Option(metavar="NAME", help="System by name or TOML file; repeat, or 'all'.")],
    suite: Annotated[list[str], typer.Option(metavar="NAME", help="Suite by name or TOML file; repeat, or 'all'.")],
    data: options.Data = None,
    limit: options.Limit = None,
    samples: Annotated[
        int, typer.Option(metavar="N", min=0, help="Draws an item beside the greedy answer (pass@k).")
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the draws.")] = 0,
    model: options.Model = None,
    name: options.OwnName = None,
    blocks: Annotated[int | None, typer.Option(metavar="K", help="Memory budget K of a RiM system.")] = None,
    answer: Annotated[AnswerBy | None, typer.Option(help="How to have the answer.")] = None,
    max_new_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Most tokens of a written answer; the system's own else."),
    ] = None,
    permute_options: Annotated[
        int | None, typer.Option(metavar="SEED", help="Show the options in another order; letters are mapped back.")
    ] = None,
    rotate_options: Annotated[
        bool, typer.Option("--rotate-options", help="Ask every item in all rotations of its options, a pass each.")
    ] = False,
    blind: Annotated[bool, typer.Option("--blind", help="Show the options without the question.")] = False,
    engine: Annotated[
        str | None, typer.Option(metavar="NAME", help="auto (if not given), transformers, vllm or server.")
    ] = None,
    base_url: options.BaseUrl = None,
    batch_size: Annotated[int | None, typer.Option(metavar="N", min=1, help="Sequences in one forward pass.")] = None,
    dtype: options.Dtype = None,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, help="Processes that answer side by side, through Ray.")
    ] = 1,
    ray_address: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="The workers' cluster: auto, or host:port; none: this machine."),
    ] = None,
    tensor_parallel: options.TensorParallel = None,
    max_errors: options.MaxErrors = 0.05,
    keep_errors: options.KeepErrors = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over; the old run is kept beside.")] = False,
    allow_outside: options.AllowOutside = False,
    results: options.Results = None,
) -> None:
    """Answer the questions of suites with systems, and keep every answer.

    A run that was cut off goes on where it stopped when the same command is started again. What an engine failed
    on is asked once more in the end, and by the next start. Weights, rows, results folder and engine that no option
    names are those of rimbench.toml in the current folder, and weights those that were trained here.

    Examples:

    \b
      rimbench run --system rim-v2 --suite medmcqa
      rimbench run --system rim-v2 --model checkpoints/rim-v2 --suite medmcqa --data dev.json
      rimbench run --system base-direct --model my-model --name my-model --suite medqa
      rimbench run --system smollm2 --suite medqa --data phrases_no_exclude_test.jsonl --limit 100
      rimbench run --system base --system base-direct --suite all --samples 8
      rimbench run --system rim-v2 --suite medmcqa --rotate-options
      rimbench run --system base --suite medmcqa --engine server --base-url http://localhost:8000
      rimbench run --system cot --suite all --workers 8
    """
    from rimbench.api import run as front
    from rimbench.cli.progress import RunProgress

    with RunProgress() as progress:
        done = front.run(
            system,
            suite,
            data=data or (),
            limit=limit,
            samples=samples,
            seed=seed,
            model=model,
            name=name,
            blocks=blocks,
            answer=answer,
            max_new_tokens=max_new_tokens,
            permute_options=permute_options,
            rotate_options=rotate_options,
            blind=blind,
            engine=engine,
            base_url=base_url,
            batch_size=batch_size,
            dtype=dtype,
            workers=workers,
            ray_address=ray_address,
            tensor_parallel=tensor_parallel,
            max_errors=max_errors,
            keep_errors=keep_errors,
            fresh=fresh,
            allow_outside=allow_outside,
            results=results,
            progress=progress,
        )
    for each in done.runs:
        typer.echo(each.folder)
    if done.unloaded:
        why = [f"{name}: {error}" for name, error in done.unloaded.items()]
        raise with_lines(DataError(f"not run, for they cannot be loaded: {', '.join(done.unloaded)}"), why)
