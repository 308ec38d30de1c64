"""Two runs over the same frozen items -> what their difference is, and what it comes to within its family."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rimbench.errors import UsageError
from rimbench.report.cells import Cell, k_of, pass_values, resampling_of
from rimbench.report.families import ALL, Choice, Family, family_of_pair, name_all
from rimbench.report.reading import RunData
from rimbench.report.variants import name_of
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.power import detectable_paired
from rimbench.statistics.unpaired import independent_difference
from rimbench.statistics.verdict import (
    Comparison,
    Judgement,
    Settings,
    compare_outcomes,
    compare_scores,
    judge,
    judge_within,
)

IN_DISTRIBUTION = ("in-dist", "demo-in-dist")
"""The suites that are drawn as the training data were; the gap to the others is reported."""


@dataclass(frozen=True, eq=False)
class Pair:
    """`a` against `b` on one suite, a minus b, judged within their family: labels, the baseline second.

    `runs` are theirs; `n` counts the items that both have answered, of `n_asked`.
    """

    runs: tuple[RunData, RunData]
    a: str
    b: str
    n: int
    comparison: Comparison
    judgement: Judgement
    settings: Settings
    family: Family

    @property
    def n_asked(self) -> int:
        """The items of the suite."""
        return len(self.runs[0].items)

    @property
    def verdict(self) -> str:
        """The verdict in words, or why there is none."""
        if self.judgement.verdict is not None:
            return self.judgement.verdict
        return "partial" if self.judgement.reason.startswith("partial") else "too few items"

    @property
    def suite(self) -> str:
        """The suite of both."""
        return self.runs[0].manifest.suite

    @property
    def detectable(self) -> float | None:
        """The smallest difference that McNemar's test finds here with a power of 80%; None with clusters."""
        table = self.comparison.table
        if table is None or self.comparison.units != table.n:
            return None
        return detectable_paired(table.n, table.discordant / table.n, alpha=self.settings.alpha)

    @cached_property
    def pass_at_k(self) -> tuple[int, Comparison] | None:
        """k, and pass@k compared where both have as many draws; not part of the family."""
        a, b = self.runs
        ks = [k for k in map(k_of, self.runs) if k is not None]
        items = [item for item in a.sampled if item.item_id in b.drawn]
        if len(ks) < 2 or not items:
            return None
        k = min(ks)
        values_a, values_b = pass_values(a, items, k), pass_values(b, items, k)
        if values_a is None or values_b is None:
            return None
        judged_by = Settings(self.settings.margin, self.settings.alpha, resampling_of(items))
        compared = compare_scores(values_a, values_b, judged_by)
        return None if compared is None else (k, compared)


@dataclass(frozen=True, slots=True)
class Gap:
    """How much of a system's accuracy is lost from its in-distribution suite to another: unpaired items.

    `answered` and `asked` count the items of both suites, in that order.
    """

    system: str
    inside: str
    outside: str
    difference: Estimate
    answered: tuple[int, int]
    asked: tuple[int, int]


def compare_pairs(
    runs: Sequence[tuple[RunData, RunData]], labels: Mapping[str, str], how: Settings, choice: Choice
) -> list[Pair]:
    """The pairs of runs that share items, each judged within its family; `labels` are by run."""
    compared = [(a, b, found) for a, b in runs if (found := _compare(a, b, how)) is not None]
    if choice.family == ALL:
        suites = [a.manifest.suite for a, _, _ in compared]
        families = [name_all(suites)] * len(compared)
        judged = judge([comparison for _, _, (comparison, _) in compared])
    else:
        families = [family_of_pair(a, b, choice) for a, b, _ in compared]
        judged = tuple(judge_within(c, f.size) for (_, _, (c, _)), f in zip(compared, families, strict=True))
    return [
        Pair((a, b), labels[a.manifest.run], labels[b.manifest.run], n, comparison,
             judgement if choice.allow_partial else _of_whole(judgement, a, b), how, family)
        for (a, b, (comparison, n)), family, judgement in zip(compared, families, judged, strict=True)
    ]  # fmt: skip


def _of_whole(judgement: Judgement, a: RunData, b: RunData) -> Judgement:
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


def _compare(a: RunData, b: RunData, settings: Settings) -> tuple[Comparison, int] | None:
    if a.content_sha256 != b.content_sha256:
        return None
    answered = {item.item_id for item in b.answered}
    items = [item for item in a.answered if item.item_id in answered]
    scores_a, scores_b = ([run.score(item) for item in items] for run in (a, b))
    judged_by = Settings(settings.margin, settings.alpha, resampling_of(items))
    compare = compare_scores if a.by_draws or b.by_draws else compare_outcomes
    comparison = compare(scores_a, scores_b, judged_by)
    return None if comparison is None else (comparison, len(items))


def gaps(cells: Sequence[Cell]) -> list[Gap]:
    """For each system, its accuracy on the in-distribution suite minus that on each other suite; one cell a suite."""
    found = []
    for inside, outside in itertools.permutations(cells, 2):
        suite, other = inside.manifest.suite, outside.manifest.suite
        same_kind = other.startswith("demo-") == suite.startswith("demo-")
        if suite not in IN_DISTRIBUTION or other in IN_DISTRIBUTION or not same_kind:
            continue
        if name_of(inside.manifest) != name_of(outside.manifest):
            continue
        difference = independent_difference(inside.headline, outside.headline)
        if difference is not None:
            counts = (inside.n, outside.n), (inside.n_planned, outside.n_planned)
            found.append(Gap(name_of(inside.manifest), suite, other, difference, *counts))
    return found


@dataclass(frozen=True, slots=True)
class OrderEffect:
    """What happens to a system's answers when the options change places: n runs in different orders.

    Every run has answered at least `n` items, of `n_asked`. `mean_accuracy` is averaged over the orders. Of the
    `moved` answers, whose option stood under another letter in the other order, `follow_text` chose the same option
    again and `follow_letter` the same letter.
    """

    suite: str
    system: str
    orders: int
    mean_accuracy: float
    moved: int
    follow_text: int
    follow_letter: int
    n: int
    n_asked: int


def order_effect(runs: Sequence[RunData], shown_letters: Sequence[Mapping[str, Mapping[str, str]]]) -> OrderEffect:
    """Runs of one system on the same items in several orders; `shown_letters[i][item][own]` is the letter shown."""
    moved = text = letter = 0
    for (run_a, shown_a), (run_b, shown_b) in itertools.combinations(zip(runs, shown_letters, strict=True), 2):
        for item in run_a.answered:
            a, b = run_a.greedy[item.item_id].letter, run_b.greedy.get(item.item_id)
            if a is None or b is None or b.letter is None:
                continue
            of_item_a, of_item_b = shown_a[item.item_id], shown_b[item.item_id]
            if of_item_a[a] == of_item_b[a]:
                continue
            moved += 1
            text += b.letter == a
            letter += of_item_b[b.letter] == of_item_a[a]
    accuracies = [np.mean([run.right(item) for item in run.answered]) for run in runs]
    manifest, counts = runs[0].manifest, (min(len(run.answered) for run in runs), len(runs[0].items))
    system = name_of(manifest, but={"permute_options"})
    accuracy = float(np.mean(accuracies))
    return OrderEffect(manifest.suite, system, len(runs), accuracy, moved, text, letter, *counts)
