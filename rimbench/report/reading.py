"""A run's folder -> `RunData`: its answers item by item, without their texts, so that many runs fit in memory."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rimbench.errors import DataError
from rimbench.records import Item, Manifest, Record, Status
from rimbench.store import RECORDS, read_items, read_manifest, read_records


@dataclass(frozen=True, slots=True)
class GreedyAnswer:
    """Sample 0 of an item: the letter that was read, what became of it, the letters' log-probabilities and mass."""

    letter: str | None
    status: Status
    option_logprobs: Mapping[str, float] | None
    label_mass: float | None = None


@dataclass(frozen=True, slots=True)
class RunData:
    """What a report needs of one run. `items` are in the suite's order; `greedy` and `drawn` are by item id.

    `drawn` holds the letters of samples 1..n in their order, None for an answer that names none; `drawn_right`
    counts those that are right, and `drawn_statuses` what became of the draws of all items together.
    """

    manifest: Manifest
    items: Mapping[str, Item]
    greedy: Mapping[str, GreedyAnswer]
    drawn: Mapping[str, tuple[str | None, ...]]
    drawn_right: Mapping[str, int]
    drawn_statuses: Mapping[Status, int]

    @property
    def by_draws(self) -> bool:
        """Whether there are draws alone, as of answers from elsewhere at a temperature: none of them is greedy."""
        return bool(self.drawn) and not self.greedy

    @property
    def answered(self) -> list[Item]:
        """The items that have a greedy answer, or of draws alone a draw, in the suite's order."""
        return self.sampled if self.by_draws else [i for i in self.items.values() if i.item_id in self.greedy]

    @property
    def sampled(self) -> list[Item]:
        """The items that have draws, in the suite's order."""
        return [item for item in self.items.values() if item.item_id in self.drawn]

    def right(self, item: Item) -> bool:
        """Whether the greedy answer to an answered item is right."""
        answer = self.greedy[item.item_id]
        return answer.status == "ok" and answer.letter == item.gold

    def score(self, item: Item) -> float:
        """How far an answered item is right: 0 or 1 by its greedy answer, of draws alone the share that is right."""
        if self.by_draws:
            return self.drawn_right[item.item_id] / len(self.drawn[item.item_id])
        return float(self.right(item))

    @property
    def content_sha256(self) -> str:
        """The hash of the frozen items: runs with different ones are never compared."""
        return str(self.manifest.identity["suite"]["content_sha256"])


def read_run(folder: Path) -> RunData:
    """Read one run; DataError for a record that its items do not know, or that answers one sample twice."""
    manifest, items = read_manifest(folder), read_items(folder)
    path = folder / RECORDS
    gold = {key: item.gold for key, item in items.items()}
    greedy: dict[str, GreedyAnswer] = {}
    drawn: dict[str, dict[int, str | None]] = defaultdict(dict)
    statuses: Counter[Status] = Counter()
    for record in read_records(path):
        key, sample = record.item_id, record.sample
        if gold.get(key) != record.gold:
            raise _unknown(path, record, gold)
        answered = drawn[key] if sample else {}
        if sample in answered or (sample == 0 and key in greedy):
            raise DataError(
                f"{path} answers sample {sample} of item '{key}' twice: delete one of the two lines, or start over "
                "with --fresh"
            )
        letter = record.answer if record.status == "ok" else None
        if sample:
            answered[sample] = letter
            statuses[record.status] += 1
        else:
            greedy[key] = GreedyAnswer(letter, record.status, record.option_logprobs, record.label_mass)
    ordered = {key: tuple(letters[i] for i in sorted(letters)) for key, letters in drawn.items()}
    right = {key: letters.count(gold[key]) for key, letters in ordered.items()}
    return RunData(manifest, items, greedy, ordered, right, statuses)


def _unknown(path: Path, record: Record, gold: Mapping[str, str]) -> DataError:
    if record.item_id not in gold:
        fault = f"{path} answers item '{record.item_id}', which is not in its items.jsonl"
    else:
        wanted = gold[record.item_id]
        fault = f"{path}: item '{record.item_id}' has gold {record.gold}, its items.jsonl {wanted}"
    return DataError(f"{fault}: the files of two runs are mixed; put them back, or start over with --fresh")
