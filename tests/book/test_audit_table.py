"""The audit's table in hand: still a table, for the eye, the finger, the keyboard and the ear, and
with the signs of the one that is read.

That its numbers are Python's is seen in test_explorers.py; that the line of Python beside a
counterexample gives the two values, in tests/sharpminima/test_invariance.py.
"""

import pytest
from bs4 import BeautifulSoup

from tests.book.browsing import HANG, wait_for, wait_for_frame

ELEMENT = "sm-invariance"


@pytest.fixture(params=[1280, 390], ids=["wide", "phone"])
def page(request, browser, site):
    context = browser.new_context(
        viewport={"width": request.param, "height": 844}, has_touch=request.param < 768
    )
    context.set_default_timeout(HANG)
    page = context.new_page()
    page.goto((site / "chapters" / "invariance.html").as_uri(), wait_until="load")
    yield page
    context.close()


@pytest.fixture
def element(page):
    return page.locator(ELEMENT)


def list_rows(element):
    return element.locator("tbody tr:not(.family):not([hidden]) th").all_inner_texts()


def test_it_takes_the_place_of_the_table_that_is_read_and_has_its_signs(page, element):
    still = BeautifulSoup(page.content(), "html.parser").select_one("table.audit.compact")
    assert not page.locator("table.audit.compact").is_visible()
    expected = {}
    for row in still.select("tbody tr:not(.family)"):
        for note in row.select("sub, sup"):
            note.extract()
        expected[row.th.get_text()] = [cell.get_text() for cell in row.select("td")]
    found = {}
    for row in element.locator("tbody tr:not(.family)").all():
        texts = row.locator("td button").evaluate_all("all => all.map(e => e.firstChild.data)")
        found[row.locator("th").inner_text()] = texts
    assert len(expected) > 40 and found == expected
    page.emulate_media(media="print")
    assert page.locator("table.audit.compact").is_visible()


def test_a_table_of_heads_rows_and_families_that_stay_in_sight(page, element):
    table = element.get_by_role("table")
    assert table.get_by_role("columnheader").count() == 16
    families = element.locator("th[scope=rowgroup]").count()
    assert families > 3 and table.get_by_role("rowheader").count() == 1 + 43 + families
    box = element.locator(".sheet")
    box.scroll_into_view_if_needed()
    box.evaluate("node => node.scrollTo(200, 700)")
    place = box.bounding_box()
    head = element.locator("thead tr").first.bounding_box()
    assert abs(head["y"] - place["y"]) < 2
    name = element.locator("tbody tr:not(.family) th").first.bounding_box()
    assert abs(name["x"] - place["x"]) < 2


def test_what_is_required_is_heard_with_the_number_of_rows(page, element):
    head = element.locator("thead button").first
    head.focus()
    page.keyboard.press("Enter")
    wait_for(page, "document.querySelector('sm-invariance').inputs.layer_scale === 1")
    wait_for_frame(page)
    assert head.get_attribute("aria-pressed") == "true"
    left = list_rows(element)
    assert 0 < len(left) < 43
    live = element.locator("p.live")
    wait_for(page, "node => node.textContent", arg=live.element_handle())
    assert live.inner_text().startswith(f"{len(left)} of 43 measures survive layer scaling.")
    element.get_by_label("Words of a name").fill("no such measure")
    wait_for(page, "document.querySelector('sm-invariance').values().rows === 0")
    wait_for_frame(page)
    wait_for(page, "node => node.textContent.startsWith('None of 43')", arg=live.element_handle())
    assert list_rows(element) == []


def test_one_stop_for_the_tab_key_and_arrows_from_cell_to_cell(page, element):
    assert element.locator("td button[tabindex='0']").count() == 1
    element.locator("td button[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("permutation: survives")
    assert page.evaluate("document.activeElement.tabIndex") == 0
    page.keyboard.press("Enter")
    wait_for(page, "document.querySelector('sm-invariance').inputs.column === 2")
    element.locator(".example .panel-title", has_text="Largest eigenvalue, permutation").wait_for()
    assert element.locator("td button[aria-current]").count() == 1


def test_a_cell_opens_its_counterexample_and_the_line_can_be_copied(page, element):
    cell = element.locator("tbody tr:not(.family)").nth(1).locator("td button").nth(1)
    cell.scroll_into_view_if_needed()
    cell.click()
    example = element.locator(".example")
    wait_for(page, "document.querySelector('sm-invariance').inputs.measure === 1")
    example.locator(".panel-title", has_text="Trace, node scaling: breaks").wait_for()
    line = example.locator("code").inner_text()
    assert line.startswith('sm.audit(sm.MEASURES["trace"]')
    assert line.endswith('.counterexample("node_scale")')
    example.get_by_role("button", name="Copy").click()
    wait_for(
        page,
        "node => node.textContent === 'Copied.'",
        arg=example.locator(".copied").element_handle(),
    )


def test_claims_that_are_laid_over_are_told_by_more_than_color(page, element):
    element.get_by_role("button", name="laid over").click()
    wait_for(page, "document.querySelector('sm-invariance').inputs.with_claims === 1")
    wait_for_frame(page)
    values = element.evaluate("node => node.values()")
    assert element.locator("td sup:visible").count() == values["claims"] > values["refuted"] > 0
    refuted = element.locator("td.claimed[data-verdict=breaks]")
    assert refuted.count() == values["refuted"]
