"""One claims file, judged as a whole: every figure, every family of tests, every claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench.claims.bench import TimeCheck, check_times
from rimbench.claims.chance import judge_above_chance, judge_chance_level, judge_restated
from rimbench.claims.comparisons import Bar, judge_comparison, wanted_pairs
from rimbench.claims.figures import FigureCheck, check_figure
from rimbench.claims.finding import Judgement
from rimbench.claims.held import Held, hold
from rimbench.claims.measured import Measured, Reproduction, reproductions
from rimbench.claims.noise import judge_noise, judge_stability
from rimbench.claims.pairs import FigurePair, Pair, family_of, pick
from rimbench.claims.speed import judge_passes, judge_ratio, judge_times

if TYPE_CHECKING:
    from rimbench.claims.schema import AccuracyFigure, Claim, ClaimsSpec, Figure


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim, its judgement, and the pairs of figures that it rests on, if any; `held` is what own runs say of "
    "it."""

    claim: "Claim"
    judgement: Judgement
    pairs: tuple[Pair, ...] = ()
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """What a claims file comes to. `reproductions` are by figure id, for figures that some run measured."""

    spec: "ClaimsSpec"
    figures: tuple[FigureCheck, ...]
    findings: tuple[Finding, ...]
    reproductions: Mapping[str, Reproduction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Case:
    """What a claim is judged with: the file's figures, their times, the families of tests, and the bar."""

    figures: "Mapping[str, Figure]"
    accuracies: "Mapping[str, AccuracyFigure]"
    times: Mapping[str, TimeCheck]
    families: Mapping[str, Mapping[frozenset[str], Pair]]
    bar: Bar


def audit_file(path: Path, measured: Sequence[Measured] = ()) -> Audit:
    """Read a claims file and judge it; ConfigError with all of its faults."""
    from rimbench.claims.schema import read

    return audit(read(path), measured)


def audit(spec: "ClaimsSpec", measured: Sequence[Measured] = ()) -> Audit:
    """Judge every figure and every claim from the published numbers alone; then set the runs beside them."""
    accuracies = {figure.id: figure for figure in spec.figure if figure.kind == "accuracy"}
    case = _Case(
        figures={figure.id: figure for figure in spec.figure},
        accuracies=accuracies,
        times=check_times(spec),
        families=_families(spec, accuracies),
        bar=Bar(spec.margin.value, spec.alpha),
    )
    found = reproductions(spec, measured)
    return Audit(
        spec=spec,
        figures=tuple(check_figure(figure, case.times.get(figure.id)) for figure in spec.figure),
        findings=tuple(
            replace(_finding(claim, case), held=hold(claim, spec, measured, found)) for claim in spec.claim
        ),
        reproductions=found,
    )


def _families(
    spec: "ClaimsSpec", accuracies: "Mapping[str, AccuracyFigure]"
) -> Mapping[str, Mapping[frozenset[str], Pair]]:
    """The pairs of every family, tested once; a claim without a family is one by itself."""
    members: dict[str, list[FigurePair]] = {}
    for claim in spec.claim:
        if claim.kind in ("comparison", "noise", "stability"):
            members.setdefault(_family_name(claim), []).extend(wanted_pairs(claim, accuracies))
    return {name: family_of(pairs, spec.alpha) for name, pairs in members.items()}


def _family_name(claim: "Claim") -> str:
    """A name of its own where the claim declares none; the colon keeps it apart from declared ones."""
    assert claim.kind in ("comparison", "noise", "stability")
    return f"family:{claim.family}" if claim.family is not None else f"claim:{claim.id}"


def _finding(claim: "Claim", case: _Case) -> Finding:
    if claim.kind in ("comparison", "noise", "stability"):
        finding = _finding_over_pairs(claim, case)
    else:
        finding = Finding(claim, _judge(claim, case))
    judgement = finding.judgement
    if claim.partial is None or judgement.verdict not in ("holds", "holds only as worded"):
        return finding
    sentence = f"{judgement.sentence} Not covered by these figures: {claim.partial}."
    return Finding(claim, Judgement("holds only as worded", sentence, judgement.numbers), finding.pairs)


def _judge(claim: "Claim", case: _Case) -> Judgement:
    match claim.kind:
        case "ratio":
            return judge_ratio(claim, case.figures, case.times)
        case "passes":
            return judge_passes(claim, case.figures)
        case "times":
            return judge_times(claim, case.figures, case.times)
        case "restated":
            return judge_restated(claim, case.figures)
        case "chance level":
            return judge_chance_level(claim)
        case "above chance":
            return judge_above_chance(claim, case.figures)
    raise AssertionError(f"no judge for {claim.kind}")


def _finding_over_pairs(claim: "Claim", case: _Case) -> Finding:
    assert claim.kind in ("comparison", "noise", "stability")
    pairs = pick(case.families[_family_name(claim)], wanted_pairs(claim, case.accuracies))
    if pairs is None:
        sentence = "The number of items behind some of these figures is not stated."
        return Finding(claim, Judgement("cannot be checked from this", sentence))
    if claim.kind == "comparison":
        judgement = judge_comparison(claim, pairs, case.bar)
    elif claim.kind == "noise":
        judgement = judge_noise(claim, pairs, case.accuracies, case.bar)
    else:
        judgement = judge_stability(claim, pairs, case.bar)
    return Finding(claim, judgement, tuple(pairs))
