"""Which pairs of systems are compared on a suite, and within which family each is judged.

A family is declared before anything is looked at: the shipped systems of one baseline (`baseline` in their files),
each against one of them, whether run or not; or the systems that a user names. A pair's adjusted p-value follows from
its own records and the size of its family alone, so that a verdict is the same in every command and stays as it is
whatever else comes to lie in the folder. `all` is the exception that a user asks for.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rimbench.errors import UsageError
from rimbench.reporting.reading import RunData
from rimbench.reporting.variants import is_unchanged, shipped

DECLARED: Literal["declared"] = "declared"
ALL: Literal["all"] = "all"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user chose of the comparisons before looking: `family` is `declared`, `all`, or the names of systems.

    `baseline` is the system against which the others are held, where it is not the one that their files name;
    `allow_partial` gives verdicts where answers are missing.
    """

    family: Literal["declared", "all"] | tuple[str, ...] = DECLARED
    baseline: str | None = None
    allow_partial: bool = False

    @property
    def named(self) -> tuple[str, ...] | None:
        """The systems that were named, without the baseline; None for a family that was not named."""
        if isinstance(self.family, str):
            return None
        return tuple(name for name in self.family if name != self.baseline)


@dataclass(frozen=True, slots=True)
class Family:
    """The comparisons that one pair is judged among: how many, by which adjustment, and which they are, in words."""

    size: int
    adjustment: Literal["Bonferroni", "Holm", "none"]
    pairs: str


ALONE = Family(1, "none", "the pair alone, which belongs to no declared family")


def read_choice(family: str | None, baseline: str | None, *, allow_partial: bool = False) -> Choice:
    """A choice from a command's options; UsageError for a family of names without a baseline."""
    if family in (None, DECLARED):
        return Choice(DECLARED, baseline, allow_partial)
    if family == ALL:
        return Choice(ALL, baseline, allow_partial)
    names = tuple(dict.fromkeys(name.strip() for name in str(family).split(",") if name.strip()))
    if baseline is None:
        declared = {baseline_of(name) for name in names} - {None}
        if len(declared) != 1 or any(baseline_of(name) is None and name not in declared for name in names):
            raise UsageError(f"--family {family}: these systems' files name no one baseline: add --baseline NAME")
        baseline = declared.pop()
    chosen = Choice(names, baseline, allow_partial)
    if not chosen.named:
        raise UsageError(
            f"--family {family}: expected {DECLARED}, {ALL}, or systems beside the baseline, such as A,B"
        )
    return chosen


def declared_family(system: str) -> tuple[str, ...]:
    """The shipped systems that are held against one baseline, that one included; none for a system of another's."""
    own = shipped().get(system)
    if own is None:
        return ()
    baseline = own.baseline or own.name
    return tuple(name for name, each in shipped().items() if (each.baseline or each.name) == baseline)


def baseline_of(system: str) -> str | None:
    """The system that a shipped one is held against; None for a baseline itself, and for a user's system."""
    own = shipped().get(system)
    return own.baseline if own else None


def list_pairs(labelled: Mapping[str, RunData], choice: Choice) -> list[tuple[str, str]]:
    """The pairs of labels to be compared among runs of one suite; the baseline stands second."""
    if choice.family == ALL and choice.baseline is None:
        return pairs_among(labelled)
    if choice.baseline is not None:
        against = next((label for label, run in labelled.items() if is_called(label, run, choice.baseline)), None)
        if against is None:
            return []
        wanted = choice.named
        return [
            (label, against)
            for label, run in labelled.items()
            if label != against and (wanted is None or any(is_called(label, run, name) for name in wanted))
        ]
    plain = {run.manifest.system: label for label, run in labelled.items() if is_unchanged(run.manifest)}
    baselines = [label for system, label in plain.items() if declared_family(system) and baseline_of(system) is None]
    pairs: list[tuple[str, str]] = []
    loose: dict[str, RunData] = {}
    for label, run in labelled.items():
        declared = plain.get(baseline_of(run.manifest.system) or "")
        if declared is not None:
            pairs.append((label, declared))
        elif label not in baselines:
            loose[label] = run
            pairs += [(label, baseline) for baseline in baselines]
    return [*pairs, *pairs_among(loose)]


def pairs_among(labelled: Mapping[str, RunData]) -> list[tuple[str, str]]:
    """Every pair of these runs: one with memory before one without, a declared baseline last."""

    def place(label: str) -> tuple[bool, bool]:
        manifest = labelled[label].manifest
        is_baseline = bool(declared_family(manifest.system)) and baseline_of(manifest.system) is None
        return is_baseline, manifest.identity.setup.memory is None

    return list(itertools.combinations(sorted(labelled, key=place), 2))


def is_called(label: str, run: RunData, name: str) -> bool:
    """Whether a name stands for this run: its label, its own name, or its system's where it is no variant."""
    return name in (label, run.manifest.run) or (name == run.manifest.system and is_unchanged(run.manifest))


def family_of_pair(a: RunData, b: RunData, choice: Choice) -> Family:
    """The family of one pair, `all` apart, which is known once all pairs are."""
    if choice.named is not None:
        names = ", ".join(choice.named)
        size = len(choice.named)
        pairs = "1 pair" if size == 1 else f"{size} pairs"
        return Family(size, "Bonferroni", f"the {pairs} of {names} against {choice.baseline} on a suite, as named")
    group = declared_family(a.manifest.system)
    plain = is_unchanged(a.manifest) and is_unchanged(b.manifest) and a.manifest.system != b.manifest.system
    if not plain or b.manifest.system not in group:
        return ALONE
    size = len(group) - 1
    pairs = "1 pair" if size == 1 else f"{size} pairs"
    return Family(size, "Bonferroni", f"the {pairs} of {', '.join(group)} with one of them on a suite, run or not")


def name_all(suites: Sequence[str]) -> Family:
    """The family of every pair of a folder, given the suite of each."""
    names = ", ".join(sorted(set(suites)))
    return Family(len(suites), "Holm", f"all {len(suites)} pairs of systems on {names} in this folder")
