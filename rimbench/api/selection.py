"""The systems and suites that are asked for, each with the weights and the rows it has here.

An option names them, `rimbench.toml` may, and a checkpoint that was trained in this folder is found. Where neither is
there, the error says which commands get it.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rimbench import suites, systems
from rimbench.api import project as projects
from rimbench.api.project import Project
from rimbench.display.notes import Say
from rimbench.errors import ConfigError, ModelError, RimbenchError, UnreachableError, UsageError, with_lines
from rimbench.suites import Suite
from rimbench.systems import AnswerMode, System, weights

EMBEDDED = "nano-"
"""How the systems of the embedded family are called: this, before what each is the small form of."""


OWN_NAME = re.compile(r"\w[\w.-]{0,79}(?<!\.toml)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command has been given to choose systems and suites by; `data` are FILE, or SUITE=FILE, and `name` is
    what the one system is called here.
    """

    command: str
    systems: Sequence[str]
    suites: Sequence[str]
    data: Sequence[str] = ()
    model: str | None = None
    blocks: int | None = None
    answer: AnswerMode | None = None
    limit: int | None = None
    allow_outside: bool = False
    max_new_tokens: int | None = None
    name: str | None = None


def choose(
    asked: Wanted, project: Project, say: Say, unloaded: dict[str, RimbenchError] | None = None
) -> tuple[list[System], list[Suite]]:
    """The systems and the suites, loaded; the error for what is not here says how to get it.

    Of `all` suites those that cannot be loaded are put into `unloaded`, where it is given and one can be.
    """
    chosen = choose_systems(asked, project, say)
    names, data = _sources(asked, project, say)
    untrained = [system for system in chosen if not has_weights(system)]
    unfetched = [name for name in names if name not in data and missing_rows(name)]
    if untrained:
        said = [f"system '{system.name}' has no public checkpoint and none here" for system in untrained]
        said += [f"suite '{name}' has no rows here" for name in unfetched]
        raise with_lines(ModelError("; ".join(said)), _commands(asked, untrained, unfetched))
    loaded = []
    for name in names:
        try:
            loaded.append(_load_suite(name, data.get(name), asked, say))
        except RimbenchError as error:
            if unloaded is not None and "all" in asked.suites and len(unloaded) + 1 < len(names):
                unloaded[name] = error
                say(f"suite {name} is left out: {error}")
                continue
            if name in unfetched:
                with_lines(error, _commands(asked, _not_here(chosen), unfetched))
            raise
    return chosen, loaded


def choose_one(asked: Wanted, project: Project, say: Say) -> tuple[System, Suite]:
    """The same of a command that takes one system and one suite."""
    if "all" in (*asked.systems, *asked.suites):
        raise UsageError(f"'rimbench {asked.command}' takes one system and one suite, not 'all'")
    (system,), (suite,) = choose(asked, project, say)
    return system, suite


@contextmanager
def explaining_weights(asked: Wanted, chosen: Sequence[System]) -> Iterator[None]:
    """Put the commands that help below an error for weights that cannot be fetched."""
    try:
        yield
    except UnreachableError as error:
        if asked.model is None:
            with_lines(error, _commands(asked, _not_here(chosen), []))
        raise


def choose_systems(asked: Wanted, project: Project, say: Say) -> list[System]:
    """The systems by name or file, overridden alike; of `all`, those whose weights can be had here."""
    names, model = list(dict.fromkeys(asked.systems)), asked.model
    if not names:
        raise UsageError("no system is named: expected one or more, or 'all'; see 'rimbench systems'")
    several = "--system all" if "all" in names else f"{len(names)} systems" if len(names) > 1 else None
    for option, given in (("--model", model), ("--name", asked.name)):
        if given is not None and several:
            raise UsageError(f"{option} {given} with {several}: give --system once with {option}")
    if "all" not in names:
        return [choose_system(name, asked, project, say) for name in names]
    kept = []
    for name in systems.registered():
        system = place_weights(systems.load(name), name, None, project)
        why_not = weights.obstacle(system.weights)
        if why_not is None:
            writes = (asked.answer or system.answer.mode) == "generate"
            its_own = replace(
                asked,
                blocks=asked.blocks if system.memory else None,
                max_new_tokens=asked.max_new_tokens if writes else None,
            )
            kept.append(choose_system(name, its_own, project, say))
        else:
            say(f"left out {system.name}: {why_not}")
    if not kept:
        raise UsageError("--system all: no system can run here; see 'rimbench systems'")
    return kept


