"""What a report says: every run's records read once and turned into cells, each estimate with its interval.

The same records give the same summary, whatever the machine: bootstraps take a fixed seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rimbench.errors import DataError
from rimbench.records import STATUSES, Item, Manifest, Record, Status
from rimbench.statistics.bootstrap import Resampling
from rimbench.statistics.estimate import Estimate, accuracy
from rimbench.statistics.passk import majority_at_k, pass_at_k, uniform_pass_at_k
from rimbench.store import RECORDS, find_runs, read_items, read_manifest, read_records

HEADLINE_K = 8
"""The k of pass@k and maj@k that is always given where there are as many samples."""


@dataclass(frozen=True, slots=True)
class PassAtK:
    """pass@k with its interval, and what a uniform guesser has on the same items."""

    k: int
    estimate: Estimate
    chance: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One run, summed up. `n` counts the items answered, `n_planned` those of the suite: fewer is partial."""

    manifest: Manifest
    n: int
    n_planned: int
    greedy_accuracy: Estimate | None
    pass_at_k: tuple[PassAtK, ...]
    maj_at_k: Mapping[int, Estimate]
    statuses: Mapping[Status, int]

    @property
    def partial(self) -> bool:
        """Whether greedy answers are missing."""
        return self.n < self.n_planned


@dataclass(frozen=True, slots=True)
class Summary:
    """Every run that a report is made from, in the order of suites and systems, and what to know of them."""

    cells: tuple[Cell, ...]
    notes: tuple[str, ...]


def summarise(results: Path) -> Summary:
    """Read every run below a results folder; DataError where there is none."""
    if not results.is_dir():
        raise DataError(f"no results folder {results}: make one with 'rimbench run --system S --suite T'")
    folders = find_runs(results)
    if not folders:
        raise DataError(f"no run in {results}: make one with 'rimbench run --system S --suite T'")
    cells = sorted((read_cell(folder) for folder in folders), key=_order)
    notes = [
        f"{cell.manifest.run} is partial: {cell.n} of {cell.n_planned} items have an answer"
        for cell in cells
        if cell.partial
    ]
    return Summary(tuple(cells), tuple(notes))


def read_cell(folder: Path) -> Cell:
    """One run's records, summed up."""
    manifest, items = read_manifest(folder), read_items(folder)
    greedy: dict[str, Record] = {}
    drawn: dict[str, list[Record]] = {}
    for record in read_records(folder / RECORDS):
        if record.item_id not in items:
            raise DataError(f"{folder / RECORDS} answers item '{record.item_id}', which is not in its items.jsonl")
        if record.sample == 0:
            greedy[record.item_id] = record
        else:
            drawn.setdefault(record.item_id, []).append(record)
    statuses = dict.fromkeys(STATUSES, 0)
    for record in greedy.values():
        statuses[record.status] += 1
    answered = [item for item in items.values() if item.item_id in greedy]
    drawn_items = [item for item in items.values() if item.item_id in drawn]
    return Cell(
        manifest=manifest,
        n=len(greedy),
        n_planned=len(items),
        greedy_accuracy=accuracy([greedy[item.item_id].correct for item in answered], _resampling(answered)),
        pass_at_k=_pass_at_k(drawn_items, drawn),
        maj_at_k=_maj_at_k(drawn_items, drawn),
        statuses=statuses,
    )


def _pass_at_k(items: Sequence[Item], drawn: Mapping[str, Sequence[Record]]) -> tuple[PassAtK, ...]:
    samples = [len(drawn[item.item_id]) for item in items]
    right = [sum(record.correct for record in drawn[item.item_id]) for item in items]
    options = [len(item.options) for item in items]
    estimates = ((k, pass_at_k(right, samples, k, _resampling(items))) for k in _ks(samples))
    return tuple(PassAtK(k, e, uniform_pass_at_k(options, k)) for k, e in estimates if e is not None)


def _maj_at_k(items: Sequence[Item], drawn: Mapping[str, Sequence[Record]]) -> dict[int, Estimate]:
    answers = [[record.answer for record in drawn[item.item_id]] for item in items]
    gold = [item.gold for item in items]
    estimates = ((k, majority_at_k(answers, gold, k, _resampling(items))) for k in _ks([len(a) for a in answers]))
    return {k: estimate for k, estimate in estimates if estimate is not None}


def _resampling(items: Sequence[Item]) -> Resampling:
    """Items that hang together, where the suite names them, are resampled together."""
    clustered = any(item.cluster is not None for item in items)
    return Resampling(clusters=[item.cluster for item in items] if clustered else None)


def _ks(samples: Sequence[int]) -> list[int]:
    """The k that are given: the headline's, or all samples where there are fewer."""
    return [min(HEADLINE_K, *samples)] if samples else []


def _order(cell: Cell) -> tuple[str, str, str]:
    return cell.manifest.suite, cell.manifest.system, cell.manifest.run
