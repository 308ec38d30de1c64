"""`rimbench run`: answers the questions of suites with systems, and keeps every answer."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from rimbench.cli.options import AllowOutside

AnswerBy = Literal["generate", "readout"]
MaxErrors = Annotated[
    float,
    typer.Option(metavar="SHARE", min=0, max=1, help="End with exit code 1 where the engine fails on more."),
]
KeepErrors = Annotated[
    bool, typer.Option("--keep-errors", help="What the engine still fails on counts as wrong, and is asked no more.")
]
RESULTS_OPTION = typer.Option(
    "--results", help="Folder of the runs.", envvar="RIMBENCH_RESULTS", file_okay=False, show_default=True
)


def run(
    system: Annotated[list[str], typer.Option(metavar="NAME", help="System by name or TOML file; repeat, or 'all'.")],
    suite: Annotated[list[str], typer.Option(metavar="NAME", help="Suite by name or TOML file; repeat, or 'all'.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="Rows of the suite from a local file: FILE, or SUITE=FILE with several suites."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the first n of the frozen order.")
    ] = None,
    samples: Annotated[
        int, typer.Option(metavar="N", min=0, help="Draws an item beside the greedy answer (pass@k).")
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the draws.")] = 0,
    model: Annotated[
        str | None, typer.Option(metavar="PATH", help="Weights: a checkpoint folder, or org/name@revision.")
    ] = None,
    blocks: Annotated[int | None, typer.Option(metavar="K", help="Memory budget K of a RiM system.")] = None,
    answer: Annotated[AnswerBy | None, typer.Option(help="How to have the answer.")] = None,
    permute_options: Annotated[
        int | None, typer.Option(metavar="SEED", help="Show the options in another order; letters are mapped back.")
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Show the options without the question.")] = False,
    engine: Annotated[str, typer.Option(metavar="NAME", help="auto, transformers or vllm.")] = "auto",
    batch_size: Annotated[int | None, typer.Option(metavar="N", min=1, help="Sequences in one forward pass.")] = None,
    max_errors: MaxErrors = 0.05,
    keep_errors: KeepErrors = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over; the old run is kept beside.")] = False,
    allow_outside: AllowOutside = False,
    results: Annotated[Path, RESULTS_OPTION] = Path("results"),
) -> None:
    """Answer the questions of suites with systems, and keep every answer.

    A run that was cut off goes on where it stopped when the same command is started again. What an engine failed
    on is asked once more in the end, and by the next start.

    Examples:

    \b
      rimbench run --system rim-v2 --model checkpoints/rim-v2 --suite medmcqa
      rimbench run --system smollm2 --suite medqa --data phrases_no_exclude_test.jsonl --limit 100
      rimbench run --system base --system base-direct --suite all --samples 8
    """
    from rimbench.cli.progress import RunProgress
    from rimbench.cli.selection import load_suites, load_systems
    from rimbench.running.cell import ErrorRules
    from rimbench.running.completion import run_all
    from rimbench.running.plans import RunSettings, plan_runs
    from rimbench.suites.controls import Controls

    with RunProgress() as progress:
        systems = load_systems(
            system, progress.note, model=model, blocks=blocks, answer=answer, allow_outside=allow_outside
        )
        loaded = load_suites(suite, data or [], limit, progress.note, allow_outside=allow_outside)
        controls = Controls(permute_options, blind)
        errors = ErrorRules(max_errors, keep_errors)
        settings = RunSettings(results, engine, batch_size, seed, samples, fresh, controls, errors=errors)
        runs = plan_runs(systems, loaded, settings)
        run_all(runs, settings, progress)
    for planned in runs:
        typer.echo(planned.folder)
