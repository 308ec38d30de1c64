"""The page in a real browser: nothing asked of the network, filters, links, hostile texts, keys, accessibility."""

import base64
import dataclasses
import html
import json
import random
import re
import shutil
import string
import zlib

import pytest
from report_runs import IDENTITY, manifest

from rimbench.records import Item, Record
from rimbench.reporting import page
from rimbench.reporting.page import as_page, cut
from rimbench.reporting.summary import summarise
from rimbench.store import RunStore
from rimbench.store.lenses import AfterBlock, Lens, SeenItem, write_lens

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
TITLE = "cot and rim on demo and medqa · N = 20 to 60 · 2026-01-01 · none"
HOSTILE = '</script><script>document.title="taken"</script><img src=x onerror="document.title=1">\u202e\0'
OPTIONS = {"A": "aspirin", "B": HOSTILE, "C": "c" * 100_000}

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")


def write(results, system, suite, right, n, text="so {letter}"):
    items = [Item(f"{suite}/{i}", f"Question {i}? {HOSTILE if i == 1 else ''}", OPTIONS, "A") for i in range(n)]
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


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    results = tmp_path_factory.mktemp("page") / "results"
    write(results, "rim", "medqa", lambda i: i % 2 == 0, 60, "needle " + HOSTILE)
    write(results, "cot", "medqa", lambda i: i % 3 == 0, 60)
    write(results, "rim", "demo", lambda i: True, 20)
    write(results, "cot", "demo", None, 20)
    lens = SeenItem(
        "medqa/3",
        "Question 3? ",
        ("16", HOSTILE),
        (AfterBlock("8}", (), (0.25, 0.0)), AfterBlock(f"16{HOSTILE}", (0,), (0.5, 0.001))),
    )
    other = dataclasses.replace(lens, item_id="medqa/4")  # of that id the runs asked another question
    write_lens(Lens("rim-medqa", "rim", "medqa", None, "c", (lens, other)), results)
    file = results.parent / "report.html"
    file.write_text(as_page(summarise(results), results), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, page_file):
    """Opens the page, or another file, and fails on any message of the console and any request but its own."""
    complaints = []

    def open_page(fragment="", file=page_file, **options):
        page = browser.new_context(**options).new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:") or complaints.append(request.url))
        page.goto(f"file://{file}{fragment}")
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_page
    assert complaints == []


def held_by(page):
    """The answers that a page holds."""
    packed = re.search(r'<script [^>]*id="data">([^<]*)<', page)[1]
    return json.loads(zlib.decompress(base64.b64decode(packed), 31))


def listed(page):
    return page.locator("#count").text_content()


