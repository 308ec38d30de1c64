"""`rimbench plan`: what a number of items can show, before anything is run."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from rimbench.cli import options
from rimbench.cli.options import Margin, share_within
from rimbench.errors import UsageError

if TYPE_CHECKING:
    from rimbench.api.costs import Expected


_COST = "With --cost"


def plan(
    n: Annotated[int, typer.Option("--items", "--n", metavar="N", min=2, help="Items a cell.")] = 1000,
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
    cost: Annotated[
        bool, typer.Option("--cost", help="What runs will take instead, from a short probe of each.")
    ] = False,
    system: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="System by name or TOML file; repeat, or 'all'.", rich_help_panel=_COST),
    ] = None,
    suite: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Suite by name or TOML file; repeat, or 'all'.", rich_help_panel=_COST),
    ] = None,
    data: options.Data = None,
    model: options.Model = None,
    limit: options.Limit = None,
    samples: Annotated[
        int, typer.Option(metavar="N", min=0, max=999_999, help="Draws an item.", rich_help_panel=_COST)
    ] = 0,
    engine: Annotated[
        str | None, typer.Option(metavar="NAME", help="As of rimbench run.", rich_help_panel=_COST)
    ] = None,
    base_url: options.BaseUrl = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="As of rimbench run.", rich_help_panel=_COST)
    ] = None,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, help="Workers that will answer.", rich_help_panel=_COST)
    ] = 1,
    tensor_parallel: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="As of rimbench run.", rich_help_panel=_COST)
    ] = None,
    price_per_hour: Annotated[
        float | None,
        typer.Option(metavar="PRICE", min=0, max=1e9, help="What the machines cost.", rich_help_panel=_COST),
    ] = None,
    allow_outside: options.AllowOutside = False,
    results: options.Results = None,
) -> None:
    """Say what difference N items can detect, and what N a margin needs; or what a grid of runs will take.

    With --cost, a few random items of every run are asked for real, and timed; nothing is kept. The answers that are
    already there are not asked again, and not counted.

    Examples:

    \b
      rimbench plan --items 1000 --margin 0.03
      rimbench plan --items 4183 --discordant 0.2 --json
      rimbench plan --cost --system rim-v2 --system cot --suite medmcqa --samples 8 --price-per-hour 2.5
    """
    if cost:
        from rimbench.api.costs import Grid, expect

        grid = Grid(
            system or (), suite or (), tuple(data or ()), model, limit, samples, engine, batch_size, workers,
            tensor_parallel, allow_outside, results,
        )  # fmt: skip
        _print_costs(expect(grid, base_url), workers, price_per_hour, json=json)
        return
    if system or suite:
        raise UsageError("--system and --suite go with --cost: what N items can show depends on neither")
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


def _print_costs(costs: "Sequence[Expected]", workers: int, price_per_hour: float | None, *, json: bool) -> None:
    """A line a run, and one for all."""
    from rimbench.api.costs import total
    from rimbench.cli.output import print_json, print_table
    from rimbench.display.tabular import Table

    every = total(costs)
    if json:
        document = {"runs": [asdict(each) for each in costs], "all": asdict(every), "workers": workers}
        print_json(document | {"price_per_hour": price_per_hour})
        return

    def spread(cost: "Expected", times: float | None) -> str:
        """Money, or a time in the unit that suits it."""
        hours = [cost.load_h + (h or 0.0) for h in (cost.answer_h, cost.low_h, cost.high_h)]
        unit, word = next((u, w) for u, w in ((1, "h"), (60, "min"), (3600, "s")) if hours[0] * u >= 1 or u == 3600)
        value, low, high = (f"{h * times:.2f}" if times is not None else f"{h * unit:.3g}" for h in hours)
        value = f"{value} {word}" if times is None else value
        return value if cost.low_h is None or cost.high_h is None else f"{value} [{low}, {high}]"

    priced = price_per_hour is not None
    rows = [
        (
            cost.run,
            str(cost.answers),
            f"{3600 * cost.load_h:.0f}",
            spread(cost, None),
            *([spread(cost, price_per_hour)] if priced else []),
        )
        for cost in (*costs, every)
    ]
    remark = (
        "An estimate: a random few items of each run were asked by one worker and timed, and stand for all that is "
        f"missing, on {workers} worker{'s' if workers > 1 else ''}. [low, high] is the 95% interval of the mean over "
        "three stretches of the probe; that the machine may be busier then, or workers slow each other, is not in it."
    )
    columns = ("run", "answers", "load s", "time", *(["price"] if priced else []))
    print_table(Table("What it will take", columns, rows, remark))
