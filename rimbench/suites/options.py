"""A cell, or a cell for each option -> the options of a question, in their order, and how the row labels them.

    ["x", "y"]   {"A": "x", "B": "y"}   {"1": "x", "2": "y"}   {"text": ["x", "y"], "label": ["A", "B"]}
    [{"key": "A", "value": "x"}, ...]   [{"label": "A", "text": "x"}, ...]   [["A", "x"], ...]   [{"A": "x"}, ...]

and each of these written as text: as JSON, or as Python and NumPy print it, or as people list them ("A. x B. y", on
lines or in one). Empty cells at the end (null, NaN, "" or spaces) are options that the row does not have; one between
two options is kept as "", which the audit calls a fault.
"""

import ast
import io
import itertools
import json
import math
import re
import tokenize
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rimbench.records import LETTERS
from rimbench.suites.choices import split_choices

LONGEST_LITERAL = 100_000
"""Characters of a cell that is read as a Python literal."""
_LABEL_NAMES = ("label", "key", "letter", "id", "identifier")
_TEXT_NAMES = ("text", "value", "option", "content", "choice", "answer")
_NAMED_AFTER = re.compile(r"^(?:option|choice|answer)[ _]?(?=.)")
"""What a name has before one of these: "option_text", "optionText"."""
_AROUND = "()[]{}.:*_'\"\\ \u3001\u3002\u3010\u3011"
_CALLED = re.compile(r"^(?:OPTION|CHOICE|ANSWER|OPT?)[ _:-]{0,2}([A-J]|\d{1,2})$")
"""A label behind what options are called: "Option A", "option_a", "opa"."""
_LISTED = re.compile(r"\s*(?:[(\[]A[)\]]|A[).:])")
"""How a list of options begins that is written out."""
_MARKER = re.compile(r"(?:^|(?<=[\s,;|]))[(（]?\s?([A-Ja-j]|\d{1,2})\s?(?:[)）、．]|\.(?=\s))\s*")
_WRITTEN = (LETTERS, LETTERS.lower(), [str(i) for i in range(1, 11)])
_COUNTED = (list(LETTERS), [str(i) for i in range(10)], [str(i) for i in range(1, 11)])
"""Labels that count up."""
_WRAPPED = ("array", "list", "str_", "int32", "int64", "float32", "float64")
"""What NumPy writes around a value."""


class OptionsError(Exception):
    """No options can be had from a row; the argument is the kind of fault."""


class TooManyOptionsError(Exception):
    """A row has options beyond the last letter; the argument says what."""


class Options(NamedTuple):
    """The values of a row's options as they were read, and the label that the row gives each, in capitals."""

    values: tuple[object, ...]
    labels: tuple[str, ...]


def read_options(cells: object) -> Options:
    """The options that a cell, or one cell each, holds; OptionsError where it holds none."""
    if isinstance(cells, str):
        cells = _parsed(cells)
    if isinstance(cells, Mapping):
        return _of_mapping(cells)
    if not isinstance(cells, list | tuple):
        raise OptionsError("option_count")
    if len(cells) > 1 and all(isinstance(entry, Mapping) and len(entry) == 1 for entry in cells):
        named = {label: text for entry in cells for label, text in entry.items()}
        if len(named) == len(cells):
            return _of_mapping(named)
    if cells and all(isinstance(entry, Mapping) for entry in cells):
        labelled = [(_named(entry, _LABEL_NAMES), _named(entry, _TEXT_NAMES)) for entry in cells]
        if all(label is not None for label, _ in labelled):
            return _labelled(labelled)
        cells = [text for _, text in labelled]
    if cells and all(isinstance(entry, list | tuple) and len(entry) == 2 for entry in cells):
        return _labelled([(entry[0], entry[1]) for entry in cells if isinstance(entry, list | tuple)])
    kept = list(cells)
    while kept and is_missing(kept[-1]):
        kept.pop()
    if len(kept) > len(LETTERS):
        raise TooManyOptionsError(f"{len(kept)} options")
    return Options(tuple(kept), tuple(LETTERS[: len(kept)]))


def is_missing(value: object) -> bool:
    """Whether a cell holds nothing: null, NaN, or a text of spaces alone."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, float) and math.isnan(value)) or str(value).strip() == ""


def is_whole(text: str) -> bool:
    """Whether a text can be written: one that was cut may hold half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_mapping(cells: Mapping[object, object]) -> Options:
    """Options by label, or two lists, one of texts and one of labels; other keys beside letters are left alone."""
    if list(cells) == _COUNTED[0][: len(cells)] and not any(map(is_missing, cells.values())):  # as most rows are
        return Options(tuple(cells.values()), tuple(LETTERS[: len(cells)]))
    texts, labels = _named(cells, _TEXT_NAMES), _named(cells, _LABEL_NAMES)
    if len(cells) == 1 and isinstance(texts, list | Mapping):
        return read_options(texts)
    if isinstance(texts, list | tuple) and isinstance(labels, list | tuple):
        if len(texts) != len(labels):
            raise OptionsError("option_labels")
        return _labelled(list(zip(labels, texts, strict=True)))
    known = [(label, text) for label, text in cells.items() if len(as_label(label)) == 1 or as_label(label).isdigit()]
    if not known:
        raise OptionsError("unreadable_options")
    return _labelled(known)


