"""Every language found is held to its own examples, and to statements made of its own words."""

from pathlib import Path

import pytest
from readings import read

from rimbench.errors import ConfigError
from rimbench.extraction import languages
from rimbench.extraction.languages.schema import LanguageFile, read_file, read_language
from rimbench.extraction.reader import Reader
from rimbench.extraction.spelling import one_spelling
from rimbench.extraction.statements import stated

DRUGS = {"A": "Aspirin", "B": "Heparin", "C": "Warfarin", "D": "Alteplase"}
FILES = {name: read_file(path) for name, path in languages.language_files().items()}
every_language = pytest.mark.parametrize("file", FILES.values(), ids=FILES)

DUTCH = """
answer = ["antwoord"]
correct = ["juist", "juiste", "correct", "correcte"]
option = ["optie", "antwoord"]
link = ["is", "luidt"]
filler = ["het", "de", "dus"]
joiner = ["en", "of"]
denial = ["niet", "geen", "onjuist", "fout"]
after = ["omdat", "want"]
examples = [
  ["Het juiste antwoord is C.", "C"],
  ["Antwoord: C, want het werkt.", "C"],
  ["Het antwoord is niet C.", "no_answer"],
  ["Het antwoord is B of C.", "ambiguous"],
]
"""


def test_the_languages_that_users_asked_for_are_there() -> None:
    asked = {"german", "french", "spanish", "portuguese", "italian", "russian", "korean", "japanese", "chinese"}
    assert asked | {"vietnamese", "hindi", "arabic"} <= set(FILES)


@every_language
def test_a_languages_examples_are_read_as_its_file_says(file: LanguageFile) -> None:
    wrong = {text: found for text, expected in file.examples if (found := read(text, DRUGS)) != expected}
    assert wrong == {}
    assert {"C", "no_answer", "ambiguous"} <= {expected for _, expected in file.examples}


@every_language
def test_each_of_a_languages_words_for_an_answer_states_the_letter_behind_its_colon(file: LanguageFile) -> None:
    forms = ("{}: C", "{}：C", "**{}:** C", "{}: **C**", "{}: (C)", "{}: C) Warfarin", "{}:\n\nC", "{}: c", "{}: Ｃ")
    texts = [form.format(word.rstrip(":")) for word in file.answer for form in forms]
    assert {text: found for text in texts if (found := read(text, DRUGS)) != "C"} == {}


@every_language
def test_a_later_answer_replaces_an_earlier_one_and_thoughts_are_no_answer_in_any_language(
    file: LanguageFile,
) -> None:
    word = file.answer[0]
    assert read(f"{word}: B\n\nHmm, 12 mmol/l.\n\n{word}: C", DRUGS) == "C"
    assert read(f"<think>{word}: B</think>\n\n{word}: C", DRUGS) == "C"
    assert read(f"{word}: B, {file.joiner[0]} C", DRUGS) == "ambiguous"


def test_a_language_is_one_file_more(tmp_path: Path) -> None:
    path = tmp_path / "dutch.toml"
    path.write_text(DUTCH, encoding="utf-8")
    dutch = read_language(path)
    for text, expected in read_file(path).examples:
        plain = one_spelling(text)
        letters = stated(plain, Reader(DRUGS, [dutch.spelling(plain)]))
        assert {"": "no_answer", "C": "C", "BC": "ambiguous"}[letters] == expected


def test_a_language_file_with_a_fault_is_refused_with_its_key(tmp_path: Path) -> None:
    path = tmp_path / "dutch.toml"
    path.write_text(DUTCH.replace("denial", "denials"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"language file .*dutch\.toml: denials: unknown key"):
        read_language(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Option C is not correct.", "no_answer"),  # "correct" is French, too
        ("A resposta correta depende do caso.", "no_answer"),  # "A" is an article
        ("A alternativa correta é a C.", "C"),
        ("A alternativa é correta.", "no_answer"),
        ("A patient said: la respuesta correcta es C", "C"),
        ("Ответ: В", "B"),  # a Cyrillic letter that looks like a B
        ("Ответ: Г", "D"),  # the fourth of the Russian alphabet
        ("정답: ③", "no_answer"),
        ("C입니다.", "C"),
    ],
)
def test_what_languages_share_is_told_apart(text: str, expected: str) -> None:
    assert read(text, DRUGS) == expected
