"""The report's tables as LaTeX for a paper: `booktabs` rules, none wider than the text."""

from rimbench.report.summary import Summary
from rimbench.report.tables import DISCLAIMER, make_tables
from rimbench.tabular import Table

PREAMBLE = r"""% \input this file in a document that has
%   \usepackage{booktabs,adjustbox}
"""
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


def as_latex(summary: Summary) -> str:
    """Every table in a float of its own, in the report's order."""
    tables = "\n".join(_table(table) for table in make_tables(summary))
    return f"{PREAMBLE}\n{tables}\n\\noindent {_escape(DISCLAIMER)}\n"


def _table(table: Table) -> str:
    columns = "".join("r" if numeric else "l" for numeric in table.numeric)
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{_escape(table.title)}. {_escape(table.remark)}}}".replace(". }", ".}"),
        r"\begin{adjustbox}{max width=\textwidth}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(map(_escape, table.columns)) + r" \\",
        r"\midrule",
        *(" & ".join(map(_escape, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{adjustbox}",
        r"\end{table}",
        "",
    ]
    return "\n".join(lines)


def _escape(text: str) -> str:
    """Plain text on one line, with nothing in it that LaTeX would read as a command."""
    return "".join(SPECIAL.get(c, c) for c in text)
