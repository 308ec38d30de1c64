"""`rimbench show-prompt`: the exact prompt that a system gets for an item, and its token ids."""

from typing import Annotated

import typer

from rimbench.cli.options import AllowOutside, Data, Model, OneSuite
from rimbench.display.plaintext import plain
from rimbench.errors import UsageError


def show_prompt(
    system: Annotated[str, typer.Option(metavar="NAME", help="System by name or TOML file.")],
    suite: OneSuite,
    item: Annotated[
        str, typer.Option(metavar="ID", help="Item id, or its place in the frozen order as '#0'.")
    ] = "#0",
    data: Data = None,
    model: Model = None,
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
    from rimbench.api.project import read_project
    from rimbench.api.selection import Wanted, choose_one, explaining_weights
    from rimbench.cli.output import note, print_json, print_text
    from rimbench.running.plans import make_ready

    asked = Wanted("show-prompt", [system], [suite], data or (), model, blocks, allow_outside=allow_outside)
    chosen, loaded = choose_one(asked, read_project(allow_outside=allow_outside), note)
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
    with explaining_weights(asked, [chosen]):
        ready = make_ready(chosen)
    (prompt,) = ready.prompts(loaded, [found])
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