def _labelled(options: Sequence[tuple[object, object]]) -> Options:
    """Options with labels that count up: letters from A, or numbers from 0 or 1. Missing ones at the end are none."""
    kept = sorted(((as_label(label), text) for label, text in options), key=lambda found: (len(found[0]), found[0]))
    while kept and is_missing(kept[-1][1]):
        kept.pop()
    labels = [label for label, _ in kept]
    beyond = [label for label in labels if label.isalpha() and label not in LETTERS]
    if beyond and len(beyond[0]) == 1:
        raise TooManyOptionsError(f"option letter {beyond[0]}")
    if len(kept) > len(LETTERS):
        raise TooManyOptionsError(f"{len(kept)} options")
    if not any(labels == wanted[: len(labels)] for wanted in _COUNTED):
        raise OptionsError("option_count" if set(labels) <= set(LETTERS) else "option_labels")
    return Options(tuple(text for _, text in kept), tuple(labels))


def as_label(value: object) -> str:
    """A label in capitals, without what is written around it: "(a)", "B." and 2.0 are A, B and 2."""
    return _as_label(str(value))


@lru_cache(maxsize=1024)
def _as_label(text: str) -> str:
    """Kept: the labels of all rows are the same few."""
    plain = re.sub(r"^(\d+)\.0$", r"\1", unicodedata.normalize("NFKC", text).strip()).strip(_AROUND).upper()
    return _CALLED.sub(r"\1", plain)


def _named(entry: Mapping[object, object], names: Sequence[str]) -> object:
    """The value under the first of these names that an entry has, or None."""
    for name in names:
        if name in entry:
            return entry[name]
    called = {
        _NAMED_AFTER.sub("", str(name).strip().lower().removesuffix("s")): value for name, value in entry.items()
    }
    return next((called[name] for name in names if name in called), None)


def _parsed(text: str) -> object:
    """A cell's text as the value that it writes down."""
    try:
        value = json.loads(text)
        return _parsed(value) if isinstance(value, str) else value  # JSON within JSON
    except (ValueError, RecursionError):
        pass
    listed = split_choices(f"Which?\n{text}") if _LISTED.match(text) else None
    if listed:
        return list(listed.options)
    if others := _listed(text):
        return others
    if not text.strip().startswith(("[", "{", "(", "array(")):
        raise OptionsError("option_count")
    if len(text) > LONGEST_LITERAL:
        raise OptionsError("unreadable_options")
    try:
        return _value(ast.parse(_with_commas(text.strip()), mode="eval").body)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError, tokenize.TokenError):
        raise OptionsError("unreadable_options") from None


def _listed(text: str) -> list[str]:
    """The options of "a) x, b) y" or "1. x 2. y", which begins with its first label; [] for any other text."""
    found: list[re.Match[str]] = []
    for marker in _MARKER.finditer(text):
        labels = next((labels for labels in _WRITTEN if labels[0] == (found[0] if found else marker)[1]), "")
        if len(found) < len(labels) and marker[1] == labels[len(found)]:
            found.append(marker)
    if len(found) < 2 or text[: found[0].start()].strip():
        return []
    ends = [*(marker.start() for marker in found[1:]), len(text)]
    texts = [text[marker.end() : end].strip().rstrip(",;|").rstrip() for marker, end in zip(found, ends, strict=True)]
    return texts if all(texts) else []


def _with_commas(text: str) -> str:
    """A NumPy array prints its values side by side, which Python would join to one, or not take."""
    breaks = (tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in breaks]
    apart = ["," if _are_apart(here, behind) else " " for here, behind in itertools.pairwise(tokens)]
    return "".join(token.string + mark for token, mark in zip(tokens, [*apart, ""], strict=True))


def _are_apart(here: tokenize.TokenInfo, behind: tokenize.TokenInfo) -> bool:
    """Whether one value ends and another begins: 'x' 'y', {...} {...}, 1 -2, None 'x'."""
    plain = (tokenize.STRING, tokenize.NUMBER)
    ends = here.type in plain or here.string in (")", "]", "}", "None", "nan", "True", "False")
    begins = behind.type in (*plain, tokenize.NAME) or behind.string in ("(", "[", "{")
    return ends and (begins or (behind.string == "-" and here.end != behind.start))


