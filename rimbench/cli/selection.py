"""The systems and suites that a command's options name."""

from collections.abc import Callable, Sequence
from pathlib import Path

from rimbench import suites, systems
from rimbench.errors import UsageError
from rimbench.suites import Suite
from rimbench.systems import AnswerMode, System, weights


def load_systems(
    names: Sequence[str],
    say: Callable[[str], None],
    *,
    model: str | None = None,
    blocks: int | None = None,
    answer: AnswerMode | None = None,
    allow_outside: bool = False,
) -> list[System]:
    """The systems by name or file, overridden alike; of `all`, those whose weights can be had here."""
    if "all" not in names:
        if model is not None and len(set(names)) > 1:
            raise UsageError(f"--model {model} with {len(set(names))} systems: give --system once with --model")
        loaded = [systems.load(name, allow_outside=allow_outside) for name in dict.fromkeys(names)]
        return [systems.override(s, model=model, blocks=blocks, answer=answer) for s in loaded]
    if model is not None:
        raise UsageError(f"--model {model} with --system all: give one --system with --model")
    every = [systems.load(name) for name in systems.registered()]
    kept = []
    for system in every:
        why_not = weights.obstacle(system.weights)
        if why_not is None:
            kept.append(systems.override(system, blocks=blocks if system.memory else None, answer=answer))
        else:
            say(f"left out {system.name}: {why_not}")
    if not kept:
        raise UsageError("--system all: no system can run here; see 'rimbench systems'")
    return kept


def load_suites(
    names: Sequence[str],
    data: Sequence[str],
    limit: int | None,
    say: Callable[[str], None],
    *,
    allow_outside: bool = False,
) -> list[Suite]:
    """The suites by name or file, each from its own rows: --data FILE for one suite, SUITE=FILE for several."""
    wanted = [summary.name for summary in suites.listing()] if "all" in names else list(dict.fromkeys(names))
    files = _data_files(wanted, data)
    loaded = []
    for name in wanted:
        suite = suites.load(name, data=files.get(name), limit=limit, allow_outside=allow_outside)
        faulty = suite.audit.faulty
        if faulty:
            say(f"suite {suite.name}: left out {faulty} faulty rows, see 'rimbench suites show {name}'")
        if limit is None and len(suite.items) < suite.n_requested:
            say(f"suite {suite.name}: only {len(suite.items)} usable items of the {suite.n_requested} asked for")
        loaded.append(suite)
    return loaded


def _data_files(wanted: Sequence[str], data: Sequence[str]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for given in data:
        name, separator, file = given.partition("=")
        if separator and name in wanted:
            files[name] = Path(file)
        elif len(wanted) == 1:
            files[wanted[0]] = Path(given)
        else:
            raise UsageError(
                f"--data {given}: with several suites expected SUITE=FILE, SUITE one of {', '.join(wanted)}"
            )
    return files
