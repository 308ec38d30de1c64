"""A run with another limit -> the answers that the same run has under its own, which are not asked again.

It is the same run but for its items where the weights, the way to ask, the engine and the seed are the same; an
answer is taken over where its item's prompt is.
"""

from dataclasses import replace
from pathlib import Path

from rimbench.errors import DataError, UsageError
from rimbench.records import Record
from rimbench.running.plans import PlannedRun
from rimbench.store import RECORDS, Manifest, RunStore, find_runs, named, read_manifest, read_records


def take_over(run: PlannedRun, store: RunStore) -> Manifest | None:
    """Keep what the largest such run has answered, where this one has nothing yet; its manifest, or None."""
    if store.done or run.title or run.second or run.rows or run.ablated:
        return None
    others = (_answers(run, folder) for folder in find_runs(run.folder.parent) if folder != run.folder)
    manifest, records = max(filter(None, others), key=lambda other: len(other[1]), default=(None, []))
    store.append(records)
    return manifest


def _answers(run: PlannedRun, folder: Path) -> tuple[Manifest, list[Record]] | None:
    """The answers of a run that are this one's too; None where it is not the same but for its items, or has none."""
    if not folder.name.startswith(f"{run.cell.system.name[:80]}-{run.suite.name[:80]}-"):
        return None
    own, items = run.identity, run.suite.items.by_id
    try:
        manifest = read_manifest(folder)
        other = manifest.identity
        same = named(replace(other, suite=own.suite, prompts_sha256=own.prompts_sha256))
        if same.name_sha256 != own.name_sha256 or other.suite.wording != own.suite.wording:
            return None
        if other.prompts_sha256 is None and run.cell.reads_letters:
            return None
        prompts = run.prompt_hashes
        found = {
            (record.item_id, record.sample): record
            for record in read_records(folder / RECORDS)
            if record.answered
            and record.sample <= run.cell.samples
            and prompts.get(record.item_id) == record.prompt_sha256
            and items[record.item_id].gold == record.gold
        }
    except (DataError, UsageError):  # for a report to tell
        return None
    alike = _widest(run, {item_id for item_id, _ in found}) == _widest(run, set(prompts))
    return (manifest, list(found.values())) if found and alike else None


def _widest(run: PlannedRun, item_ids: set[str]) -> int:
    """The most options of some items, by which the tokens of all letters are chosen."""
    return max((len(run.suite.items.by_id[item_id].options) for item_id in item_ids), default=0)
