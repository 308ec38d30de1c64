"""What makes the cells of one report hard to trust or to compare, a sentence each."""

from collections.abc import Callable, Iterator, Sequence

from rimbench.reporting.compared import Pair
from rimbench.reporting.document import CellResult
from rimbench.reporting.families import ALONE
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.metrics.label_mass import LabelMass
from rimbench.reporting.reading import RunData
from rimbench.reporting.times import LatencyEntry
from rimbench.reporting.variants import HARMLESS, may_be_drawn, name_of
from rimbench.suites.controls import Controls

USUAL_N = 1000
"""The items of a cell that the suites freeze: fewer, or more, is worth a word."""
SMALLEST_LABEL_MASS = 0.5
"""Below it the model would mostly write something else than a letter where the letter is read."""
SCRIPTED = "fake"
"""The engine that is there for tests: its letters come from a hash of the prompt."""
UNKNOWN = {"kind": "unknown"}
"""The device of answers from elsewhere."""
SHOWN_CELLS = 10
"""The cells without a run that a note names, and those that it names where it is true of every one."""


def find_doubts(cells: Sequence[CellResult]) -> list[str]:
    """Made-up answers, missing ones, missing cells, unusual sizes, results at chance, shortcuts, unlike hardware,
    changed code.
    """
    found = (
        *_made_up(cells),
        *_missing(cells),
        *_unrun(cells),
        *_sizes(cells),
        *_chance(cells),
        *_letters(cells),
        *_circumstances(cells),
    )
    everyone = _named(cells, lambda cell: True)
    return [doubt.replace(everyone, "every cell") if len(cells) > SHOWN_CELLS else doubt for doubt in found]


def worst_doubt(cells: Sequence[CellResult], times: Sequence[LatencyEntry]) -> str | None:
    """The one of a suite's doubts that takes most from what is said of it; `times` are those that are shown."""
    systems = {entry.label for entry in times}
    unstable = len({entry.label for entry in times if entry.conditions[0].unstable})
    found = (
        *_made_up(cells),
        *_missing(cells),
        *_chance(cells),
        *_letters(cells),
        *([f"unstable times ({unstable} of {len(systems)})"] if unstable else []),
        *_sizes(cells),
        *_circumstances(cells),
    )
    everyone = _named(cells, lambda cell: True)
    return found[0].replace(everyone, "every system") if found else None


def say_partial(run: RunData) -> str:
    """That a run lacks answers: it was cut off, is being written, or its engine failed."""
    asked = len(run.items) * (run.manifest.samples + 1)
    draws = f", and of {asked} answers asked for {run.missing} are missing" if run.manifest.samples else ""
    failed = f", {run.failed} of them since the engine failed" if run.failed else ""
    have = f"{len(run.answered)} of {len(run.items)} items have an answer"
    return f"{run.manifest.run} is partial: {have}{draws}{failed}: the same command asks for the rest"


def doubt_families(pairs: Sequence[Pair]) -> Iterator[str]:
    """That pairs are judged one by one: of many that are equal, some look unequal."""
    alone = sum(pair.family == ALONE for pair in pairs)
    if alone > 1:
        yield (
            f"{alone} pairs belong to no declared family and are judged one by one, so that of 20 equal ones 1 looks "
            "unequal: name a family with --family A,B --baseline C, or take --family all"
        )


def _made_up(cells: Sequence[CellResult]) -> Iterator[str]:
    made_up = _named(cells, lambda cell: cell.manifest.identity.engine.name == SCRIPTED)
    if made_up:
        yield f"made up by the scripted engine '{SCRIPTED}', no model's answers: {made_up}"


def _missing(cells: Sequence[CellResult]) -> Iterator[str]:
    for cell in cells:
        if cell.partial:
            yield say_partial(cell.data)
        drawn, asked = len(cell.data.sampled), cell.samples_asked
        lacking = cell.n_asked - sum(len(letters) >= asked for letters in cell.data.drawn.values())
        if asked and drawn and lacking:
            yield f"{cell.run} lacks draws: {lacking} of {cell.n_asked} items have fewer than {asked}"
    for cell in cells:
        if cell.data.by_draws:
            of = cell.metric(Accuracy).headline.of
            yield f"{cell.label} on {cell.suite} has no greedy answers: its accuracy is the {of}"


