"""`rimbench recipes`: what `rimbench train` can train."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rimbench.training.recipe import Base, Stage


def recipes(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the recipes of 'rimbench train': what each trains, from which base, and how long.

    Examples:

    \b
      rimbench recipes
      rimbench recipes --json
    """
    from rimbench.cli.output import print_json, print_table
    from rimbench.display.tabular import Table
    from rimbench.plugins import find_files
    from rimbench.training import recipe

    found = [(name, path, recipe.read_recipe(path)) for name, path in find_files(recipe.RECIPES).items()]
    if json:
        print_json([{"recipe": name, "file": str(path)} | each.model_dump(mode="json") for name, path, each in found])
        return
    rows = [(n, e.description, _say_base(e.base), "; ".join(map(_say_steps, e.stages))) for n, _, e in found]
    remark = f"Each is a file of {recipe.RECIPES}; one of your own is given by its path: rimbench train FILE.toml."
    print_table(Table("Recipes", ("recipe", "what it trains", "base", "steps"), rows, remark))


def _say_base(base: "Base") -> str:
    if base.repo is not None:
        return f"{base.repo}@{(base.revision or '')[:12]}"
    return f"recipe {base.recipe}" if base.recipe else base.system or base.new or ""


def _say_steps(stage: "Stage") -> str:
    if stage.objective == "sft" and stage.flop_of is not None:
        return f"{stage.objective}: as many as cost what {stage.flop_of} does"
    most = f", {stage.max_steps} steps at most" if stage.max_steps else ""
    return f"{stage.objective}: {stage.epochs:g} epochs{most}"
