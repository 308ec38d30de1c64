"""Tables of pairs of systems: who is better, how sure that is, and what else there is to say of a pair."""

from collections.abc import Sequence

from rimbench.report.numbers import number, points, share
from rimbench.report.pairs import Pair
from rimbench.statistics.verdict import Settings
from rimbench.tabular import Table


def verdict_table(pairs: Sequence[Pair]) -> Table:
    """Every pair with its difference and its verdict."""
    methods = sorted({pair.comparison.difference.method for pair in pairs})
    return Table(
        "Who is better",
        ("suite", "pair", "n", "difference, points [95%]", "verdict"),
        tuple(
            (
                pair.suite,
                _name(pair),
                str(pair.n),
                points(pair.comparison.difference),
                pair.judgement.verdict or "too few items",
            )
            for pair in pairs
        ),
        f"First minus second, on the items that both have answered. Intervals: {', '.join(methods)}.",
        ("n",),
    )


def certainty_table(pairs: Sequence[Pair], settings: Settings, family: str) -> Table:
    """What each verdict rests on: the 2x2 counts, the tests, and what so many items can show."""
    rows = []
    for pair in pairs:
        comparison, table = pair.comparison, pair.comparison.table
        equal = comparison.equivalence
        within = "-" if equal.lo is None or equal.hi is None else f"[{100 * equal.lo:+.1f}, {100 * equal.hi:+.1f}]"
        counts = (table.both_right, table.a_only, table.b_only, table.both_wrong) if table else ()
        rows.append(
            (
                pair.suite,
                _name(pair),
                str(pair.n),
                "/".join(map(str, counts)) or "-",
                f"{comparison.p_value:.3g}",
                f"{pair.judgement.p_adjusted:.3g}",
                within,
                share(pair.detectable),
            )
        )
    sure = f"{100 * (1 - 2 * settings.alpha):.0f}%"
    tests = sorted({pair.comparison.test for pair in pairs})
    return Table(
        "How sure",
        ("suite", "pair", "n", "both/first/second/none right", "p", "Holm", f"[{sure}]", "detectable"),
        tuple(rows),
        f"p: {', '.join(tests)}; Holm: adjusted over {family}. Equivalent: the {sure} interval lies within "
        f"{100 * settings.margin:g} points. Detectable: the smallest difference, in points, that this test finds "
        "in 4 of 5 such comparisons.",
        ("n", "both/first/second/none right", f"[{sure}]"),
    )


def pair_details(pairs: Sequence[Pair]) -> Table:
    """What else there is to say of a pair: another interval, effect size, mid-p, pass@k, and why the verdict."""
    rows = []
    for pair in pairs:
        comparison, passed = pair.comparison, pair.pass_at_k
        rows.append(
            (
                pair.suite,
                points(comparison.bootstrap),
                number(comparison.effect) if comparison.effect else "-",
                "-" if comparison.mid_p is None else f"{comparison.mid_p:.3g}",
                str(passed[0]) if passed else "-",
                points(passed[1].difference) if passed else "-",
                f"{passed[1].p_value:.3g}" if passed else "-",
                pair.judgement.reason,
            )
        )
    columns = (
        "suite",
        "bootstrap, points [95%]",
        "Cohen's g [95%]",
        "mid-p",
        "k",
        "pass@k, points [95%]",
        "p",
        "why",
    )
    return Table(
        "Details",
        columns,
        tuple(rows),
        "p: of the difference of pass@k, by sign flips of questions.",
        ("Cohen's g [95%]", "bootstrap, points [95%]"),
    )


def _name(pair: Pair) -> str:
    return f"{pair.a} vs {pair.b}"
