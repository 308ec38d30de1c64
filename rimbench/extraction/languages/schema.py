"""A language's TOML file -> its wording."""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field

from rimbench.extraction.spelling import one_spelling
from rimbench.extraction.wording import DASH, LanguageWording
from rimbench.files.toml import TomlTable, read_toml
from rimbench.records import LETTERS

Words = tuple[str, ...]


class LanguageFile(TomlTable):
    """Words as they are written; upper and lower case alike, but for words of one letter."""

    answer: Words = Field(min_length=1)
    """What the answer is called: "Antwort"."""
    correct: Words = Field(min_length=1)
    """What is said of a right option, in every form: "richtig", "richtige"."""
    option: Words = ()
    """What an option is called where its letter follows: "Option"."""
    choice: Words = ()
    """What stands right before a letter that is chosen: "ich wähle"."""
    link: Words = ()
    """What stands between the word for the answer and the letter: "ist", "lautet"."""
    filler: Words = ()
    """What may stand before a letter and says nothing: articles."""
    joiner: Words = ()
    """What joins two letters: "und", "oder"."""
    denial: Words = ()
    """What denies, before or behind a letter: "nicht", "falsch"."""
    contrast: Words = ()
    """What corrects behind a denied letter: "nicht B, sondern C"."""
    supposed: Words = ()
    """What makes a statement a question or a supposition: "wenn", "ob"."""
    after: Words = ()
    """What may follow a letter: "weil"."""
    ending: Words = ()
    """What a letter's sentence ends in, or what is written right behind a letter: "입니다"."""
    before: Words = ()
    """What may stand before a letter that begins a statement: "also"."""
    letters: Words = ()
    """Alphabets that stand for A, B, C ..., each as one string in order."""
    examples: tuple[tuple[str, Literal["A", "B", "C", "D", "no_answer", "ambiguous"]], ...] = Field(min_length=3)
    """Texts and what they state, of an item whose options are A to D."""


# Words that other languages share with English, and parts of English words, tell of none.
_ENGLISH = frozenset(
    [
        "option",
        "correct",
        "exact",
        "item",
        "solution",
        "literal",
        "vera",
        "juste",
        "certo",
        "certa",
        "incorrect",
        "exclu",
        "correcte",
        "variant",
        "variants",
    ]
)


class Language:
    """A language's words for an answer, the words by which a text in it is known, and its wording."""

    def __init__(self, file: LanguageFile) -> None:
        self.answer = tuple(map(_spelled, file.answer))
        words = [*file.answer, *file.correct, *file.choice]
        others = (*file.denial, *file.ending, *file.option)
        # A script that no other language has tells of it in any word, Latin letters in long ones.
        words += [word for word in others if len(word) > 4 or not _is_latin(file)]
        folded = dict.fromkeys(_spelled(word).casefold() for word in words)
        self._telling = tuple(word for word in folded if word not in _ENGLISH)
        self._in_ascii = tuple(filter(str.isascii, self._telling))
        self._least, self._least_in_ascii = map(_holding_no_other, (self._telling, self._in_ascii))
        self._file = file

    def told(self, folded: str) -> int:
        """How often a text without capitals holds the words that tell of the language."""
        ascii_alone = folded.isascii()
        if not any(word in folded for word in (self._least_in_ascii if ascii_alone else self._least)):
            return 0
        return sum(map(folded.count, self._in_ascii if ascii_alone else self._telling))

    @cached_property
    def wording(self) -> LanguageWording:
        """Its patterns, which are made when a text needs them."""
        return _compile(self._file)

    def spelling(self, plain: str) -> LanguageWording:
        """The wording for a text, whose labels tell which alphabet it counts in."""
        alphabets = self._file.letters
        if len(alphabets) < 2:
            return self.wording
        labels = set(re.findall(rf"(?<!\w)[{''.join(a[:5] for a in alphabets)}](?!\w)", plain))
        alphabet = next((a for a in alphabets if labels <= set(a)), alphabets[0])
        return replace(self.wording, native_letters=_letters(alphabet))


def read_file(path: Path) -> LanguageFile:
    """Read and validate a language's TOML file."""
    return read_toml(path, LanguageFile, "language")


def read_language(path: Path) -> Language:
    """The language of a TOML file; ConfigError for one with faults."""
    return Language(read_file(path))


def _holding_no_other(words: Words) -> Words:
    """Without the words that hold another, which a text cannot hold alone."""
    return tuple(word for word in words if not any(other != word and other in word for other in words))


def _is_latin(file: LanguageFile) -> bool:
    return file.answer[0][0] < "\u0250" or "\u1e00" <= file.answer[0][0] < "\u1f00"


def _letters(alphabet: str) -> dict[str, str]:
    return dict(zip(alphabet, LETTERS, strict=False))


def _spelled(word: str) -> str:
    return one_spelling(word)


def _any(*lists: Iterable[str]) -> str:
    """A pattern for any of the words, whole where their script has capitals or they end in a letter of Latin."""
    words = sorted({_spelled(word) for words in lists for word in words}, key=lambda word: (-len(word), word))
    short = [_whole(word) for word in words if len(word) == 1]
    long = [_whole(word) for word in words if len(word) > 1]
    return rf"(?:(?i:{'|'.join(long) or '(?!)'})|{'|'.join(short) or '(?!)'})"


