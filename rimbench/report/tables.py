"""The summary as tables of plain text, in the order of a reader's questions; every format prints these."""

from collections.abc import Mapping, Sequence

from rimbench.records import STATUSES
from rimbench.report.budgets import StoredSweep
from rimbench.report.cells import Cell
from rimbench.report.costs import Cost, Speedup
from rimbench.report.pairs import Pair
from rimbench.report.summary import Summary
from rimbench.statistics.estimate import Estimate
from rimbench.statistics.verdict import Settings
from rimbench.tabular import Table

DISCLAIMER = "A research tool: nothing here is fit for clinical use."


def make_tables(summary: Summary) -> list[Table]:
    """Who is better, how sure, what it costs, what to distrust, where each number comes from; none is empty."""
    cells = summary.cells
    tables = [
        _accuracy(cells),
        compare_table(summary.pairs, summary.settings, summary.family),
        _pass_at_k(cells),
        *(budget_table(sweep) for sweep in summary.sweeps),
        cost_table(summary.costs),
        speedup_table(summary.speedups),
        _statuses(cells),
        _letters(cells),
        _calibration(cells),
        _gaps(summary),
        _order_effects(summary),
        _provenance(cells),
    ]
    return [table for table in tables if table.rows]


def _accuracy(cells: Sequence[Cell]) -> Table:
    methods = sorted({cell.greedy_accuracy.method for cell in cells if cell.greedy_accuracy})
    rows = [
        (
            cell.manifest.suite,
            cell.label,
            str(cell.n),
            _percent(cell.greedy_accuracy),
            f"[{100 * cell.bootstrap[0]:.1f}, {100 * cell.bootstrap[1]:.1f}]" if cell.bootstrap else "-",
            _share(cell.uniform),
            f"{_share(cell.majority.accuracy.value)} ({cell.majority.letter})" if cell.majority else "-",
        )
        for cell in cells
    ]
    return Table(
        "Accuracy",
        ("suite", "system", "n", "greedy, % [95%]", "BCa", "guess, %", "one letter, %"),
        tuple(rows),
        f"Intervals: {', '.join(methods) or 'none'}, and the BCa bootstrap beside it. An answer that names no letter "
        "counts as wrong. Guess: a uniform guesser; one letter: whoever always gives the most frequent gold letter.",
        ("BCa",),
    )


def compare_table(pairs: Sequence[Pair], settings: Settings, family: str) -> Table:
    """Every pair of a family, with its verdict and what it rests on."""
    rows = []
    for pair in pairs:
        comparison, table = pair.comparison, pair.comparison.table
        rows.append(
            (
                pair.suite,
                f"{pair.a} - {pair.b}",
                str(pair.n),
                _points(comparison.difference),
                f"{table.both_right} / {table.a_only} / {table.b_only} / {table.both_wrong}" if table else "-",
                f"{comparison.p_value:.3g}",
                f"{pair.judgement.p_adjusted:.3g}",
                pair.judgement.verdict or "too few items",
            )
        )
    return Table(
        "Who is better",
        (
            "suite",
            "pair",
            "n",
            "difference, points [95%]",
            "both / first / second / none right",
            "p",
            "Holm",
            "verdict",
        ),
        tuple(rows),
        "Same items on both sides. Tango's score interval, exact McNemar test. Family of Holm's adjustment: "
        f"{family}. Equivalent: the {100 * (1 - 2 * settings.alpha):.0f}% interval lies within "
        f"{100 * settings.margin:g} points.",
        ("p", "both / first / second / none right", "n"),
    )


def pair_details(pairs: Sequence[Pair]) -> Table:
    """What else there is to say of a pair: effect size, mid-p, equivalence, pass@k, and why the verdict."""
    rows = []
    for pair in pairs:
        comparison, equal = pair.comparison, pair.comparison.equivalence
        within = "-" if equal.lo is None or equal.hi is None else f"[{100 * equal.lo:+.1f}, {100 * equal.hi:+.1f}]"
        passed = pair.pass_at_k
        rows.append(
            (
                pair.suite,
                _points(comparison.bootstrap),
                _number(comparison.effect) if comparison.effect else "-",
                "-" if comparison.mid_p is None else f"{comparison.mid_p:.3g}",
                within,
                f"pass@{passed[0]} {_points(passed[1].difference)}, p {passed[1].p_value:.3g}" if passed else "-",
                pair.judgement.reason,
            )
        )
    columns = ("suite", "bootstrap, points", "Cohen's g", "mid-p", "TOST interval", "pass@k, points", "why")
    return Table("Details", columns, tuple(rows))


