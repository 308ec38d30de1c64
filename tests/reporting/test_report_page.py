"""What the page holds: its title, the tables with their plots, the answers packed and cut to fit."""

import base64
import html
import json
import random
import re
import string
import zlib

from report_pages import TITLE, needs_browser, page_text, write
from report_runs import manifest

from rimbench.records import Item, Record
from rimbench.reporting import page
from rimbench.reporting.page import cut
from rimbench.reporting.summary import summarise
from rimbench.store import RunStore


def held_by(page):
    """The answers that a page holds."""
    packed = re.search(r'<script [^>]*id="data">([^<]*)<', page)[1]
    return json.loads(zlib.decompress(base64.b64decode(packed), 31))


@needs_browser
def test_the_page_shows_tables_plots_and_the_first_question(opened):
    page = opened()
    assert page.locator("h2").all_text_contents()[:3] == ["demo, N = 20", "medqa, N = 60", "Accuracy"]
    assert page.locator(".lead").first.text_content().startswith("Highest: ")
    assert page.locator("figure svg[role=img]").count() >= 4
    assert page.locator("#count").text_content() == "80 of 80 questions"
    assert page.locator("#item .system").count() == 1  # demo has one system
    assert page.evaluate("scrollY") == 0


@needs_browser
def test_the_title_says_what_was_compared_how_often_when_and_where(opened):
    page = opened()
    assert page.title() == TITLE
    assert page.locator("h1").text_content() == "cot and rim on demo and medqa"
    assert page.locator("header p").first.text_content() == "N = 20 to 60 · 2026-01-01 · none"


def test_a_title_of_many_names_says_how_many_more_there_are(tmp_path):
    for i in range(30):
        write(tmp_path, f"system-{i:02}-{'<b>' * 20}", "a suite", lambda i: True, 1)
    title = re.search("<title>(.*)</title>", page_text(tmp_path))[1]
    shown = html.unescape(title.partition(" · ")[0])
    assert "<b>" not in title
    assert re.fullmatch(r"system-00-\S+, system-01-\S+ and 28 more on a suite", shown)


@needs_browser
def test_plots_stand_with_the_table_that_says_the_same(opened):
    page = opened()
    shown = {
        section.locator("h2").text_content(): section.locator("figcaption").all_text_contents()
        for section in page.locator("section.table").all()
        if section.locator("figure").count()
    }
    assert [title.split()[0] for title in shown["Accuracy"]] == ["Greedy"]
    assert [title.split(" of ")[0].split(" on ")[0] for title in shown["Who is better"]] == ["Verdict"]
    assert [title.split(" on ")[0] for title in shown["Can a readout's confidence be trusted"]] == [
        "Reliability", "Risk against coverage", "Reliability", "Risk against coverage",
    ]  # fmt: skip


@needs_browser
def test_tables_sort_by_their_numbers(opened):
    page = opened()
    accuracy = page.locator("section.table", has=page.locator("h2", has_text="Accuracy")).first.locator("table")
    head = accuracy.locator("th").nth(3)
    column = accuracy.locator("tbody tr td:nth-child(4)")
    for direction in ("ascending", "descending"):
        head.locator("button").click()
        values = [-1 if text == "-" else float(text.split()[0]) for text in column.all_text_contents()]
        assert -1 in values and max(values) == 100  # an undefined accuracy lies below every other
        assert head.get_attribute("aria-sort") == direction
        assert values == sorted(values, reverse=direction == "descending")


def test_a_page_of_texts_that_do_not_pack_stays_small(tmp_path):
    chance = random.Random(0)
    letters = string.ascii_letters + string.digits + "+/"
    for system in ("a", "b"):
        text = "".join(chance.choices(letters, k=3_000_000))
        parts = [text[i : i + 20_000] for i in range(0, len(text), 20_000)]
        items = [Item(str(i), "Question?", {"A": "x", "B": "y"}, "A") for i in range(len(parts))]
        with RunStore(tmp_path / system) as store:
            store.write_manifest(manifest(run=system, system=system, n=len(items)), items)
            store.append([Record(str(i), 0, "A", "A", "ok", part, None, 5, 1, "p") for i, part in enumerate(parts)])
    assert len(page_text(tmp_path)) < 5_000_000


def test_a_lens_that_cannot_be_read_is_named_once_and_left_out(tmp_path):
    write(tmp_path, "rim", "medqa", lambda i: True, 3)
    (tmp_path / "rim-medqa-lens").mkdir()
    (tmp_path / "rim-medqa-lens" / "lens.json").write_text("{")
    report = summarise(tmp_path)
    assert report.lenses == () and sum("lens.json" in note for note in report.notes) == 1


def test_of_very_many_answers_each_stands_under_the_question_that_its_run_asked(tmp_path, monkeypatch):
    """The id x is the first question of one run, and another question of the other, where it is the third."""
    for system, ids in (("a", "xyz"), ("b", "vwx")):
        items = [Item(i, f"{system} asks {i}", {"A": "1", "B": "2"}, "A") for i in ids]
        with RunStore(tmp_path / system) as store:
            store.write_manifest(manifest(run=system, system=system, n=3), items)
            store.append([Record(i, 0, "A", "A", "ok", f"{system} says {i}", None, 5, 1, "p") for i in ids])
    monkeypatch.setattr(page, "MOST_ANSWERS", 4)
    held = held_by(page_text(tmp_path))
    shown = [(int(number), answer[3]) for run in held["runs"] for number, answer in run["answers"].items()]
    told = {(held["items"][number][2], text) for number, text in shown}
    assert told == {(f"{s} asks {i}", f"{s} says {i}") for s, i in ("ax", "ay", "bv", "bw")}


def test_a_long_text_keeps_its_beginning_and_its_end():
    text = "b" * 500 + "e" * 500
    assert cut(text, 1000) == text
    shown = cut(text, 300)
    assert shown.startswith("b" * 100 + "\n[... 700 characters left out") and shown.endswith("e" * 200)
