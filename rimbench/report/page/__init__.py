"""The report as one HTML file: the tables, the plots, and every single answer to look at.

The file asks nothing of the network, and its content-security policy lets nothing but its own script run. Questions
and answers are data: they lie in it compressed, and the script writes them as text alone.
"""

import base64
import gzip
import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from rimbench.records import Item, Record
from rimbench.report.drawing import as_svg
from rimbench.report.plots import make_plots
from rimbench.report.summary import Summary
from rimbench.report.tables import DISCLAIMER, make_tables
from rimbench.store import Answers, read_items
from rimbench.tabular import Table

TEXT_BUDGET = 6_000_000
"""Characters of answers in one file; more answers are each cut shorter, in their middle."""
PACKED_BUDGET = 4_300_000
"""Bytes of packed answers: with tables and plots, the file stays below 5 MB."""
SHORTEST_CUT, LONGEST_CUT = 200, 20_000


def as_page(summary: Summary, results: Path) -> str:
    """The whole report as one HTML text."""
    import jinja2

    here = resources.files(__package__)
    script = (here / "page.js").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((here / "page.html").read_text(encoding="utf-8"))
    return template.render(
        sections=_sections(summary),
        disclaimer=DISCLAIMER,
        style=(here / "page.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        answers=_packed_answers(summary, results),
    )


def _sections(summary: Summary) -> list[tuple[Table, list[tuple[str, str]]]]:
    """Every table with the plots that show the same, each as its title and its SVG."""
    plots = make_plots(summary)
    sections = []
    for table in make_tables(summary):
        beside = [plot for plot in plots if table.title.startswith(plot.table)]
        plots = [plot for plot in plots if plot not in beside]
        sections.append((table, [(plot.title, as_svg(plot)) for plot in beside]))
    return sections


def _packed_answers(summary: Summary, results: Path) -> str:
    """The answers as the page unpacks them; texts that pack badly, of random letters say, are cut further."""
    limit = min(LONGEST_CUT, max(SHORTEST_CUT, TEXT_BUDGET // max(sum(cell.n for cell in summary.cells), 1)))
    packed = _packed(_answers(summary, results, limit))
    while len(packed) > PACKED_BUDGET and limit > SHORTEST_CUT:
        limit = max(SHORTEST_CUT, limit * 3 // 5)
        packed = _packed(_answers(summary, results, limit))
    return packed


def _answers(summary: Summary, results: Path, limit: int) -> dict[str, Any]:
    """Items and, run by run, their answers: lists of values, since 12,000 answers would repeat every key."""
    items: dict[tuple[str, str, str], list[Any]] = {}
    runs = []
    for cell in summary.cells:
        folder = results / cell.manifest.run  # a run's folder bears its name
        known = read_items(folder)
        shown, drawn = _read(folder, known)
        answers = {}
        for item in known.values():
            key = (cell.manifest.suite, item.item_id, item.question)
            options = {letter: cut(text, limit) for letter, text in item.options.items()}
            entry = [cell.manifest.suite, item.item_id, cut(item.question, limit), options, item.gold]
            items.setdefault(key, [len(items), *entry])
            if item.item_id in shown:
                answers[items[key][0]] = _answer(shown[item.item_id], drawn.get(item.item_id, {}), limit)
        label = f"{cell.label}, first draw" if cell.run.by_draws else cell.label
        runs.append({"label": label, "suite": cell.manifest.suite, "answers": answers})
    return {"items": [values[1:] for values in items.values()], "runs": runs}


def _read(folder: Path, items: Mapping[str, Item]) -> tuple[dict[str, Record], dict[str, Counter[str]]]:
    """The answer to each item that is shown, the greedy or else the first one, and each letter's number of draws."""
    shown: dict[str, Record] = {}
    drawn: dict[str, Counter[str]] = {}
    for record in Answers(folder, items):
        if not record.answered:
            continue
        if record.item_id not in shown or record.sample < shown[record.item_id].sample:
            shown[record.item_id] = record
        if record.sample:
            drawn.setdefault(record.item_id, Counter())[record.answer or "none"] += 1
    return shown, drawn


def _answer(record: Record, drawn: Mapping[str, int], limit: int) -> list[Any]:
    logprobs = record.option_logprobs
    rounded = {letter: _rounded(value) for letter, value in logprobs.items()} if logprobs else None
    return [
        record.answer,
        record.status,
        int(record.correct),
        cut(record.text, limit),
        rounded,
        dict(sorted(drawn.items())),
    ]


def _rounded(logprob: float) -> float | None:
    """A probability of 0 has no logarithm that JSON could hold."""
    return round(logprob, 3) if math.isfinite(logprob) else None


def cut(text: str, limit: int) -> str:
    """A text of about `limit` characters at most: its beginning and, twice as long, its end with the answer."""
    left_out = len(text) - limit
    if left_out <= 0:
        return text
    head = limit // 3
    return f"{text[:head]}\n[... {left_out:,} characters left out ...]\n{text[head + left_out :]}"


def _packed(value: Mapping[str, Any] | Sequence[Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), 9, mtime=0)).decode()
