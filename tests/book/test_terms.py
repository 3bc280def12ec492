"""Words of a glossary show their line where they stand: the markup, and the script in a browser."""

import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

from bookproof.sphinx import STATIC
from tests.book.browsing import open_page, serve

CONFIG = """
project = "Small"
html_theme = "basic"
extensions = ["myst_parser", "bookproof.sphinx.pages", "bookproof.sphinx.terms"]
html_static_path = [{static!r}]
html_css_files = ["bookproof.css"]
"""
PAGES = {
    "index.md": (
        "# Small\n\nA {term}`circle` and a {term}`circle`, a {term}`disk <disc>`.\n\n"
        "```{toctree}\nwords\n```\n"
    ),
    "words.md": (
        "# Words\n\n(somewhere)=\n\n## Somewhere\n\n```{glossary}\ncircle\n"
        "  all points at one distance; see {ref}`here <somewhere>`.\n\ndisk\ndisc\n"
        "  what a {term}`circle` surrounds.\n```\n"
    ),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A site of two pages, built by Sphinx alone."""
    folder = tmp_path_factory.mktemp("terms")
    (folder / "conf.py").write_text(CONFIG.format(static=str(STATIC)))
    for name, text in PAGES.items():
        (folder / name).write_text(text)
    run = [sys.executable, "-m", "sphinx", "-q", "-W", folder, folder / "html"]
    subprocess.run(run, check=True)
    return folder / "html"


def test_each_word_is_a_link_described_by_its_line(small):
    page = BeautifulSoup((small / "index.html").read_text(), "html.parser")
    links = [link for link in page.select("a.term") if not link.find_parent(class_="term-card")]
    assert [link["aria-describedby"] for link in links] == [
        "card-term-circle",
        "card-term-circle",
        "card-term-disc",
    ]
    assert links[0]["href"] == "words.html#term-circle"
    cards = page.select(".term-card")
    assert [card["id"] for card in cards] == ["card-term-circle", "card-term-disc"]
    assert all(card.has_attr("hidden") and card["role"] == "tooltip" for card in cards)
    assert cards[0].get_text().strip() == "circle: all points at one distance; see here."
    assert cards[0].a["href"] == "words.html#somewhere"


def test_the_glossary_brings_no_lines_to_itself(small):
    page = BeautifulSoup((small / "words.html").read_text(), "html.parser")
    assert page.select("a.term") == [] and page.select(".term-card") == []


def test_a_line_shows_by_mouse_and_by_keyboard_and_goes_again(browser, small):
    server, home = serve(small)
    page, said, _ = open_page(browser, home, "light", 390)
    page.goto(f"{home}index.html", wait_until="load")
    circle, disc = page.locator("#card-term-circle"), page.locator("#card-term-disc")
    assert not circle.is_visible()
    page.locator("a.term").first.hover()
    assert circle.is_visible() and not disc.is_visible()
    page.keyboard.press("Escape")
    assert not circle.is_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "disk":
            break
    assert disc.is_visible() and not circle.is_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/words.html#term-disc")
    page.context.close()
    server.shutdown()
    assert said == []


def test_a_first_tap_shows_the_line_and_a_second_one_follows_the_link(browser, small):
    server, home = serve(small)
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(f"{home}index.html", wait_until="load")
    page.locator("a.term").first.tap()
    assert page.locator("#card-term-circle").is_visible() and "index" in page.url
    page.locator("a.term").first.tap()
    page.wait_for_url("**/words.html#term-circle")
    context.close()
    server.shutdown()