def _pass_at_k(cells: Sequence[Cell]) -> Table:
    rows = [
        (
            cell.manifest.suite,
            cell.label,
            str(passed.k),
            _percent(passed.estimate),
            _share(passed.chance),
            _percent(passed.corrected),
            _percent(passed.exact),
            _percent(cell.pass_at_1),
            _percent(cell.maj_at_k.get(passed.k)),
        )
        for cell in cells
        for passed in cell.pass_at_k
    ]
    return Table(
        "Several answers a question",
        ("suite", "system", "k", "pass@k, % [95%]", "guesser's", "above chance", "exact", "pass@1", "maj@k"),
        tuple(rows),
        "pass@k: the unbiased estimator, bootstrapped over questions; one near the uniform guesser's says little. "
        "Above chance: (value - guesser's) / (1 - guesser's). Exact: from a readout's probabilities.",
        ("exact", "pass@1", "above chance"),
    )


def _statuses(cells: Sequence[Cell]) -> Table:
    return Table(
        "What became of the greedy answers",
        ("suite", "system", *(status.replace("_", " ") for status in STATUSES), "accuracy given ok"),
        tuple(
            (
                cell.manifest.suite,
                cell.label,
                *(str(cell.statuses[status]) for status in STATUSES),
                _percent(cell.given_parsed),
            )
            for cell in cells
        ),
        optional=("refused", "truncated", "ambiguous"),
    )


def _letters(cells: Sequence[Cell]) -> Table:
    return Table(
        "Letters",
        ("suite", "system", "gold", "answered"),
        tuple(
            (cell.manifest.suite, cell.label, _counts(cell.gold_letters), _counts(cell.predicted_letters))
            for cell in cells
        ),
        "A system that answers one letter far more often than it is gold follows the position, not the question.",
    )


def _calibration(cells: Sequence[Cell]) -> Table:
    rows = [
        (
            cell.manifest.suite,
            cell.label,
            f"{_number(found.error.ece)} (floor {found.error.floor:.3f})",
            _number(found.brier),
            _number(found.curve.area),
            _percent(found.accuracy_at_half_coverage),
        )
        for cell in cells
        if (found := cell.calibration) is not None
    ]
    bins = next((cell.calibration.error.bins for cell in cells if cell.calibration), 0)
    return Table(
        "Can a readout's confidence be trusted",
        ("suite", "system", "ECE [95%]", "Brier [95%]", "risk-coverage area [95%]", "accuracy of the surer half"),
        tuple(rows),
        f"ECE over {bins} bins of equal width; its floor is what a perfectly calibrated system would show.",
        ("accuracy of the surer half", "risk-coverage area [95%]"),
    )


def budget_table(sweep: StoredSweep) -> Table:
    """Accuracy at every memory budget, K = 0 first, and what the memory is worth."""
    outcome = sweep.outcome
    rows = [
        (
            str(b.blocks),
            _percent(b.accuracy),
            *("-" if count is None else str(count) for count in (b.changed, b.to_right, b.to_wrong)),
            str(b.failed),
        )
        for b in outcome.budgets
    ]
    remark = "K = 0 has no memory. Changed: answers that differ from those at K - 1."
    memory = outcome.memory
    if memory is not None:
        remark += (
            f" K = {outcome.budgets[-1].blocks} minus K = 0: {_points(memory.difference)} points, "
            f"p = {memory.p_value:.2g} ({memory.test})."
        )
    return Table(
        f"Accuracy by memory budget: {sweep.manifest.system} on {sweep.manifest.suite}, N = {outcome.n}",
        ("K", "greedy, % [95%]", "changed", "to right", "to wrong", "failed"),
        tuple(rows),
        remark,
    )


