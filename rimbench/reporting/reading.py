"""Runs' folders -> `RunData`: their answers item by item, without their texts, so that many runs fit in memory."""

import dataclasses
import hashlib
import itertools
import operator
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rimbench.errors import DataError
from rimbench.records import LETTERS, MOST_SAMPLES, Item, Status
from rimbench.reporting.columns import ITEM_ID, Draws, GreedyAnswers, Rows, as_rows, places
from rimbench.reporting.selection import EVERY, Selection
from rimbench.statistics import estimate, halves, passk
from rimbench.statistics.bootstrap import FloatArray, Resampling
from rimbench.store import (
    ITEMS,
    RECORDS,
    Answers,
    Manifest,
    check_name,
    each_item,
    find_runs,
    find_without_manifest,
    read_manifest,
    say_edited,
    values_again,
)
from rimbench.store.lines import open_kept

T = TypeVar("T")
_GOLD, _CLUSTER, _OPTIONS = map(operator.attrgetter, ("gold", "cluster", "options"))
_DETAILS = ("option_logprobs", "prompt_tokens", "generated_tokens")
LEFT_OUT = "left out: "
"""How a note on a run begins that cannot be read."""
HEADLINE_K = 8
"""The k of pass@k and maj@k that is always given where there are as many samples."""


@dataclass(frozen=True)
class RunData:
    """What a report needs of one run. `items`, without their texts, are in the suite's order; `greedy` and `drawn`
    are by item id.

    `drawn` holds the letters of samples 1..n in their order, None for an answer that names none, and `drawn_statuses`
    counts what became of the draws of all items together. What the engine failed on, unless the user said that this
    is final, is not answered: `failed` counts it. `missing` counts the answers that the run was asked for and lacks,
    those among them; `edited` lists the lines of its records that were changed after they were written, and `shown`
    holds, item by item, where in the file its first sample's line begins, -1 where there is none.
    """

    folder: Path
    manifest: Manifest
    items: Mapping[str, Item]
    greedy: GreedyAnswers
    drawn: Mapping[str, tuple[str | None, ...]]
    drawn_statuses: Mapping[Status, int]
    missing: int = 0
    failed: int = 0
    edited: tuple[int, ...] = ()
    shown: Rows = dataclasses.field(default_factory=lambda: as_rows([]))

    @property
    def by_draws(self) -> bool:
        """Whether there are draws alone, as of answers from elsewhere at a temperature: none of them is greedy."""
        return bool(self.drawn) and not self.greedy

    @cached_property
    def answered(self) -> list[Item]:
        """The items that have a greedy answer, or of draws alone a draw, in the suite's order."""
        return self.sampled if self.by_draws else self._among(self.greedy.rows)

    @cached_property
    def sampled(self) -> list[Item]:
        """The items that have draws, in the suite's order."""
        return self._among(self.drawn)

    def _among(self, ids: Mapping[str, object]) -> list[Item]:
        items = self.items.values()
        return list(items) if len(ids) == len(items) else [item for item in items if item.item_id in ids]

    def rights(self, items: Sequence[Item]) -> NDArray[np.bool_]:
        """Whether the greedy answers to these items are right."""
        return np.equal(self.greedy.columns(items).letters, places(map(_GOLD, items)))

    def scores(self, items: Sequence[Item]) -> FloatArray:
        """How far answered items are right: 0 or 1 by the greedy answer, of draws alone the share that is right."""
        right = self.pass_values(items, 1) if self.by_draws else self.rights(items).astype(float)
        return np.empty(0) if right is None else right

    @property
    def k(self) -> int | None:
        """The k that is given: the headline's, or all samples where there are fewer; None without draws."""
        return min([HEADLINE_K, *map(len, self.drawn.values())]) if self.drawn else None

    def pass_values(self, items: Sequence[Item], k: int) -> FloatArray | None:
        """pass@k item by item, from the draws; None where an item has fewer than k."""
        counts = self._right_of_sampled if items == self.sampled else self._right_draws(items)
        return passk.pass_values(*counts, k)

    def _right_draws(self, items: Sequence[Item]) -> tuple[Sequence[int], Sequence[int]]:
        """How many draws of each item are right, and how many there are."""
        drawn = [self.drawn.get(item_id, ()) for item_id in map(ITEM_ID, items)]
        return list(map(tuple.count, drawn, map(_GOLD, items))), list(map(len, drawn))

    @cached_property
    def _right_of_sampled(self) -> tuple[Sequence[int], Sequence[int]]:
        return self._right_draws(self.sampled)

    def mean_over_draws(self) -> estimate.Estimate | None:
        """Accuracy averaged over the draws; None without any."""
        values = self.pass_values(self.sampled, 1) if self.drawn else None
        return None if values is None else estimate.bootstrap_share(values, resampling_of(self.sampled))

    def with_greedy(self, items: Sequence[Item]) -> Sequence[Item]:
        """Those of these items that have a greedy answer."""
        every = len(self.greedy) == len(self.items)
        return items if every else [item for item in items if item.item_id in self.greedy.rows]

    def read_out(self, items: Sequence[Item]) -> Sequence[Item]:
        """Those of these items whose greedy answer has log-probabilities."""
        answered = self.with_greedy(items)
        read_out = self.greedy.columns(answered).is_read_out
        return answered if read_out.all() else list(itertools.compress(answered, read_out.tolist()))

    @cached_property
    def all_read_out(self) -> Sequence[Item]:
        """The answered items whose greedy answer has log-probabilities."""
        return self.read_out(self.answered)

    @cached_property
    def choosing_half(self) -> NDArray[np.bool_]:
        """Which of those a threshold is chosen on, or a temperature fitted."""
        return choosing_half_of(self.all_read_out)

    def logprob_table(self, items: Sequence[Item]) -> tuple[FloatArray, NDArray[np.intp]]:
        """Log-probabilities (items, most options), short items filled up with -inf, and the gold columns."""
        width = max(map(len, map(_OPTIONS, items)))
        table = self.greedy.columns(items).logprobs[:, :width].copy()
        table[np.isnan(table)] = -np.inf
        return table, places(map(_GOLD, items)).astype(np.intp)

    @property
    def content_sha256(self) -> str:
        """The hash of the frozen items: runs with different ones are never compared."""
        return self.manifest.identity.suite.content_sha256


