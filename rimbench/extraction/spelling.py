r"""A text in one spelling: without markdown, and of LaTeX only boxes."""

import html
import re
import unicodedata
from functools import lru_cache

from rimbench.extraction.latex import GREEK_NAMES, printed
from rimbench.records import LETTERS

_PLAIN = str.maketrans(
    "“”„«»‘’‚′【】「」『』〔〕–—―−‐‑。।۔։።។、،؛؟៖፦⁄∕•●",
    '"""""\'\'\'\'[][][][]------......,,;?:://--',
    "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0f\u00ad\u0640",
) | {ord("≥"): ">=", ord("≤"): "<="}
# Letters in black circles and squares, which NFKC leaves as they are.
_BLACK = {first + i: letter for first in (0x1F150, 0x1F170) for i, letter in enumerate(LETTERS)}
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_VULGAR = re.compile("(?<=[0-9])(?=[¼½¾⅐-⅞])")
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}|#\d{1,6});")
_UNITS = "mg|kg|g|ml|dl|l|mmol|mol|meq|iu|units?|cm|mm|mmhg|bpm|kcal|hours?|hrs?|days?|weeks?|months?|years?|min"
_SPELLINGS = tuple(
    (re.compile(pattern, re.M), spelling)
    for pattern, spelling in (
        (r"([^\w\s])\1{3,}", r"\1\1\1"),
        (r"~~[^~\n]{1,200}~~", ""),  # struck out: retracted
        (r"(?i)<(?:final_?)?(?:answer|choice)>", "\nAnswer: "),
        (
            r"(?i)</?(?:final_?)?(?:answer|choice|response|output|solution|result)>|</?final>|<br ?/?>|"
            r"<\|[a-z_]{1,30}\|>",
            "\n",
        ),
        (r"</?(?:b|strong|i|em|u|p|span|div|mark|code|li|sub)>|</sup>", ""),
        (r"\$ ?([A-J]) ?\$|\\\( ?([A-J]) ?\\\)", r"(\1\2)"),
        (r"\$|\\[()\[\],;: ]", " "),
        (r"(?<=[A-Za-z)])(?=[^\x00-\u2fff])|([^\x00-\u2fff])(?=[A-Za-z(])", r"\1 "),  # 答案是C
        (r"(?<!\w)(\*{1,3}|_{1,3}|`{1,3}|[\"'])[(\[]?([A-Jc-hj])[)\].:]{0,2}\1(?!\w)", r"(\2)"),
        (r"[\[<] ?([A-J]) ?[\]>]|\( ([A-J]) ?\)", r"(\1\2)"),
        (r"(?i)<sup>", "^"),
        (r"(?<=\d) ?[x×*·⋅] ?(?=\d)", "×"),
        (r"\*(?:(?<=^\*)|(?<=^ \*)|(?<=^  \*)|(?<=^    \*)) (?=\S)", "- "),  # a list's bullet
        (r"[*`]|__", ""),
        (r"[^\S\n]+", " "),
        # Numbers: "1,000", "1 / 4", "15 %", "> 5", "20mg"
        (r"(?<=\d),(?=\d{3}(?!\d))", ""),
        (r"(?<![\w.])\.(?=\d)", "0."),
        (r"(?<=\d) ?/ ?(?=\d)", "/"),
        (r"(?i)(?<=\d) ?(?:%|per ?cent\b)", "%"),
        (r"(?<=[<>=≈±]) (?=\d)", ""),
        (r"[<>](?<=\w.)(?==?-?\d)", r" \g<0>"),
        (r"mm Hg\b", "mmHg"),
        (rf"(?i)(?<=\d)(?=(?:{_UNITS})\b)", " "),
        (r"(?i)(?<=\d) ?(?:mcg|ug)\b", " μg"),
        (r"^ ?#{0,6} ?| $", ""),
    )
)
_MARKS = "".join(chr(code) for code in range(0x300, 0x1200) if unicodedata.category(chr(code)).startswith("M"))
_PUNCTUATION = re.compile(rf"[^\w\s+<>=%/.^√∞↑↓→←±{_MARKS}-]|_")
_INNER = r"(?:(?<=[^\W\d]{2})|(?<=[^\W\d]\.))/(?=[^\W\d]{2})"
WORD = re.compile(rf"/|(?:(?!{_INNER}|(?<=\w)-|(?<=[^\W\d])\.(?=[^\W\d]))(?:[^\W_]|[+<>=%/.^'√∞↑↓→←±×{_MARKS}-]))+")
# A minus stands before a number, or a sign of one: "-80", "-√2", "-x", "e^-kt".
_STRAY = re.compile(r"\.(?!\d)|(?<!\^)-(?!\d|[√∞]|[k-z](?!\w)| pi\b)|(?<=\w)-|\^(?![-+\d])")
_POWER_OF_A_WORD = re.compile(r"(?<!\d)\^")
_SPELLED_OUT = GREEK_NAMES | {ord("×"): " x "}
_BETWEEN_WORDS = re.compile(_INNER)


def compatible(text: str) -> str:
    """NFKC, with superscripts and fractions that stay numbers of their own: "10³" is "10^3", not 103."""
    if text.isascii():
        return text
    text = text.translate(_BLACK)
    text = _SUPERSCRIPT.sub(r"^\g<0>", _VULGAR.sub(" ", text))
    # NFKC sorts runs of combining marks in quadratic time: in pieces, a hostile run costs no more than a piece.
    return "".join(unicodedata.normalize("NFKC", text[i : i + 2000]) for i in range(0, len(text), 2000))


def one_spelling(text: str) -> str:
    """NFKC, plain quotes and dashes, no markup, and a letter that markup sets apart written `(C)`."""
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), compatible(text))
    plain = printed(text).translate(_PLAIN)
    for pattern, spelling in _SPELLINGS:
        plain = pattern.sub(spelling, plain)
    return plain.strip()


def normal(text: str) -> str:
    """Text for comparison: no case, no punctuation but what tells numbers apart ("-80", "0.5", "< 1")."""
    text = _POWER_OF_A_WORD.sub("", text.casefold().replace("'", "").translate(_SPELLED_OUT))
    plain = _PUNCTUATION.sub(" ", text)
    return " ".join(_STRAY.sub(" ", _BETWEEN_WORDS.sub(" / ", plain)).split())


@lru_cache(maxsize=10_000)
def parts(word: str) -> tuple[str, ...]:
    """The words of a `WORD` in the spelling for comparison: "β" is one, "," none."""
    return tuple(normal(word).split())


def padded(text: str) -> str:
    """The same between spaces, so that whole words can be looked for."""
    return f" {normal(text)} "
