"""Runs and pairs, broken down by a facet of their items: a column that the suite keeps, the number of options, or the
length of the question in words.

Many groups are looked at at once: Holm adjusts over the groups of a run, and of a pair. Neither touches the families
that the report's verdicts are judged within.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rimbench.plugins import unknown
from rimbench.records import Item
from rimbench.reporting.breakdown import Breakdown, Group, PairBreakdown, PairGroup
from rimbench.reporting.pairs import compare_runs
from rimbench.reporting.reading import RunData, resampling_of
from rimbench.reporting.variants import suite_label
from rimbench.statistics.estimate import Estimate, accuracy, bootstrap_share
from rimbench.statistics.unpaired import TwoSampleTest, independent_difference, two_proportion_test
from rimbench.statistics.verdict import Settings, holm
from rimbench.store import each_item

OPTIONS, LENGTH = "options", "length"
WORDS = (20, 50, 100, 200)
"""The last number of words of each band of lengths but the longest."""
NONE = "(none)"
"""The group of the items whose rows do not have the column."""
_BANDS = [f"{first + 1}-{last} words" for first, last in zip((0, *WORDS), WORDS, strict=False)]
_BANDS.append(f"over {WORDS[-1]} words")


class Facets:
    """The groups of every run's items by one facet; UsageError for one that no run keeps.

    `notes` name the runs whose items do not have it, as those that were made before their suite kept it.
    """

    def __init__(self, runs: Sequence[RunData], facet: str) -> None:
        self.facet = facet
        self.notes: list[str] = []
        self._groups: dict[str, dict[str, str]] = {}
        columns: set[str] = set()
        for run in runs:
            groups = {}
            for item in each_item(run.folder):
                columns |= (item.facets or {}).keys()
                groups[item.item_id] = group_of(item, facet)
            self._groups[run.manifest.run] = groups
        lacking = [name for name, groups in self._groups.items() if set(groups.values()) <= {NONE}]
        if runs and len(lacking) == len(runs):
            raise unknown("facet", facet, {*columns, OPTIONS, LENGTH})
        for name in lacking:
            del self._groups[name]
            self.notes.append(
                f"{name} keeps no {facet} with its items, and is not broken down: where its suite names the column "
                "as a facet, its command, started again, adds it"
            )

    def of(self, run: RunData) -> Mapping[str, str]:
        """The group of each item of a run; empty where the run does not have the facet."""
        return self._groups.get(run.manifest.run, {})

    def break_down(self, run: RunData, label: str) -> Breakdown | None:
        """A run by its groups; None for one without the facet, or without an answer."""
        groups = _gathered(self.of(run), run.answered)
        if not groups:
            return None
        found = [_group(run, name, items, _others(groups, name)) for name, items in groups.items()]
        return Breakdown(
            self.facet,
            run.manifest.run,
            run.manifest.system,
            run.manifest.suite,
            label,
            tuple(_adjusted(found)),
            suite_label(run.manifest),
        )

    def break_down_pair(
        self, pair: tuple[RunData, RunData], labels: tuple[str, str], how: Settings
    ) -> PairBreakdown | None:
        """A pair by the groups of the first run's items; None where there are none that both have answered."""
        groups = _gathered(self.of(pair[0]), pair[0].answered)
        compared = {
            name: found
            for name, items in groups.items()
            if (found := compare_runs(*pair, how, {item.item_id for item in items})) is not None
        }
        adjusted = holm([comparison.p_value for comparison, _ in compared.values()])
        made = tuple(
            PairGroup(name, n, comparison.difference, comparison.p_value, p_adjusted, comparison.test)
            for (name, (comparison, n)), p_adjusted in zip(compared.items(), adjusted, strict=True)
        )
        manifest = pair[0].manifest
        return PairBreakdown(self.facet, manifest.suite, *labels, made, suite_label(manifest)) if made else None


def group_of(item: Item, facet: str) -> str:
    """The group of an item: its value of the column, of that name, and else how many options or words it has."""
    if item.facets and facet in item.facets:
        return item.facets[facet]
    if facet == OPTIONS:
        return str(len(item.options))
    return _BANDS[bisect_left(WORDS, len(item.question.split()))] if facet == LENGTH else NONE


def _gathered(groups: Mapping[str, str], items: Iterable[Item]) -> dict[str, list[Item]]:
    """The items of each group: bands and numbers in their order, then names, and last those without."""
    found: dict[str, list[Item]] = {}
    for item in items:
        if item.item_id in groups:
            found.setdefault(groups[item.item_id], []).append(item)

    def place(name: str) -> tuple[bool, int, int, str]:
        number = int(name) if name.isdecimal() and len(name) < 10 else 0
        return name == NONE, _BANDS.index(name) if name in _BANDS else len(_BANDS), number, name

    return {name: found[name] for name in sorted(found, key=place)}


def _others(groups: Mapping[str, Sequence[Item]], name: str) -> list[Item]:
    return [item for other, items in groups.items() if other != name for item in items]


def _group(run: RunData, name: str, items: Sequence[Item], others: Sequence[Item]) -> Group:
    own, rest = _accuracy(run, items), _accuracy(run, others)
    assert own is not None  # a group has items
    test: TwoSampleTest | None = None
    if others and not run.by_draws and resampling_of([*items, *others]).clusters is None:
        counts = [(int(run.rights(part).sum()), len(part)) for part in (items, others)]
        test = two_proportion_test(*counts[0], *counts[1])
    p_value, method = (test.p_value, test.method) if test else (None, None)
    return Group(name, len(items), own, independent_difference(own, rest), p_value, p_value, method)


def _accuracy(run: RunData, items: Sequence[Item]) -> Estimate | None:
    estimate = bootstrap_share if run.by_draws else accuracy
    return estimate(run.scores(items), resampling_of(items)) if items else None


def _adjusted(groups: Sequence[Group]) -> list[Group]:
    """The groups with their p-values adjusted over all of them that have one."""
    adjusted = iter(holm([each.p_value for each in groups if each.p_value is not None]))
    return [each if each.p_value is None else replace(each, p_adjusted=next(adjusted)) for each in groups]