def _value(node: ast.expr) -> object:
    """The value of a literal of texts, numbers, lists and mappings; ValueError for anything else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(entry) for entry in node.elts]
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.Name) and node.id in ("nan", "NaN", "null", "NA"):
        return None
    if isinstance(node, ast.Call) and ast.unparse(node.func).removeprefix("np.") in _WRAPPED and node.args:
        return _value(node.args[0])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand)
        return -value if isinstance(value, int | float) else None
    raise ValueError("no literal")


_STYLES = (
    (r"[(（\[【〔<]\s*{label}\s*[)）\]】〕>]\s*(?:[:.]|-(?=\s))?\s*", True),
    (r"{label}\s*\.?[)）、．：]\s*", True),
    (r"(?:[Oo]ption|OPTION|[Cc]hoice|选项)\s*{label}\s*[.:)）、．：]\s*", True),
    (r"{label}[.:]\s+", True),
    (r"{label}\s*[.:]", False),
    (r"{label}\s+[-–—]\s+", False),
    (
        r"(?:\$\\(?:textbf|mathrm|text)\{{\({label}\)\s*\}}(?:\\ |~|\s)*\$|"
        r"\\textbf\{{\({label}\)\s*\}}(?:\\ |~)?)\s*",
        True,
    ),
)
"""How an option bears its label, and whether numbers do so too: "1.5 mg" and "1 - 2 weeks" bear none."""
_BOLD = r"(?:[-*•]\s+)?(?:\*\*|__)?"
_ALPHABETS = (
    "ＡＢＣＤＥＦＧＨＩＪ",
    "АБВГДЕЖЗИК",
    "абвгдежзик",
    "αβγδεζηθικ",
    "가나다라마바사아자차",
    "アイウエオカキクケコ",
    "甲乙丙丁戊己庚辛壬癸",
    "أبجدهوزحطي",
    "אבגדהוזחטי",
    ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"),
    ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"),
)
"""Other labels that count up, in any of these styles."""
_CIRCLED = ("①②③④⑤⑥⑦⑧⑨⑩", "⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽", "ⒶⒷⒸⒹⒺⒻⒼⒽⒾⒿ", "ⓐⓑⓒⓓⓔⓕⓖⓗⓘⓙ", "⒜⒝⒞⒟⒠⒡⒢⒣⒤⒥")
"""Labels that need nothing around them but a space behind: "①②" is no label and a text."""
_MAY_BEAR_ONE = re.compile(
    _BOLD
    + r"(?:[Oo]ption|OPTION|[Cc]hoice|选项|\$?\\(?:textbf|mathrm|text)\{)?\s*[(（\[【〔<]?\s*"
    + r"(?:[①⑴Ⓐⓐ⒜]|[Aa1ＡАаα가ア甲أאIi](?:\s*[.:)）\]】〕>、．：]|\s+[-–—]))"
)
"""How a first option begins that bears a label of any style; in a large suite, nearly none does."""
_NO_TEXT = re.compile(r"(?:and|or)\b|only$|[,&+;]|$")
"""What follows a letter that an option speaks of, and does not bear: "(A) and (B)", "A) only"."""


def without_own_labels(options: Sequence[str]) -> tuple[str, ...] | None:
    """The options without the labels that they bear in their texts; None unless every one bears its own.

    All are of one style: "(A) x", "A) x", "A. x", "A: x", "A - x", in small letters, in numbers from 1, or in what
    other languages count by.
    """
    if not options or not _MAY_BEAR_ONE.match(options[0]):
        return None
    for patterns in _ways_to_label():
        rests: list[str] = []
        for pattern, option in zip(patterns, options, strict=False):
            found = pattern.match(option)
            rest = option[found.end() :].strip() if found else ""
            if _NO_TEXT.match(rest):
                break
            rests.append(rest)
        if len(rests) == len(options):
            return tuple(rests)
    return None


@lru_cache(maxsize=1)
def _ways_to_label() -> tuple[tuple[re.Pattern[str], ...], ...]:
    """The patterns of a question's options, for each style and kind of label."""
    numbers = [str(i) for i in range(1, len(LETTERS) + 1)]
    styles = [
        (style, labels)
        for style, also_numbers in _STYLES
        for labels in (LETTERS, LETTERS.lower(), numbers if also_numbers else (), *_ALPHABETS)
    ]
    styles += [(r"{label}(?:\s*[.:)、．：])?\s+", labels) for labels in _CIRCLED]
    return tuple(
        tuple(re.compile(_BOLD + style.format(label=label) + _BOLD) for label in labels) for style, labels in styles
    )
