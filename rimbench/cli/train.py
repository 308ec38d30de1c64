"""`rimbench train`: a recipe and its data -> a checkpoint folder, alone or under torchrun."""

import importlib.util
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from rimbench.cli.options import AllowOutside
from rimbench.display.notes import Say
from rimbench.errors import RimbenchError

if TYPE_CHECKING:
    from rimbench.records import Item
    from rimbench.systems.weights import Checkpoint
    from rimbench.training.data import Corpus
    from rimbench.training.overlap import Overlap
    from rimbench.training.recipe import Recipe
    from rimbench.training.source import RowSource

_Row = TypeVar("_Row")

ROWS_BETWEEN_LINES = 50_000
OVERLAP = "overlap.json"


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Recipe by name or TOML file.")],
    base: Annotated[
        str | None, typer.Option(metavar="PATH", help="Start from this checkpoint folder, or org/name@revision.")
    ] = None,
    data: Annotated[
        str, typer.Option(metavar="FILE", help="Rows of messages from a local file, or 'hub' to stream the recipe's.")
    ] = "hub",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", file_okay=False, help="Where to train; checkpoints/RECIPE if not given."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the order, dropout and new tokens.")] = 0,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="Only the first n examples of the data.")
    ] = None,
    check_suite: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Suite to check for overlap, or NAME=FILE; repeat. Those that load here if not given.",
        ),
    ] = None,
    allow_outside: AllowOutside = False,
) -> None:
    """Train a checkpoint; the same command goes on after the last one saved.

    Examples:

    \b
      rimbench train rim-v2 --data openmed.jsonl --limit 20000 --check-suite medqa
      rimbench train rim-stage2 --base checkpoints/rim-stage1
      torchrun --nproc-per-node 8 -m rimbench train rim-v2
    """
    if importlib.util.find_spec("accelerate") is None:
        raise RimbenchError("training needs the package accelerate, which is not installed: pip install "
                            "'rimbench[training]', or -e '.[training]' in a checkout")  # fmt: skip
    from rimbench.training.recipe import load_recipe
    from rimbench.training.source import open_rows

    say = _voice()
    wanted = load_recipe(recipe)
    folder = out or Path("checkpoints") / Path(recipe).stem
    checkpoint = _resolve_base(wanted, base)
    file = None if data == "hub" else Path(data)
    source = open_rows(wanted, file, folder)
    suites = _suites(
        check_suite, wanted, file, say, allow_outside=allow_outside
    )  # before the data, which can take long to read
    corpus = _read(wanted, source, limit, say)
    overlaps = _overlaps(corpus, suites, say)
    corpus = replace(corpus, remarks=tuple(f"overlap with {overlap}" for overlap in overlaps))
    try:
        made = _train(wanted, checkpoint, corpus, folder, seed, say)
    except KeyboardInterrupt:
        say(f"interrupted: the last checkpoint in {folder} is kept, the same command goes on from there")
        raise
    if _is_first():
        from rimbench.files.writing import write_whole
        from rimbench.training.losses import draw_losses

        draw_losses([(folder.name, folder / "loss.jsonl")], folder / "loss.svg")
        write_whole(folder / OVERLAP, json.dumps([asdict(overlap) for overlap in overlaps], indent=2) + "\n")
        typer.echo(made)


def _is_first() -> bool:
    """Whether this is the process that speaks: torchrun numbers them."""
    return os.environ.get("RANK", "0") == "0"


def _voice() -> Say:
    from rimbench.cli.output import note
    from rimbench.display.notes import say_nothing

    return note if _is_first() else say_nothing


