"""`rimbench show-prompt`: the exact prompt that a system gets for an item, and its token ids."""

from pathlib import Path
from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside
from rimbench.display.plaintext import plain
from rimbench.errors import UsageError


def show_prompt(
    system: Annotated[str, typer.Option(metavar="NAME", help="System by name or TOML file.")],
    suite: Annotated[str, typer.Option(metavar="NAME", help="Suite by name or TOML file.")],
    item: Annotated[
        str, typer.Option(metavar="ID", help="Item id, or its place in the frozen order as '#0'.")
    ] = "#0",
    data: Annotated[Path | None, typer.Option(metavar="FILE", help="Rows of the suite from a local file.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="PATH", help="Weights: a checkpoint folder, or org/name@revision.")
    ] = None,
    blocks: Annotated[int | None, typer.Option(metavar="K", help="Memory budget K of a RiM system.")] = None,
    allow_outside: AllowOutside = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print the exact prompt of one item and its token ids.

    Examples:

    \b
      rimbench show-prompt --system smollm2 --suite medqa --item 17
      rimbench show-prompt --system rim-v1 --suite medmcqa --item '#0' --json
    """
    from rimbench import suites, systems
    from rimbench.cli.output import print_json, print_text
    from rimbench.running.plans import make_ready

    chosen = systems.override(systems.load(system, allow_outside=allow_outside), model=model, blocks=blocks)
    loaded = suites.load(suite, data=data, allow_outside=allow_outside)
    by_id = {each.item_id: each for each in loaded.items}
    place = item[1:] if item.startswith("#") else ""
    if place.isdigit() and int(place) < len(loaded.items):
        found = loaded.items[int(place)]
    elif item in by_id:
        found = by_id[item]
    else:
        raise UsageError(
            f"--item {item}: suite {loaded.name} has no such item; "
            f"expected one of its {len(by_id)} ids or '#0' to '#{len(by_id) - 1}'"
        )
    (prompt,) = make_ready(chosen).prompts(loaded, [found])
    if json:
        print_json(
            {"item_id": found.item_id, "gold": found.gold, "text": prompt.text, "token_ids": prompt.token_ids,
             "prompt_tokens": len(prompt.token_ids), "prompt_sha256": prompt.sha256,
             "option_token_ids": prompt.option_token_ids}
        )  # fmt: skip
        return
    print_text(prompt.text)
    print_text(f"\n{len(prompt.token_ids)} token ids: {list(prompt.token_ids)}")
    print_text(f"option token ids: {prompt.option_token_ids or 'none, the answer is free text'}")
    print_text(f"item {plain(found.item_id)}, gold {found.gold}, prompt sha256 {prompt.sha256}")
