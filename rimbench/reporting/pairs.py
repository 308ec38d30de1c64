"""Two runs over the same frozen items -> what their difference is, and what it comes to within its family."""

import itertools
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rimbench.errors import UsageError
from rimbench.reporting.compared import Gap, OrderEffect, Pair, PassDifference, WithinMargin
from rimbench.reporting.document import CellResult
from rimbench.reporting.families import ALL, Choice, Family, family_of_pair, name_all
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.reading import RunData, resampling_of
from rimbench.reporting.variants import controls_of, name_of, suite_label
from rimbench.statistics.power import detectable_paired, items_deciding
from rimbench.statistics.unpaired import independent_difference
from rimbench.statistics.verdict import (
    Comparison,
    Judgement,
    Settings,
    compare_outcomes,
    compare_scores,
    judge_family,
    judge_within,
    resampled_difference,
)
from rimbench.suites import catalogue
from rimbench.suites.controls import show_item


def compare_pairs(
    runs: Sequence[tuple[RunData, RunData]], labels: Mapping[str, str], how: Settings, choice: Choice
) -> list[Pair]:
    """The pairs of runs that share items, each judged within its family; `labels` are by run."""
    compared = [(a, b, found) for a, b in runs if (found := compare_runs(a, b, how)) is not None]
    if choice.family == ALL:
        suites = [a.manifest.suite for a, _, _ in compared]
        families = [name_all(suites)] * len(compared)
        judged = judge_family([comparison for _, _, (comparison, _) in compared])
    else:
        families = [family_of_pair(a, b, choice) for a, b, _ in compared]
        judged = tuple(judge_within(c, f.size) for (_, _, (c, _)), f in zip(compared, families, strict=True))
    if not choice.allow_partial:
        judged = tuple(of_whole(each, a, b) for (a, b, _), each in zip(compared, judged, strict=True))
    return [
        _pair((a, b), (labels[a.manifest.run], labels[b.manifest.run]), found, (family, judgement), how)
        for (a, b, found), family, judgement in zip(compared, families, judged, strict=True)
    ]


def _pair(
    runs: tuple[RunData, RunData],
    named: tuple[str, str],
    found: tuple[Comparison, int],
    judged: tuple[Family, Judgement],
    how: Settings,
) -> Pair:
    (comparison, n), (family, judgement), manifest = found, judged, runs[0].manifest
    table, equal = comparison.table, comparison.equivalence
    detectable = deciding = None
    if table is not None and comparison.units == table.n:  # with clusters, McNemar's power is not known
        detectable = detectable_paired(table.n, table.discordant / table.n, alpha=how.alpha)
        if judgement.verdict == "undecided":
            shape = comparison.difference.value, table.discordant / table.n
            deciding = items_deciding(*shape, how.margin, how.alpha, family.size)
    return Pair(
        suite=manifest.suite,
        a=named[0],
        b=named[1],
        n=n,
        difference=comparison.difference,
        p_value=comparison.p_value,
        p_adjusted=judgement.p_adjusted,
        verdict=judgement.verdict,
        table=table.rows if table else None,
        n_asked=len(runs[0].items),
        reason=judgement.reason,
        family=family,
        runs=(manifest.run, runs[1].manifest.run),
        suite_file=manifest.suite_file,
        method=comparison.difference.method,
        test=comparison.test,
        units=comparison.units,
        mid_p=comparison.mid_p,
        bootstrap=comparison.bootstrap,
        effect=comparison.effect,
        detectable=detectable,
        n_deciding=deciding,
        equivalence=WithinMargin(
            equal.shown,
            equal.margin,
            1 - 2 * equal.alpha,
            None if equal.lo is None or equal.hi is None else (equal.lo, equal.hi),
            equal.p_value,
            equal.method,
        ),
        pass_at_k=_pass_difference(*runs),
        shown_suite=suite_label(manifest),
    )


def _pass_difference(a: RunData, b: RunData) -> PassDifference | None:
    """pass@k compared where both have as many draws."""
    items = [item for item in a.sampled if item.item_id in b.drawn]
    if a.k is None or b.k is None or not items:
        return None
    k = min(a.k, b.k)
    values = a.pass_values(items, k), b.pass_values(items, k)
    if values[0] is None or values[1] is None:
        return None
    compared = resampled_difference(values[0], values[1], resampling_of(items))
    return None if compared is None else PassDifference(k, *compared)


def of_whole(judgement: Judgement, a: RunData, b: RunData) -> Judgement:
    """No verdict where answers are missing: those that are there may be no random part."""
    lacking = [f"{len(run.answered)} of {len(run.items)}" for run in (a, b) if len(run.answered) < len(run.items)]
    if not lacking:
        return judgement
    reason = f"partial, {' and '.join(lacking)} items answered: let it go on, or give --allow-partial"
    return replace(judgement, verdict=None, reason=reason)