def _resolve_base(recipe: "Recipe", base: str | None) -> "Checkpoint":
    """The base on this machine: as given, or the recipe's own; a training's folder stands for its checkpoint."""
    from rimbench.errors import ModelError, UsageError
    from rimbench.systems import AnswerStyle, PromptStyle, System, Weights, load, weights

    if base is None and recipe.base.recipe is not None:
        raise UsageError(
            f"the recipe goes on from the checkpoint of '{recipe.base.recipe}': train it with 'rimbench train "
            f"{recipe.base.recipe}', then give its folder with --base FOLDER"
        )
    if base is None and recipe.base.new is not None:
        raise UsageError(f"the recipe trains {recipe.base.new}: give its folder with --base FOLDER")
    if base is None and recipe.base.system is not None:
        return weights.resolve(load(recipe.base.system))
    source = Weights(path=base) if base is not None else Weights(repo=recipe.base.repo, revision=recipe.base.revision)
    try:
        return weights.resolve(System("base", recipe.description, source, PromptStyle(), AnswerStyle("generate")))
    except ModelError as error:
        raise ModelError(str(error).replace("--model", "--base")) from error


def _read(recipe: "Recipe", source: "RowSource", limit: int | None, say: Say) -> "Corpus":
    """The training examples, what was left out said by reason."""
    from rimbench.extraction import extract
    from rimbench.training.data import read_corpus
    from rimbench.training.source import reading_rules

    say(f"reading {source.name}")
    rules = reading_rules(recipe, lambda text, options: extract(text, options).letter)
    corpus = read_corpus(_counted(source.rows, say), rules, limit)
    chosen = sum(example.multiple_choice for example in corpus.examples)
    say(f"data: {corpus.tally}; {chosen} of the examples kept are multiple-choice")
    return corpus


def _counted(rows: Iterable[_Row], say: Say) -> Iterator[_Row]:
    for number, row in enumerate(rows, start=1):
        if number % ROWS_BETWEEN_LINES == 0:
            say(f"{number} rows read")
        yield row


def _suites(
    names: Sequence[str] | None, recipe: "Recipe", file: Path | None, say: Say, *, allow_outside: bool
) -> "dict[str, Sequence[Item]]":
    """The suites to check; where none is named, those that load here and the one held out of the same file."""
    from rimbench import suites
    from rimbench.errors import RimbenchError

    own = recipe.data.held_out_suite
    if names:
        given = [name.partition("=") for name in names]
        files = {name: Path(path) if path else file if name == own else None for name, _, path in given}
        loaded = [suites.load(name, data=path, allow_outside=allow_outside) for name, path in files.items()]
        return {suite.name: suite.items for suite in loaded}
    found: dict[str, Sequence[Item]] = {}
    for name in [s.name for s in suites.listing() if s.loadable or (s.name == own and file is not None)]:
        try:
            found[name] = suites.load(name, data=file if name == own else None).items
        except RimbenchError as error:
            say(f"suite {name} is not checked for overlap: {error}")
    return found


def _overlaps(corpus: "Corpus", suites: "Mapping[str, Sequence[Item]]", say: Say) -> tuple["Overlap", ...]:
    """Every suite against the training examples. All processes look, so that none waits for another."""
    from rimbench.training.overlap import find_overlap

    overlaps = find_overlap(suites, corpus.examples)
    for overlap in overlaps:
        say(f"overlap with {overlap}")
    return overlaps


def _train(recipe: "Recipe", checkpoint: "Checkpoint", corpus: "Corpus", folder: Path, seed: int, say: Say) -> Path:
    import warnings

    from rimbench import provenance
    from rimbench.training import trainer
    from rimbench.training.base import load_start

    warnings.filterwarnings("ignore", category=FutureWarning)  # transformers' own renamings, nothing for a user
    commit, dirty = provenance.commit()
    written = f"{commit}{' with changes' if dirty else ''}" if commit else None
    version = checkpoint.revision or f"sha256 {checkpoint.sha256[:16]}"
    say(f"loading {checkpoint.source}")
    source = checkpoint.source if checkpoint.revision else checkpoint.folder.name
    start = load_start(checkpoint.folder, recipe, f"{source} ({version})", written)
    return trainer.train(recipe, corpus, start, folder, seed, say)
