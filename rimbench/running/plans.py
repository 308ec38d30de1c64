"""Systems x suites -> runs: every cell resolved and named before the first answer. Nothing is answered here."""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rimbench import checkpoints, engines
from rimbench.engines import EngineChoice, EngineFacts, Served
from rimbench.errors import UsageError
from rimbench.records import INTACT, Intervention, Item, Prompt
from rimbench.records.items import Items
from rimbench.running.cell import Cell, ErrorRules, identify, name_run
from rimbench.running.cluster import Workers
from rimbench.running.ondemand import HELD, OnDemand
from rimbench.running.prompts import HASHED, DecisionBuilder, PromptBuilder, TextBuilder
from rimbench.store import ROTATED, FrozenItems, Identity, Kept, ModelSource, SecondSetup, named
from rimbench.suites import Suite, question_text
from rimbench.suites.controls import Controls, ShownItems
from rimbench.systems import System, Weights, weights
from rimbench.systems.departures import between, departures_of

if TYPE_CHECKING:
    from rimbench.rim.readout import ReadoutRequest
    from rimbench.running.intervening import Ablated

UNBOUNDED = 2**31
"""The context of a model whose configuration names none."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a user set for all cells: `engine` may be `auto`; `batch_size` and `dtype` may be left to it as None.

    With `rotate`, every item is asked in all rotations of its options, each of them a run.
    """

    results: Path
    engine: str = "auto"
    batch_size: int | None = None
    seed: int = 0
    samples: int = 0
    fresh: bool = False
    controls: Controls = field(default_factory=Controls)
    dtype: str | None = None
    eager: bool = False
    errors: ErrorRules = field(default_factory=ErrorRules)
    rotate: bool = False
    intervention: Intervention | None = None
    workers: Workers = field(default_factory=Workers)
    tensor_parallel: int | None = None

    @property
    def choice(self) -> EngineChoice:
        """What the engine is told."""
        return EngineChoice(self.batch_size, self.dtype, self.eager, self.tensor_parallel)


@dataclass(frozen=True, slots=True)
class ReadySystem:
    """A system whose weights are on this machine, with what builds its prompts; `context_tokens` is the longest
    sequence that its model takes.
    """

    system: System
    checkpoint: weights.Checkpoint
    builder: PromptBuilder | TextBuilder | DecisionBuilder
    context_tokens: int
    second: "ReadySystem | None" = None

    def prompts(self, suite: Suite, items: Sequence[Item]) -> tuple[Prompt, ...]:
        """The prompts of items of a suite."""
        asked = [(item, question_text(suite.wording, item).strip()) for item in items]
        return self.builder.build(asked, list(suite.audit.gold_histogram))


def make_ready(
    system: System, checkpoint: weights.Checkpoint | None = None, filler: int | None = None
) -> ReadySystem:
    """Bring a system's weights to this machine, unless they are known to be there, and read its tokenizer."""
    checkpoint = checkpoint or weights.resolve(system)
    context_tokens = checkpoints.read_context_tokens(checkpoint.folder) or UNBOUNDED
    tokenizer = checkpoints.read_tokenizer(checkpoint.folder)
    second = None if system.fallback is None else make_ready(system.fallback.second)
    return ReadySystem(system, checkpoint, PromptBuilder(system, tokenizer, filler), context_tokens, second)