def _whole(word: str) -> str:
    left, right = (r"(?<!\w)", r"(?!\w)")
    starts, ends = (letter.lower() != letter.upper() for letter in (word[0], word[-1]))
    return f"{left if starts else ''}{re.escape(word)}{right if ends else ''}"


def _compile(file: LanguageFile) -> LanguageWording:
    longer = [word for word in file.joiner if any(word.startswith(d) and word != d for d in file.denial)]
    denied = _any(file.denial)
    if longer:  # Tamil's "or" opens as "not"
        denied = rf"(?:(?!{_any(longer)}){denied})"
    after = _any(file.after, file.ending, file.joiner, file.link, file.denial)
    ends = rf"(?= ?(?:$|[)\],;!?:(/&|}}\"<]|\.(?![A-Za-z\d])|-(?!\w)|[^\x00-\u02ff\u1e00-\u1eff]|{after}))"
    letter = r"(?:\([A-J]\)|\b[A-J]\b[).:]?)"
    joined = rf" ?(?:[,/&+]|,? ?{_any(file.joiner)}) ?{_any(file.option, file.filler)}? ?"
    subject = (
        rf"(?P<named>{_any(file.option, file.answer)}[ :]{{0,2}})?(?P<first>{letter})"
        rf"(?P<more>(?:{joined}(?:\([A-J]\)|[A-J]\b)){{0,9}})"
        r"(?P<gap>(?: ?[:(-])?(?:(?!\b[A-J]\b)[^.,;:!?\n]){0,60}?)"
    )
    fill = (
        rf"(?:[\s:=>\"'{{,]|{DASH}|{_any(file.option, file.filler, file.answer, file.correct, file.link)}){{0,40}}+"
    )
    native = {own: name for alphabet in reversed(file.letters) for own, name in _letters(alphabet).items()}
    return LanguageWording(
        answer=re.compile(_any(file.answer) + r"\]?"),
        correct=re.compile(_any(file.correct)),
        choice=re.compile(rf"{_any(file.choice)}|{_any(file.before)}(?=[,:]? \(?[A-J]\)?[.:!]?$)", re.M),
        link=re.compile(
            rf"(?<!\d)[:=]|[:=](?!\d)|(?<!\d)(?<!\d )-(?=\s|[A-J]\b)|{_any(file.link, file.correct)}|"
            rf"^(?: ?{_any(file.option, file.filler)}){{0,2}} ?(?=\(?[A-J]\b\)?{ends})"
            + (rf"|^ ?(?=\(?{_class(native)}[).]?(?: |$))" if native else ""),
            re.M,
        ),
        called=re.compile(subject + _any(file.answer)),
        verdict=re.compile(subject + _any(file.correct)),
        negated=re.compile(denied),
        supposed=re.compile(rf"{_any(file.supposed)}[^.,\n]{{0,25}}\Z|{denied}(?: \w{{1,15}}){{0,2}} ?\Z"),
        may_follow=re.compile(
            rf"(?:^|\n|[.,:;!?(-] ?|{_any(file.before, file.link, file.joiner, file.filler)} ?|[^\x00-\u02ff] ?)\Z"
        ),
        alone=re.compile(
            rf"(?:[\s\"'(]|{_any(file.before, file.option, file.filler, file.answer)}){{0,8}}+"
            rf"\(?([A-J]|[a-j](?=[).]?$))\b[).:!\"' ]{{0,4}}{_any(file.ending)}?[.!]?$"
        ),
        questioned=re.compile(
            rf"{fill}\(?[A-J]\b[^.!\n]{{0,30}}?(?:\?|{_any(() if _is_latin(file) else file.supposed)})"
        ),
        asked=re.compile(rf"[^.!\n]{{0,40}}(?:\?|{_any(file.supposed)})"),
        undone=re.compile(
            rf"{fill}\(?[A-J]\b(?:(?!\b[A-J]\b|{_any(file.joiner, file.after)})[^.,;:!?\n]){{0,25}}?" + denied
        ),
        token=re.compile(rf"\(([A-Ja-j])\)|\(?\b([A-J])\b{ends}|\(?\b([a-j])(?=\)|:|\.?[\"'}}]? ?$)", re.M),
        joined=re.compile(rf"{joined}(?:\(([A-J])\)|([A-J])\b{ends})", re.M),
        joiner=re.compile(rf"[.,;)\]\"' ]{{0,3}}(?P<word>{_any(file.joiner)}|[,;/&]|\+(?!\d))[\s\"'(]{{0,3}}"),
        filler=re.compile(fill),
        denial=re.compile(denied),
        contrast=re.compile(_any(file.contrast)),
        gap=re.compile(rf"{_any(file.link)} ?\||\|(?: ?[:(-]| ?{_any(file.link)})") if _is_latin(file) else None,
        native=re.compile(
            rf"\(?({_class(native)})(?:[).]|(?= ?(?:$|[.,;:!?\"]|{_any(file.after, file.ending)})))", re.M
        )
        if native
        else None,
        native_letters=native,
    )


def _class(letters: Iterable[str]) -> str:
    return f"[{''.join(letters)}]" if letters else "(?!)"
