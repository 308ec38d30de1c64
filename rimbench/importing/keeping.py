"""Matched answers -> the records, the items and the manifest of a run, in the formats of any other run.

A run of answers from elsewhere is named from the system's name, the file, the suite and the format: importing the
same file again finds its run complete. What is not known of it is null, or said to be unknown.
"""

import dataclasses
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rimbench import provenance
from rimbench.errors import UsageError
from rimbench.extraction import extract
from rimbench.importing.answers import ForeignAnswer
from rimbench.importing.matching import Match, Matching, Target
from rimbench.importing.reading import ForeignFile
from rimbench.records import SCHEMA_VERSION, STATUSES, Manifest, Record, Status
from rimbench.store import MANIFEST, RunStore

ENGINE = {"name": "imported", "device": "unknown", "dtype": "unknown", "batch_size": None}
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Imported:
    """The run that was kept. `right` counts greedy answers, of `n`, and `statuses` what became of them.

    `whole_file` counts (right, answers) of every greedy answer that the file gives with a letter and a gold letter
    of its own, whatever the suite leaves out; None where it gives none. `known` is True where the same file had
    been imported before.
    """

    folder: Path
    manifest: Manifest
    matching: Matching
    n: int
    right: int
    statuses: Mapping[Status, int]
    whole_file: tuple[int, int] | None
    known: bool
    notes: tuple[str, ...]


def keep(file: ForeignFile, system: str, target: Target, matching: Matching, results: Path) -> Imported:
    """Write a run's folder, or complete one that was cut off; the same import twice changes nothing."""
    if not system.strip() or not system.isprintable():
        raise UsageError(f"--system {system!r}: expected a name that can be printed, such as gpt-4o-mini")
    records = [_to_record(m, file.reading.mode) for m in matching.matches]
    identity = _identify(file, system, target, matching)
    name = _name(system, target.suite.name, identity)
    with RunStore(results / name) as store:
        missing = [r for r in records if (r.item_id, r.sample) not in store.done]
        known = not missing and (store.folder / MANIFEST).exists()
        manifest = _manifest(name, file, system, target, identity)
        manifest = dataclasses.replace(manifest, samples=max((r.sample for r in records), default=0))
        if not known:
            store.write_manifest(manifest, target.suite.items)
            for start in range(0, len(missing), _CHUNK):
                store.append(missing[start : start + _CHUNK])
            if not matching.unanswered:
                manifest = dataclasses.replace(manifest, ended_at=provenance.now())
                store.write_manifest(manifest, target.suite.items)
    greedy = [record for record in records if record.sample == 0]
    counts = Counter(record.status for record in greedy)
    return Imported(
        folder=results / name,
        manifest=manifest,
        matching=matching,
        n=len(greedy),
        right=sum(record.correct for record in greedy),
        statuses={status: counts[status] for status in STATUSES},
        whole_file=_count_whole(file.reading.answers),
        known=known,
        notes=(*file.reading.notes, *_notes(matching, records, target)),
    )


def _to_record(match: Match, mode: str) -> Record:
    answer, item = match.answer, match.item
    letter, status = _judge(match)
    own = match.letters.get(letter or "")
    return Record(
        item_id=item.item_id,
        sample=answer.sample,
        gold=item.gold,
        answer=own if status == "ok" else None,
        status=status,
        text=answer.failure or (own or "" if answer.given == "logprobs" else answer.text),
        option_logprobs=_normalised(match) if mode == "readout" else None,
        prompt_tokens=answer.prompt_tokens or 0,
        generated_tokens=answer.generated_tokens or 0,
        prompt_sha256=answer.prompt_sha256,
    )


def _judge(match: Match) -> tuple[str | None, Status]:
    """The letter of the file's order that an answer states, and what became of the answer.

    A text without a letter is `refused` where a filter withheld it, and `truncated` where it was cut off.
    """
    answer = match.answer
    if answer.failure is not None:
        return None, "engine_error"
    if answer.given == "text":
        found = extract(answer.text, match.shown)
        if found.status != "no_answer":
            return found.letter, found.status
        return None, "refused" if answer.refused else "no_answer" if answer.finished else "truncated"
    letter = max(answer.logprobs, key=answer.logprobs.__getitem__) if answer.logprobs else answer.letter
    return (letter, "ok") if letter in match.shown else (None, "no_answer")