def find_served(system: System, engine: str) -> tuple[ReadySystem, Served]:
    """A system whose model a server has, by its tokenizer here or by chat, and that model.

    The weights that answer are the server's: what is here of them names them, and where that is no more than the
    tokenizer, its hash and the name on the server do.
    """
    named, known = system.weights, engines.known(engine)
    if named.path is not None and weights.obstacle(named) is not None:  # a name that a server may have
        system = replace(system, weights=Weights(served=named.served or named.path))
    if system.weights.elsewhere:
        name = system.weights.served or ""
        decides = system.answer.decision is not None
        builder = DecisionBuilder(system) if decides else TextBuilder(system)
        found = known.served([name], None)
        sha256 = hashlib.sha256(f"served:{name}".encode()).hexdigest()
        checkpoint = weights.Checkpoint(Path(name), name, None, sha256, whole=False)
        return ReadySystem(system, checkpoint, builder, UNBOUNDED), found
    checkpoint = weights.resolve_served(system)
    ready = make_ready(system, checkpoint)
    folder = checkpoint.folder
    usual = [named.path, named.repo, checkpoint.source, str(folder.resolve()), folder.name, system.name]
    found = known.served([named.served] if named.served else [name for name in usual if name], folder)
    if not checkpoint.whole:
        sha256 = hashlib.sha256(f"{checkpoint.sha256}:{found.name}".encode()).hexdigest()
        checkpoint = replace(checkpoint, sha256=sha256)
    most = min(ready.context_tokens, found.context_tokens or UNBOUNDED)
    return replace(ready, checkpoint=checkpoint, context_tokens=most), found


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One cell, resolved and named, with the folder of its weights and that of its records; `title` is what a person
    reads of it, where the system's name does not say enough, `second` that of a cascade's second system, which is no
    run by itself, and `rows` are those of a sweep, whose budgets are answered in one pass, by item; `ablated` is what
    an ablation's runs share, and `server` the URL of the one that has the model.
    """

    cell: Cell
    suite: Suite
    checkpoint: weights.Checkpoint
    facts: EngineFacts
    name: str
    identity: Identity
    folder: Path
    title: str = ""
    second: "PlannedRun | None" = None
    server: str | None = None
    rows: "Mapping[str, ReadoutRequest] | None" = None
    ablated: "Ablated | None" = None

    @property
    def model_key(self) -> Hashable:
        """Runs of one key share what is loaded; a cascade shares it with none."""
        return self.checkpoint.folder, self.facts, self.second and self.folder

    @property
    def told(self) -> str:
        """The cell, as a person reads it."""
        return f"{self.title or self.cell.system.name} on {self.suite.name}"

    @property
    def model_source(self) -> ModelSource:
        """Where the weights come from."""
        return ModelSource(self.checkpoint.source, self.checkpoint.revision)

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """What a record of each item says of its prompt, by item id; of very many items, of the first alone."""
        prompts = self.cell.prompts
        known = prompts if len(prompts) <= HELD else prompts[:HASHED]
        return {item_id: prompt.sha256 for item_id, prompt in zip(self.cell.item_ids, known, strict=False)}

    @property
    def departures(self) -> dict[str, list[Any]]:
        """Every setting that is not as in the system's own file, nor what a command takes without options."""
        usual = engines.facts_for(self.facts.name, EngineChoice(self.facts.batch_size)).dtype
        given = {"seed": self.cell.seed, "dtype": self.facts.dtype, **asdict(self.cell.controls)}
        plain = {"seed": 0, "dtype": usual, **asdict(Controls())}
        found = departures_of(self.cell.system) | between(plain, given)
        done = self.cell.intervention
        if done is not None and done.kind != INTACT:
            found["intervention"] = [None, done.name]
        if "weights" in found:
            found["weights"][1] = f"{self.checkpoint.sha256[:10]} of {found['weights'][1]}"
        return found

    def lacks(self, done: Kept, samples: int | None = None) -> int:
        """How many answers are missing of those that this command asks for, or of so many samples an item."""
        return done.missing(self.cell.item_ids, self.cell.samples if samples is None else samples)


def plan_runs(systems: Sequence[System], loaded: Sequence[Suite], settings: RunSettings) -> list[PlannedRun]:
    """Resolve every cell: weights on this machine, prompts built, runs named. Nothing is answered yet."""
    facts = engines.facts_for(settings.engine, settings.choice)
    if settings.workers.wanted:
        _check_workers(systems, facts)
    if engines.known(facts.name).on_server:
        return plan_served(systems, loaded, facts, settings)
    runs = []
    resolved: dict[Weights, weights.Checkpoint] = {}  # systems may share weights, whose files are hashed whole
    for system in systems:
        done = settings.intervention
        ready = make_ready(system, resolved.get(system.weights), done.tokens if done else None)
        resolved[system.weights] = ready.checkpoint
        for suite in loaded:
            runs += _plans(ready, suite, facts, settings)
    return runs


def _check_workers(systems: Sequence[System], facts: EngineFacts) -> None:
    """UsageError for what is not asked of several workers."""
    if engines.known(facts.name).on_server:
        raise UsageError(f"--workers: engine '{facts.name}' asks a server, which sees to its workers: leave it out")
    for system in systems:
        if system.fallback is not None:
            raise UsageError(
                f"--workers: system '{system.name}' is a cascade, which one process answers: leave it out"
            )