def _unrun(cells: Sequence[CellResult]) -> Iterator[str]:
    suites = sorted({cell.suite for cell in cells})
    shown = [cell.manifest for cell in cells if cell.controls == Controls()]
    systems = sorted({name_of(manifest, but=HARMLESS) for manifest in shown})
    known = {(name_of(manifest, but=HARMLESS), manifest.suite) for manifest in shown}
    missing = [f"{system} on {suite}" for suite in suites for system in systems if (system, suite) not in known]
    if missing:
        more = f" and of {len(missing) - SHOWN_CELLS} more cells" if len(missing) > SHOWN_CELLS else ""
        yield f"no run of {', '.join(missing[:SHOWN_CELLS])}{more}"


def _sizes(cells: Sequence[CellResult]) -> Iterator[str]:
    sizes = {cell.n_asked for cell in cells}
    if len(sizes) == 1 and sizes != {USUAL_N}:
        yield f"N is {USUAL_N:,} by custom, and here it is {sizes.pop():,} in every cell"
    elif len(sizes) > 1:
        odd = _named(cells, lambda cell: cell.n_asked != USUAL_N, lambda cell: f" {cell.n_asked:,}")
        yield f"N is {USUAL_N:,} by custom, and here it is not: {odd}"


def _chance(cells: Sequence[CellResult]) -> Iterator[str]:
    guessing = _named(cells, lambda cell: not cell.controls.blind and not _above_chance(cell))
    if guessing:
        yield f"not shown to be above chance or the majority letter: {guessing}"
    shortcut = _named(cells, lambda cell: cell.controls.blind and _above_chance(cell))
    if shortcut:
        yield f"right above chance without seeing the question, so that the options give answers away: {shortcut}"


def _letters(cells: Sequence[CellResult]) -> Iterator[str]:
    low = _named(
        cells,
        lambda cell: (mass := cell.metric(LabelMass).label_mass) is not None and mass < SMALLEST_LABEL_MASS,
        lambda cell: f" {cell.metric(LabelMass).label_mass:.1%}",
    )
    if low:
        yield (
            f"the option letters hold less than {SMALLEST_LABEL_MASS:.0%} of the probability where they are read, so "
            f"that the model would write something else there: {low}"
        )


def _circumstances(cells: Sequence[CellResult]) -> Iterator[str]:
    untold = _named(cells, lambda cell: may_be_drawn(cell.manifest) and not cell.data.by_draws)
    if untold:
        yield f"from elsewhere at a temperature that is not known, so that the answers may not be greedy: {untold}"
    hardware = sorted({_hardware(cell) for cell in cells if cell.origin.device != UNKNOWN})
    if len(hardware) > 1:
        yield f"runs on unlike hardware: {'; '.join(hardware)}"
    changed = _named(cells, lambda cell: bool(cell.origin.dirty))
    if changed:
        yield f"made by code changed since its commit: {changed}"


def _named(
    cells: Sequence[CellResult],
    chosen: Callable[[CellResult], bool],
    more: Callable[[CellResult], str] = lambda cell: "",
) -> str:
    return ", ".join(f"{cell.label} on {cell.suite}{more(cell)}" for cell in cells if chosen(cell))


def _above_chance(cell: CellResult) -> bool:
    """Whether the interval lies above what is had without reading; without answers nothing is said."""
    own = cell.metric(Accuracy)
    accuracy = own.headline.estimate
    if accuracy is None or accuracy.lo is None or own.guess is None or own.one_letter is None:
        return not cell.controls.blind
    return accuracy.lo > max(own.guess, own.one_letter.accuracy)


def _hardware(cell: CellResult) -> str:
    device = cell.origin.device
    parts = (
        device.get("gpu") or device.get("kind"),
        device.get("machine"),
        cell.origin.engine["dtype"],
    )
    return ", ".join(str(part) for part in parts if part)
