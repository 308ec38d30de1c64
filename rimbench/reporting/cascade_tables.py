"""A cascade as tables: the threshold that was chosen and how it was judged, and the frontier it was chosen from."""

from collections.abc import Sequence

from rimbench.display.tabular import Table
from rimbench.reporting.cascade_costs import CascadeCost
from rimbench.reporting.cascades import Cascade, CascadePoint
from rimbench.reporting.numbers import counted, decimal, milliseconds, percent, points, share

SHOWN = 12
"""So many points of a frontier are shown, spread over it; the JSON has all of them."""
COLUMNS = ("threshold", "passed on, %", "chosen on, %", "judged, % [95%]", "ms", "tokens", "generated")


def cascade_tables(found: Cascade) -> list[Table]:
    """What was chosen and judged, and the frontier."""
    return [_judged(found), _frontier(found), *([_measured(found)] if found.measured else [])]


def _judged(found: Cascade) -> Table:
    first, second, chosen = found.first, found.second, found.chosen
    rows = [
        (f"{first.label} alone", "-", percent(first.accuracy), "-", *_cost(first.cost)),
        (f"{second.label} alone", "-", percent(second.accuracy), "-", *_cost(second.cost)),
        (
            _say_threshold(found),
            share(chosen.passed_on.value),
            percent(chosen.accuracy),
            f"{points(found.against_first)} / {points(found.against_second)}",
            *_cost(chosen.cost),
        ),
    ]
    loss = "" if not found.loss else f" less {100 * found.loss:g} points"
    timed = "ms: not measured." if found.timed is None else f"ms: predicted from means measured at {found.timed}."
    return Table(
        f"Cascade on {found.shown_suite}: {first.label}, then {second.label}; N = {counted(found.n, found.n_asked)}",
        ("answers", "passed on, %", "accuracy, % [95%]", "against first / second", "ms", "tokens", "generated"),
        tuple(rows),
        f"Chosen on {found.n_choosing} items: the cheapest threshold that is as accurate as the best{loss}. All "
        f"figures are of the other {found.n_judging}. Split {found.split}. {timed} Tokens: of prompts and answers.",
        ("generated", "tokens"),
    )


def _say_threshold(found: Cascade) -> str:
    threshold = found.chosen.threshold
    if threshold is None:
        return "cascade, which passes everything on"
    if threshold == 0:
        return "cascade, which passes nothing on"
    return f"cascade, sure from a margin of {threshold:.3f}"


def _frontier(found: Cascade) -> Table:
    shown = _spread(found.frontier)
    left_out = len(found.frontier) - len(shown)
    more = f" {left_out} points more are in the JSON." if left_out else ""
    return Table(
        f"Accuracy against cost: {found.first.label}, then {found.second.label} on {found.shown_suite}",
        COLUMNS,
        tuple(
            (
                "-" if own.threshold is None else decimal(own.threshold, 3),
                share(own.passed_on.value),
                share(own.chosen_on),
                percent(own.accuracy),
                *_cost(own.cost),
            )
            for own in shown
        ),
        "Every threshold that is more accurate than each cheaper one on the half that chooses; judged: on the other "
        f"half, as share passed on, ms and tokens are.{more}",
        ("generated", "tokens"),
    )


def _measured(found: Cascade) -> Table:
    return Table(
        "Cascades that were timed end to end",
        ("system", "threshold", "measured, ms", "predicted, ms"),
        tuple(
            (own.label, decimal(own.threshold, 3), milliseconds(own.ms), milliseconds(own.predicted_ms))
            for own in found.measured
        ),
        f"A question's mean at {found.timed}. Predicted: the first's mean, and the second's as often as it is asked.",
    )


def _spread(frontier: Sequence[CascadePoint]) -> list[CascadePoint]:
    if len(frontier) <= SHOWN:
        return list(frontier)
    return [frontier[round(place * (len(frontier) - 1) / (SHOWN - 1))] for place in range(SHOWN)]


def _cost(cost: CascadeCost) -> tuple[str, str, str]:
    return milliseconds(cost.ms), decimal(cost.tokens, 0), decimal(cost.generated_tokens, 1)