def resampling_of(items: Sequence[Item]) -> Resampling:
    """Items that hang together, where the suite names them, are resampled together."""
    hang_together = set(map(_CLUSTER, items)) - {None}
    return Resampling(clusters=list(map(_CLUSTER, items)) if hang_together else None)


def choosing_half_of(items: Sequence[Item]) -> NDArray[np.bool_]:
    """Which of these items a threshold is chosen on; clusters stay whole."""
    return halves.choosing_half([item.item_id for item in items], resampling_of(items).clusters)


def read_run(folder: Path, known: MutableMapping[bytes, Mapping[str, Item]] | None = None) -> RunData:
    """Read one run; DataError where its folder is not called after it, or its records are not as they must be.

    `known` keeps the items by the hash of their file, for other runs of the same suite.
    """
    manifest = read_manifest(folder)
    check_name(folder, manifest)
    items = _items_of(folder, {} if known is None else known)
    rows = {item_id: row for row, item_id in enumerate(items)}
    greedy, draws, shown = GreedyAnswers(rows), Draws(), _Shown(len(items))
    answers = Answers(folder, items)
    for heads in answers.heads():
        at, samples = as_rows(map(rows.__getitem__, heads.item_ids)), as_rows(heads.samples)
        letters = places(heads.answers)
        drawn, first = samples > 0, samples == 0
        shown.put(at, samples, as_rows(heads.starts))
        draws.put(at[drawn], samples[drawn], letters[drawn], itertools.compress(heads.statuses, drawn.tolist()))
        details = values_again(folder / RECORDS, itertools.compress(heads.lines, first), _DETAILS, ["label_mass"])
        greedy.put(at[first], letters[first], itertools.compress(heads.statuses, first), details)
    final = [failure for failure in answers.failures.values() if failure.record.final]
    for failure in final:
        record = failure.record
        at, samples, letters = as_rows([rows[record.item_id]]), as_rows([record.sample]), places([""])
        answers.kept.add(record.item_id, record.sample)
        shown.put(at, samples, as_rows([failure.start]))
        if record.sample:
            draws.put(at, samples, letters, [record.status])
        else:
            of_it = [(record.option_logprobs, record.prompt_tokens, record.generated_tokens, record.label_mass)]
            greedy.put(at, letters, [record.status], of_it)
    drawn_letters = draws.by_item(items)
    first = 1 if drawn_letters and not greedy else 0  # answers from elsewhere may be draws alone
    missing = answers.kept.missing(items, manifest.samples, first)
    failed, edited = len(answers.failures) - len(final), tuple(answers.edited)
    counts = missing, failed, edited
    return RunData(folder, manifest, items, greedy, drawn_letters, draws.statuses, *counts, shown.starts)