@needs_browser
def test_the_page_shows_tables_plots_and_the_first_question(opened):
    page = opened()
    assert page.locator("h2").all_text_contents()[:3] == ["demo, N = 20", "medqa, N = 60", "Accuracy"]
    assert page.locator(".lead").first.text_content().startswith("Highest: ")
    assert page.locator("figure svg[role=img]").count() >= 4
    assert listed(page) == "80 of 80 questions"
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
    title = re.search("<title>(.*)</title>", as_page(summarise(tmp_path), tmp_path))[1]
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
def test_probabilities_are_bars_as_long_as_they_are(opened):
    page = opened("#item=medqa/medqa%2F3")
    shares = page.locator("#item .system").first.locator(".share")
    assert shares.all_text_contents() == ["A60.7%", "B22.3%", "C18.3%"]  # exp(-0.5), exp(-1.5), exp(-1.7)
    lengths = shares.locator(".bar").evaluate_all(
        "bars => bars.map((bar) => bar.firstChild.offsetWidth / bar.offsetWidth)"
    )
    assert lengths == pytest.approx([0.607, 0.223, 0.183], abs=0.01)
    assert page.locator("#item .gold dd").text_content() == "aspirin (gold)"


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_what_each_block_holds_stands_with_its_question(opened, width):
    page = opened("#item=medqa/medqa%2F3", viewport={"width": width, "height": 900})
    lens = page.locator("#item .lens")
    assert lens.locator("h4").text_content() == "rimmemory lens"
    assert lens.locator("th").all_text_contents() == ["after", "text", "step 1: 16", f"step 2: {HOSTILE}"]
    rows = [row.locator("td").all_text_contents() for row in lens.locator("tbody tr").all()]
    assert rows == [["question", "8}", "25.0%", "0.0%"], ["block 1", f"16{HOSTILE}", "50.0%", "0.1%"]]
    assert lens.locator("td.right").all_text_contents() == [f"16{HOSTILE}", "50.0%"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.title() == TITLE


@needs_browser
def test_a_lens_of_another_question_stands_with_none(opened):
    assert opened("#item=medqa/medqa%2F4").locator("#item .lens").count() == 0


@needs_browser
def test_paper_has_the_tables_the_plots_and_the_chosen_question(opened):
    page = opened("#item=medqa/medqa%2F3")
    page.emulate_media(media="print")
    for shown in ("section.table table", "figure svg", "#item .question", "#item .system"):
        assert page.locator(shown).first.is_visible()
    for hidden in ("nav", "#filters", "#list", "#keys", "#steps"):
        assert not page.locator(hidden).is_visible()


@needs_browser
def test_filters_filter(opened):
    page = opened()
    page.select_option("#suite", "medqa")
    assert listed(page) == "60 of 80 questions"
    page.select_option("#system", "rim")
    page.select_option("#outcome", "right")
    page.select_option("#other", "cot")
    page.select_option("#other-outcome", "wrong")
    assert listed(page) == "20 of 80 questions"  # even, and no multiple of 3
    page.select_option("#outcome", "truncated")
    assert listed(page) == "0 of 80 questions"
    for name in ("#suite", "#system", "#outcome", "#other", "#other-outcome"):
        page.select_option(name, "")
    page.fill("#text", "NEEDLE")
    assert listed(page) == "60 of 80 questions"
    page.fill("#text", "question 59")
    assert listed(page) == "1 of 80 questions"


@needs_browser
def test_a_question_that_no_longer_fits_gives_way_to_the_first_that_does(opened):
    page = opened("#item=medqa/medqa%2F3")
    page.select_option("#suite", "demo")
    assert page.locator("#item h3").text_content() == "demo demo/0"
    page.fill("#text", "no text has this")
    assert page.locator("#item").text_content() == ""
    page.fill("#text", "")
    page.select_option("#suite", "")
    assert page.locator("#item h3").text_content() == "demo demo/0"


@needs_browser
def test_the_address_leads_back_to_the_filters_the_order_and_the_question(opened):
    page = opened()
    accuracy = "section.table:has(h2:text-is('Accuracy'))"
    page.locator(f"{accuracy} th button").nth(3).click()
    page.locator(f"{accuracy} th button").nth(3).click()
    page.select_option("#suite", "medqa")
    page.select_option("#system", "rim")
    page.select_option("#outcome", "right")
    page.fill("#text", "n & = 100% ?")
    page.fill("#text", "question 1")
    page.locator("#next").click()
    page.locator("nav a", has_text="Letters").click()
    rows = page.locator(f"{accuracy} tbody tr").all_text_contents()
    again = opened("#" + page.url.partition("#")[2])
    assert [again.input_value(f"#{name}") for name in ("suite", "system", "outcome", "other", "text")] == [
        "medqa", "rim", "right", "", "question 1",
    ]  # fmt: skip
    assert listed(again) == listed(page) == "5 of 80 questions"  # 10, 12, 14, 16, 18: rim is right on even ones
    assert again.locator("#item h3").text_content() == "medqa medqa/12"
    assert again.locator(f"{accuracy} tbody tr").all_text_contents() == rows
    assert again.locator(f"{accuracy} th").nth(3).get_attribute("aria-sort") == "descending"
    assert again.locator("h2", has_text="Letters").bounding_box()["y"] < 100


@needs_browser
def test_an_address_typed_by_hand_changes_what_it_says_and_no_more(opened):
    page = opened("#suite=nowhere&outcome=%&table-4=99&item=%/%&__proto__=1&other=cot")
    assert listed(page) == "60 of 80 questions"  # those that cot has answered
    assert page.input_value("#suite") == page.input_value("#outcome") == ""
    page.evaluate("location.hash = '#text=a %26 b=c'")
    page.wait_for_function("document.getElementById('text').value === 'a & b=c'")
    assert page.input_value("#other") == ""


@needs_browser
def test_a_link_opens_its_item(opened):
    page = opened("#item=medqa/medqa%2F3")
    assert page.locator("#item h3").text_content() == "medqa medqa/3"
    page.locator("#list button").nth(1).click()
    again = opened("#" + page.url.partition("#")[2])
    assert again.locator("#item h3").text_content() == page.locator("#item h3").text_content()


@needs_browser
def test_hostile_texts_are_text(opened):
    page = opened("#item=medqa/medqa%2F1")
    assert page.title() == TITLE
    assert '<img src=x onerror="document.title=1">' in page.locator("#item .question").text_content()
    assert "</script><script>" in page.locator("#item pre").nth(1).text_content()
    assert page.locator("#item img, #item script").count() == 0
    marked = page.locator("#item dd", has_text="aspirin").or_(page.locator("#item dd", has_text="onerror"))
    assert [dd.locator("bdi").count() for dd in marked.all()] == [1, 1]  # right-to-left marks end with the text
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@needs_browser
def test_keys_move_and_search(opened):
    page = opened()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator("#item h3").text_content() == "demo demo/1"
    page.locator("#next").click()
    assert page.locator("#item h3").text_content() == "demo demo/2"
    page.locator("#back").click()
    assert page.locator("#list button[aria-current=true] .where").text_content() == "demo demo/1, 1 of 1 right"
    page.keyboard.press("/")
    page.keyboard.type("question 7")
    assert page.evaluate("document.activeElement.id") == "text"
    assert listed(page) == "2 of 80 questions"


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


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_serious_is_inaccessible_and_nothing_overflows(opened, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = opened("#item=medqa/medqa%2F3", color_scheme=scheme, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    serious = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []


@pytest.fixture(scope="module")
def wide_file(tmp_path_factory):
    """Six systems on three suites, some of their names long."""
    results = tmp_path_factory.mktemp("wide") / "results"
    for suite in ("demo-in-distribution", "medqa", "s" * 80):
        for i in range(6):
            write(results, f"system-{i}-{'with-a-long-name-' * i}", suite, lambda n, i=i: n % (i + 2) > 0, 40)
    file = results.parent / "report.html"
    file.write_text(as_page(summarise(results), results), encoding="utf-8")
    return file


@needs_browser
@pytest.mark.parametrize("width", [390, 768, 1280, 1600])
def test_neither_the_page_nor_its_navigation_scrolls_sideways(opened, wide_file, width):
    page = opened(file=wide_file, viewport={"width": width, "height": 800})
    page.evaluate("document.querySelector('nav details').open = true")
    for scrolled in ("document.documentElement", "document.body", "document.querySelector('nav')"):
        assert page.evaluate(f"{scrolled}.scrollWidth <= {scrolled}.clientWidth")
    assert page.evaluate("document.documentElement.clientWidth === innerWidth")
    beyond = "(e) => e.getBoundingClientRect().right > innerWidth && !e.closest('.scroll')"
    assert page.evaluate(f"[...document.querySelectorAll('body *')].filter({beyond}).map((e) => e.outerHTML)") == []


@needs_browser
@pytest.mark.parametrize("width", [1280, 1600])
def test_on_a_wide_screen_the_navigation_stays_beside_the_tables(opened, wide_file, width):
    page = opened(file=wide_file, viewport={"width": width, "height": 800})
    page.locator("nav a", has_text="Letters").click()
    navigation, table = (
        page.locator(name).bounding_box() for name in ("nav", "section.table:has(h2:text-is('Letters'))")
    )
    assert navigation["y"] == 0 and navigation["height"] <= 800
    assert navigation["x"] + navigation["width"] < table["x"]


@needs_browser
@pytest.mark.parametrize("width", [390, 768])
def test_on_a_narrow_screen_the_navigation_is_one_line_until_it_is_opened(opened, wide_file, width):
    page = opened(file=wide_file, viewport={"width": width, "height": 800})
    link = page.locator("nav a", has_text="Letters")
    assert page.locator("nav").bounding_box()["height"] < 60 and not link.is_visible()
    page.locator("nav summary").click()
    link.click()
    assert not link.is_visible()
    head = page.locator("h2", has_text="Letters").bounding_box()
    assert page.locator("nav").bounding_box()["height"] <= head["y"] < 100


@needs_browser
def test_the_first_column_stays_where_a_table_is_wider_than_a_telephone(opened, wide_file):
    page = opened(file=wide_file, viewport={"width": 390, "height": 800})
    box = page.locator("section.table .scroll").first
    box.evaluate("(box) => box.scrollLeft = 10000")
    assert box.evaluate("(box) => box.scrollLeft") > 0
    first, last = box.locator("tbody tr").first.locator("td").first, box.locator("tbody tr").first.locator("td").last
    assert first.bounding_box()["x"] == box.bounding_box()["x"]
    assert first.bounding_box()["width"] < 195  # half of it is for the others
    assert last.bounding_box()["x"] < 390


@needs_browser
def test_twelve_thousand_answers_fit_and_are_found(opened, tmp_path):
    results = tmp_path / "results"
    for suite in ("a", "b", "c"):
        for system in ("w", "x", "y", "z"):
            write(results, system, suite, lambda i: i % 2 == 0, 1000, "word " * 300 + "{letter}")
    file = tmp_path / "report.html"
    file.write_text(as_page(summarise(results), results), encoding="utf-8")
    assert file.stat().st_size < 5_000_000
    page = opened(file=file)
    assert listed(page) == "3,000 of 3,000 questions, the first 200 listed"
    page.locator("#more").click()
    assert listed(page) == "3,000 of 3,000 questions, the first 400 listed"
    assert page.locator("#list button").count() == 400
    page.fill("#text", "question 99")
    assert listed(page) == "33 of 3,000 questions"


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
    assert len(as_page(summarise(tmp_path), tmp_path)) < 5_000_000


def test_a_lens_that_cannot_be_read_is_told_once_however_often_the_answers_are_packed(tmp_path, monkeypatch, capsys):
    write(tmp_path, "rim", "medqa", lambda i: True, 3)
    (tmp_path / "rim-medqa-lens").mkdir()
    (tmp_path / "rim-medqa-lens" / "lens.json").write_text("{")
    monkeypatch.setattr(page, "PACKED_BUDGET", 10)
    as_page(summarise(tmp_path), tmp_path)
    assert capsys.readouterr().err.count("left out") == 1


def test_of_very_many_answers_each_stands_under_the_question_that_its_run_asked(tmp_path, monkeypatch):
    """The id x is the first question of one run, and another question of the other, where it is the third."""
    for system, ids in (("a", "xyz"), ("b", "vwx")):
        items = [Item(i, f"{system} asks {i}", {"A": "1", "B": "2"}, "A") for i in ids]
        with RunStore(tmp_path / system) as store:
            store.write_manifest(manifest(run=system, system=system, n=3), items)
            store.append([Record(i, 0, "A", "A", "ok", f"{system} says {i}", None, 5, 1, "p") for i in ids])
    monkeypatch.setattr(page, "MOST_ANSWERS", 4)
    held = held_by(as_page(summarise(tmp_path), tmp_path))
    shown = [(int(number), answer[3]) for run in held["runs"] for number, answer in run["answers"].items()]
    told = {(held["items"][number][2], text) for number, text in shown}
    assert told == {(f"{s} asks {i}", f"{s} says {i}") for s, i in ("ax", "ay", "bv", "bw")}


def test_a_long_text_keeps_its_beginning_and_its_end():
    text = "b" * 500 + "e" * 500
    assert cut(text, 1000) == text
    shown = cut(text, 300)
    assert shown.startswith("b" * 100 + "\n[... 700 characters left out") and shown.endswith("e" * 200)
