"""How the page lies on a screen of any width, and on paper."""

import re
import shutil
import subprocess

import pytest
from report_pages import needs_browser, write, write_page


@needs_browser
def test_paper_has_the_tables_the_plots_and_the_chosen_question(opened):
    page = opened("#item=medqa/medqa%2F3")
    page.emulate_media(media="print")
    for shown in ("section.table table", "figure svg", "#item .question", "#item .system"):
        assert page.locator(shown).first.is_visible()
    for hidden in ("nav", "#filters", "#list", "#keys", "#steps"):
        assert not page.locator(hidden).is_visible()


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
def test_on_a_telephone_the_suite_and_the_system_stay_beside_the_figures(opened, wide_file):
    page = opened(file=wide_file, viewport={"width": 390, "height": 800})
    tables = page.locator("section.table .scroll:has(table.named)").all()
    assert len(tables) > 5
    for box in tables:
        box.evaluate("(box) => box.scrollLeft = 100000")
        left = box.bounding_box()["x"]
        suite, system, *_, last = (cell.bounding_box() for cell in box.locator("tbody tr").first.locator("td").all())
        assert suite["x"] == left and system["x"] == pytest.approx(suite["x"] + suite["width"], abs=1)
        assert system["x"] + system["width"] - left < 195  # half of a telephone is for the figures
        assert last["x"] + last["width"] <= 390


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_table_passes_below_its_head_in_a_box_and_is_whole_on_paper(opened, wide_file, width):
    page = opened(file=wide_file, viewport={"width": width, "height": 800})
    boxes = page.locator("section:has(h2:text-is('Who is better')) .scroll").first, page.locator(".scroll").first
    assert [box.evaluate("(box) => box.scrollHeight > box.clientHeight") for box in boxes] == [True, False]
    box, head = boxes[0], boxes[0].locator("th").nth(1)
    box.evaluate("(box) => box.scrollIntoView({ block: 'center' })")
    before = head.bounding_box()
    box.evaluate("(box) => box.scrollTop = 300")
    assert head.bounding_box() == before and box.bounding_box()["height"] <= 640
    middle = [before[side] + before[size] / 2 for side, size in (("x", "width"), ("y", "height"))]
    assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).closest('th') !== null", middle)
    page.emulate_media(media="print")
    assert box.evaluate("(box) => box.scrollHeight <= box.clientHeight")


@needs_browser
def test_the_answers_of_many_systems_pass_in_a_box_and_their_matrix_is_left_to_the_table(opened, tmp_path):
    for i in range(17):
        write(tmp_path / "results", f"system-{i}", "medqa", lambda n: True, 2)
    page = opened(file=write_page(tmp_path / "results"), viewport={"width": 390, "height": 800})
    assert page.locator("#item .system").count() == 17
    assert page.locator("#item .systems").bounding_box()["height"] <= 640
    assert page.locator("figure", has_text="Verdict on each pair").count() == 0
    assert page.locator("section:has(h2:text-is('Who is better')) tbody tr").count() == 136
    page.emulate_media(media="print")
    assert page.locator("#item .systems").evaluate("(box) => box.scrollHeight <= box.clientHeight")


PAPER = {"width": 672, "height": 960}  # what A4 has between its margins


@needs_browser
@pytest.mark.parametrize("name", ["page_file", "wide_file"])
def test_on_paper_no_table_is_cut_and_all_is_light(opened, request, name):
    page = opened(file=request.getfixturevalue(name), color_scheme="dark", viewport=PAPER)
    page.emulate_media(media="print", color_scheme="dark")
    beyond = "(e) => e.getBoundingClientRect().right > innerWidth && !e.closest('svg')"
    assert page.evaluate(f"[...document.querySelectorAll('main *')].filter({beyond}).map((e) => e.outerHTML)") == []
    shades = page.locator("body").evaluate("(e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
    assert [int(re.search(r"\d+", shade)[0]) for shade in shades] == [27, 255]


@needs_browser
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext: apt-get install poppler-utils")
def test_a_table_over_several_sheets_has_its_head_on_each_and_the_first_sheet_is_full(opened, wide_file, tmp_path):
    opened(file=wide_file).pdf(path=tmp_path / "page.pdf", format="A4")
    told = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True
    )
    sheets = told.stdout.split("\f")
    assert len(sheets[0].splitlines()) > 40
    heads = [sheet for sheet in sheets if re.search(r"pair +n +difference", sheet)]
    assert len(heads) > 1