def choose_system(name: str, asked: Wanted, project: Project, say: Say) -> System:
    """The system of that name or file, with its weights here, overridden as was asked."""
    system = systems.load(name, allow_outside=asked.allow_outside)
    placed = place_weights(system, name, asked.model, project)
    if asked.model is None and placed is not system and system.fallback is None:
        say(f"{system.name}: weights {placed.weights.path}, {_whence(system, name, project)}")
    if asked.name is not None:
        placed = replace(placed, name=_own_name(asked.name), own=None)
    chosen = systems.override(placed, blocks=asked.blocks, answer=asked.answer, max_new_tokens=asked.max_new_tokens)
    for line in _remarks(placed, chosen):
        say(line)
    return chosen


def _remarks(own: System, chosen: System) -> Iterator[str]:
    """In what a system is asked otherwise than it was trained to be, as far as its file tells."""
    if own.memory and chosen.memory and chosen.memory.blocks > own.memory.blocks:
        yield (
            f"{chosen.name}: K = {chosen.memory.blocks} is more than the {own.memory.blocks} blocks of its file: it "
            "was trained with no more than those"
        )
    if (own.answer.mode, own.answer.extraction, chosen.answer.mode) == ("generate", "text", "readout"):
        yield (
            f"{chosen.name} writes before it answers: a readout has the letter before anything is written, which is "
            "not what it was trained or asked to do"
        )


def _own_name(name: str) -> str:
    """The name that a user gives a system, whose records are then told from those of every other."""
    if not OWN_NAME.fullmatch(name) or name in ("all", *systems.registered()):
        taken = "that is a system's name already" if name in systems.registered() else "that is no name"
        raise UsageError(
            f"--name {name!r}: {taken}: expected one of your own, of up to 80 letters, digits, dots, dashes and "
            "underscores, such as my-rim-v2"
        )
    return name


def ready_systems(project: Project) -> tuple[list[str], str]:
    """The systems whose weights are on this machine, trained ones first, else the embedded family; and a sentence on
    which they are and why.
    """
    ready: dict[str, str] = {}
    for name in systems.registered():
        system = place_weights(systems.load(name), name, None, project)
        if weights.obstacle(system.weights) is None and system.weights.package != "rimbench":
            ready[name] = system.weights.path or ""
    chosen = sorted(ready, key=lambda name: not ready[name])
    if chosen:
        told = ", ".join(f"{name} ({ready[name]})" if ready[name] else name for name in chosen)
        return chosen, f"no --system: {told}, whose weights are on this machine; the embedded ones by their names"
    embedded = [name for name in systems.available() if name.startswith(EMBEDDED)]
    why = "no other weights are on this machine; 'rimbench systems' says what the others need"
    return embedded, f"no --system: the embedded family, {', '.join(embedded)}: {why}"


def place_weights(system: System, named: str, model: str | None, project: Project) -> System:
    """The system with the weights that were given, else those of `rimbench.toml`, else those trained here."""
    if model is not None and not model.strip():
        raise UsageError("--model is empty: expected a checkpoint folder, or org/name@revision")
    if system.fallback is not None and model is None:
        first, second = (
            place_weights(each, each.name, None, project) for each in (system.fallback.first, system.fallback.second)
        )
        return systems.in_cascade(system, replace(system.fallback, first=first, second=second))
    path = model or _in_project(system, named, project) or projects.trained(system)
    return system if path is None else systems.override(system, model=path)


def has_weights(system: System) -> bool:
    """Whether there is a place to have the weights from, here or on the hub: a recipe alone is none."""
    both = [system] if system.fallback is None else [system.fallback.first, system.fallback.second]
    return all(each.weights.recipe is None or each.weights.path is not None for each in both)


def data_of(suite: str, data: Sequence[str], project: Project, say: Say) -> Path | None:
    """The file of one suite's rows that was given, as FILE or SUITE=FILE, or that `rimbench.toml` names."""
    return _sources(Wanted("", (), (suite,), data), project, say)[1].get(suite)


def embedded_form(name: str) -> str:
    """The embedded system that is the small form of another."""
    known = systems.available()
    if name == "all":
        return name
    if f"{EMBEDDED}{name}" in known or (name in known and name.startswith(EMBEDDED)):
        return f"{EMBEDDED}{name.removeprefix(EMBEDDED)}"
    system = systems.load(name) if name in known else None
    if system is None or system.memory:
        return f"{EMBEDDED}rim-v2"
    return f"{EMBEDDED}base-direct" if system.answer.mode == "readout" else f"{EMBEDDED}base"


