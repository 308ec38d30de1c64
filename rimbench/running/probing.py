"""A few items of every planned run, asked and timed, to say what the whole will take. Nothing is kept."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from rimbench.engines import Answering, Engine, Request
from rimbench.running.batches import passes, plan, samples_of
from rimbench.running.cluster import RayCluster, Workers
from rimbench.running.completion import Progress, open_model
from rimbench.running.models import LoadedModels
from rimbench.running.plans import PlannedRun
from rimbench.running.workers import Pool
from rimbench.store import RECORDS, Answers, Kept

TIMED_BATCHES = 6
"""Batches of each run that are timed, behind one that is not: a first call is slower."""
OF_ITSELF = 32
"""So many items at once, for an engine that schedules by itself."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a run lacks, and what a part of it took: `items` are what has to be asked in whole items, all passes of
    each, `load_s` is 0 where the model was loaded for an earlier run, and `item_ms` are the milliseconds an item, all
    its answers, of each timed batch.
    """

    run: PlannedRun
    answers: int
    items: float
    load_s: float
    item_ms: tuple[float, ...]


def probe_all(runs: Sequence[PlannedRun], progress: Progress) -> list[Probe]:
    """Time a random few items of each run that lacks answers, in batches as they are asked, by one worker."""
    probes = list[Probe]()
    models: LoadedModels[Answering | Pool]
    loaded = set()
    with LoadedModels() as models:
        for run in runs:
            answers, items = _lacking(run)
            if answers == 0:
                probes.append(Probe(run, 0, 0.0, 0.0, ()))
                continue
            held = open_model(run, runs, models, RayCluster(Workers()), progress)
            assert not isinstance(held.model, Pool)
            load_s = 0.0 if run.model_key in loaded else held.load_s
            loaded.add(run.model_key)
            probes.append(Probe(run, answers, items, load_s, _time(run, held.model)))
    return probes


def _lacking(run: PlannedRun) -> tuple[int, float]:
    """How many answers are missing, and how many items have to be asked for them."""
    done = _answered(run)
    each = [samples_of(run.cell, decoding, sample) for decoding, sample in passes(run.cell)]
    asked = sum(any((item_id, s) not in done for s in samples) for samples in each for item_id in run.cell.item_ids)
    return run.lacks(done), asked / len(each)


def _answered(run: PlannedRun) -> Kept:
    """What the run keeps, read beside whoever may be writing it."""
    answers = Answers(run.folder, run.suite.items.by_id, run.prompt_hashes)
    if (run.folder / RECORDS).exists():
        for _ in answers.heads():
            pass
    for (item_id, sample), failure in answers.failures.items():
        if failure.record.answered:
            answers.kept.add(item_id, sample)
    return answers.kept


def _time(run: PlannedRun, model: Answering) -> tuple[float, ...]:
    """Milliseconds an item of each timed batch; of the only one, where there are no more."""
    together = isinstance(model, Engine) and model.shares_prompts and run.cell.system.answer.mode != "readout"
    asked = 1 if together else sum(1 for _ in passes(run.cell))  # a pass asks every item once
    took = []
    for batch in itertools.islice(_batches(run, together=together), TIMED_BATCHES + 1):
        items = len({request.item_id for request in batch})
        began = time.perf_counter()
        for _ in model.answer(batch, run.cell.seed):
            pass
        took.append(1000 * asked * (time.perf_counter() - began) / items)
    return tuple(took[1:] or took)


def _batches(run: PlannedRun, *, together: bool) -> Iterator[list[Request]]:
    """Batches of the run's own size, and of so many items where all that it lacks would be asked at once."""
    size = run.facts.batch_size
    batches = plan(run.cell, size, frozenset(), together=together)
    fitting = ([request for request in batch if run.cell.has_room(request.prompt)] for batch in batches)
    for batch in filter(None, fitting):
        if size is not None and not together:
            yield batch
            continue
        items = [list(group) for _, group in itertools.groupby(batch, attrgetter("item_id"))]
        at_once = size or OF_ITSELF
        for start in range(0, len(items), at_once):
            yield list(itertools.chain.from_iterable(items[start : start + at_once]))
