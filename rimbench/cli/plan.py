"""`rimbench plan`: what a number of items can show, before anything is run."""

from typing import Annotated

import typer

from rimbench.cli.options import Margin, share_within
from rimbench.errors import UsageError


def plan(
    n: Annotated[int, typer.Option("--n", metavar="N", min=2, help="Items a cell.")] = 1000,
    margin: Margin = 0.03,
    base: Annotated[
        float,
        typer.Option(
            metavar="SHARE", parser=share_within(0.0001, 0.9999), help="Accuracy of the system compared with."
        ),
    ] = 0.45,
    discordant: Annotated[
        float,
        typer.Option(
            metavar="SHARE", parser=share_within(0.0001, 1), help="Share of items that just one of the two has right."
        ),
    ] = 0.25,
    power: Annotated[
        float, typer.Option(metavar="SHARE", parser=share_within(0.5, 0.9999), help="Wanted power.")
    ] = 0.8,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say what difference N items can detect, and what N a margin needs.

    Examples:

    \b
      rimbench plan --n 1000 --margin 0.03
      rimbench plan --n 4183 --discordant 0.2 --json
    """
    from rimbench.cli.output import print_json, print_table
    from rimbench.display.tabular import Table
    from rimbench.statistics import power as powers

    if base + margin > 1:
        raise UsageError(
            f"--base {base:g} and --margin {margin:g} add up to more than 1: give a lower one of the two"
        )
    shown = powers.power_equivalence(n, margin=margin, discordant=discordant)
    found = {
        "n": n,
        "power": power,
        "alpha": 0.05,
        "margin": margin,
        "detectable_paired": powers.detectable_paired(n, discordant, power),
        "detectable_unpaired": powers.detectable_unpaired(n, base, power),
        "n_to_detect_margin_paired": powers.items_paired(margin, discordant, power),
        "n_to_detect_margin_unpaired": powers.items_unpaired(margin, base, power),
        "power_to_show_equivalence": shown,
        "n_to_show_equivalence": powers.items_equivalence(margin, discordant=discordant, power=power),
    }
    if json:
        print_json(found | {"base": base, "discordant": discordant})
        return

    def points(value: float | None, most: float) -> str:
        return f"none: not even {100 * most:g} points" if value is None else f"{100 * value:.1f} points"

    paired = found["n_to_detect_margin_paired"]

    rows = [
        (
            f"smallest difference that {n} items detect, the same items on both sides",
            points(found["detectable_paired"], discordant),
        ),
        (
            f"the same with other items on each side, from {100 * base:g}%",
            points(found["detectable_unpaired"], 1 - base),
        ),
        (
            f"items to detect {100 * margin:g} points, the same on both sides",
            str(paired or f"none: only {100 * discordant:g}% differ"),
        ),
        (f"items to detect {100 * margin:g} points, others on each side", str(found["n_to_detect_margin_unpaired"])),
        (
            f"chance that {n} items show two equal systems to be within {100 * margin:g} points",
            f"{100 * shown:.0f}%",
        ),
        (f"items to show that with {100 * power:g}% power", str(found["n_to_show_equivalence"])),
    ]
    remark = (
        f"Two-sided tests at 5%, power {100 * power:g}%; {100 * discordant:g}% of items right for just one system."
    )
    print_table(Table(f"What {n} items can show", ("question", "answer"), rows, remark))
