"""An audit as tables of plain text: narrow columns, and one sentence a claim below them."""

from collections.abc import Sequence

from rimbench.claims.audit import ClaimsAudit, Finding
from rimbench.claims.claim import SECTIONS
from rimbench.claims.figures import FigureCheck
from rimbench.claims.finding import VERDICTS, in_factor, in_points, in_time
from rimbench.claims.floors import TimeCheck
from rimbench.claims.measured import MeasuredTime, Reproduction
from rimbench.display.tabular import Table
from rimbench.statistics.estimate import Estimate

INDEPENDENT = (
    "Accuracies are compared as independent samples, since the outcomes item by item are unpublished; where systems "
    "are right on much the same items this is the cautious test. Ruled out: by a one-sided {level} bound."
)


RULE = (
    "Difference: measured less published, in points, as independent samples; of times in % of the published one; "
    "with what rounding leaves open. Reproduced: the whole {level} interval lies within the margin ({margin} "
    "points, {time_margin} % of a time). Contradicted: it lies outside as a whole. Undecided: neither."
)
CLAIMS_RULE = (
    "Reproduced: a {level} interval shows it for every pair; a tie, noise and stability need the whole interval "
    "within the margin, better the right side of 0, at least as good more than minus the margin, use of memory a "
    "loss above it. Contradicted: an interval at 1 - 2 alpha / pairs shows the opposite. Undecided: neither. Systems "
    "are compared item by item."
)


def audit_tables(audit: ClaimsAudit) -> list[Table]:
    """The published figures, what runs measured where there are any, and the claims section by section, counted."""
    accuracies = [check for check in audit.figures if check.figure.kind != "latency"]
    times = [check for check in audit.figures if check.figure.kind == "latency"]
    tables = [
        *([_accuracies(accuracies)] if accuracies else []),
        *([_times(times)] if times else []),
        *([_reproductions(audit)] if audit.reproductions else []),
        *([_held(audit)] if any(finding.held for finding in audit.findings) else []),
    ]
    for title in dict.fromkeys([*SECTIONS, *(finding.claim.SECTION for finding in audit.findings)]):
        findings = [finding for finding in audit.findings if title == finding.claim.SECTION]
        if findings:
            tables.append(_claims(title, findings, f"{100 * (1 - audit.spec.alpha):g}%"))
    return [*tables, _verdicts(audit.findings)] if audit.findings else tables


def _verdicts(findings: Sequence[Finding]) -> Table:
    given = [finding.judgement.verdict for finding in findings]
    rows = tuple((verdict, str(given.count(verdict))) for verdict in VERDICTS)
    return Table("Verdicts", ("verdict", "claims"), rows)


def _accuracies(checks: Sequence[FigureCheck]) -> Table:
    rows = []
    for check in checks:
        figure = check.figure
        assert figure.kind != "latency"
        what = "accuracy" if figure.kind == "accuracy" else f"pass@{figure.k}"
        setting = f" ({figure.setting})" if figure.kind == "accuracy" and figure.setting else ""
        system = figure.system + setting
        rows.append((figure.suite, system, what, figure.value.text, str(figure.n), _percent_interval(check.estimate)))
    columns = ("suite", "system", "what", "printed", "n", "95%, in %")
    return Table("Published accuracies", columns, tuple(rows), _impossible(checks, "Intervals: Wilson score."))


def _times(checks: Sequence[FigureCheck]) -> Table:
    rows = []
    for check in checks:
        figure, time = check.figure, check.time
        assert figure.kind == "latency" and time is not None
        rows.append(
            (
                figure.id,
                figure.value.text,
                "-" if figure.batch is None else str(figure.batch),
                _passes(time),
                "-" if time.pass_s is None else in_time(time.pass_s),
                "-" if time.floor_s is None else in_time(time.floor_s),
                "-" if time.times_floor is None else in_factor(time.times_floor),
            )
        )
    columns = ("time", "printed", "batch", "passes", "a pass", "floor", "x floor")
    remark = "Floor: the least time that bandwidth and arithmetic of the stated device allow (docs/claims.md)."
    return Table("Published times", columns, tuple(rows), _impossible(checks, remark))


