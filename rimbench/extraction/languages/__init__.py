"""The words around an answer in other languages than English: one TOML file a language, found by its place here.

A file's keys are lists of words as they are written (see `LanguageFile`); its `examples` are texts with the letter
that each states, or with `no_answer` or `ambiguous`, and the tests hold every file to them.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rimbench.extraction.wording import LanguageWording
from rimbench.plugins import find_files

if TYPE_CHECKING:
    from rimbench.extraction.languages.schema import Language


MOST_LANGUAGES = 3
"""That one text is read in, beside English."""


def language_files() -> dict[str, Path]:
    """The languages' files, by name."""
    return find_files(Path(__file__).parent)


@cache
def _languages() -> "list[Language]":
    from rimbench.extraction.languages.schema import read_language  # pydantic is slow to import

    return [read_language(path) for path in language_files().values()]


@cache
def answer_words() -> tuple[str, ...]:
    """Every language's words for an answer, in the cases that they are written in."""
    words = [word for language in _languages() for word in language.answer]
    return tuple(dict.fromkeys(form for w in words for form in (w, w[:1].upper() + w[1:], w.upper())))


def spoken(plain: str) -> list[LanguageWording]:
    """The wordings of the languages whose words for answering, being right and choosing `plain` holds the most."""
    folded = plain.casefold()
    told = {each: each.told(folded) for each in _languages()}
    likely = sorted((each for each in told if told[each]), key=lambda each: -told[each])
    return [each.spelling(plain) for each in likely[:MOST_LANGUAGES]]
