"""Tables of pairs of systems: who is better, how sure that is, and what else there is to say of a pair."""

from collections.abc import Sequence

from rimbench.display.tabular import Table
from rimbench.reporting.compared import Pair
from rimbench.reporting.numbers import counted, interval, number, points, share


def verdict_table(pairs: Sequence[Pair]) -> Table:
    """Every pair with its difference and its verdict."""
    methods = sorted({pair.method for pair in pairs})
    return Table(
        "Who is better",
        ("suite", "pair", "n", "difference, points [95%]", "verdict"),
        tuple(
            (
                pair.shown_suite,
                pair_name(pair),
                counted(pair.n, pair.n_asked),
                points(pair.difference),
                pair.said,
            )
            for pair in pairs
        ),
        f"First minus second, on the items that both have answered. Intervals: {', '.join(methods)}. "
        f"{_say_families(pairs)}",
        _whole_n(pairs),
    )


def certainty_table(pairs: Sequence[Pair], margin: float, alpha: float) -> Table:
    """What each verdict rests on: the 2x2 counts, the tests, and what so many items can show."""
    rows = []
    for pair in pairs:
        within = interval(*(pair.equivalence.interval or (None, None)), signed=True)
        counts = [count for row in pair.table or () for count in row]
        rows.append(
            (
                pair.shown_suite,
                pair_name(pair),
                counted(pair.n, pair.n_asked),
                "/".join(map(str, counts)) or "-",
                f"{pair.p_value:.3g}",
                str(pair.family.size),
                f"{pair.p_adjusted:.3g}",
                within,
                share(pair.detectable),
            )
        )
    sure = f"{100 * (1 - 2 * alpha):.0f}%"
    tests = sorted({pair.test for pair in pairs})
    return Table(
        "How sure",
        ("suite", "pair", "n", "both/first/second/none right", "p", "of", "adjusted", f"[{sure}]", "detectable"),
        tuple(rows),
        f"p: {', '.join(tests)}; adjusted for so many comparisons. {_say_families(pairs)} Equivalent: the {sure} "
        f"interval lies within {100 * margin:g} points. Detectable: the smallest difference, in points, "
        "that this test finds in 4 of 5 such comparisons.",
        (*_whole_n(pairs), "both/first/second/none right", f"[{sure}]"),
    )


def pair_details(pairs: Sequence[Pair]) -> Table:
    """What else there is to say of a pair: another interval, effect size, mid-p, pass@k, and why the verdict."""
    rows = []
    for pair in pairs:
        passed = pair.pass_at_k
        rows.append(
            (
                pair.shown_suite,
                points(pair.bootstrap) if pair.bootstrap else "-",
                number(pair.effect) if pair.effect else "-",
                "-" if pair.mid_p is None else f"{pair.mid_p:.3g}",
                str(passed.k) if passed else "-",
                counted(passed.difference.n, pair.n_asked) if passed else "-",
                points(passed.difference) if passed else "-",
                f"{passed.p_value:.3g}" if passed else "-",
                pair.reason,
            )
        )
    columns = (
        "suite",
        "bootstrap, points [95%]",
        "Cohen's g [95%]",
        "mid-p",
        "k",
        "its n",
        "pass@k, points [95%]",
        "p",
        "why",
    )
    return Table(
        "Details",
        columns,
        tuple(rows),
        "p: of the difference of pass@k, by sign flips of questions; its n: the questions with draws of both.",
        ("Cohen's g [95%]", "bootstrap, points [95%]"),
    )


def _say_families(pairs: Sequence[Pair]) -> str:
    """Which comparisons each verdict is given among, and by which adjustment."""
    families = dict.fromkeys(pair.family for pair in pairs)
    said = [f.pairs if f.adjustment == "none" else f"{f.pairs} ({f.adjustment})" for f in families]
    return f"Family: {'; or '.join(said)}." if said else ""


def _whole_n(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """The n of whole pairs may be left out, that of a partial one never."""
    return ("n",) if all(pair.n == pair.n_asked for pair in pairs) else ()


def pair_name(pair: Pair) -> str:
    """A pair as a table names it."""
    return f"{pair.a} vs {pair.b}"