def check_same_items(a: RunData, b: RunData) -> None:
    """UsageError where two runs of one suite are over different frozen items."""
    if a.content_sha256 != b.content_sha256:
        raise UsageError(
            f"{a.manifest.run} and {b.manifest.run} are over different frozen items of suite {a.manifest.suite} "
            f"({a.content_sha256[:10]}, {b.content_sha256[:10]}): run both on the same suite and --limit"
        )


def unlike_items(runs: Sequence[RunData]) -> list[str]:
    """A line for each suite whose runs are over different frozen items, and so are not all compared."""
    found = []
    for suite in sorted({run.manifest.suite for run in runs}):
        items: dict[str, list[str]] = {}
        for run in runs:
            if run.manifest.suite == suite:
                items.setdefault(f"{run.content_sha256[:10]}, {len(run.items)} items", []).append(
                    name_of(run.manifest)
                )
        if len(items) > 1:
            groups = "; ".join(f"{', '.join(systems)} ({which})" for which, systems in items.items())
            found.append(f"on {suite}, systems over different frozen items are not compared: {groups}")
    return found


def compare_runs(
    a: RunData, b: RunData, settings: Settings, within: Container[str] | None = None
) -> tuple[Comparison, int] | None:
    """Two runs on the items that both have answered, of those `within`, and how many these are; None for none."""
    if a.content_sha256 != b.content_sha256:
        return None
    answered = {item.item_id for item in b.answered}
    items = [i for i in a.answered if i.item_id in answered and (within is None or i.item_id in within)]
    scores_a, scores_b = (run.scores(items) for run in (a, b))
    judged_by = Settings(settings.margin, settings.alpha, resampling_of(items))
    compare = compare_scores if a.by_draws or b.by_draws else compare_outcomes
    comparison = compare(scores_a, scores_b, judged_by)
    return None if comparison is None else (comparison, len(items))


def gaps(cells: Sequence[CellResult]) -> list[Gap]:
    """For each system, its accuracy on the in-distribution suite minus that on each other suite; one cell a suite."""
    found = []
    for inside, outside in itertools.permutations(cells, 2):
        role, other = catalogue.role(inside.suite), catalogue.role(outside.suite)
        if not role.in_distribution or other.in_distribution or role.generated != other.generated:
            continue
        if inside.name != outside.name:
            continue
        headlines = (cell.metric(Accuracy).headline.estimate for cell in (inside, outside))
        difference = independent_difference(*headlines)
        if difference is not None:
            counts = (inside.n, outside.n), (inside.n_asked, outside.n_asked)
            found.append(Gap(inside.name, inside.suite, outside.suite, difference, *counts))
    return found


def order_effects(runs: Sequence[RunData]) -> list[OrderEffect]:
    """Systems that answered the same items in several orders of the options, all else equal."""
    groups: dict[tuple[object, ...], list[RunData]] = {}
    for run in runs:
        manifest = run.manifest
        same = manifest.identity.unordered_sha256, controls_of(manifest).blind
        groups.setdefault((manifest.system, manifest.suite, *same), []).append(run)
    return [_order_effect(group, list(map(_shown_letters, group))) for group in groups.values() if len(group) > 1]


def _shown_letters(run: RunData) -> dict[str, Mapping[str, str]]:
    """By item, the letter under which each of its own letters was shown."""
    controls = controls_of(run.manifest)
    return {
        item.item_id: {own: shown for shown, own in show_item(item, controls).own_letters.items()}
        for item in run.items.values()
    }


def _order_effect(runs: Sequence[RunData], shown_letters: Sequence[Mapping[str, Mapping[str, str]]]) -> OrderEffect:
    moved = text = letter = 0
    for (run_a, shown_a), (run_b, shown_b) in itertools.combinations(zip(runs, shown_letters, strict=True), 2):
        for item in run_a.answered:
            a, b = run_a.greedy[item.item_id], run_b.greedy.get(item.item_id)
            if a is None or b is None:
                continue
            of_item_a, of_item_b = shown_a[item.item_id], shown_b[item.item_id]
            if of_item_a[a] == of_item_b[a]:
                continue
            moved += 1
            text += b == a
            letter += of_item_b[b] == of_item_a[a]
    manifest = runs[0].manifest
    return OrderEffect(
        suite=manifest.suite,
        system=name_of(manifest, but={"permute_options", "rotate_options"}),
        n=min(len(run.answered) for run in runs),
        n_asked=len(runs[0].items),
        orders=len(runs),
        mean_accuracy=float(np.mean([np.mean(run.rights(run.answered)) for run in runs])),
        moved=moved,
        follow_text=text / moved if moved else None,
        follow_letter=letter / moved if moved else None,
    )
