"""Single answers on the page: filters, facets, pairs, links, keys, hostile texts."""

import math

import pytest
from report_pages import HOSTILE, TITLE, needs_browser, write, write_page
from report_runs import manifest

from rimbench.records import Item, Record
from rimbench.store import RunStore


def listed(page):
    return page.locator("#count").text_content()


def await_that(page, selector):
    """What is expected of an element in a moment: the page allows no script that waits in it."""
    from playwright.sync_api import expect

    return expect(page.locator(selector))


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
    await_that(page, "#text").to_have_value("a & b=c")
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
def test_twelve_thousand_answers_fit_and_are_found(opened, tmp_path):
    results = tmp_path / "results"
    for suite in ("a", "b", "c"):
        for system in ("w", "x", "y", "z"):
            write(results, system, suite, lambda i: i % 2 == 0, 1000, "word " * 300 + "{letter}")
    file = write_page(results)
    assert file.stat().st_size < 5_000_000
    page = opened(file=file)
    assert listed(page) == "3,000 of 3,000 questions, the first 200 listed"
    page.locator("#more").click()
    assert listed(page) == "3,000 of 3,000 questions, the first 400 listed"
    assert page.locator("#list button").count() == 400
    page.fill("#text", "question 99")
    assert listed(page) == "33 of 3,000 questions"


PAIR = "#answers&suite=medqa&system=cot&other=rim&differ=1"


@needs_browser
def test_questions_can_be_those_alone_on_which_two_systems_differ(opened):
    page = opened()
    page.check("#differ")
    assert listed(page) == "30 of 80 questions"  # rim is right on 30, cot on 20, both on 10
    page.select_option("#system", "rim")
    page.select_option("#other", "cot")
    assert listed(page) == "30 of 80 questions"
    page.select_option("#outcome", "right")
    assert listed(page) == "20 of 80 questions"
    page.select_option("#other", "rim")
    assert listed(page) == "0 of 80 questions"


@needs_browser
def test_the_two_systems_that_are_compared_stand_first(opened):
    page = opened("#item=medqa/medqa%2F3")
    names = page.locator("#item .systems h4 bdi")
    assert names.all_text_contents() == ["cot", "rim"]
    page.select_option("#system", "rim")
    assert names.all_text_contents() == ["rim", "cot"]
    page.select_option("#system", "cot")
    assert names.all_text_contents() == ["cot", "rim"]


@needs_browser
def test_a_pair_in_a_table_leads_to_its_questions_and_the_way_back_to_the_table(opened):
    page = opened()
    accuracy = "section.table:has(h2:text-is('Accuracy'))"
    page.locator(f"{accuracy} th button").first.click()
    for title in ("Who is better", "How sure"):
        link = page.locator(f"section.table:has(h2:text-is('{title}')) tbody a")
        assert link.all_text_contents() == ["rim vs cot"] or link.all_text_contents() == ["cot vs rim"]
        link.click()
        await_that(page, "#differ").to_be_checked()
        assert listed(page) == "30 of 80 questions"
        assert page.input_value("#suite") == "medqa"
        assert {page.input_value("#system"), page.input_value("#other")} == {"cot", "rim"}
        assert page.locator("#answers").bounding_box()["y"] < 100
        assert page.locator(f"{accuracy} th").first.get_attribute("aria-sort") == "ascending"
        page.go_back()
        await_that(page, "#differ").not_to_be_checked()


@needs_browser
def test_a_pairs_link_that_is_followed_again_leads_there_again(opened):
    page = opened()
    link = page.locator("section.table:has(h2:text-is('Who is better')) tbody a")
    link.click()
    await_that(page, "#differ").to_be_checked()
    page.evaluate("scrollTo(0, 0)")
    link.click()
    assert page.locator("#answers").bounding_box()["y"] < 100


@needs_browser
def test_columns_of_the_source_filter_and_one_of_a_single_value_is_not_offered(opened):
    page = opened()
    groups = page.locator("#facet optgroup").evaluate_all("all => all.map((group) => group.label)")
    assert groups == ["subject = name"]  # all have 3 options, few words, and the same source or none
    names = page.locator("#facet option").all_text_contents()
    assert [name.rpartition(" ")[2] for name in sorted(names)] == ["(30)", "(15)", "(15)", "any"]
    page.select_option("#facet", label="Skin & hair (15)")
    assert listed(page) == "15 of 80 questions"
    page.check("#differ")
    page.locator("#next").click()
    again = opened("#" + page.url.partition("#")[2])
    assert listed(again) == listed(page)
    assert again.locator("#item h3").text_content() == page.locator("#item h3").text_content()
    assert "subject = name: Skin & hair" in again.locator("#item .facets").text_content()
    assert again.title() == TITLE


@needs_browser
def test_a_probability_of_none_has_no_bar(opened, tmp_path):
    with RunStore(tmp_path / "results" / "r") as store:
        store.write_manifest(manifest(n=1), [Item("1", "Question?", {"A": "x", "B": "y"}, "A")])
        store.append([Record("1", 0, "A", "A", "ok", "A", {"A": 0.0, "B": -math.inf}, 5, 1, "p")])
    page = opened(file=write_page(tmp_path / "results"))
    assert page.locator("#item .share").all_text_contents() == ["A100.0%", "B0.0%"]


@needs_browser
def test_keys_move_after_a_box_was_ticked_and_are_letters_in_a_text(opened):
    page = opened("#item=medqa/medqa%2F3")
    page.check("#differ")
    before = page.locator("#item h3").text_content()
    page.keyboard.press("j")
    assert page.locator("#item h3").text_content() != before
    page.focus("#text")
    page.keyboard.type("jk")
    assert page.input_value("#text") == "jk"