def _impossible(checks: Sequence[FigureCheck], remark: str) -> str:
    faults = [
        f"{check.figure.id}: contradicted. {check.sentence}" for check in checks if check.verdict == "contradicted"
    ]
    return "\n".join([remark, *faults])


def _reproductions(audit: ClaimsAudit) -> Table:
    figures = {check.figure.id: check.figure for check in audit.figures}
    rows = [
        (name, figures[name].value.text, *_measured(reproduction))
        for name, reproduction in audit.reproductions.items()
    ]
    level = f"{100 * (1 - 2 * audit.spec.alpha):g}%"
    columns = ("figure", "printed", "measured", "n", f"difference [{level}]", "outcome")
    kept = [f"{name}: {_told_run(found)}" for name, found in audit.reproductions.items()]
    remark = RULE.format(
        level=level, margin=in_points(audit.spec.margin.value), time_margin=in_points(audit.spec.time_margin.value)
    )
    return Table("Published against measured", columns, tuple(rows), "\n".join([remark, *kept]))


def _told_run(found: Reproduction) -> str:
    measured = found.measured
    where = (
        f"{measured.run}, on {measured.device}, {measured.dtype}"
        if isinstance(measured, MeasuredTime)
        else f"run {measured.run}"
    )
    unverified = "".join(f"; not compared: {what}" for what in measured.unverified)
    return f"{where}; {found.outcome or 'no verdict'}: {found.reason.removeprefix('not judged: ')}{unverified}"


def _measured(found: Reproduction) -> tuple[str, str, str, str]:
    estimate, timed = found.estimate, isinstance(found.measured, MeasuredTime)
    if estimate is None:
        return "-", "-", "-", "not judged"
    value = in_time(estimate.value) if timed else f"{in_points(estimate.value)} %"
    told = "-"
    if found.interval is not None and found.difference is not None:
        unit = " %" if timed else ""
        ends = [in_points(end, signed=True) for end in found.interval]
        middle = (
            found.difference.value / (estimate.value - found.difference.value) if timed else found.difference.value
        )
        told = f"{in_points(middle, signed=True)}{unit} [{', '.join(ends)}]"
    return value, str(estimate.n), told, found.outcome or "not judged"


def _held(audit: ClaimsAudit) -> Table:
    held = [(finding.claim.id, finding.held) for finding in audit.findings if finding.held is not None]
    rows = tuple((name, each.outcome or "not judged") for name, each in held)
    told = [f"{name}: {each.reason}" for name, each in held]
    remark = CLAIMS_RULE.format(level=f"{100 * (1 - 2 * audit.spec.alpha):g}%")
    return Table("Claims against measured", ("claim", "outcome"), rows, "\n".join([remark, *told]))


def _claims(title: str, findings: Sequence[Finding], level: str) -> Table:
    rows = tuple((finding.claim.id, finding.judgement.verdict) for finding in findings)
    cautious = any(finding.pairs for finding in findings)
    remark = "\n\n".join(
        [*([INDEPENDENT.format(level=level)] if cautious else []), *(_told(finding) for finding in findings)]
    )
    return Table(title, ("claim", "verdict"), rows, f"\n{remark}")


def _told(finding: Finding) -> str:
    return f'{finding.claim.id}: "{finding.claim.text}"\n  {finding.judgement.verdict}: {finding.judgement.sentence}'


def _percent_interval(estimate: Estimate | None) -> str:
    if estimate is None or estimate.lo is None or estimate.hi is None:
        return "-"
    return f"{in_points(estimate.lo)} to {in_points(estimate.hi)}"


def _passes(time: TimeCheck) -> str:
    """How many passes a time covers: counted, or as many as fit into it."""
    if time.pass_s is not None:
        return f"{time.value_s / time.pass_s:.1f}".removesuffix(".0")
    if time.passes is None:
        return "-"
    return str(time.passes.least) if time.passes.least == time.passes.most else f"1 to {time.passes.most}"