def cost_table(costs: Sequence[Cost]) -> Table:
    """What an answer takes, and how right it is."""
    rows = []
    for cost in costs:
        row = cost.measured
        rows.append(
            (
                cost.suite,
                row.system,
                str(row.batch),
                "one pass" if cost.is_one_pass else f"{row.generated_tokens:.1f} tokens",
                _ms(cost.mean.value),
                f"[{_ms(cost.mean.lo)}, {_ms(cost.mean.hi)}]",
                *(_ms(value) for value in cost.percentiles.values()),
                f"{row.per_question_ms:.3g}",
                f"{row.prompt_tokens:.0f}",
                _share(cost.accuracy.value if cost.accuracy else None),
                ", ".join(row.noises) or "-",
            )
        )
    engines = sorted({f"{c.measured.engine}, {c.measured.dtype} on {c.measured.device}" for c in costs})
    least = min((len(c.measured.samples_ms) for c in costs), default=0)
    columns = ("suite", "system", "batch", "answer by", "ms a batch", "95%", "p50", "p95", "p99", "ms each")
    return Table(
        "What an answer costs",
        (*columns, "tokens in", "greedy, %", "noise"),
        tuple(rows),
        f"{'; '.join(engines)}; {least} samples or more after warm-up, systems in turn on the same items, "
        "tokenisation outside.",
        ("p50", "p99", "tokens in", "p95", "answer by", "noise", "95%"),
    )


def speedup_table(speedups: Sequence[Speedup]) -> Table:
    """How many times as fast the faster of two systems is."""
    rows = [
        (s.suite, str(s.batch), s.system, s.baseline, _times(s.ratio))
        for s in speedups
    ]  # fmt: skip
    return Table(
        "How many times as fast",
        ("suite", "batch", "system", "than", "times [95%]"),
        tuple(rows),
        "Ratio of mean answer times in one measurement: same items, engine, device, number type and batch size.",
    )


def _gaps(summary: Summary) -> Table:
    return Table(
        "In distribution against out of it",
        ("system", "suites", "gap, points [95%]"),
        tuple((gap.system, f"{gap.inside} - {gap.outside}", _points(gap.difference)) for gap in summary.gaps),
    )


def _order_effects(summary: Summary) -> Table:
    rows = []
    for effect in summary.order_effects:
        moved = effect.moved or 1
        rows.append(
            (
                effect.suite,
                effect.system,
                str(effect.orders),
                _share(effect.mean_accuracy),
                str(effect.moved),
                _share(effect.follow_text / moved) if effect.moved else "-",
                _share(effect.follow_letter / moved) if effect.moved else "-",
            )
        )
    return Table(
        "When the options change places",
        ("suite", "system", "orders", "mean accuracy, %", "moved", "follow the text, %", "follow the letter, %"),
        tuple(rows),
        "Moved: answers whose option stood under another letter in the other order.",
    )


def _provenance(cells: Sequence[Cell]) -> Table:
    return Table(
        "Where the answers come from",
        ("run", "model", "suite hash", "engine", "commit"),
        tuple(_origin(cell) for cell in cells),
        optional=("commit", "engine"),
    )


def _origin(cell: Cell) -> tuple[str, ...]:
    manifest = cell.manifest
    engine = manifest.identity["engine"]
    revision = manifest.model_source["revision"] or manifest.identity["weights_sha256"]
    return (
        manifest.run,
        f"{manifest.model_source['source']} {revision[:10]}",
        manifest.identity["suite"]["content_sha256"][:10],
        f"{engine['name']}, {engine['device']}, {engine['dtype']}",
        (manifest.commit or "-")[:10] + (" (changed)" if manifest.dirty else ""),
    )


def _counts(letters: Mapping[str, int]) -> str:
    return " ".join(f"{letter} {count}" for letter, count in letters.items()) or "-"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _times(ratio: Estimate) -> str:
    around = "" if ratio.lo is None or ratio.hi is None else f" [{ratio.lo:.3g}, {ratio.hi:.3g}]"
    return f"{ratio.value:.3g}{around}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    value = f"{100 * estimate.value:.1f}"
    if estimate.lo is None or estimate.hi is None:
        return value
    return f"{value} [{100 * estimate.lo:.1f}, {100 * estimate.hi:.1f}]"


def _points(estimate: Estimate) -> str:
    if estimate.lo is None or estimate.hi is None:
        return f"{100 * estimate.value:+.1f}"
    return f"{100 * estimate.value:+.1f} [{100 * estimate.lo:+.1f}, {100 * estimate.hi:+.1f}]"


def _number(estimate: Estimate) -> str:
    if estimate.lo is None or estimate.hi is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.lo:.3f}, {estimate.hi:.3f}]"
