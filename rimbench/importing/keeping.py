"""Matched answers -> the records, the items and the manifest of a run, in the formats of any other run.

A run of answers from elsewhere is named from the system's name, the file, the suite and the format: importing the
same file again finds its run complete. What is not known of it is null, or said to be unknown; versions and commit
are those that the file states, never those of the machine that imports it.
"""

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rimbench import provenance
from rimbench.engines import UNKNOWN, EngineFacts
from rimbench.errors import DataError
from rimbench.extraction import extract, text_alone
from rimbench.importing.matching import Match, Matching, Target
from rimbench.importing.outcome import ImportFigures, sum_up
from rimbench.importing.reading import ForeignFile
from rimbench.records import Record, Status
from rimbench.store import (
    MANIFEST,
    SCHEMA_VERSION,
    FrozenItems,
    Identity,
    Import,
    Manifest,
    ModelSource,
    RunStore,
    Setup,
    SuiteSource,
    named,
)
from rimbench.systems import StatedAnswer

ENGINE = EngineFacts("imported", UNKNOWN, UNKNOWN)
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Imported:
    """The run that was kept, and what it comes to; `known` is True where the same file had been imported before."""

    folder: Path
    manifest: Manifest
    matching: Matching
    outcome: ImportFigures
    known: bool


def keep(file: ForeignFile, system: str, target: Target, matching: Matching, results: Path) -> Imported:
    """Write a run's folder, or complete one that was cut off; the same import twice changes nothing."""
    records = [_to_record(m, file.reading.mode, target) for m in matching.matches]
    answered = zip(matching.matches, records, strict=True)
    texts = [(m.answer.prediction, record.status) for m, record in answered if m.answer.prediction]
    unread = [text for text, status in texts if status != "ok"]
    # More than half: the number of an option may be another option's text.
    if 2 * len(unread) > len(texts) and not any(a.letter for a in file.reading.answers):
        raise DataError(
            f"{file.path}: none of its predictions is a letter, and {len(unread)} of {len(texts)} no option's text, "
            f"such as {unread[0][:40]!r}: expected A to J, the option's text, or null"
        )
    identity = _identify(file, target, matching, system)
    name = _name(system, target.suite.name, identity)
    with RunStore(results / name, target.suite.items.by_id) as store:
        kept = {*store.done, *store.failed}
        missing = [r for r in records if (r.item_id, r.sample) not in kept]
        known = not missing and (store.folder / MANIFEST).exists()
        manifest = _manifest(name, file, system, target, identity)
        manifest = dataclasses.replace(manifest, samples=max((r.sample for r in records), default=0))
        if known:
            store.write_items(target.suite.items)  # their suite may keep more of its columns by now
        else:
            store.write_manifest(manifest, target.suite.items)
            for start in range(0, len(missing), _CHUNK):
                store.append(missing[start : start + _CHUNK])
            if not matching.unanswered:
                manifest = manifest.ended(provenance.now())
                store.write_manifest(manifest, target.suite.items)
    return Imported(results / name, manifest, matching, sum_up(file.reading, target.suite, matching, records), known)


def _to_record(match: Match, mode: str, target: Target) -> Record:
    answer, item = match.answer, match.item
    letter, status = _judge(match, target)
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


def _judge(match: Match, target: Target) -> tuple[str | None, Status]:
    """The letter of the file's order that an answer states, and what became of the answer.

    A text without a letter is `refused` where a filter withheld it, and `truncated` where it was cut off.
    """
    answer = match.answer
    if answer.failure is not None:
        return None, "engine_error"
    if answer.given == "text":
        found = extract(answer.text, match.shown, target.reasoning_tags)
        if found.status != "no_answer":
            return found.letter, found.status
        return None, "refused" if answer.refused else "no_answer" if answer.finished else "truncated"
    letter = max(answer.logprobs, key=answer.logprobs.__getitem__) if answer.logprobs else answer.letter
    if answer.prediction:
        letter = text_alone(answer.prediction, match.shown)
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


def _identify(file: ForeignFile, target: Target, matching: Matching, system: str) -> Identity:
    """Everything that could change an answer; `extraction` is null where no text can be read again.

    That is so too where options stood in another order than the suite's: the texts name the file's letters.
    """
    texts = any(m.answer.given != "logprobs" and m.answer.text for m in matching.matches)
    reordered = any(m.reordered for m in matching.matches)
    sampling, how = file.reading.sampling, file.reading.read_by
    answer = StatedAnswer(
        mode=file.reading.mode,
        extraction="text" if texts and not reordered else None,
        max_new_tokens=sampling.max_new_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        reasoning_tags=target.reasoning_tags,
    )
    greedy = None if any(m.answer.sample == 0 for m in matching.matches) else "none"
    return named(
        Identity(
            suite=FrozenItems(target.suite.content_sha256),
            system=Setup(answer=answer, name=system),
            engine=ENGINE,
            imported=Import(file.format, file.sha256, reordered, how.get("score"), greedy),
        )
    )


def _name(system: str, suite: str, identity: Identity) -> str:
    folder = re.sub(r"[^\w.+-]+", "-", system).strip(".-") or "system"
    return f"{folder[:80]}-{suite[:80]}-{identity.name_sha256[:10]}"


def _manifest(name: str, file: ForeignFile, system: str, target: Target, identity: Identity) -> Manifest:
    suite = target.suite
    model = f"{file.reading.model} in {file.path.name}" if file.reading.model else file.path.name
    return Manifest(
        schema_version=SCHEMA_VERSION,
        run=name,
        system=system,
        suite=suite.name,
        n=len(suite.items),
        samples=0,
        identity=identity,
        suite_source=SuiteSource(**dataclasses.asdict(suite.source), seed=suite.seed, slice=suite.slice),
        model_source=ModelSource(model, file.sha256),
        versions=dict(file.reading.versions),
        device={"kind": "unknown"},
        commit=None,
        dirty=None,
        started_at=provenance.now(),
        ended_at=None,
        sessions=1,
        suite_file=suite.file,
    )
