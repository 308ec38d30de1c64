"""A file of rows -> the TOML of a suite that reads it: what each column is, guessed from its name and its values."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rimbench.errors import DataError
from rimbench.files.toml import toml_text
from rimbench.records import LETTERS
from rimbench.suites import rows
from rimbench.suites.options import OptionsError, TooManyOptionsError, is_missing, read_options

LOOKED_AT = 2000
"""Rows that the columns are inferred from."""
MOST_FACET_VALUES = 50
QUESTION = ("question", "query", "prompt", "stem", "problem", "input", "sentence", "text")
GOLD = ("gold", "answer", "correct", "right", "label", "target", "solution", "cop", "key")
ID = ("id", "qid", "uid", "uuid", "idx", "index")
_COUNTED = re.compile(r"(?P<stem>.*?)[\s_.-]*(?P<place>[a-j]|\d{1,2})", re.IGNORECASE)
_LETTER = re.compile(r"[(\[]?[A-J][)\].:]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The values of each column, those that hold something."""

    values: Mapping[str, Sequence[object]]
    rows: Sequence[rows.Row]

    def left(self, *taken: str) -> list[str]:
        """The other columns, in the file's order."""
        return [name for name in self.values if name not in taken]


def suite_toml(path: Path) -> str:
    """The TOML of a suite for a file beside it; DataError where no question, options and gold can be told."""
    n = sum(1 for _ in rows.read(path))
    seen = list(itertools.islice(rows.read(path), LOOKED_AT))
    names = dict.fromkeys(name for row in seen for name in row)
    columns = _Columns({x: [row[x] for row in seen if not is_missing(row.get(x))] for x in names}, seen)
    options, gold, kind = _options_and_gold(columns)
    question = _question(columns.left(*options, gold or ""), columns)
    if not options and gold and question:
        options = _between(columns, question, gold)
        kind = _kind(columns, gold, options)
    lacking = [what for what, found in (("question", question), ("options", options), ("gold", kind)) if not found]
    if lacking:
        raise DataError(
            f"{path}: cannot tell the {' and the '.join(lacking)} among the columns {', '.join(names)}: "
            "expected a column for the question, one for all options or one for each, and one for the right option"
        )
    assert gold is not None and kind is not None and question is not None
    return "\n".join(_lines(path, n, columns, (question, options, gold, kind))) + "\n"


def _lines(path: Path, n: int, columns: _Columns, found: tuple[str, Sequence[str], str, str]) -> Iterator[str]:
    question, options, gold, kind = found
    others = columns.left(question, *options, gold)
    ids = [x for x in others if _words(x)[-1:] and _words(x)[-1] in ID and _are_different(columns, x)]
    facets = [x for x in others if x not in ids and _is_facet(columns.values[x])]
    base = ', base = "auto"' if kind == "index" else ""
    whole = toml_text(options[0]) if len(options) == 1 else f"[{', '.join(map(toml_text, options))}]"
    yield f"# The questions of {path.name}. What its columns are was inferred: look at it with"
    yield f"# rimbench suites show {path.with_suffix('.toml').name}"
    yield f"description = {toml_text(f'Questions of {path.name}')}"
    yield f"n = {n}  # so many are drawn, all of them"
    yield "seed = 0  # of the order in which they are asked"
    yield f"\n[source]\npath = {toml_text(path.name)}  # beside this file"
    yield '\n[[layout]]\nname = "rows"'
    if ids:
        yield f"id = {toml_text(ids[0])}"
    yield f"question = {toml_text(question)}"
    yield f"options = {whole}  # {'all in one column' if len(options) == 1 else 'a column each, from A on'}"
    says = {"letter": "the letter of the right option", "index": "its number", "text": "its text"}[kind]
    yield f"gold = {{ {kind} = {toml_text(gold)}{base} }}  # holds {says}"
    if base:
        yield '# "auto": the values tell whether it counts from 0 or 1; write base = 0 or base = 1 where they cannot'
    if facets:
        yield f"facets = [{', '.join(map(toml_text, facets))}]  # to break answers down by: rimbench report --by NAME"
    unused = [x for x in others if x not in facets and x not in ids[:1]]
    if unused:
        yield f"# not used: {', '.join(map(toml_text, unused))}"


