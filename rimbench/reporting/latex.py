"""The report's tables as LaTeX for a paper, that of accuracy first: `booktabs` rules, none wider than the text."""

import re
import unicodedata

from rimbench.display.plaintext import plain
from rimbench.display.tabular import Table
from rimbench.reporting.compared import Pair, SuiteSummary
from rimbench.reporting.document import Report
from rimbench.reporting.numbers import counted, percent
from rimbench.reporting.pair_tables import say_families
from rimbench.reporting.tables import DISCLAIMER, make_tables

PREAMBLE = r"""% \input this file in a document that has
%   \usepackage{array,booktabs,graphicx}
% Letters beyond ASCII: as they are in LuaLaTeX and XeLaTeX, plain ones in pdfLaTeX, whose fonts lack many.
\ifdefined\Umathchar\def\rimbenchletter#1#2{#1}\else\def\rimbenchletter#1#2{#2}\fi
"""
FIT = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"
MINUS = re.compile(r"(?<!\w)-(?=\d)")
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
"""Adjusted p-values below so much, and their marks."""
LONGEST_LINE = 60
"""Characters of the longest text that is set on one line."""
SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # after the end of a row it would begin an option
    "*": "{*}",
    "\N{REPLACEMENT CHARACTER}": "?",  # LuaTeX takes it for a fault of encoding
    **{c: f"\\{c}" for c in "&%$#_"},
}


def as_latex(report: Report, *, all_pairs: bool = False) -> str:
    """The accuracies as a paper has them, then every table in a float of its own, in the report's order."""
    tables = [_table(table) for table in make_tables(report, all_pairs=all_pairs)]
    made = "\n".join([*([_accuracies(report)] if report.summary else []), *tables])
    return f"{PREAMBLE}\n{made}\n\\noindent {latex_text(DISCLAIMER)}\n"


def _accuracies(report: Report) -> str:
    """Systems by suites: accuracy, its interval, and a mark for what is shown of it against the suite's baseline."""
    found = {(s.label, summary.suite): (summary, s) for summary in report.summary for s in summary.systems}
    labels = dict.fromkeys(cell.label for cell in report.cells if (cell.label, cell.shown_suite) in found)
    rows = []
    for label in labels:
        parts = [latex_text(plain(label))]
        for suite in report.summary:
            _, system = found.get((label, suite.suite), (None, None))
            few = "" if system is None or system.n == system.n_asked else f", n = {counted(system.n, system.n_asked)}"
            parts += [_sized(percent(system.accuracy) if system else "-") + few, _mark(suite, label)]
        rows.append(" & ".join(parts) + r" \\")
    heads = [
        rf"\multicolumn{{2}}{{c}}{{{latex_text(plain(suite.suite))}, $N$ = {suite.n_asked}}}"
        for suite in report.summary
    ]
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        r"\caption{Accuracy in percent, with 95\% intervals.}",
        r"\smallskip",
        FIT,
        rf"\begin{{tabular}}{{l{'r@{}l' * len(heads)}}}",
        r"\toprule",
        " & ".join(["system", *heads]) + r" \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}",
        rf"\par\smallskip\parbox{{\textwidth}}{{\footnotesize {_rule_of_marks(report)}}}",
        r"\end{table}",
        "",
    ]
    return "\n".join(lines)


def _sized(text: str) -> str:
    value, _, around = text.partition(" ")
    return _cell(value) + (rf" {{\scriptsize {_cell(around)}}}" if around else "")


def _mark(suite: SuiteSummary, label: str) -> str:
    if label == suite.baseline:
        return r"$^{\mathrm{b}}$"
    pair = _against_baseline(suite, label)
    if pair is None:
        return ""
    if pair.verdict is None:
        return "$^{?}$"
    if pair.verdict == "equivalent":
        return "$^{=}$"
    stars = next((mark for below, mark in STARS if pair.p_adjusted < below), "")
    return f"$^{{{stars}}}$" if stars and pair.verdict in ("better", "worse") else ""


def _against_baseline(suite: SuiteSummary, label: str) -> Pair | None:
    return next((pair for pair in suite.pairs if {pair.a, pair.b} == {label, suite.baseline}), None)


def _rule_of_marks(report: Report) -> str:
    """What the marks mean: against what, by which test, adjusted for which pairs."""
    standing = [s.accuracy for suite in report.summary for s in suite.systems]
    methods = ", ".join(sorted({accuracy.method for accuracy in standing if accuracy}))
    said = [latex_text(f"Intervals: {methods or 'none'}.")]
    asked = [(suite, _against_baseline(suite, s.label)) for suite in report.summary for s in suite.systems]
    pairs = [pair for suite, pair in asked if pair is not None]
    if not pairs:
        said.append(latex_text("No marks: no system has its baseline beside it; --baseline NAME states one."))
        return " ".join(said)
    marks = [(mark, below) for below, mark in reversed(STARS)]
    tests = ", ".join(sorted({pair.test for pair in pairs}))
    stars = ", ".join(f"$^{{{mark}}}$ $p < {below:g}$" for mark, below in marks)
    sure = f"{100 * (1 - 2 * report.alpha):.0f}%"
    said += [
        r"$^{\mathrm{b}}$ The baseline.",
        f"Another accuracy than the baseline's on the same questions: {stars}; "
        + latex_text(plain(f"p: {tests}, adjusted. {say_families(pairs)}")),
        "$^{=}$ "
        + latex_text(
            f"Equivalent: the {sure} interval of the difference lies within {100 * report.margin:g} points."
        ),
    ]
    if any(pair.verdict is None for pair in pairs):
        said.append("$^{?}$ " + latex_text("No verdict: answers are missing, or the questions are too few."))
    return " ".join(said)


def _table(table: Table) -> str:
    columns = "".join(_column(table, i) for i in range(len(table.columns)))
    lines = [
        *([rf"\noindent {latex_text(' '.join(table.lead))}", ""] if table.lead else []),
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{latex_text(table.title)}. {latex_text(table.remark)}}}".replace(". }", ".}"),
        r"\smallskip",
        FIT,
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(map(latex_text, table.columns)) + r" \\",
        r"\midrule",
        *(" & ".join(map(_cell, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
        "",
    ]
    return "\n".join(lines)


def _column(table: Table, i: int) -> str:
    """Numbers to the right, texts to the left, and sentences on several lines: TeX has no box of 6 metres."""
    cells = [row[i] for row in table.rows]
    if max(map(len, cells), default=0) > LONGEST_LINE:
        return r">{\raggedright\arraybackslash}p{0.7\textwidth}"
    return "r" if table.numeric[i] else "l"


def _cell(text: str) -> str:
    return MINUS.sub("$-$", latex_text(text))


def latex_text(text: str) -> str:
    """Plain text on one line, with nothing in it that LaTeX would read as a command."""
    return "".join(SPECIAL.get(c, c) if c.isascii() or c in SPECIAL else _letter(c) for c in text)


def _letter(c: str) -> str:
    near = unicodedata.normalize("NFKD", c).encode("ascii", "ignore").decode()
    return rf"\rimbenchletter{{{c}}}{{{near if near.isalnum() else '?'}}}"
