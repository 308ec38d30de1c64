"""One claims file, judged as a whole: every figure, every family of tests, every claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench.claims.figures import FigureCheck, check_figure
from rimbench.claims.finding import Ruling
from rimbench.claims.floors import check_times
from rimbench.claims.held import Held, Measures
from rimbench.claims.measured import MeasuredAccuracy, MeasuredFlips, OwnMeasurement, Reproduction, reproductions
from rimbench.claims.pairs import Bar, Contrast, FigurePair, tested_family

if TYPE_CHECKING:
    from rimbench.claims.claim import Claim, Published
    from rimbench.claims.schema import ClaimsSpec


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim, its judgement, and the pairs of figures that it rests on, if any; `held` is what own runs say of
    it.
    """

    claim: "Claim"
    judgement: Ruling
    pairs: tuple[Contrast, ...] = ()
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class ClaimsAudit:
    """What a claims file comes to. `reproductions` are by figure id, for figures that some run measured."""

    spec: "ClaimsSpec"
    figures: tuple[FigureCheck, ...]
    findings: tuple[Finding, ...]
    reproductions: Mapping[str, Reproduction] = field(default_factory=dict)


def audit_file(path: Path, measured: Sequence[OwnMeasurement] = ()) -> ClaimsAudit:
    """Read a claims file and judge it; ConfigError with all of its faults."""
    from rimbench.claims.schema import read_claims

    return audit_claims(read_claims(path), measured)


def audit_claims(spec: "ClaimsSpec", measured: Sequence[OwnMeasurement] = ()) -> ClaimsAudit:
    """Judge every figure and every claim from the published numbers alone; then set the runs beside them."""
    from rimbench.claims.claim import PairsClaim, Published  # importing it imports pydantic

    figures = {figure.id: figure for figure in spec.figure}
    bar, time_bar = Bar(spec.margin.value, spec.alpha), Bar(spec.time_margin.value, spec.alpha)
    members: dict[str, list[FigurePair]] = {}
    for claim in spec.claim:
        if isinstance(claim, PairsClaim):
            members.setdefault(claim.family_name, []).extend(claim.pairs(figures))
    families = {name: tested_family(pairs, spec.alpha) for name, pairs in members.items()}
    published = Published(figures, check_times(spec.figure, spec.model, spec.device), families, bar)
    found = reproductions(spec.figure, measured, bar, time_bar)
    cells = {(r.system, r.suite, r.setting, r.k): r for r in measured if isinstance(r, MeasuredAccuracy)}
    flips = {(r.system, r.suite): r for r in measured if isinstance(r, MeasuredFlips)}
    measures = Measures(cells, flips, found, bar, time_bar)
    return ClaimsAudit(
        spec=spec,
        figures=tuple(check_figure(figure, published.times.get(figure.id)) for figure in spec.figure),
        findings=tuple(_finding(claim, published, measures) for claim in spec.claim),
        reproductions=found,
    )


def _finding(claim: "Claim", published: "Published", measures: Measures) -> Finding:
    from rimbench.claims.claim import PairsClaim

    judgement = claim.judge(published)
    pairs = (claim.tested(published) or []) if isinstance(claim, PairsClaim) else []
    if claim.partial is not None and judgement.verdict in ("holds", "holds only as worded"):
        sentence = f"{judgement.sentence} Not covered by these figures: {claim.partial}."
        judgement = Ruling("holds only as worded", sentence, judgement.numbers)
    return Finding(claim, judgement, tuple(pairs), claim.hold(measures))
