"""What a reader wants first of a suite: who is best, whether memory pays, what an answer costs, what to distrust.

Worked out from the cells, the pairs and the times, and never beyond them: a sentence holds its interval and its
verdict, or is not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rimbench.display.tabular import Table
from rimbench.reporting.compared import Pair, Sentence, SuiteSummary, SystemSummary
from rimbench.reporting.document import CellResult
from rimbench.reporting.doubts import worst_doubt
from rimbench.reporting.families import baseline_of, declared_family
from rimbench.reporting.metrics.accuracy import Accuracy
from rimbench.reporting.metrics.calibration import Confidence
from rimbench.reporting.metrics.draws import SeveralAnswers
from rimbench.reporting.numbers import counted, decimal, milliseconds, percent, points, share
from rimbench.reporting.times import LatencyEntry
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.verdict import SMALLEST_N

MARKS = {"better": "+", "worse": "-", "equivalent": "=", "undecided": "?", None: "."}
NO_VERDICT = "n"
"""The mark of a pair of too few items, or of answers that are missing."""
MIRRORED = {"better": "worse", "worse": "better"}


def make_summaries(
    cells: Sequence[CellResult], pairs: Sequence[Pair], latency: Sequence[LatencyEntry], baseline: str | None
) -> list[SuiteSummary]:
    """Suite by suite; `cells` hold one run for each system, `baseline` is the one that was asked for."""
    suites = dict.fromkeys(cell.shown_suite for cell in cells)
    return [
        _summarise_suite(
            [cell for cell in cells if cell.shown_suite == suite],
            [pair for pair in pairs if pair.shown_suite == suite],
            latency,
            baseline,
        )
        for suite in suites
    ]


def _summarise_suite(
    cells: Sequence[CellResult], pairs: Sequence[Pair], latency: Sequence[LatencyEntry], baseline: str | None
) -> SuiteSummary:
    ordered = sorted(cells, key=lambda cell: (-_accuracy_of(cell), cell.label))
    against = next((cell for cell in ordered if _is_baseline(cell, ordered, baseline)), None)
    directed = _both_ways(pairs)
    measured = [entry for entry in latency if entry.suite == cells[0].suite and entry.answer_ms is not None]
    standings = [_standing(cell, ordered, against, directed, measured) for cell in ordered]
    memory = next((cell for cell in ordered if _has_memory(cell)), None)
    controls = [] if memory is None else _controls(memory, ordered)
    times_of = {entry.label for entry in measured}
    asked = ordered[:1] if memory is None else [memory, *controls]
    timed = [cell.label for cell in asked if cell.label in times_of]
    doubt = worst_doubt(ordered, [entry for entry in measured if entry.label in timed])
    several = sum(_has_memory(cell) for cell in ordered)
    told = (
        ("best", _say_best(ordered, directed)),
        ("memory", _say_memory(memory, controls, directed, several)),
        ("cost", _say_costs(timed, measured)),
        ("distrust", f"Distrust most: {doubt}." if doubt else ""),
    )
    k = next((int(k) for cell in ordered if (k := cell.metric(SeveralAnswers).passed[0])), None)
    return SuiteSummary(
        suite=cells[0].shown_suite,
        n_asked=max(cell.n_asked for cell in cells),
        baseline=None if against is None else against.label,
        k=k,
        sentences=tuple(Sentence(about, text) for about, text in told if text),  # type: ignore[arg-type]
        systems=tuple(standings),
        pairs=tuple(pairs),
    )


def _accuracy_of(cell: CellResult) -> float:
    found = cell.metric(Accuracy).headline.estimate
    return -1.0 if found is None else found.value


def _has_memory(cell: CellResult) -> bool:
    return cell.manifest.identity.setup.memory is not None


def _is_baseline(cell: CellResult, cells: Sequence[CellResult], named: str | None) -> bool:
    if named is not None:
        return named in (cell.label, cell.run, cell.system)
    return any(baseline_of(other.system) == cell.system for other in cells) and cell.label == cell.system


def _both_ways(pairs: Sequence[Pair]) -> Mapping[tuple[str, str], tuple[Pair, bool]]:
    """Each pair under both orders of its systems, and whether it stands the other way round."""
    found = {(pair.a, pair.b): (pair, False) for pair in pairs}
    return found | {(pair.b, pair.a): (pair, True) for pair in pairs}


def _controls(memory: CellResult, cells: Sequence[CellResult]) -> list[CellResult]:
    """What a system with memory is held against: one pass without memory, of other weights than the baseline's and of
    the same, and written reasoning; the most accurate of each kind, and where there is none, the most accurate other.
    """
    written = {c.manifest.identity.weights_sha256 for c in cells if _writes(c) and _is_declared_baseline(c)}
    others = [cell for cell in cells if not _has_memory(cell) and cell is not memory]
    kinds = (
        [c for c in others if not _writes(c) and c.manifest.identity.weights_sha256 not in written],
        [c for c in others if _writes(c) and not _is_declared_baseline(c)],
        [c for c in others if not _writes(c) and c.manifest.identity.weights_sha256 in written],
    )
    return [kind[0] for kind in kinds if kind] or others[:1]


def _writes(cell: CellResult) -> bool:
    return cell.manifest.identity.answer.mode == "generate"


def _is_declared_baseline(cell: CellResult) -> bool:
    return bool(declared_family(cell.system)) and baseline_of(cell.system) is None


def _standing(
    cell: CellResult,
    ordered: Sequence[CellResult],
    against: CellResult | None,
    directed: Mapping[tuple[str, str], tuple[Pair, bool]],
    latency: Sequence[LatencyEntry],
) -> SystemSummary:
    _, passed = cell.metric(SeveralAnswers).passed
    alone = _time_of(cell.label, latency, 1)
    pair = None if against is None else directed.get((cell.label, against.label))
    return SystemSummary(
        label=cell.label,
        run=cell.run,
        n=cell.n,
        n_asked=cell.n_asked,
        accuracy=cell.metric(Accuracy).headline.estimate,
        pass_at_k=passed.estimate if passed else None,
        answer_ms=None if alone is None or alone.answer_ms is None else alone.answer_ms.mean,
        ece=cell.metric(Confidence).ece,
        difference=None if pair is None else _difference(*pair),
        verdicts=tuple(_word(directed.get((cell.label, other.label))) for other in ordered),
    )


def _difference(pair: Pair, turned: bool) -> Estimate:
    found = pair.difference
    if not turned:
        return found
    lo, hi = (None if end is None else -end for end in (found.hi, found.lo))
    return replace(found, value=-found.value, lo=lo, hi=hi)


def _word(found: tuple[Pair, bool] | None) -> str | None:
    if found is None:
        return None
    pair, turned = found
    return MIRRORED.get(pair.said, pair.said) if turned else pair.said


def _say_pair(found: tuple[Pair, bool]) -> str:
    """The verdict, and of one that is not given what would decide it."""
    pair, word = found[0], _word(found)
    if word == "undecided" and pair.n_deciding is not None:
        return f"undecided (needs N = {_rounded_up(pair.n_deciding):,})"
    if word == "too few items":
        return f"too few items ({SMALLEST_N} needed)"
    return f"{word}"


def _rounded_up(count: int) -> int:
    """To two digits: it is worked out from a difference that is not known better."""
    unit: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // unit) * unit


def _say_best(cells: Sequence[CellResult], directed: Mapping[tuple[str, str], tuple[Pair, bool]]) -> str:
    best = cells[0]
    own = best.metric(Accuracy).headline.estimate
    if own is None:
        return ""
    if len(cells) == 1:
        return f"{best.label} has {percent(own)}%, with no other system to compare it with."
    pairs = [directed.get((best.label, other.label)) for other in cells[1:]]
    above = all(_word(pair) == "better" for pair in pairs)
    said = f"{'Best' if above else 'Highest'}: {best.label}, {percent(own)}%"
    if pairs[0] is None:
        return f"{said}; the next, {cells[1].label}, shares no items with it."
    return f"{said}; {points(_difference(*pairs[0]))} points on {cells[1].label}: {_say_pair(pairs[0])}."


def _say_memory(
    memory: CellResult | None,
    controls: Sequence[CellResult],
    directed: Mapping[tuple[str, str], tuple[Pair, bool]],
    several: int,
) -> str:
    if memory is None:
        return ""
    held = [
        f"{points(_difference(*pair))} on {other.label}, {_say_pair(pair)}"
        for other in controls
        if (pair := directed.get((memory.label, other.label))) is not None
    ]
    which = f"{memory.label} (memory{f', best of {several}' if several > 1 else ''})"
    return f"{which}: {'; '.join(held)}." if held else ""


def _time_of(label: str, latency: Sequence[LatencyEntry], batch: int) -> LatencyEntry | None:
    return next((entry for entry in latency if (entry.label, entry.batch) == (label, batch)), None)


def _say_costs(labels: Sequence[str], latency: Sequence[LatencyEntry]) -> str:
    """What an answer takes at the smallest and at the largest batch that was measured."""
    measured = sorted({entry.batch for entry in latency if entry.label in labels})
    batches = list(dict.fromkeys((*measured[:1], *measured[-1:])))
    said = []
    for label in labels:
        times = [found and _say_time(found) for batch in batches for found in [_time_of(label, latency, batch)]]
        if any(times):
            said.append(f"{label} {' / '.join(time or 'none' for time in times)}")
    return f"ms an answer at batch {' / '.join(map(str, batches))}: {', '.join(said)}." if said else ""


def _say_time(entry: LatencyEntry) -> str:
    assert entry.answer_ms is not None  # the others are left out before
    ends = "" if entry.answer_ms.ci95 is None else " [{}, {}]".format(
        *(milliseconds(end / entry.batch) for end in entry.answer_ms.ci95)
    )  # fmt: skip
    return f"{milliseconds(entry.answer_ms.mean / entry.batch)}{ends}"


def summary_tables(summaries: Sequence[SuiteSummary]) -> list[Table]:
    """A table a suite under its sentences; the last says how to read the marks of all."""
    made = [_summary_table(summary) for summary in summaries]
    if made and any(len(summary.systems) > 1 for summary in summaries):
        made[-1] = replace(made[-1], remark=_read_marks(summaries))
    return made


def _read_marks(summaries: Sequence[SuiteSummary]) -> str:
    pairs = [pair for summary in summaries for pair in summary.pairs]
    none = "" if all(pair.verdict for pair in pairs) else f", {NO_VERDICT} none yet"
    adjusted = "adjusted for the suite's pairs, so that an interval without 0 may be undecided"
    how = adjusted if any(pair.family.size > 1 for pair in pairs) else "each pair is judged alone"
    return f"Verdicts, row by row: + better, - worse, = equivalent, ? undecided{none}; {how}."


def summary_title(summary: SuiteSummary) -> str:
    """The title of a suite's verdict, under which its picture stands, too."""
    return f"{summary.suite}, N = {summary.n_asked:,}"