def _options_and_gold(columns: _Columns) -> tuple[Sequence[str], str | None, str | None]:
    """The option columns, the gold column, and whether that holds letters, numbers or texts."""
    options = _one_for_all(columns) or _one_for_each(columns)
    rest = [x for x in columns.left(*options) if columns.values[x]]
    ranked = sorted(rest, key=lambda x: _rank(x, GOLD))
    named = [x for x in ranked if _rank(x, GOLD) < len(GOLD)]
    for name in ranked if options else named:
        kind = _kind(columns, name, options) if options else _label_kind(columns, name)
        if kind is not None:
            return options, name, kind
    return options, None, None


def _kind(columns: _Columns, gold: str, options: Sequence[str]) -> str | None:
    """Whether a column holds the letters, the numbers or the texts of the right options; None where it does not."""
    told = [(row[gold], _texts(row, options)) for row in columns.rows if not is_missing(row.get(gold))]
    if told and all(str(value).strip() in texts for value, texts in told):
        return "text" if not all(_LETTER.fullmatch(str(value).strip()) for value, _ in told) else "letter"
    return _label_kind(columns, gold)


def _label_kind(columns: _Columns, name: str) -> str | None:
    values = [str(value).strip() for value in columns.values[name]]
    if values and all(_LETTER.fullmatch(value) for value in values):
        return "letter"
    numbers = [int(value) for value in values if re.fullmatch(r"-1|\d{1,2}", value)]
    counted = len(numbers) == len(values) > 0 and max(numbers) <= len(LETTERS) and _rank(name, ID) == len(ID)
    return "index" if counted else None


def _texts(row: rows.Row, options: Sequence[str]) -> list[str]:
    try:
        read = read_options(row.get(options[0]) if len(options) == 1 else [row.get(x) for x in options])
    except (OptionsError, TooManyOptionsError):
        return []
    return [str(value).strip() for value in read.values]


def _one_for_all(columns: _Columns) -> list[str]:
    """The column that holds every row's options."""
    for name, values in columns.values.items():
        if values and len(values) == len(columns.rows) and all(not isinstance(v, int | float) for v in values):
            found = [len(_texts(row, [name])) for row in columns.rows]
            if all(2 <= count <= len(LETTERS) for count in found):
                return [name]
    return []


def _one_for_each(columns: _Columns) -> list[str]:
    """The columns whose names count from a, 1 or 0 on."""
    stems: dict[str, dict[str, str]] = {}
    for name in columns.values:
        counted = _COUNTED.fullmatch(name.strip())
        if counted is not None:
            stems.setdefault(counted["stem"].casefold(), {})[counted["place"].casefold()] = name
    runs = []
    for places in stems.values():
        for counting in (
            [letter.casefold() for letter in LETTERS],
            *([str(i + k) for i in range(10)] for k in (0, 1)),
        ):
            runs.append([places[place] for place in itertools.takewhile(places.__contains__, counting)])
    longest = max(runs, key=len, default=[])
    return longest if len(longest) > 1 else []


def _between(columns: _Columns, question: str, gold: str) -> list[str]:
    """The columns that stand between question and gold."""
    names = list(columns.values)
    found = names[names.index(question) + 1 : names.index(gold)] if question in names else []
    return found if 2 <= len(found) <= len(LETTERS) else []


def _question(names: Sequence[str], columns: _Columns) -> str | None:
    """The column that is called so, or else the one with the longest texts."""
    texts = [x for x in names if columns.values[x] and all(isinstance(v, str) for v in columns.values[x])]
    if not texts:
        return None
    return min(texts, key=lambda x: (_rank(x, QUESTION), -sum(len(str(v)) for v in columns.values[x])))


def _rank(name: str, words: Sequence[str]) -> int:
    """How early one of the words stands that a column's name has: the number of words where it has none."""
    return next((place for place, word in enumerate(words) if word in _words(name)), len(words))


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())


def _are_different(columns: _Columns, name: str) -> bool:
    values = list(map(str, columns.values[name]))
    return len(values) == len(columns.rows) == len(set(values))


def _is_facet(values: Sequence[object]) -> bool:
    return 1 < len(set(map(str, values))) <= min(MOST_FACET_VALUES, len(values) // 2)