def _rotations(ready: ReadySystem, suite: Suite, facts: EngineFacts, settings: RunSettings) -> list[PlannedRun]:
    """A run for every number of places by which options can be moved up, 0 too, side by side in one folder; each has
    the items with more options than that.
    """
    counts = {item.item_id: len(item.options) for item in suite.items}
    runs = list[PlannedRun]()
    for places in range(max(counts.values())):
        item_ids = [item_id for item_id, count in counts.items() if count > places]
        own = suite
        if len(item_ids) < len(counts):
            own = replace(suite, items=Items(suite.items.by_id.in_order(item_ids)))
        controls = replace(settings.controls, rotate_options=places)
        run = _plan(ready, own, facts, replace(settings, controls=controls))
        folder = (runs[0].folder.parent if runs else settings.results / f"{run.name}{ROTATED}") / f"r{places}"
        title = f"{ready.system.name} with options rotated by {places}"
        runs.append(replace(run, folder=folder, title=title))
    return runs


def plan_served(
    systems: Sequence[System], loaded: Sequence[Suite], facts: EngineFacts, settings: RunSettings
) -> list[PlannedRun]:
    """The same of models that a server has; UsageError where one of them would answer for two systems' weights."""
    runs, stands_for = [], dict[str, tuple[str, System]]()
    for system in systems:
        ready, served = find_served(system, facts.name)
        sha256, other = stands_for.setdefault(served.name, (ready.checkpoint.sha256, system))
        if sha256 != ready.checkpoint.sha256:
            raise UsageError(
                f"the server's model '{served.name}' would answer for '{other.name}' and '{system.name}', whose "
                "weights differ: run them one after the other, each with its server"
            )
        here = replace(facts, served=served.name)
        for suite in loaded:
            runs += [replace(run, server=served.url) for run in _plans(ready, suite, here, settings)]
    return runs


def _plans(ready: ReadySystem, suite: Suite, facts: EngineFacts, settings: RunSettings) -> list[PlannedRun]:
    if settings.rotate:
        return _rotations(ready, suite, facts, settings)
    return [_plan(ready, suite, facts, settings)]


def _plan(ready: ReadySystem, suite: Suite, facts: EngineFacts, settings: RunSettings) -> PlannedRun:
    shown = ShownItems(suite.items, settings.controls)
    cell = Cell(
        ready.system,
        shown,
        OnDemand(len(shown), partial(_prompts, ready, suite, shown)),
        settings.samples,
        settings.seed,
        ready.context_tokens,
        settings.controls,
        settings.errors,
        settings.intervention,
    )
    _check_room(cell, suite)
    items = FrozenItems(suite.content_sha256, suite.wording)
    identity = identify(cell, ready.checkpoint.sha256, items, facts)
    second = None
    if ready.second is not None:
        second = _plan(ready.second, suite, facts, settings)
        identity = _of_cascade(cell, identity, second)
    name = _name(cell, suite, identity, settings.results)
    folder = settings.results / name
    return PlannedRun(cell, suite, ready.checkpoint, facts, name, identity, folder, second=second)


def _of_cascade(cell: Cell, first: Identity, second: PlannedRun) -> Identity:
    """Everything that could change an answer of a cascade: what could change one of either system, and its threshold.

    UsageError where draws are asked for: a cascade answers once.
    """
    system = cell.system
    assert system.fallback is not None
    if cell.samples:
        raise UsageError(f"system '{system.name}' is a cascade, which answers once: leave --samples out")
    style, own = system.fallback.second, second.identity
    setup = SecondSetup(
        system.fallback.threshold, own.weights_sha256, own.prompts_sha256, style.prompt, style.memory, style.answer
    )
    return named(replace(first, system=replace(first.setup, second=setup)))


def _prompts(ready: ReadySystem, suite: Suite, shown: ShownItems, places: Sequence[int]) -> tuple[Prompt, ...]:
    return ready.prompts(suite, [shown[place].item for place in places])


def _name(cell: Cell, suite: Suite, identity: Identity, results: Path) -> str:
    """The run's name, or the one that an earlier build gave it where its folder is there, so that it is gone on with.

    Its records say which prompts they answer. Of a system whose letters are read they do not say which tokens were
    read, so that such a run begins anew.
    """
    name = name_run(cell, suite.name, identity.name_sha256)
    earlier = name_run(cell, suite.name, identity.earlier_sha256)
    goes_on = not cell.reads_letters and (results / earlier).is_dir() and not (results / name).exists()
    return earlier if goes_on else name


def _check_room(cell: Cell, suite: Suite) -> None:
    """UsageError where no prompt at all leaves room for an answer."""
    if not any(map(cell.has_room, cell.prompts)):
        shortest = min(len(prompt.token_ids) for prompt in cell.prompts)
        raise UsageError(
            f"system '{cell.system.name}' on suite '{suite.name}': the shortest prompt, of {shortest} tokens, leaves "
            f"no room for an answer in the model's context of {cell.context_tokens}: take fewer memory blocks, fewer "
            "new tokens, or a model with a longer context"
        )