def _summary_table(summary: SuiteSummary) -> Table:
    systems, whole = summary.systems, all(s.n == summary.n_asked for s in summary.systems)
    columns: dict[str, list[str]] = {"system": [s.label for s in systems]}
    if not whole:
        columns["n"] = [counted(s.n, s.n_asked) for s in systems]
    columns["right, % [95%]"] = [percent(s.accuracy) for s in systems]
    optional = {
        f"pass@{summary.k}": [share(s.pass_at_k.value if s.pass_at_k else None) for s in systems],
        "ms": [milliseconds(s.answer_ms) for s in systems],
        "ECE": ["-" if s.ece is None else decimal(s.ece, 3) for s in systems],
        f"on {summary.baseline} [95%]": ["-" if s.difference is None else points(s.difference) for s in systems],
        "verdicts": ["".join(MARKS.get(word, NO_VERDICT) for word in s.verdicts) for s in systems],
    }
    shown = {name: found for name, found in optional.items() if any(set(cell) - {"-", "."} for cell in found)}
    if "verdicts" in shown or len(systems) > 1:
        shown["verdicts"] = optional["verdicts"]
    columns |= shown
    return Table(
        summary_title(summary),
        tuple(columns),
        tuple(zip(*columns.values(), strict=True)),
        optional=tuple(name for name in ("ECE", f"pass@{summary.k}", "ms") if name in columns),
        lead=tuple(sentence.text for sentence in summary.sentences),
    )