def _normalised(match: Match) -> Mapping[str, float] | None:
    """Log-probabilities over the item's letters alone; None where the file's are of other letters."""
    given = match.answer.logprobs
    if given is None or given.keys() != match.letters.keys() or not all(map(math.isfinite, given.values())):
        return None
    top = max(given.values())
    total = top + math.log(sum(math.exp(value - top) for value in given.values()))
    by_own = {match.letters[letter]: value - total for letter, value in given.items()}
    return {letter: by_own[letter] for letter in match.item.options}


def _count_whole(answers: Sequence[ForeignAnswer]) -> tuple[int, int] | None:
    stated = [a for a in answers if a.given == "letter" and a.gold is not None and a.sample == 0]
    return (sum(a.letter == a.gold for a in stated), len(stated)) if stated else None


def _identify(file: ForeignFile, system: str, target: Target, matching: Matching) -> dict[str, Any]:
    """Everything that could change an answer; `extraction` is null where no text can be read again.

    That is so too where options stood in another order than the suite's: the texts name the file's letters.
    """
    texts = any(m.answer.given != "logprobs" and m.answer.text for m in matching.matches)
    reordered = any(m.reordered for m in matching.matches)
    answer = {
        "mode": file.reading.mode,
        "extraction": "text" if texts and not reordered else None,
        "max_new_tokens": None,
        "temperature": file.reading.temperature,
        "top_p": None,
    }
    return {
        "weights_sha256": None,
        "suite": {"content_sha256": target.suite.content_sha256},
        "system": {"name": system, "prompt": None, "memory": None, "answer": answer},
        "seed": None,
        "engine": ENGINE,
        "import": {"format": file.format, "sha256": file.sha256, "reordered": reordered},
    }


def _name(system: str, suite: str, identity: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    folder = re.sub(r"[^\w.+-]+", "-", system).strip(".-") or "system"
    return f"{folder[:80]}-{suite[:80]}-{digest[:10]}"


def _manifest(name: str, file: ForeignFile, system: str, target: Target, identity: Mapping[str, Any]) -> Manifest:
    suite = target.suite
    commit, dirty = provenance.commit()
    model = f"{file.reading.model} in {file.path.name}" if file.reading.model else file.path.name
    return Manifest(
        schema_version=SCHEMA_VERSION,
        run=name,
        system=system,
        suite=suite.name,
        n=len(suite.items),
        samples=0,
        identity=identity,
        suite_source=dataclasses.asdict(suite.source) | {"seed": suite.seed, "slice": suite.slice},
        model_source={"source": model, "revision": file.sha256},
        versions=provenance.library_versions() | dict(file.reading.versions),
        device={"kind": "unknown"},
        commit=commit,
        dirty=dirty,
        started_at=provenance.now(),
        ended_at=None,
        sessions=1,
        suite_file=suite.file,
    )


def _notes(matching: Matching, records: Sequence[Record], target: Target) -> list[str]:
    """What a person should know of the matching: what was left out, what is missing, what the file says else."""
    suite, sample = target.suite.name, len(target.suite.items)
    notes = []
    if matching.beyond_sample:
        count = len(matching.beyond_sample)
        notes.append(f"answers left out, to items of {suite} beyond its frozen sample of {sample}: {count}")
    if matching.faulty:
        notes.append(f"answers left out, to faulty rows of {suite}: {_some(matching.faulty)}")
    if matching.unknown:
        notes.append(f"answers to no item of {suite}: {_some(matching.unknown)}")
    if matching.unanswered:
        notes.append(f"items of {suite}, of {sample}, without an answer in the file: {_some(matching.unanswered)}")
    reordered = sum(m.reordered for m in matching.matches)
    if reordered:
        notes.append(
            f"answers to options in another order than {suite}'s: {reordered}; their letters were carried over, and "
            "'rimbench rescore' leaves this run alone"
        )
    if any(m.answer.gold is None for m in matching.matches):
        notes.append("not every answer states a gold letter: that the questions are the suite's is not checked there")
    if any(m.answer.prompt_tokens is None or m.answer.generated_tokens is None for m in matching.matches):
        notes.append("the file does not state the token counts of every answer: they are 0 in the records")
    judged = zip(matching.matches, records, strict=True)
    other = [r.item_id for m, r in judged if m.answer.right is not None and m.answer.right != r.correct]
    if other:
        notes.append(f"answers that the file itself scores otherwise: {_some(other)}")
    return notes


def _some(ids: Sequence[str]) -> str:
    """How many, and the first of them."""
    shown = 5
    more = f", and {len(ids) - shown} more: --json lists all" if len(ids) > shown else ""
    return f"{len(ids)} ({', '.join(ids[:shown])}{more})"
