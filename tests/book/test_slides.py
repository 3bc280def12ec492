"""The slides: twenty, each with a figure as the site shows it, on the screen and in print.

Not seen here: whether they make a good lecture.
"""

import re
import subprocess
import sys

import pytest
import yaml
from bs4 import BeautifulSoup

from bookproof.slides import (
    NoSlides,
    Pages,
    find_note,
    make_slide,
    settle_links,
    split_caption,
)
from tests.book.browsing import wait_for
from tests.support import PROJECT

WISHES = yaml.safe_load((PROJECT / "chapters" / "slides.yml").read_text())["slides"]
SLIDES = 20
# What is cut off, or lies on something else, of each slide at 1280 by 720 pixels.
MEASURE = """() => [...document.querySelectorAll("section")].map(slide => {
  const box = e => e.getBoundingClientRect()
  const [words, foot, head, image] = [".words", "footer", "header", "img"]
    .map(one => box(slide.querySelector(one)))
  const parts = [...slide.querySelectorAll("p, h1, h2, figcaption, .words, footer span")]
  const cut = parts.filter(e => e.scrollWidth > e.clientWidth + 1).length
  return {
    cut, size: [box(slide).width, box(slide).height],
    overlap: Math.max(words.bottom - foot.top, head.bottom - words.top, head.bottom - image.top),
    letters: parseFloat(getComputedStyle(slide.querySelector(".words")).fontSize),
    image: image.height,
  }
})"""


@pytest.fixture(scope="module")
def deck(site):
    command = [sys.executable, "-m", "bookproof.slides", site.parent]
    said = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    path = site.parent / "slides" / "index.html"
    assert said.stdout.startswith(f"{SLIDES} slides, ")
    return path


@pytest.fixture(scope="module")
def slides(deck):
    return BeautifulSoup(deck.read_text(), "html.parser").select("section")


@pytest.fixture
def shown(browser, deck):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(deck.as_uri())
    page.evaluate("document.fonts.ready")
    yield page
    page.close()


def test_there_are_twenty_and_their_figures_are_the_sites(slides, site):
    assert len(slides) == len(WISHES) == SLIDES
    pages = Pages(site)
    for slide, wish in zip(slides, WISHES, strict=True):
        link = slide.select_one("figcaption a")
        page, label = link["href"].removeprefix("../html/").split("#")
        assert label == wish["figure"]
        figure = pages[page].find(id=label)
        assert link.get_text() == figure.select_one(".caption-number").get_text().strip()
        assert slide.img["alt"] == figure.img["alt"] and len(slide.img["alt"]) > 40
        question = slide.h2.get_text()
        assert figure.select_one(".caption-text").get_text().startswith(question)
        assert question.endswith("?")


def test_a_slide_says_where_the_lecture_was_wrong_or_what_the_chapter_says_in_short(slides):
    heads = [note.strong.get_text() for slide in slides for note in slide.select(".note")]
    wished = [wish["note"] for wish in WISHES if "note" in wish]
    words = {"in short": "In short", "correction": "Corrected"}
    assert heads == [words[kind] for kind in wished]
    assert heads.count("Corrected") >= 6 and heads.count("In short") >= 10


def test_the_deck_needs_nothing_else(deck):
    """Pictures and fonts are in it; links lead to the site beside it, or to what is cited."""
    text = deck.read_text()
    assert len(text) < 2e6
    assert re.findall(r'(?:src|url)[=(]["\']?(?!data:)[^"\')]{3,}', text) == []
    soup = BeautifulSoup(text, "html.parser")
    links = {link["href"] for link in soup.select("a[href]")}
    foreign = {link for link in links if not link.startswith("../html/")}
    assert all(link.startswith("https://") for link in foreign)
    inner = {link.partition("#")[0] for link in links - foreign}
    assert all((deck.parent / link).exists() for link in inner)
    assert soup.find_all(id=True) == []


def test_no_slide_overflows(shown):
    for number, slide in enumerate(shown.evaluate(MEASURE), start=1):
        assert slide["size"] == [1280, 720], number
        assert slide["cut"] == 0 and slide["overlap"] <= 0, (number, slide)
        assert slide["letters"] >= 16 and slide["image"] > 300, (number, slide)


def test_a_key_leads_to_the_next_slide(shown):
    place = "Math.round(document.querySelectorAll('section')[1].getBoundingClientRect().top)"
    assert shown.evaluate(place) != 0
    shown.keyboard.press("ArrowRight")
    wait_for(shown, f"{place} == 0")
    shown.keyboard.press("ArrowLeft")
    wait_for(shown, f"{place} != 0")


def test_print_has_one_slide_a_page(shown):
    printed = shown.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == SLIDES
    boxes = set(re.findall(rb"/MediaBox\s*\[([^\]]*)\]", printed))
    assert [round(float(side)) for side in boxes.pop().split()] == [0, 0, 960, 540]
    assert boxes == set()


def caption(text):
    return BeautifulSoup(f"<span>{text}</span>", "html.parser").span


def test_a_caption_is_a_question_and_an_answer():
    assert split_caption(caption("How <i>far</i>? So &lt; far.")) == (
        "How <i>far</i>?",
        "So &lt; far.",
    )
    assert split_caption(caption("In <b>F?</b> Yes. No?")) == ("In <b>F?</b>", "Yes. No?")
    with pytest.raises(NoSlides, match="asks no question first: Nothing"):
        split_caption(caption("Nothing is asked."))


def test_what_cannot_be_shown_is_said(tmp_path):
    site, pages = tmp_path, Pages(tmp_path)
    with pytest.raises(NoSlides, match="names the figure fig-none, which no page has"):
        make_slide(site, pages, {"figure": "fig-none"})
    with pytest.raises(NoSlides, match="note must be one of in short, correction, got 'x'"):
        make_slide(site, pages, {"figure": "fig-shift", "note": "x"})
    page = BeautifulSoup("<title>Empty</title>", "html.parser")
    with pytest.raises(NoSlides, match="Empty has nothing to show for: in short"):
        find_note(page, "in short")


def test_links_of_a_page_lead_there_from_elsewhere():
    text = '<p id="x"><a href="#a">1</a><a href="b.html#c">2</a><a href="https://d.org">3</a></p>'
    for home in ("../html/", "https://book.example/"):
        settled = settle_links(text, f"{home}chapters/here.html")
        links = [link["href"] for link in BeautifulSoup(settled, "html.parser").select("a")]
        assert links == [
            f"{home}chapters/here.html#a",
            f"{home}chapters/b.html#c",
            "https://d.org",
        ]
        assert "id=" not in settled
