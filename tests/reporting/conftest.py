import dataclasses

import pytest
from report_pages import CHROMIUM, HOSTILE, write, write_page
from report_runs import manifest

from rimbench.records import Item
from rimbench.store import RunStore
from rimbench.store.lenses import AfterBlock, Lens, SeenItem, write_lens


@pytest.fixture
def write_run(tmp_path):
    def write(records, items=4, **changes):
        made = manifest(**changes)
        questions = [Item(str(i), f"q{i}", {"A": "x", "B": "y", "C": "z", "D": "w"}, "A") for i in range(items)]
        with RunStore(tmp_path / "results" / made.run) as store:
            store.write_manifest(made, questions)
            store.append(records)
        return tmp_path / "results"

    return write


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    results = tmp_path_factory.mktemp("page") / "results"

    def facets(i):
        return {"subject = name": ["Anatomy", "Skin & hair", HOSTILE][min(i % 4, 2)], "source": "a book"}

    write(results, "rim", "medqa", lambda i: i % 2 == 0, 60, "needle " + HOSTILE, facets)
    write(results, "cot", "medqa", lambda i: i % 3 == 0, 60, facets=facets)
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
    return write_page(results)


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


@pytest.fixture(scope="module")
def wide_file(tmp_path_factory):
    """Six systems on three suites, some of their names long."""
    results = tmp_path_factory.mktemp("wide") / "results"
    for suite in ("demo-in-distribution", "medqa", "s" * 80):
        for i in range(6):
            write(results, f"system-{i}-{'with-a-long-name-' * i}", suite, lambda n, i=i: n % (i + 2) > 0, 40)
    return write_page(results)