def _commands(asked: Wanted, lacking: Sequence[System], unfetched: Sequence[str]) -> Iterator[str]:
    """The lines that say how to get what a command lacks, with the exact commands."""
    for system in lacking:
        if not has_weights(system):
            yield f"train {system.name}: rimbench train {system.weights.recipe}"
    hub = [f"weights of {system.name}" for system in lacking if has_weights(system)]
    if hub := [*hub, *(f"rows of {name}" for name in unfetched)]:
        yield f"the {' and the '.join(hub)} are fetched from the hub, once, where it can be reached"
    several = len(asked.suites) > 1 or "all" in asked.suites
    given = ["--model PATH"] * bool(lacking) + [f"--data {f'{name}=' * several}FILE" for name in unfetched]
    one = [lacking[0].name] if len(lacking) > 1 else asked.systems
    yield f"or give what you have: {_command(asked.command, one, asked.suites)} {' '.join(given)}"
    yield f"or name it in {projects.FILE}, which 'rimbench init' begins"
    small = dict.fromkeys(embedded_form(name) for name in asked.systems)
    suite = ["demo-in-dist"] if asked.suites else []
    yield f"or the same on the embedded family, at once: {_command(asked.command, small, suite)}"


def _load_suite(name: str, data: Path | None, asked: Wanted, say: Say) -> Suite:
    """A suite by name or file, from its own rows or those of a file; what it lacks is said."""
    suite = suites.load(name, data=data, limit=asked.limit, allow_outside=asked.allow_outside)
    faulty = suite.audit.faulty
    if faulty:
        say(f"suite {suite.name}: left out {faulty} faulty rows, see 'rimbench suites show {name}'")
    if asked.limit is None and len(suite.items) < suite.n_requested:
        say(f"suite {suite.name}: only {len(suite.items)} usable items of the {suite.n_requested} asked for")
    return suite


def missing_rows(name: str) -> str | None:
    """What a suite lacks to be loaded without a network and a file of rows; None where nothing."""
    try:
        return suites.lacks(name)
    except ConfigError:  # for its loading to tell
        return None


def _not_here(chosen: Iterable[System]) -> list[System]:
    return [system for system in chosen if weights.obstacle(system.weights) is not None]


def _command(command: str, named: Iterable[str], suite_names: Iterable[str]) -> str:
    options = [f"--system {shlex.quote(name)}" for name in named] + [f"--suite {shlex.quote(n)}" for n in suite_names]
    return f"rimbench {command} {' '.join(options)}"


def _whence(system: System, named: str, project: Project) -> str:
    if _in_project(system, named, project):
        return f"which {projects.FILE} names"
    return f"where 'rimbench train {system.weights.recipe}' put them"


def _in_project(system: System, named: str, project: Project) -> str | None:
    return project.models.get(named) or project.models.get(system.name)


def _sources(asked: Wanted, project: Project, say: Say) -> tuple[list[str], dict[str, Path]]:
    """The suites by name or file, and the file of rows of those that have one."""
    if not asked.suites:
        raise UsageError("no suite is named: expected one or more, or 'all'; see 'rimbench suites'")
    every = "all" in asked.suites
    names = list(suites.suite_files() if every else dict.fromkeys(asked.suites))
    files = _given_files(names, asked.data)
    for name in names:
        file = project.data.get(name) or project.data.get(Path(name).stem)
        if name not in files and file is not None:
            say(f"{name}: rows {file}, which {projects.FILE} names")
            files[name] = file
    return names, files


def _given_files(names: Sequence[str], data: Sequence[str]) -> dict[str, Path]:
    """The files of `--data`: FILE for one suite, SUITE=FILE for several, SUITE as it was named or by its stem."""
    files: dict[str, Path] = {}
    known = {Path(name).stem: name for name in names} | {name: name for name in names}
    for given in data:
        prefix, separator, file = given.partition("=")
        if separator and prefix in known and not Path(given).exists():
            name, path = known[prefix], Path(file)
        elif len(names) == 1 and (not separator or prefix not in suites.suite_files() or Path(given).exists()):
            name, path = names[0], Path(given)
        else:
            form = "FILE or SUITE=FILE" if len(names) == 1 else "with several suites SUITE=FILE"
            raise UsageError(f"--data {given}: expected {form}, SUITE one of {', '.join(names)}")
        if name in files:
            raise UsageError(f"--data {given}: suite {name} has its rows from {files[name]} already: give one file")
        files[name] = path
    return files
