"""The report's tables as LaTeX for a paper: `booktabs` rules, none wider than the text."""

import re
import unicodedata

from rimbench.display.tabular import Table
from rimbench.reporting.document import Report
from rimbench.reporting.tables import DISCLAIMER, make_tables

PREAMBLE = r"""% \input this file in a document that has
%   \usepackage{array,booktabs,graphicx}
% Letters beyond ASCII: as they are in LuaLaTeX and XeLaTeX, plain ones in pdfLaTeX, whose fonts lack many.
\ifdefined\Umathchar\def\rimbenchletter#1#2{#1}\else\def\rimbenchletter#1#2{#2}\fi
"""
FIT = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"
MINUS = re.compile(r"(?<!\w)-(?=\d)")
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
    """Every table in a float of its own, in the report's order."""
    tables = "\n".join(_table(table) for table in make_tables(report, all_pairs=all_pairs))
    return f"{PREAMBLE}\n{tables}\n\\noindent {_escape(DISCLAIMER)}\n"


def _table(table: Table) -> str:
    columns = "".join(_column(table, i) for i in range(len(table.columns)))
    lines = [
        *([rf"\noindent {_escape(' '.join(table.lead))}", ""] if table.lead else []),
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{_escape(table.title)}. {_escape(table.remark)}}}".replace(". }", ".}"),
        r"\smallskip",
        FIT,
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(map(_escape, table.columns)) + r" \\",
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
    return MINUS.sub("$-$", _escape(text))


def _escape(text: str) -> str:
    """Plain text on one line, with nothing in it that LaTeX would read as a command."""
    return "".join(SPECIAL.get(c, c) if c.isascii() or c in SPECIAL else _letter(c) for c in text)


def _letter(c: str) -> str:
    near = unicodedata.normalize("NFKD", c).encode("ascii", "ignore").decode()
    return rf"\rimbenchletter{{{c}}}{{{near if near.isalnum() else '?'}}}"
