"""What to cite beside a report, as BibTeX: the methods that its figures rest on, its suites' data, and this tool."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rimbench
from rimbench.display.plaintext import plain
from rimbench.files.toml import TomlTable, parse_toml, read_values
from rimbench.reporting.document import CellResult, Report, as_document
from rimbench.reporting.latex import latex_text
from rimbench.suites import catalogue

_RULES = Path(__file__).with_name("references.toml")
_VERSION = "VERSION"
_SAYING = ("method", "test", "adjustment")
"""The keys of a report under which it says by what a figure was had."""


class CitationRule(TomlTable):
    """What to cite where a report has this `key`, or says this word of how a figure was had."""

    bibtex: str
    key: str | None = None
    said: str | None = None


def as_bibtex(report: Report) -> str:
    """The entries, each once, and a line on each suite whose data have none."""
    has = _Found()
    has.look(as_document(report))
    said = "\n".join(sorted(has.said))
    rules = [
        read_values(values, _RULES, CitationRule, "reference") for values in parse_toml(_RULES, "reference").values()
    ]
    found = [
        rule.bibtex.replace(_VERSION, rimbench.__version__)
        for rule in rules
        if rule.key in has.keys or (rule.said is not None and rule.said in said)
    ]
    data = dict.fromkeys(text for cell in report.cells for text in _data_of(cell))
    return "\n\n".join(text.strip() for text in (*found[:1], *data, *found[1:])) + "\n"


class _Found:
    """The keys of a document that hold something, and what it says under those that tell a method."""

    def __init__(self) -> None:
        self.keys, self.said = set[str](), set[str]()

    def look(self, value: Any, key: str = "") -> None:
        """Add a value that stands under a key."""
        if value in (None, {}, []):
            return
        self.keys.add(key)
        if isinstance(value, str) and key in _SAYING:
            self.said.add(value)
        for inner_key, inner in value.items() if isinstance(value, dict) else ():
            self.look(inner, inner_key)
        for inner in value if isinstance(value, list) else ():
            self.look(inner, key)


def _data_of(cell: CellResult) -> Iterator[str]:
    """What to cite for the data of a cell's suite; nothing for questions that are generated."""
    source, known = cell.manifest.suite_source, catalogue.role(cell.suite)
    if known.bibtex is not None and cell.shown_suite == cell.suite:
        yield known.bibtex
    elif source.kind == "hub" and source.name:
        key = re.sub(r"\W+", "-", source.name, flags=re.ASCII).strip("-") or "data"
        revision = f", revision {source.revision}" if source.revision else ""
        yield f"@misc{{{key},\n  title = {{{_text(source.name)}}},\n  note = {{Data set{_text(revision)}}}\n}}"
    elif not known.generated:
        yield f"Suite {_text(cell.suite)}: its data have no entry here, cite where they come from."


def _text(value: str) -> str:
    """Text in an entry or between two: BibTeX counts braces, also those that LaTeX would take for text."""
    return latex_text(re.sub(r'[{}"@\\]', "", plain(value)))
