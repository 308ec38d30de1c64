"""The report as one HTML file: the tables, the plots, and every single answer to look at.

The file asks nothing of the network, and its content-security policy lets nothing but its own script run. Questions
and answers are data: they lie in it compressed, and the script writes them as text alone.
"""

import base64
import hashlib
import itertools
import json
import math
import secrets
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rimbench.display.markup import isolated
from rimbench.display.plaintext import plain
from rimbench.display.tabular import Table
from rimbench.errors import DataError
from rimbench.records import Item
from rimbench.reporting.document import CellResult, Report
from rimbench.reporting.drawing import as_svg
from rimbench.reporting.facets import LENGTH, OPTIONS, group_of
from rimbench.reporting.page.title import say_circumstances, say_compared
from rimbench.reporting.pair_tables import pair_name
from rimbench.reporting.plots import make_plots
from rimbench.reporting.tables import DISCLAIMER, make_tables
from rimbench.store import items_again, records_again
from rimbench.store.lenses import SeenItem

TEXT_BUDGET = 6_000_000
"""Characters of answers in one file; more answers are each cut shorter, in their middle."""
PACKED_BUDGET = 4_300_000
"""Bytes of packed answers: with tables and plots, the file stays below 5 MB."""
MOST_ANSWERS = 60_000
"""Of more, those to the first questions of each suite, which stand in a random order, the same for all systems."""
SHORTEST_CUT, LONGEST_CUT = 200, 20_000
LONGEST_GROUP = 80
"""Characters of a facet's value: a column may hold a whole explanation."""
WIDEST_PLOT = 14
"""Inches: a wider one, the matrix of over 16 systems, could not be read in a page; the table has what it shows."""
_ENCODED_AT_ONCE = 3 << 16
"""Bytes, a multiple of 3: base64 makes 4 characters of each 3."""
_WRITTEN_AT_ONCE = 500
"""Items, or answers."""
_SCRIPTS = ("address.js", "tables.js", "item.js", "answers.js")
"""One module in this order."""
_LEVEL, _AS_GZIP = 6, 31
"""Level 9 takes twice the time and saves a hundredth."""
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def page_pieces(report: Report, results: Path) -> Iterator[str]:
    """The whole report as one HTML text, in pieces: of very many answers there should not be several copies."""
    import jinja2

    here = resources.files(__package__)
    script = "\n".join((here / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["isolated"] = isolated
    template = environment.from_string((here / "page.html").read_text(encoding="utf-8"))
    place = secrets.token_hex()
    page = template.render(
        compared=say_compared(report),
        circumstances=say_circumstances(report),
        links=_links(report),
        sections=_sections(report),
        disclaimer=DISCLAIMER,
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        answers=place,
        most=_most_questions(report),
    )
    before, _, behind = page.partition(place)
    yield before
    packed = _packed_answers(report, results)
    for start in range(0, len(packed), _ENCODED_AT_ONCE):
        yield base64.b64encode(packed[start : start + _ENCODED_AT_ONCE]).decode()
    yield behind


def _most_questions(report: Report) -> int | None:
    """How many questions of a suite are in the page; None where that are all."""
    if sum(cell.n for cell in report.cells) <= MOST_ANSWERS:
        return None
    return MOST_ANSWERS // len(report.cells)


def _links(report: Report) -> dict[tuple[str, str], str]:
    """Where the questions stand on which a pair differs, by how a table names its suite and the pair."""
    cells = {cell.run: cell for cell in report.cells}
    links = {}
    for pair in (*report.comparisons, *(pair for summary in report.summary for pair in summary.pairs)):
        a, b = (cells[run] for run in pair.runs)
        chosen = {"suite": a.suite, "system": _shown_label(a), "other": _shown_label(b), "differ": "1"}
        address = "&".join(f"{key}={quote(value, safe='')}" for key, value in chosen.items())
        links[plain(pair.shown_suite), plain(pair_name(pair))] = f"#answers&{address}"
    return links


def _shown_label(cell: CellResult) -> str:
    return f"{cell.label}, first draw" if cell.data.by_draws else cell.label


def _sections(report: Report) -> list[tuple[Table, list[tuple[str, str]]]]:
    """Every table with the plots that show the same, each as its title and its SVG."""
    plots = [plot for plot in make_plots(report) if plot.figure.get_figwidth() <= WIDEST_PLOT]
    sections = []
    for table in make_tables(report, all_pairs=True):
        beside = [plot for plot in plots if table.title == plot.table]
        plots = [plot for plot in plots if plot not in beside]
        sections.append((table, [(plot.title, as_svg(plot)) for plot in beside]))
    return sections


def _packed_answers(report: Report, results: Path) -> bytearray:
    """The answers as the page unpacks them; texts that pack badly, of random letters say, are cut further."""
    limit = min(LONGEST_CUT, max(SHORTEST_CUT, TEXT_BUDGET // max(sum(cell.n for cell in report.cells), 1)))
    packed = _packed(_answers(report, results, limit))
    while len(packed) > PACKED_BUDGET and limit > SHORTEST_CUT:
        limit = max(SHORTEST_CUT, limit * 3 // 5)
        packed = _packed(_answers(report, results, limit))
    return packed


def _answers(report: Report, results: Path, limit: int) -> Iterator[str]:
    """Items and, run by run, their answers as JSON, piece by piece: lists of values, for keys would be repeated."""
    numbers, most = _Numbers(), _most_questions(report)
    yield '{"items":['
    for cell in report.cells:
        suite, run = cell.suite, cell.run
        items = itertools.islice(items_again(results / run, _OF_ITEM), most)  # a run's folder bears its name
        while some := list(itertools.islice(items, _WRITTEN_AT_ONCE)):
            before = "," if numbers.count else ""
            rows = [_row(suite, item, limit) for item in some if numbers.add(suite, run, *item[:2])]
            yield before + _json(rows)[1:-1] if rows else ""
    yield '],"runs":['
    for i, cell in enumerate(report.cells):
        suite, run = cell.suite, cell.run
        yield f'{"," if i else ""}{{"label":{_json(_shown_label(cell))},"suite":{_json(suite)},"answers":{{'
        before = ""
        starts = sorted(start for start in cell.data.shown[:most].tolist() if start >= 0)
        records = records_again(results / run, starts, _OF_RECORD)
        while answered := list(itertools.islice(records, _WRITTEN_AT_ONCE)):
            answers = {
                numbers.of(suite, run, record[0]): _answer(record, cell.data.drawn.get(record[0], ()), limit)
                for record in answered
            }
            yield before + _json(answers)[1:-1]
            before = ","
        yield "}}"
    yield '],"lenses":['
    before = ""
    for lens in report.lenses:
        seen = {number: _seen(item, limit) for item in lens.items if (number := numbers.find(lens.suite, item)) >= 0}
        if seen:
            yield before + _json({"label": lens.system, "items": seen})
            before = ","
    yield "]}"


class _Numbers:
    """The places of items in the page: one is known again, in another run, by its suite, its id and its question."""

    def __init__(self) -> None:
        self.count = 0
        self._questions = array("q")  # by number, the hash of the question
        self._of_suite: dict[str, dict[str, int]] = {}
        self._of_run: dict[str, dict[str, int]] = {}  # other questions under ids that the suite had before
        self._others: dict[tuple[str, str, str], int] = {}

    def add(self, suite: str, run: str, item_id: str, question: str) -> bool:
        """Number an item of a run; whether it is a new one."""
        of_suite = self._of_suite.setdefault(suite, {})
        number = of_suite.setdefault(item_id, self.count)
        if number < self.count and self._questions[number] != hash(question):
            number = self._others.setdefault((suite, item_id, question), self.count)
            self._of_run.setdefault(run, {})[item_id] = number
        if number < self.count:
            return False
        self._questions.append(hash(question))
        self.count += 1
        return True

    def find(self, suite: str, item: SeenItem) -> int:
        """The number of an item that a lens looked into; -1 where no run has it."""
        number = self._of_suite.get(suite, {}).get(item.item_id, -1)
        if number >= 0 and self._questions[number] != hash(item.question):
            return self._others.get((suite, item.item_id, item.question), -1)
        return number

    def of(self, suite: str, run: str, item_id: str) -> int:
        """The number of a run's item."""
        number = self._of_run.get(run, {}).get(item_id, self._of_suite[suite].get(item_id))
        if number is None:
            raise DataError(f"{run}: its items were changed while they were read: start the same command again")
        return number


_OF_ITEM = ("item_id", "question", "options", "gold")
_OF_RECORD = ("item_id", "answer", "status", "gold", "text", "option_logprobs")


def _row(suite: str, item: tuple[Any, ...], limit: int) -> list[Any]:
    item_id, question, options, gold, facets = item
    texts = {letter: cut(text, limit) for letter, text in options.items()}
    whole = Item(item_id, question, options, gold, facets=facets)
    groups = {column: cut(group_of(whole, column), LONGEST_GROUP) for column in (*(facets or {}), OPTIONS, LENGTH)}
    return [suite, item_id, cut(question, limit), texts, gold, groups]


@lru_cache(maxsize=1024)
def _counted(letters: tuple[str | None, ...]) -> dict[str, int]:
    """How often each letter was drawn; kept, since the draws of many items are alike."""
    return dict(sorted(Counter(letter or "none" for letter in letters).items()))


def _answer(record: tuple[Any, ...], drawn: tuple[str | None, ...], limit: int) -> list[Any]:
    _, answer, status, gold, text, logprobs = record
    rounded = {letter: _rounded(value) for letter, value in logprobs.items()} if logprobs else None
    return [answer, status, int(status == "ok" and answer == gold), cut(text, limit), rounded, _counted(drawn)]


def _seen(item: SeenItem, limit: int) -> list[Any]:
    blocks = [
        [cut(after.text, limit), list(after.begins), [round(share, 3) for share in after.probabilities]]
        for after in item.blocks
    ]
    return [[cut(step, limit) for step in item.steps], blocks]


def _rounded(logprob: float | None) -> float | None:
    """A probability of 0 has no logarithm that JSON could hold."""
    return None if logprob is None or math.isinf(logprob) else round(logprob, 3)


def cut(text: str, limit: int) -> str:
    """A text of about `limit` characters at most: its beginning and, twice as long, its end with the answer."""
    left_out = len(text) - limit
    if left_out <= 0:
        return text
    head = limit // 3
    return f"{text[:head]}\n[... {left_out:,} characters left out ...]\n{text[head + left_out :]}"


def _packed(pieces: Iterable[str]) -> bytearray:
    """Zipped, without the time: the same report gives the same bytes."""
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, wbits=_AS_GZIP)
    packed = bytearray()
    for piece in pieces:
        packed += packing.compress(piece.encode("utf-8", "replace"))
    packed += packing.flush()
    return packed
