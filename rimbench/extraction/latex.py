r"""LaTeX -> the characters that it prints, so that `\frac{1}{4}` and "1/4" are one spelling. Boxes stay."""

import re
import unicodedata

_LETTERS = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
]  # fmt: skip
# Unicode spells the name without its b.
_GREEK = {name: unicodedata.lookup(f"GREEK SMALL LETTER {name.replace('mb', 'm')}") for name in _LETTERS}
GREEK_NAMES = {ord(character): f" {name} " for name, character in _GREEK.items()}
GREEK_NAMES |= {ord(character.upper()): f" {name} " for name, character in _GREEK.items()}
GREEK_NAMES |= {ord("ς"): " sigma ", ord("ϕ"): " phi ", ord("ϵ"): " epsilon ", ord("ϑ"): " theta "}
_PRINTED = {
    **_GREEK,
    **{name.capitalize(): character.upper() for name, character in _GREEK.items()},
    **{f"var{name}": character for name, character in _GREEK.items()},
    **dict.fromkeys(("times", "ast"), "×"),
    "cdot": "·",
    **dict.fromkeys(("leq", "le", "leqslant"), "≤"),
    **dict.fromkeys(("geq", "ge", "geqslant"), "≥"),
    **dict.fromkeys(("neq", "ne"), "≠"),
    **dict.fromkeys(("rightarrow", "to", "longrightarrow", "Rightarrow", "implies"), "→"),
    **dict.fromkeys(("leftarrow", "gets", "Leftarrow"), "←"),
    **dict.fromkeys(("circ", "degree", "textdegree"), "°"),
    **dict.fromkeys(("approx", "sim", "simeq"), "≈"),
    **dict.fromkeys(("quad", "qquad", "newline", "space", "thinspace", "enspace"), " "),
    **dict.fromkeys(("left", "right", "big", "Big", "bigl", "bigr", "displaystyle"), ""),
    **dict.fromkeys(("rm", "bf", "it", "sf", "tt", "bfseries", "itshape", "centering"), ""),
    **dict.fromkeys(("large", "Large", "LARGE", "huge", "Huge", "small", "normalsize"), ""),
    **dict.fromkeys(("scriptstyle", "textstyle", "scriptscriptstyle", "limits"), ""),
    "lt": "<", "gt": ">", "pm": "±", "mp": "∓", "div": "÷", "infty": "∞", "uparrow": "↑", "downarrow": "↓",
    "leftrightarrow": "↔", "percent": "%", "celsius": "°C", "ldots": "...", "dots": "...",
}  # fmt: skip
_WRAPPERS = (
    r"text[a-z]{0,6}|math[a-z]{0,6}|mbox|hbox|operatorname|ensuremath|emph|underline|bm|boldsymbol|pmb|ce|"
    r"num|si|unit|tag"
)
_ARGUMENT = r" ?\{([^{}\n]{0,1000})\}"
_UNWRAPPED = (
    (rf"\\{{1,2}}(?:x?cancel|sout|st|[hv]?phantom|[hv]space\*?|label){_ARGUMENT}", ""),  # struck out, or unseen
    (rf"\\{{1,2}}(?:{_WRAPPERS})\*?{_ARGUMENT}", r"\1"),
    (r"([_^]) ?\{([^{}\n]{0,100})\}", r"\1\2"),
)
_FRACTION = rf"\\{{1,2}}(?:[dtc]?frac|nicefrac|sfrac)(?: ?(\d)|{_ARGUMENT})(?: ?(\d)|{_ARGUMENT})"
_NESTED = (
    (r"\\{1,2}sqrt ?\{ ?([^{}\n]{1,200}?[+-][^{}\n]{1,200})\}", r"√(\1)"),  # of a sum
    (rf"\\{{1,2}}sqrt(?: ?(\d)|{_ARGUMENT})", r"√\1\2"),
    (rf"(?<=[\w)]){_FRACTION}", r" \1\2/\3\4 "),  # 1 1/4
    (rf"{_FRACTION}(?=\w)", r"\1\2/\3\4 "),
    (_FRACTION, r"\1\2/\3\4"),
)
_STEPS = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (r"(?<=\d)(?:\{,\}|\\,|\{\\,\})(?=\d{3}(?!\d))", ""),  # 1{,}000
        (r"\\!|\\(?:text)?color ?\{[^{}\n]{0,30}\}|\\(?:begin|end) ?\{[a-z*]{1,20}\}(?:\{[clr|]{1,9}\})?", ""),
        (r"\{([^{}\n]{1,30}?) ?\\over ?([^{}\n]{1,30})\}", r"\1/\2"),
        *_UNWRAPPED * 3,  # \text{\textbf{C}}
        (r"(?<=[\w}.)])~(?=[\w\\(])", " "),
        (r"(?<![\w}\])^*])\{ ?([\d.]{1,9}) ?\}", r"\1"),
        (r"\^(\d{1,3})/_(\d{1,3})", r" \1/\2 "),
        (r"(?:(?<=[{($=])|(?<=^)) ?- (?=[\d√\\])", "-"),
        (r"\^ ?°", "°"),
        (r"(?<=\w)\$([_^][^\s$]{1,20})\$", r"\1"),  # H$_2$O
        (r"(?<=\w)_(?=\d)", ""),  # H_2O
        (rf"\\{{1,2}}(?:SI|qty){_ARGUMENT}{_ARGUMENT}", r"\1 \2"),
        (r"\\{1,2}[dtc]?frac ?\{ ?([A-J]) ?\} ?\{ ?([A-J]) ?\}", r" \1 over \2 "),  # of letters: a formula
        *_NESTED * 2,
        (r"\\([%&#_])", r"\1"),
    )
)
_COMMAND = re.compile(r"\\{1,2}([A-Za-z]{2,20})(?![A-Za-z])")
_TYPESET = re.compile(r"[\\^]|_[{\d]|\{[,\d]")


def printed(text: str) -> str:
    """The text with LaTeX's commands for letters, numbers and signs replaced by what they print."""
    text = text.replace("\x08", "\\b").replace("\x0c", "\\f")  # "\boxed" and "\frac" read as JSON's escapes
    if not _TYPESET.search(text):
        return text
    text = _COMMAND.sub(lambda command: _PRINTED.get(command[1], command[0]), text)
    for pattern, spelling in _STEPS:
        text = pattern.sub(spelling, text)
    return text