def _items_of(folder: Path, known: MutableMapping[bytes, Mapping[str, Item]]) -> Mapping[str, Item]:
    with open_kept(folder / ITEMS) as file:
        held = hashlib.file_digest(file, "sha256").digest()
    if held not in known:
        known[held] = {item.item_id: without_texts(item) for item in each_item(folder)}
    return known[held]


class _Shown:
    """Where the line of each item's smallest sample begins: `starts`, -1 where there is none."""

    def __init__(self, items: int) -> None:
        self.starts = np.full(items, -1, dtype=np.int64)
        self._samples = np.full(items, MOST_SAMPLES, dtype=np.int64)

    def put(self, at: Rows, samples: Rows, starts: Rows) -> None:
        """Add lines to the items of these rows, in any order."""
        sooner = np.flatnonzero(samples < self._samples[at])
        last = sooner[np.argsort(-samples[sooner])]  # the smallest of an item is put last, and stays
        self._samples[at[last]], self.starts[at[last]] = samples[last], starts[last]


def without_texts(item: Item) -> Item:
    """The item's letters, gold and cluster: what an answer is judged by. Texts would take most of the memory."""
    return Item(item.item_id, "", _NO_TEXTS[len(item.options)], item.gold, item.cluster)


_NO_TEXTS = [dict.fromkeys(LETTERS[:count], "") for count in range(len(LETTERS) + 1)]


def read_runs(results: Path, selection: Selection = EVERY) -> tuple[list[RunData], list[str]]:
    """Every run of a results folder, or of a selection, that can be read, and a sentence on each that cannot, or that
    was changed.
    """
    runs, notes, known = [], [], dict[bytes, Mapping[str, Item]]()
    for folder in find_runs(results):
        try:
            if selection and selection.leaves_out(manifest := read_manifest(folder), name=manifest.run):
                continue
            run = read_run(folder, known)
        except DataError as error:
            notes.append(f"{LEFT_OUT}{error}")
            continue
        runs.append(run)
        if run.edited:
            notes.append(say_edited(folder, run.edited))
    notes += [
        f"{LEFT_OUT}{folder} holds records and no manifest: start its command again, which writes one"
        for folder in find_without_manifest(results)
    ]
    return runs, notes


def find_below(
    results: Path,
    kind: tuple[str, Collection[str]],
    read: Callable[[Path], T],
    say: Callable[[str], None],
    selection: Selection,
) -> Iterator[tuple[str, T]]:
    """What is read of each folder of runs of a selection, by name; `say` is told of one that cannot be read, or lacks
    a run yet, which is left out. `kind` is how such a folder's name ends, and what its runs themselves depart in.
    """
    ending, own = kind
    for folder in sorted(results.glob(f"*{ending}")):
        try:
            inner = find_runs(folder) if selection else []
            if inner and selection.leaves_out(read_manifest(inner[0]), own):
                continue
            found = read(folder)
        except DataError as error:
            say(f"left out: {error}")
            continue
        yield folder.name, found
