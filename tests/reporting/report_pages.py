"""Pages of small runs, and a real browser to open them with."""

import shutil

import pytest
from report_runs import IDENTITY, manifest

from rimbench.records import Item, Record
from rimbench.reporting.formats import render
from rimbench.reporting.summary import summarise
from rimbench.store import RunStore

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
TITLE = "cot and rim on demo and medqa · N = 20 to 60 · 2026-01-01 · none"
HOSTILE = '</script><script>document.title="taken"</script><img src=x onerror="document.title=1">\u202e\0'
OPTIONS = {"A": "aspirin", "B": HOSTILE, "C": "c" * 100_000}

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")


def write(results, system, suite, right, n, text="so {letter}", facets=None):
    items = [
        Item(f"{suite}/{i}", f"Question {i}? {HOSTILE if i == 1 else ''}", OPTIONS, "A", facets=facets and facets(i))
        for i in range(n)
    ]
    with RunStore(results / f"{system}-{suite}") as store:
        store.write_manifest(
            manifest(run=f"{system}-{suite}", system=system, suite=suite, n=n, identity=IDENTITY), items
        )
        if right is None:  # a run that has no answer yet
            return
        letters = ["A" if right(i) else "B" for i in range(n)]
        probabilities = {"A": -0.5, "B": -1.5, "C": -1.7}
        store.append(
            [
                Record(item.item_id, 0, "A", letter, "ok", text.format(letter=letter), probabilities, 5, 1, "p")
                for item, letter in zip(items, letters, strict=True)
            ]
        )


def page_text(results):
    """The page of what lies in a folder."""
    return render("html", summarise(results), results)


def write_page(results):
    """The page of what lies in a folder, in a file beside it."""
    file = results.parent / "report.html"
    file.write_text(page_text(results), encoding="utf-8")
    return file
